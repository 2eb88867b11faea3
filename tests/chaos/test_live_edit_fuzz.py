"""A thousand edits of models.config under a scheduler that works: good ones count, faulty ones change nothing."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from mlpipeline import selection, wire
from mlpipeline.selection import Selection

from .checker import violations
from .conftest import GENEROUS_SECONDS, Workshop

EDITS = int(os.environ.get("MLP_CHAOS_EDITS", "1000"))
SEED = int(os.environ.get("MLP_CHAOS_SEED", "20261121"))
LONG = """
while not (ROOT / "go").exists(): time.sleep(0.01)
"""
NAMES = [f"m{number}.py" for number in range(6)]
OPTIONS = ["hold", "priority=3", "replicates=2", "only=one", "after=m0.py", "not_before=08:00", "threads=1"]
GARBLED = ["prioritty=1", "priority=high", "only=", "replicates=0", "hold=maybe", "=", "after=nobody.py", "=,=,,", '"']
FAULTY = [
    b"",
    b"\n\n# nothing\n",
    b"m0.py\n",
    b"[MLP]\nuse_blacklist = false\n",
    b"[MLP]\nuse_blacklist = perhaps\n\n[WHITELISTED_MODELS]\nlong.py\n",
    b"[MLP]\n[WHITELISTED_MODELS]\n[WHITELISTED_MODELS]\n",
    b"[WHITELISTED_MODELS]\nlong.py\n  m0.py\n",
    b"[WHITELISTED_MODELS\nlong.py\n",
    b"[WISHLIST]\nlong.py\n",
    b"[WHITELISTED_MODELS]\nlong.py\nm0.py = after=m1.py\nm1.py = after=m0.py\n",
    b"[WHITELISTED_MODELS]\nlong.py \xff\xfe\n",
]


def text(models: list[str], end: str = "\n", head: str = "") -> bytes:
    lines = ["[MLP]", "use_blacklist = false", "", "[WHITELISTED_MODELS]", *models, "", "[BLACKLISTED_MODELS]", ""]
    return (head + end.join(lines)).encode()


def test_looking_for_models_survives_directories_that_come_and_go(workshop: Workshop) -> None:
    workshop.model("sub/m.py", "pass")
    script = "import os\nwhile True:\n for make in os.makedirs, os.removedirs:\n  for n in range(99): make(f'd{n}/e')"
    (workshop.models / "sub" / "more").mkdir()
    busy = subprocess.Popen([sys.executable, "-c", script], cwd=workshop.models / "sub" / "more")
    try:
        workshop.until(lambda: list((workshop.models / "sub" / "more").iterdir()), "directories come")
        for _ in range(300):
            found = selection.parse(b"[WHITELISTED_MODELS]\nsub/n.py\n", file="m", models_dir=workshop.models)
            assert "Did you mean 'sub/m.py'" in str(found.models[0].fault)
            found = selection.parse(
                b"[MLP]\nuse_blacklist = true\n[BLACKLISTED_MODELS]\n", file="m", models_dir=workshop.models
            )
            assert [each.model for each in found.models] == ["sub/m.py", "truthful.py"]
    finally:
        busy.kill()
        busy.wait()


class Editor:
    """Edits a file in every way that editors and scripts do, and remembers all that ever stood in it."""

    def __init__(self, workshop: Workshop, chance: random.Random) -> None:
        self.path = workshop.root / "models.config"
        self.models = workshop.models
        self.chance = chance
        self.usable: set[str] = {self.parsed(self.path.read_bytes()).digest}
        self.edits = 0
        self.ways: list[Callable[[bytes], None]] = [
            self.in_place,
            self.rename_over,
            self.backup_and_rename,
            self.in_pieces,
            self.unlinked_first,
            self.twice,
        ]

    def parsed(self, content: bytes) -> Selection:
        return selection.parse(content, file="models.config", models_dir=self.models)

    def stood(self, content: bytes) -> None:
        if self.parsed(content).usable:
            self.usable.add(hashlib.sha256(content).hexdigest())

    def write(self, content: bytes) -> None:
        """Writes in a way chosen by chance."""
        self.edits += 1
        self.stood(content)
        self.chance.choice(self.ways)(content)

    def in_place(self, content: bytes) -> None:
        self.stood(b"")
        self.path.write_bytes(content)

    def rename_over(self, content: bytes) -> None:
        beside = self.path.with_name(".models.config.swp")
        beside.write_bytes(content)
        beside.rename(self.path)

    def backup_and_rename(self, content: bytes) -> None:
        if self.path.exists():
            self.path.rename(self.path.with_name("models.config~"))
        self.rename_over(content)

    def in_pieces(self, content: bytes) -> None:
        """Truncates, and writes with pauses: what stands there meanwhile may be a good text by itself."""
        places = sorted(self.chance.sample(range(len(content) + 1), min(3, len(content))))
        with self.path.open("wb", buffering=0) as file:
            for begin, end in zip([0, *places], [*places, len(content)], strict=True):
                file.write(content[begin:end])
                self.stood(content[:end])
                time.sleep(self.chance.choice([0, 0.002, 0.01]))

    def unlinked_first(self, content: bytes) -> None:
        self.path.unlink(missing_ok=True)
        time.sleep(self.chance.choice([0, 0.005]))
        self.path.write_bytes(content)

    def twice(self, content: bytes) -> None:
        other = self.good()
        self.stood(other)
        self.rename_over(other)
        time.sleep(self.chance.uniform(0, 0.01))
        self.rename_over(content)

    def good(self) -> bytes:
        """Returns a text that is in order, though single entries may be at fault."""
        names = self.chance.sample(NAMES, self.chance.randrange(len(NAMES) + 1))
        lines = [f"{name} = {option}" if option else name for name in names if (option := self._option()) is not None]
        if self.chance.random() < 0.8:
            lines.insert(self.chance.randrange(len(lines) + 1), "long.py")
        end, head = self.chance.choice(["\n", "\n", "\r\n"]), self.chance.choice(["", "", "\ufeff"])
        content = text([*lines, f"# {self.chance.random()}"], end, head)
        return content if self.parsed(content).usable else text([f"# {self.chance.random()}"])

    def _option(self) -> str:
        return self.chance.choice(["", "", *OPTIONS, *GARBLED])

    def faulty(self) -> bytes:
        """Returns a text that must not take effect."""
        size = self.chance.randrange(1, 4000)
        found = self.chance.choice(
            [*FAULTY, b"\0" + self.chance.randbytes(size), text(["long.py"]) + b"#" * 2_000_000, self.good() + b"\0"]
        )
        assert not self.parsed(found).usable, found[:200]
        return found


class Watcher:
    """Sees what the scheduler says to be in force."""

    def __init__(self, workshop: Workshop, editor: Editor, process: subprocess.Popen[str]) -> None:
        self.workshop = workshop
        self.editor = editor
        self.process = process
        self.status: dict[str, Any] = {}

    def look(self) -> dict[str, Any]:
        self.status = wire.read_json(self.workshop.outputs / "status-here.json") or {}
        assert self.status["revision"] in self.editor.usable, "what is in force was never a good text of the file"
        return self.status

    def until(self, condition: Callable[[], bool], content: bytes) -> None:
        end = time.monotonic() + GENEROUS_SECONDS
        while not condition():
            assert self.process.poll() is None, self.process.communicate()[0][-4000:]
            assert time.monotonic() < end, f"{content[:400]!r}\n{self.status}\n{self.workshop.output()[-2000:]}"
            time.sleep(0.002)

    def settled(self, content: bytes) -> None:
        """Waits until the scheduler has judged a text, and asserts that a faulty one has changed nothing."""
        parsed = self.editor.parsed(content)
        before = self.look()["revision"]
        if parsed.usable:
            self.until(lambda: self.look()["revision"] == parsed.digest, content)
        else:
            faults = {str(fault) for fault in parsed.faults}
            self.until(lambda: faults <= set(self.look()["faults"]), content)
            assert self.status["revision"] == before


@pytest.mark.slow
def test_a_thousand_edits(workshop: Workshop) -> None:
    workshop.model("long.py", LONG, 'Versions(0.1, Loader(), 2, 1).add("long")')
    for name in NAMES:
        workshop.model(name, "pass", f'Versions(0.1, Loader(), 2, 1).add("{name[:2]}").add("one")')
    workshop.list("long.py")
    process = workshop.start("-r", "-u", "--watch")
    workshop.until(lambda: workshop.truth("train"), "training")
    editor = Editor(workshop, random.Random(SEED))
    watcher = Watcher(workshop, editor, process)
    directory = next(workshop.outputs.glob("runs/*/1"))
    worker = psutil.Process(workshop.truth("train")[0]["pid"])

    whole = text(["long.py", 'm0.py = priority=5, only="one"', "m1.py = hold", "# ünïcode"])
    for place in range(len(whole) + 1):
        editor.rename_over(whole[:place])
        editor.stood(whole[:place])
        editor.edits += 1
        watcher.settled(whole[:place])
    while editor.edits < EDITS:
        for _ in range(editor.chance.randrange(8)):
            editor.write(editor.faulty() if editor.chance.random() < 0.5 else editor.good())
            time.sleep(editor.chance.choice([0, 0, 0.001, 0.01, 0.03]))
            watcher.look()
        for content in (editor.good(), editor.faulty()):
            editor.write(content)
            watcher.settled(content)
        assert worker.is_running()
    assert process.poll() is None
    assert not (directory / wire.CONTROL).exists(), "nobody has asked anything of the run"
    assert [row["version"] for row in workshop.truth()] == ["long"]

    last = text(["m5.py = only=one", "m0.py = skip=one"])
    editor.write(last)
    watcher.settled(last)
    editor.write(faulty := editor.faulty())
    watcher.settled(faulty)
    (workshop.root / "go").touch()
    workshop.until(lambda: len(workshop.truth("trained")) == 3, "the last good one is carried out")
    workshop.until(lambda: watcher.look()["state"] == "idle", "nothing else is")
    assert [row["version"] for row in workshop.truth("train")] == ["long", "one", "m0"]
    kept = list(workshop.outputs.glob("revisions-here/*.config"))
    assert 0 < len(kept) <= 200
    assert [path.name for path in kept if not editor.parsed(path.read_bytes()).usable] == []
    process.terminate()
    assert process.wait(60) == 130
    assert violations(workshop) == []
