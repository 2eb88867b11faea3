"""Digests what was stored with today's algorithm, so that an upgrade makes nothing stale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mlpipeline.execution import fingerprint, snapshot
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.standings import Key, Standing


def refresh(project: Project, ledger: Ledger, say: Callable[..., None]) -> None:
    """Digests again every stored snapshot whose digest another Python or mlpipeline made."""
    for sha, (algorithm, _) in ledger.known_sources().items():
        if algorithm == fingerprint.ALGORITHM:
            continue
        try:
            copy = snapshot.load(project.sources_dir / sha)
            digest = fingerprint.code_digest(copy.read(), copy.main)
        except (OSError, ValueError) as error:
            say(f"sources/{sha}: cannot be read, so its runs are compared by their old digest: {error}", "WARNING")
            continue
        ledger.set_code_digest(sha, fingerprint.ALGORITHM, digest)


def remember(ledger: Ledger, known: set[str], sources: str, code_digest: str) -> None:
    """Records the digest of a snapshot that was not submitted before.

    Args:
        ledger: where to.
        known: the snapshots that are recorded already; grows.
        sources: the snapshot's address.
        code_digest: made by today's algorithm.
    """
    if sources not in known:
        ledger.set_code_digest(sources, fingerprint.ALGORITHM, code_digest)
        known.add(sources)


def standings(
    project: Project, ledger: Ledger, keys: Sequence[Key], former: Mapping[str, str], *, invocation: str | None
) -> dict[Key, Standing]:
    """Returns how each wish stands, also where no scheduler has brought the digests up to date yet.

    Args:
        project: says what must be equal.
        ledger: may be open to be read only.
        keys: the wishes.
        former: by today's digest of code, that of earlier releases.
        invocation: see `Ledger.standings`.
    """
    match = project.settings.rerun_on
    found = ledger.standings(keys, match=match, invocation=invocation)
    if match == "code":
        missing = [key for key in keys if key not in found and key.code_digest in former]
        before = {key._replace(code_digest=former[key.code_digest]): key for key in missing}
        earlier = ledger.standings(list(before), match=match, invocation=invocation)
        found |= {before[key]: standing for key, standing in earlier.items()}
    return found
