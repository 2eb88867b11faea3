"""Tells people what happened by any of the services that apprise knows."""

from __future__ import annotations

import logging

from mlpipeline import errors
from mlpipeline.errors import DataFault
from mlpipeline.workflow.components.log_notifier import number_of, said
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.record import Notifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KINDS = {"info": "info", "warning": "warning", "error": "failure"}


class AppriseNotifier(Notifier):
    """Sends messages by apprise. A service that does not answer is logged, and the workflow goes on.

    Args:
        apprise_urls: apprise's addresses, one or several. They hold tokens: give them as `${env:APPRISE_URLS}`.
        apprise_title: stands above each message.

    Raises:
        DataFault: (a ValueError) apprise does not know one of them.
        MissingExtra: apprise is not installed.
    """

    def __init__(self, apprise_urls: str | list[str], apprise_title: str = "mlpipeline") -> None:
        apprise = errors.require("apprise", extra="notify")
        self.title = apprise_title
        self._apprise = apprise.Apprise()
        urls = apprise_urls.split() if isinstance(apprise_urls, str) else apprise_urls
        for number, url in enumerate(urls, 1):
            if not self._apprise.add(url):
                raise DataFault(f"apprise_urls: apprise does not know number {number} (not shown: it is a secret)")
        if not urls:
            raise DataFault("apprise_urls is empty: give an address")

    @side_effects
    def notify(self, text: str, level: str = "info") -> None:
        """Sends a message to all of them.

        Raises:
            DataFault: (a ValueError) there is no such level.
        """
        number_of(level)
        try:
            is_sent = self._apprise.notify(body=said(self, text), title=self.title, notify_type=_KINDS[level])
        except Exception as error:  # a service is a stranger's plugin: whatever it raises is not the workflow's end
            self.log(f"a message was not sent: {type(error).__name__}", log_to_file=True, level=logging.WARNING)
            return
        if not is_sent:
            self.log("a message was not sent by all of apprise_urls", log_to_file=True, level=logging.WARNING)

    def __getstate__(self) -> dict[str, Any]:
        """Returns nothing: it has learnt nothing, and its addresses are secrets."""
        return {}
