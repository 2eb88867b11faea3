"""Keeps secrets of a configuration out of everything that is shown: by the names of keys and variables, and in URLs."""

from __future__ import annotations

import re
from collections.abc import Iterable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HIDDEN = "***"
_WORDS = frozenset(
    "credential credentials passcode passphrase passwd password pwd secret secrets token".split()  # noqa: SIM905
)
_PAIRS = re.compile(r"(?:^|_)(api|access|private|secret|account|signing|encryption|ssh)_?key(?:$|_)")
_ADDRESSES = re.compile(r"(?:^|_)(webhook|apprise)_?ur[il]s?$")
"""Of which whoever knows one may write there."""
_IN_URL = re.compile(r"(://[^/\s:@]*:)([^@\s/]+)(@)")
_SHORTEST = 4


def is_secret(name: str) -> bool:
    """Whether a name says that its value must not be shown: `db_password` and `API_KEY` do, `max_tokens` does not."""
    folded = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_").replace(".", "_")
    return not _WORDS.isdisjoint(folded.split("_")) or any(
        pattern.search(folded) is not None for pattern in (_PAIRS, _ADDRESSES)
    )


def shown(value: Any, hidden: Iterable[str] = ()) -> Any:
    """Returns a value as it may be shown: what stands under secret keys, in URLs or in `hidden` becomes stars."""
    texts = frozenset(hidden) | collect(value)
    if isinstance(value, dict):
        return {key: shown(each, texts) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [shown(each, texts) for each in value]
    if isinstance(value, bool) or value is None or not texts:
        return value
    if isinstance(value, str):
        return clean(value, texts)
    return HIDDEN if str(value) in texts else value


def collect(value: Any, *, secret: bool = False) -> set[str]:
    """Returns every text in a value that must not be shown."""
    if isinstance(value, dict):
        return {text for key, each in value.items() for text in collect(each, secret=secret or is_secret(str(key)))}
    if isinstance(value, list | tuple):
        return {text for each in value for text in collect(each, secret=secret)}
    if secret and not isinstance(value, bool) and value is not None:
        return {str(value)}
    return {found[1] for found in _IN_URL.findall(value)} if isinstance(value, str) else set()


def clean(text: str, hidden: Iterable[str]) -> str:
    """Returns text with each secret replaced by stars, longest first. Very short ones would make the text unreadable,
    and are replaced only where they stand alone."""
    for each in sorted(hidden, key=lambda each: (-len(each), each)):
        if len(each) >= _SHORTEST:
            text = text.replace(each, HIDDEN)
        elif each:
            text = re.sub(rf"(?<!\w){re.escape(each)}(?!\w)", HIDDEN, text)
    return text
