"""What a server of pages listens on: a socket of an address; whether others can reach that, and what a client shows"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import ipaddress
import socket
from collections.abc import Iterator

from mlpipeline.errors import UsageError


@functools.lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine, and no other one can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(header: str) -> str:
    """Returns what a Host header names, without the port."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.rpartition(":")[0].lower() if ":" in header else header.lower()


def digest_of(token: str) -> bytes:
    """Returns what tokens are compared by: all digests are of one length, so that the time tells nothing of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


@contextlib.contextmanager
def bound(address: str, port: int) -> Iterator[socket.socket]:
    """Gives a socket that has the address, and does not listen yet.

    Raises:
        UsageError: it cannot be had; the message says why.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"--address {address}: no such address can be listened on ({error}): take 127.0.0.1, or one of this machine"
        ) from None
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(place)
        except OSError as error:
            raise UsageError(_unbound(address, port, error)) from None
        yield listener


def url_of(listener: socket.socket) -> str:
    """Returns the address of a socket that is bound, as a browser wants it."""
    address, port = listener.getsockname()[:2]
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def _unbound(address: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {address} is in use: stop what listens there, or choose another one (--port 0: any)"
    if error.errno == errno.EACCES:
        return f"port {port} of {address} is kept for the administrator: choose one above 1023"
    return f"--address {address} --port {port}: cannot be used ({error.strerror}): name an address of this machine"
