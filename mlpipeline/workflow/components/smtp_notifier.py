"""Tells people what happened by mail."""

from __future__ import annotations

import logging
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from mlpipeline.errors import DataFault
from mlpipeline.workflow.components.log_notifier import number_of, said
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.record import Notifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SECURITY = ("starttls", "tls", "none")
_HERE = frozenset(("localhost", "127.0.0.1", "::1"))
_LONGEST_SUBJECT = 120


class SmtpNotifier(Notifier):
    """Sends mails by an SMTP server. One that does not answer is logged, and the workflow goes on.

    Args:
        smtp_server: the server's name.
        sender_email: whom they are from.
        recipient_email: whom they are for; one, or several.
        smtp_port: of the server; 587 takes mail from programs (RFC 6409), 465 by TLS from the first byte (RFC 8314).
        smtp_user: who logs in; by default nobody does, or the sender where there is a password.
        smtp_password: give it as `${env:SMTP_PASSWORD}`.
        smtp_security: `starttls`, `tls`, or `none` for a server on this machine.
        smtp_timeout: seconds to wait for the server.

    Raises:
        DataFault: (a ValueError) there is no such security, or the password would be sent in clear.
    """

    def __init__(
        self,
        smtp_server: str,
        sender_email: str,
        recipient_email: str | list[str],
        smtp_port: int = 587,
        smtp_user: str | None = None,
        smtp_password: str | None = None,
        smtp_security: str = "starttls",
        smtp_timeout: float = 10.0,
    ) -> None:
        if smtp_security not in _SECURITY:
            raise DataFault(f"smtp_security is one of {', '.join(_SECURITY)}, not {smtp_security!r}")
        if smtp_password and smtp_security == "none" and smtp_server not in _HERE:
            raise DataFault(f"smtp_password would go to {smtp_server} in clear: set smtp_security to starttls or tls")
        self.server, self.port, self.security, self.timeout = smtp_server, smtp_port, smtp_security, smtp_timeout
        self.sender = sender_email
        self.recipients = [recipient_email] if isinstance(recipient_email, str) else recipient_email
        if not all(each.strip() for each in [sender_email, *self.recipients]) or not self.recipients:
            raise DataFault("sender_email and recipient_email are addresses: they must not be empty")
        self.user, self.password = smtp_user or (sender_email if smtp_password else None), smtp_password

    @side_effects
    def notify(self, text: str, level: str = "info") -> None:
        """Sends a mail; its first line is the subject.

        Raises:
            DataFault: (a ValueError) there is no such level.
        """
        number_of(level)
        message = self._message(said(self, text), level)
        try:
            with self._connected() as connection:
                refused = connection.send_message(message, self.sender, self.recipients)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            self._tell(f"{type(error).__name__}: {error}")
        else:
            for address, answer in refused.items():
                self._tell(f"{address} was refused: {answer}")

    def _message(self, text: str, level: str) -> EmailMessage:
        first = next((line.strip() for line in text.splitlines() if line.strip()), "(no text)")
        message = EmailMessage()
        prefix = "" if level == "info" else f"{level.upper()}: "
        message["Subject"] = f"{prefix}{first}"[:_LONGEST_SUBJECT]
        message["From"], message["To"] = self.sender, ", ".join(self.recipients)
        message["Date"], message["Message-ID"] = formatdate(localtime=True), make_msgid(domain="mlpipeline.invalid")
        message.set_content(text)
        return message

    def _connected(self) -> smtplib.SMTP:
        if self.security == "tls":
            context = ssl.create_default_context()
            connection: smtplib.SMTP = smtplib.SMTP_SSL(self.server, self.port, timeout=self.timeout, context=context)
        else:
            connection = smtplib.SMTP(self.server, self.port, timeout=self.timeout)
        try:
            if self.security == "starttls":
                connection.starttls(context=ssl.create_default_context())
            if self.user and self.password:
                connection.login(self.user, self.password)
        except BaseException:
            connection.close()
            raise
        return connection

    def _tell(self, why: str) -> None:
        shown = said(self, why)
        if self.password:
            shown = shown.replace(self.password, "***")
        told = f"a mail was not sent by {self.server}:{self.port}: {shown}"
        self.log(told, log_to_file=True, level=logging.WARNING)

    def __getstate__(self) -> dict[str, Any]:
        """Returns nothing: it has learnt nothing, and its password is a secret."""
        return {}
