"""Who may ask: whoever has the token, or, without one, whoever is on this machine and says so."""

from __future__ import annotations

import base64
import binascii
import hmac

from starlette.datastructures import Headers

from mlpipeline.learning.serving.refusal import Refusal
from mlpipeline.listening import digest_of, host_of, is_loopback

_REALM = 'Basic realm="mlpipeline: any name, the token as password"'


class Access:
    """Lets requests in.

    Args:
        token: that has to come along, as `Authorization: Bearer TOKEN`, or as the password of Basic, which browsers
            ask for. None where the server listens on loopback only; then a request has to be addressed to this
            machine, or else a page of some other site could ask by a name that leads here.
    """

    def __init__(self, token: str | None) -> None:
        self._digest = None if token is None else digest_of(token)

    def check(self, headers: Headers) -> None:
        """Raises a Refusal where a request may not be answered."""
        if self._digest is None:
            if not is_loopback(host_of(headers.get("host", ""))):
                raise Refusal(
                    421, "wrong_host", "this server answers requests to 127.0.0.1 and localhost only: it has no token"
                )
            return
        given = _given(headers.get("authorization", ""))
        if given is None or not hmac.compare_digest(digest_of(given), self._digest):
            message = "a token is needed: send Authorization: Bearer TOKEN"
            raise Refusal(401, "no_token", message, headers={"WWW-Authenticate": _REALM})


def _given(authorization: str) -> str | None:
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(rest, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None
