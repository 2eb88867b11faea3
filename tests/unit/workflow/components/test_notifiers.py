"""Notifiers reach real servers on this machine; one that is dead, slow or refuses is logged and ends nothing."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mlpipeline.errors import DataFault
from mlpipeline.workflow.components import webhook_notifier
from mlpipeline.workflow.components.smtp_notifier import SmtpNotifier
from mlpipeline.workflow.components.webhook_notifier import WebhookNotifier

SECRET = "T0ken-in-the-path"


class Hook:
    """A web server that notes what is posted, and answers with the next status of a list, at last always 200."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[int] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                hook.posted.append((self.path, json.loads(self.rfile.read(length))))
                status = hook.answers.pop(0) if hook.answers else 200
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/{SECRET}"


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    monkeypatch.setattr(webhook_notifier, "_FIRST_PAUSE", 0.001)
    found = Hook()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.01,))
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mlpipeline.model")


def unused_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_a_webhook_gets_the_text(hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    notifier = WebhookNotifier(hook.url)
    notifier.notify('it is "done": é')
    notifier.notify("two checks failed at postgresql://me:pass-w0rd@host/db", "error")
    assert hook.posted == [
        (f"/{SECRET}", {"text": 'it is "done": é'}),
        (f"/{SECRET}", {"text": "ERROR: two checks failed at postgresql://me:***@host/db"}),
    ]
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("answers", "posts", "told"),
    [
        ([500, 429], 3, ""),
        ([503, 503, 503], 3, "503 Service Unavailable"),
        ([404], 1, "404 Not Found"),
        ([302], 1, "302 Found"),
    ],
)
def test_a_webhook_in_trouble_is_asked_again(
    hook: Hook, caplog: pytest.LogCaptureFixture, answers: list[int], posts: int, told: str
) -> None:
    hook.answers = answers
    WebhookNotifier(hook.url).notify("x")
    assert [path for path, _ in hook.posted] == [f"/{SECRET}"] * posts
    assert caplog.text.count("127.0.0.1 did not take a message") == (1 if told else 0)
    assert told in caplog.text
    assert SECRET not in caplog.text


def test_a_dead_or_silent_webhook_ends_nothing(hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    WebhookNotifier(f"http://127.0.0.1:{unused_port()}/{SECRET}", webhook_retries=1).notify("x")
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/{SECRET}"
        WebhookNotifier(url, webhook_timeout=0.05, webhook_retries=0).notify("x")
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "refused" in caplog.text
    assert "timed out" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("url", ["", "ftp://host/x", "file:///etc/passwd", f"hooks.example/{SECRET}", "http://"])
def test_an_address_that_is_none_is_told_without_it(url: str) -> None:
    with pytest.raises(DataFault, match="webhook_url") as caught:
        WebhookNotifier(url)
    assert SECRET not in str(caught.value)


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    controller = pytest.importorskip("aiosmtpd.controller", reason="aiosmtpd is not installed: pip install '.[test]'")
    smtp = pytest.importorskip("aiosmtpd.smtp")

    class Box:
        def __init__(self) -> None:
            self.got: list[tuple[list[str], Message]] = []
            self.logins: list[tuple[bytes, bytes]] = []

        async def handle_RCPT(self, _: Any, __: Any, envelope: Any, address: str, ___: Any) -> str:  # noqa: N802
            if address.startswith("nobody"):
                return "550 no such user"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            self.got.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
            return "250 OK"

    box: Any = Box()

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
        box.logins.append((data.login, data.password))
        return smtp.AuthResult(success=data.password == b"sesame-open", handled=False)

    served = controller.Controller(
        box, hostname="127.0.0.1", port=unused_port(), authenticator=authenticate, auth_require_tls=False
    )
    served.start()
    box.port = served.port
    yield box
    served.stop()


def test_a_mail_arrives(mails: Any, caplog: pytest.LogCaptureFixture) -> None:
    notifier = SmtpNotifier(
        "127.0.0.1",
        "me@example.org",
        ["you@example.org", "all@example.org"],
        smtp_port=mails.port,
        smtp_password="sesame-open",
        smtp_security="none",
    )
    notifier.notify("F1 fell to 0.5 — look\nBcc: all@example.org\nsecond line with é", "warning")
    ((recipients, mail),) = mails.got
    assert recipients == ["you@example.org", "all@example.org"]
    assert mail["Bcc"] is None
    payload: Any = mail.get_payload(decode=True)
    assert payload.decode().splitlines() == ["F1 fell to 0.5 — look", "Bcc: all@example.org", "second line with é"]
    assert (mail["From"], mail["To"]) == ("me@example.org", "you@example.org, all@example.org")
    assert mails.logins == [(b"me@example.org", b"sesame-open")]
    assert [each for each in caplog.records if each.name == "mlpipeline.model"] == []


def test_a_server_that_refuses_or_is_dead_ends_nothing(mails: Any, caplog: pytest.LogCaptureFixture) -> None:
    def notify(recipient: str | list[str], port: int, password: str | None = None, security: str = "none") -> str:
        caplog.clear()
        SmtpNotifier(
            "127.0.0.1",
            "me@example.org",
            recipient,
            smtp_port=port,
            smtp_password=password,
            smtp_security=security,
            smtp_timeout=5.0,
        ).notify("x")
        (record,) = (each for each in caplog.records if each.name == "mlpipeline.model")
        assert record.levelname == "WARNING"
        return record.getMessage()

    told = notify(["nobody@a.org", "you@b.org"], mails.port)
    assert "nobody@a.org was refused: (550, b'no such user')" in told
    assert "SMTPRecipientsRefused" in notify("nobody@example.org", mails.port)
    assert "SMTPAuthenticationError" in (told := notify("you@b.org", mails.port, "wr0ng-password"))
    assert "wr0ng-password" not in told
    assert "SMTPNotSupportedError" in notify("you@b.org", mails.port, security="starttls")
    assert "ConnectionRefusedError" in notify("you@b.org", unused_port())


def test_mail_that_cannot_be_sent_safely_is_refused() -> None:
    with pytest.raises(DataFault, match="in clear"):
        SmtpNotifier("mail.example.org", "a@b.org", "c@d.org", smtp_password="x", smtp_security="none")
    with pytest.raises(DataFault, match="starttls, tls, none"):
        SmtpNotifier("localhost", "a@b.org", "c@d.org", smtp_security="ssl")
    with pytest.raises(DataFault, match="must not be empty"):
        SmtpNotifier("localhost", "a@b.org", [])
    with pytest.raises(DataFault, match="info, warning, error"):
        SmtpNotifier("localhost", "a@b.org", "c@d.org").notify("x", "fatal")


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_apprise_sends(hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("apprise", reason="apprise is not installed: pip install '.[notify]'")
    from mlpipeline.workflow.components.apprise_notifier import AppriseNotifier

    notifier = AppriseNotifier(hook.url.replace("http://", "json://"))
    notifier.notify("it is done", "error")
    ((path, posted),) = hook.posted
    assert path.strip("/") == SECRET
    assert (posted["title"], posted["message"], posted["type"]) == ("mlpipeline", "it is done", "failure")
    hook.answers = [500]
    notifier.notify("again")
    assert "a message was not sent" in caplog.text
    assert SECRET not in "".join(each.getMessage() for each in caplog.records if each.name == "mlpipeline.model")
    with pytest.raises(DataFault, match="number 1") as caught:
        AppriseNotifier([f"nonsense-{SECRET}"])
    assert SECRET not in str(caught.value)
