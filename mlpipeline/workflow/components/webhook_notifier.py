"""Tells people what happened where they chat: a POST of JSON to a webhook, as Slack and its like take it."""

from __future__ import annotations

import http.client
import json
import logging
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from mlpipeline.errors import DataFault
from mlpipeline.workflow.components.log_notifier import number_of, said
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.record import Notifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FIRST_PAUSE = 0.5
_TOO_MANY = 429
_SERVER_ERROR = 500


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nobody elsewhere: the address is a secret, and a POST that is redirected would become a GET."""

    def redirect_request(self, *arguments: Any, **named: Any) -> None:
        return None


class WebhookNotifier(Notifier):
    """Posts `{"text": …}` to a URL. A server that does not answer is logged, and the workflow goes on.

    Args:
        webhook_url: who knows it may post, so it is shown nowhere: give it as `${env:WEBHOOK_URL}`.
        webhook_timeout: seconds to wait for an answer.
        webhook_retries: how often it is tried again where the server is not there, too busy (429) or in trouble (5xx).

    Raises:
        DataFault: (a ValueError) it is no address of http or https.
    """

    def __init__(self, webhook_url: str, webhook_timeout: float = 5.0, webhook_retries: int = 2) -> None:
        parts = urlsplit(webhook_url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise DataFault(
                "webhook_url is no address: http:// or https:// is needed (it is not shown, since it is a secret)"
            )
        self.url, self.host = webhook_url.strip(), parts.hostname
        self.timeout, self.retries = webhook_timeout, webhook_retries
        self._opener = urllib.request.build_opener(_Stay)

    @side_effects
    def notify(self, text: str, level: str = "info") -> None:
        """Posts a message.

        Raises:
            DataFault: (a ValueError) there is no such level.
        """
        number_of(level)
        prefix = "" if level == "info" else f"{level.upper()}: "
        body = json.dumps({"text": f"{prefix}{said(self, text)}"}).encode()
        why = ""
        for attempt in range(self.retries + 1):
            if attempt:
                time.sleep(_FIRST_PAUSE * 2 ** (attempt - 1))
            why, is_final = self._post(body)
            if is_final:
                break
        if why:
            shown = said(self, why).replace(self.url, "***")
            self.log(f"{self.host} did not take a message: {shown}", log_to_file=True, level=logging.WARNING)

    def _post(self, body: bytes) -> tuple[str, bool]:
        """Posts once; returns why that failed, if it did, and whether to leave it at that."""
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "mlpipeline"}
        request = urllib.request.Request(self.url, body, headers, method="POST")
        try:
            with self._opener.open(request, timeout=self.timeout):
                return "", True
        except urllib.error.HTTPError as error:
            error.close()
            return f"{error.code} {error.reason}", error.code != _TOO_MANY and error.code < _SERVER_ERROR
        except (OSError, http.client.HTTPException, ValueError) as error:
            return f"{type(error).__name__}: {error}", isinstance(error, ValueError)

    def __getstate__(self) -> dict[str, Any]:
        """Returns nothing: it has learnt nothing, and its address is a secret."""
        return {}
