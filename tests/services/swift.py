"""Runs OpenStack Swift with its S3 API: one device, loopback only, signatures checked."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.services import conftest

_STORAGE = """
[DEFAULT]
devices = {root}/srv
mount_check = false
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {root}/etc
log_level = WARNING
recon_cache_path = {root}/cache
disable_fallocate = true
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
_PROXY = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {root}/etc
log_level = WARNING
[pipeline:main]
pipeline = catch_errors cache s3api tempauth copy slo dlo symlink versioned_writes proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{cache_port}
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:symlink]
use = egg:swift#symlink
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
"""


@contextlib.contextmanager
def running(root: Path, port: int) -> Iterator[None]:
    """Runs the servers to the end of the block."""
    for name in ("etc", "srv/d1", "cache"):
        (root / name).mkdir(parents=True)
    import getpass

    user, cache_port = getpass.getuser(), conftest.free_port()
    (root / "etc" / "swift.conf").write_text(
        "[swift-hash]\nswift_hash_path_suffix = x\nswift_hash_path_prefix = y\n"
        "[storage-policy:0]\nname = p0\ndefault = yes\n"
    )
    with contextlib.ExitStack() as stack:
        memcached = ["memcached", "-u", user, "-l", "127.0.0.1", "-p", str(cache_port), "-m", "16"]
        stack.enter_context(conftest.running(memcached, cache_port, root / "memcached.log"))
        for kind in ("object", "container", "account"):
            own = conftest.free_port()
            _ring(root, kind, own)
            text = _STORAGE.format(root=root, port=own, user=user, kind=kind)
            _serve(stack, root, f"swift-{kind}-server", own, text)
        text = _PROXY.format(root=root, port=port, user=user, cache_port=cache_port)
        _serve(stack, root, "swift-proxy-server", port, text)
        yield


def _ring(root: Path, kind: str, port: int) -> None:
    builder = [f"{root}/etc/{kind}.builder"]
    for arguments in (["create", "6", "1", "1"], ["add", f"r1z1-127.0.0.1:{port}/d1", "1"], ["rebalance"]):
        subprocess.run(["swift-ring-builder", *builder, *arguments], stdout=subprocess.DEVNULL, check=False)


def _serve(stack: contextlib.ExitStack, root: Path, program: str, port: int, text: str) -> None:
    path = root / "etc" / f"{program}.conf"
    path.write_text(text)
    stack.enter_context(conftest.running([program, str(path)], port, root / f"{program}.log"))
