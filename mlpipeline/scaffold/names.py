"""The name of something new: written in any case, and what it is called as a module, a class and a command."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass

from mlpipeline.config_text import shown
from mlpipeline.errors import UsageError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*")
_WORD = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z0-9]+|[0-9]+")
_LONGEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What something is called: `my_trainer`, `MyTrainer`, `my-trainer`, `My trainer`."""

    module: str
    kind: str

    @classmethod
    def read(cls, text: str) -> Name:
        """Reads a name as somebody typed it: `my-trainer`, `my_trainer` and `MyTrainer` are one.

        Raises:
            UsageError: it cannot be the name of a module and of a class.
        """
        if not _NAME.fullmatch(text) or len(text) > _LONGEST:
            raise UsageError(
                f"{shown(text, 60)!r} is no name: begin with a letter of a to z, go on with letters, digits, - and _, "
                f"at most {_LONGEST}"
            )
        words = [word for part in re.split("[_-]", text) for word in _WORD.findall(part)]
        module = "_".join(word.lower() for word in words)
        is_class = text[0].isupper() and "_" not in text and "-" not in text
        kind = text if is_class else "".join(word[0].upper() + word[1:] for word in words)
        taken = next((each for each in (module, kind) if keyword.iskeyword(each)), None)
        if taken is not None:
            raise UsageError(f"'{taken}' is a word of Python's own: choose another name")
        return cls(module=module, kind=kind)

    @property
    def command(self) -> str:
        """As a word of the command line."""
        return self.module.replace("_", "-")

    @property
    def title(self) -> str:
        """As a heading."""
        return self.module.replace("_", " ").capitalize()
