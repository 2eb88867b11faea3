"""Who may look and who may ask: a link that works once, a session for it, and the place that requests come from."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.requests import Request

from mlpipeline.dashboard.refusal import Refusal
from mlpipeline.dashboard.sessions import Sessions
from mlpipeline.listening import digest_of, host_of, is_loopback

_MOST_LINKS = 20


@dataclass(slots=True, kw_only=True)
class Access:
    """Lets requests in.

    Attributes:
        port: on which the server listens; cookies of one address are shared by all of its ports.
        names: by which the server may be called, beside localhost and addresses in numbers.
        bearer: what a program may send as `Authorization: Bearer TOKEN`, for what only looks.
        is_read_only: nothing may be asked.
        key: that signs sessions; one of its own where they need not outlive it.
    """

    port: int
    names: frozenset[str] = frozenset()
    bearer: str | None = None
    is_read_only: bool = False
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _links: list[bytes] = field(default_factory=list)

    @property
    def sessions(self) -> Sessions:
        """Those that were begun here, or at a dashboard of the same project before."""
        return Sessions(self.key, is_read_only=self.is_read_only)

    @property
    def cookie(self) -> str:
        """The cookie's name."""
        return f"mlpipeline-{self.port}"

    def new_link(self) -> str:
        """Makes a token that can be changed for a session once. The oldest of many that nobody used end."""
        token = secrets.token_urlsafe(24)
        self._links = [*self._links, digest_of(token)][-_MOST_LINKS:]
        return token

    def redeem(self, token: str) -> str:
        """Changes a link's token for that of a session.

        Raises:
            Refusal: there is no such link, or it was used.
        """
        given = digest_of(token)
        left = [each for each in self._links if not hmac.compare_digest(each, given)]
        if len(left) == len(self._links):
            raise Refusal(401, "this link has been used, or is an old one: mlpipeline dashboard --link prints another")
        self._links = left
        return self.sessions.begin()

    def check_place(self, headers: Headers) -> None:
        """Refuses a request that was addressed to another name.

        A page of some other site could have its own name lead here (DNS rebinding), and would be the same origin then.
        """
        host = host_of(headers.get("host", ""))
        if not (is_loopback(host) or host in self.names or (self.names and _is_number(host))):
            raise Refusal(421, "this server does not answer to that name: use the address that it was started with")

    def check_origin(self, headers: Headers) -> None:
        """Refuses a request with an effect that does not come from a page of this server."""
        if headers.get("origin", "") != f"http://{headers.get('host', '')}":
            raise Refusal(403, "a change can only be asked from a page of this dashboard")
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise Refusal(403, "a change can only be asked from a page of this dashboard")

    def check_effect(self, request: Request) -> None:
        """Refuses what may not change anything: without a session, or where only looking is allowed."""
        if not self.has_session(request):
            raise Refusal(401, "open the dashboard with its link first")
        if self.is_read_only:
            raise Refusal(403, "this dashboard only shows: it was started with --read-only")

    def has_session(self, request: Request) -> bool:
        """Whether a browser brings its cookie."""
        given = request.cookies.get(self.cookie)
        return given is not None and self.sessions.knows(given)

    def may_look(self, request: Request) -> bool:
        """Whether a request brings a cookie, or a program's token."""
        if self.has_session(request):
            return True
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        return (
            self.bearer is not None
            and scheme.lower() == "bearer"
            and hmac.compare_digest(digest_of(given.strip()), digest_of(self.bearer))
        )


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
