"""Another version in a script makes no other one due; anything else in the same lines does."""

from __future__ import annotations

import pytest

from mlpipeline.execution import changes
from mlpipeline.execution.fingerprint import code_digest

HEAD = "from mlpipeline import Model, Versions\n"
LOADER = "class Loader:\n    def __init__(self, rows):\n        self.rows = rows\n"
NET = LOADER + (
    "class Net(Model):\n    def __init__(self, versions, **more):\n        super().__init__(versions, **more)\n"
)
CHAINED = HEAD + NET + 'MODEL = Net(Versions(loader, batch_size=8).add("a", rate=0.1))\n'
NAMED = HEAD + NET + 'versions = Versions()\nversions.add("a", rate=0.1)\nMODEL = Net(versions=versions)\n'
LOOP = NAMED.replace('versions.add("a", rate=0.1)', 'for rate in RATES:\n    versions.add(f"r{rate}", rate=rate)')
BOUND = NAMED.replace('Versions()\nversions.add("a", rate=0.1)', 'Versions().add("a", rate=0.1)')
TYPED = NAMED.replace("versions = V", "versions: Versions = V")
REBOUND = NAMED.replace("versions.add(", "versions = versions.add(")
DOTTED = CHAINED.replace(HEAD, "import mlpipeline as ml\nfrom mlpipeline import Model\n").replace("(Ver", "(ml.Ver")
OLD = NAMED.replace("mlpipeline import Model", "mlpipeline.utils import Model")
SEARCH = CHAINED.replace("))\n", ').search({"rate": (0.1, 1.0)}))\n')
ADDED = {
    "chained": (CHAINED, "0.1))\n", '0.1).add("b", rate=-0.2, sizes=[1, (2, 3)], minutes=60 * 2))\n'),
    "changed": (CHAINED, "rate=0.1", "rate=0.5"),
    "grid": (CHAINED, '.add("a", rate=0.1)', ".grid(rate=[1, None])"),
    "sample": (CHAINED, '.add("a", rate=0.1)', ".sample(5, seed=1, rate=(1e-4, 0.1, 'log'))"),
    "range": (CHAINED, "0.1))", '0.1).rangeOnParameters(["b"], ["rate"], {"rate": [1]}))'),
    "addV": (CHAINED, '.add("a", rate=0.1)', '.addV("a", None, 8, custom_paramters={"rate": 0.1})'),
    "place": (CHAINED, "rate=0.1", 'rate=0.1, model_dir_suffix="shared", order=-1, epochs=None'),
    "named": (NAMED, "MODEL", 'versions.add("b", rate=1)\nversions.grid(rate=[3])\nMODEL'),
    "removed": (NAMED, 'versions.add("a", rate=0.1)\n', ""),
    "loop": (LOOP, "MODEL", 'versions.add("more", rate=1)\nMODEL'),
    "bound": (BOUND, "0.1)", '0.1).add("b")'),
    "bound, then a line": (BOUND, "MODEL", 'versions.add("b", rate=1)\nMODEL'),
    "typed": (TYPED, "MODEL", 'versions.add("b", rate=1)\nMODEL'),
    "bound again": (REBOUND, "MODEL", 'versions = versions.add("b", rate=1)\nMODEL'),
    "module": (DOTTED, "0.1))\n", '0.1).add("b"))\n'),
    "old import": (OLD, "MODEL", 'versions.add("b", rate=1)\nMODEL'),
    "search": (SEARCH, ".search", '.add("b", rate=1).search'),
    "in a condition": (NAMED.replace("versions.add", "if FAST: versions.add"), "rate=0.1", "rate=0.2"),
}
COUNTED = {
    "a name": (CHAINED, "rate=0.1", "rate=RATE"),
    "an object": (CHAINED, "rate=0.1", "estimator=Naive()"),
    "more of a mapping": (CHAINED, "rate=0.1", "rate=0.1, **MORE"),
    "none": (CHAINED, "rate=0.1", "rate=0.1, dropout=None"),
    "none of old": (CHAINED, '.add("a", rate=0.1)', '.addV("a", custom_paramters={"rate": None})'),
    "none of all": (CHAINED, '.add("a", rate=0.1)', ".grid(rate=[1], dropout=None)"),
    "none of a range": (CHAINED, "0.1))", '0.1).rangeOnParameters(["b"], ["rate"], {"rate": [None]}))'),
    "a default": (CHAINED, "batch_size=8", "batch_size=9"),
    "loader": (CHAINED, "loader", "other"),
    "model": (CHAINED, "= Net(", "= Other("),
    "search": (SEARCH, "1.0", "2.0"),
    "other class": (CHAINED, "(Versions", "(Others"),
    "other call": (NAMED, "MODEL", 'versions.clear("b")\nMODEL'),
    "computed": (LOOP, "rate=rate", "rate=rate * 2"),
}
# Where a script looks at its versions, one may tell of another: all of them count.
LOOKED_AT = {
    "by name": NAMED + 'BEST = versions["a"].rate\n',
    "counted": NAMED + "COUNT = len(versions)\n",
    "counted in a call": NAMED.replace("=versions)", "=versions, count=len(versions))"),
    "in a function": NAMED + "def rates():\n    return [each.rate for each in versions]\n",
    "as a default": NAMED + "def rates(versions=versions):\n    return versions\n",
    "by another name": NAMED + "others = versions\n",
    "by a walrus": CHAINED.replace("(Versions", "(versions := Versions"),
    "of the model": CHAINED + "COUNT = len(MODEL.versions)\n",
    "by the model": CHAINED.replace("**more)\n", "**more)\n        self.count = len(versions)\n", 1),
    "by its constructor": CHAINED.replace("super()", "self.count = len(versions)\n        super()"),
    "by its constructor, under another name": CHAINED.replace("versions", "given").replace(
        "    super", "    len(given)\n        super"
    ),
    "by another function": CHAINED.replace("= Net(", "= make(") + "def make(given):\n    return Net(given)\n",
    "within a chain": CHAINED.replace("MODEL", 'RATE = Versions().add("a", rate=0.1)["a"].rate\nMODEL'),
    "bound twice": NAMED + "versions = set()\n",
    "augmented": NAMED + "versions += OTHERS\n",
    "deleted": NAMED + "del versions\n",
    "imported over": NAMED + "from other import versions\n",
    "imported from elsewhere": NAMED.replace(HEAD, "from mlpipeline import Model\nfrom mine import Versions\n"),
    "of its own class": NAMED.replace(NET, NET + "class Versions(dict):\n    pass\n"),
    "of a function": NAMED.replace(
        "versions = V", "def made():\n    return Versions().add('a', rate=0.1)\nversions = V"
    ),
}


def digest(text: str, **others: str) -> str:
    files = {f"models/{name}.py": content.encode() for name, content in others.items()}
    return code_digest({"models/net.py": text.encode()} | files, "models/net.py")


@pytest.mark.parametrize(("text", "old", "new"), ADDED.values(), ids=ADDED)
def test_what_adds_versions_by_constants_does_not_count(text: str, old: str, new: str) -> None:
    assert old in text
    after = text.replace(old, new)
    assert after != text
    assert digest(text) == digest(after)
    assert changes.of_code({"a.py": text.encode()}, "a.py", {"b.py": after.encode()}, "b.py") == ()


@pytest.mark.parametrize(("text", "old", "new"), COUNTED.values(), ids=COUNTED)
def test_what_is_more_than_a_constant_parameter_counts(text: str, old: str, new: str) -> None:
    assert old in text
    after = text.replace(old, new)
    assert digest(text) != digest(after)
    assert changes.of_code({"a.py": text.encode()}, "a.py", {"b.py": after.encode()}, "b.py") != ()


@pytest.mark.parametrize("text", LOOKED_AT.values(), ids=LOOKED_AT)
def test_versions_that_are_looked_at_count(text: str) -> None:
    assert "rate=0.1" in text
    after = text.replace("rate=0.1", "rate=0.2")
    assert digest(text) != digest(after)
    assert changes.of_code({"a.py": text.encode()}, "a.py", {"a.py": after.encode()}, "a.py") != ()


def test_a_set_of_the_same_method_stays() -> None:
    seen = NAMED + 'seen = set()\nseen.add("a")\n'
    assert digest(seen) != digest(seen.replace('seen.add("a")', 'seen.add("b")'))
    assert digest(seen) == digest(seen.replace("rate=0.1", "rate=0.2"))


def test_versions_count_where_another_module_looks_at_them() -> None:
    looking = "class Base:\n    def rates(self):\n        return len(self.versions)\n"
    handing = "class Base:\n    def __init__(self, versions):\n        super().__init__(versions)\n"
    after = CHAINED.replace("rate=0.1", "rate=0.2")
    assert digest(CHAINED, base=looking) != digest(after, base=looking)
    assert digest(CHAINED, base=handing) == digest(after, base=handing)


def test_versions_of_a_module_count_for_who_imports_them() -> None:
    shared = NAMED.replace("rate=0.1", "rate=0.2")
    assert digest("from shared import versions\n", shared=NAMED) != digest(
        "from shared import versions\n", shared=shared
    )
