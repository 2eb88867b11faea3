"""A database of places that is known to the last digit."""

from __future__ import annotations

from pathlib import Path

import pytest

SEOUL = {"latitude": 37.5112, "longitude": 126.9741, "accuracy_radius": 200}
PARIS = {"latitude": 48.8566, "longitude": 2.3522, "accuracy_radius": 5}


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    netaddr = pytest.importorskip("netaddr", reason="mmdb-writer is not installed")
    mmdb_writer = pytest.importorskip("mmdb_writer", reason="mmdb-writer is not installed")
    writer = mmdb_writer.MMDBWriter(6, "Test-City", ipv4_compatible=True)
    writer.insert_network(netaddr.IPSet(["124.0.0.0/24"]), {"location": SEOUL})
    writer.insert_network(netaddr.IPSet(["2001:db8::/32"]), {"location": PARIS})
    writer.insert_network(netaddr.IPSet(["125.0.0.0/24"]), {"country": "without a location"})
    path = tmp_path_factory.mktemp("places") / "places.mmdb"
    writer.to_db_file(str(path))
    return path
