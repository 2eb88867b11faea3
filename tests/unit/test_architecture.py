"""The architecture page, the packaging and the package itself say the same."""

from __future__ import annotations

import ast
import configparser
import functools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import mlpipeline
from docs import tree
from mlpipeline.project import Project
from mlpipeline.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "mlpipeline"
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = {
    "click",
    "filelock",
    "keras",
    "numpy",
    "pandas",
    "psutil",
    "pyarrow",
    "rich",
    "sklearn",
    "tensorflow",
    "torch",
    "tqdm",
    "watchdog",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def parsed(module: Path) -> ast.Module:
    return ast.parse(module.read_bytes(), str(module))


def packaging() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def imported_at_once(body: list[ast.stmt]) -> Iterator[str]:
    """Yields what importing a module imports: not what its functions do, nor what only a type checker reads."""
    for statement in body:
        match statement:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module), level=0, names=names):
                yield module
                yield from (f"{module}.{name.name}" for name in names)
            case ast.If(test=test, orelse=orelse) if "TYPE_CHECKING" in ast.unparse(test):
                yield from imported_at_once(orelse)
            case ast.If(body=inner, orelse=orelse):
                yield from imported_at_once(inner + orelse)
            case ast.Try(body=inner, handlers=handlers, orelse=orelse, finalbody=final):
                yield from imported_at_once([*inner, *orelse, *final, *(s for h in handlers for s in h.body)])
            case ast.ClassDef(body=inner) | ast.With(body=inner):
                yield from imported_at_once(inner)


def file_of(name: str) -> Path | None:
    place = ROOT.joinpath(*name.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def reached_from(*names: str) -> dict[str, str]:
    """Returns every name that importing these leads to, and who imports it."""
    found: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        module = waiting.pop()
        path = file_of(module)
        for name in imported_at_once(parsed(path).body) if path else ():
            for each in (name, *(name.rsplit(".", n)[0] for n in range(1, name.count(".") + 1))):
                if each not in found:
                    found[each] = module
                    waiting.append(each)
    return found


@functools.cache
def functions() -> tuple[tuple[str, int], ...]:
    """Returns where each function is, and how many lines it has."""
    return tuple(
        (f"{module.relative_to(ROOT)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1)
        for module in MODULES
        for node in ast.walk(parsed(module))
        if isinstance(node, Function) and node.end_lineno is not None
    )


@functools.cache
def sentence(module: Path) -> str:
    return tree.sentence(module)


def recipe(target: str) -> str:
    _, _, rest = (ROOT / "Makefile").read_text(encoding="utf-8").partition(f"\n{target}:")
    return rest.partition("\n\n")[0]


def test_the_tree_of_the_architecture_page_is_the_tree_on_disk() -> None:
    page = tree.PAGE.read_text(encoding="utf-8")
    assert page == tree.current(page), "run `make tree`"


def test_every_module_says_what_it_is_in_its_docstring() -> None:
    assert [str(module.relative_to(ROOT)) for module in MODULES if not sentence(module)] == []


def test_no_file_is_longer_than_300_lines() -> None:
    lengths = {str(module.relative_to(ROOT)): len(module.read_bytes().splitlines()) for module in MODULES}
    assert {name: length for name, length in lengths.items() if length > 300} == {}


def test_no_function_is_longer_than_50_lines() -> None:
    assert [(name, length) for name, length in functions() if length > 50] == []


def test_nine_functions_in_ten_have_at_most_20_lines() -> None:
    lengths = [length for _, length in functions()]
    assert sum(length <= 20 for length in lengths) >= 0.9 * len(lengths)


def test_the_vocabulary_imports_nothing_heavy() -> None:
    vocabulary = [f"mlpipeline.{module.stem}" for module in PACKAGE.glob("*.py") if module.stem != "__main__"]
    reached = reached_from("mlpipeline", *vocabulary)
    assert {name: by for name, by in reached.items() if name in HEAVY} == {}


def test_the_scheduler_imports_no_numeric_library() -> None:
    reached = reached_from("mlpipeline.queue.scheduler")
    assert "mlpipeline.ledger" in reached
    assert reached.keys() & {"keras", "mlpipeline.data", "numpy", "pandas", "sklearn", "tensorflow", "torch"} == set()


def test_the_version_stands_in_one_place() -> None:
    assert packaging()["metadata"]["version"] == "attr: mlpipeline.__version__"
    assert f"## [{mlpipeline.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_module_of_the_root_stands_in_the_contract_of_layers() -> None:
    layers = packaging()["importlinter:contract:layers"]["layers"]
    listed = set(layers.replace("(", " ").replace(")", " ").split()) - {":", "|"}
    present = {
        f"mlpipeline.{path.stem}" for path in PACKAGE.iterdir() if path.suffix == ".py" or any(path.glob("*.py"))
    }
    assert present - {"mlpipeline.__init__"} - listed == set()


def test_who_claims_to_touch_nothing_stands_in_the_contract_of_decisions() -> None:
    listed = set(packaging()["importlinter:contract:decisions-do-no-io"]["source_modules"].split())
    claims = re.compile(r"[;.] ?pure$|touches nothing$", re.IGNORECASE)
    pure = {".".join(each.relative_to(ROOT).with_suffix("").parts) for each in MODULES if claims.search(sentence(each))}
    assert {"mlpipeline.events", "mlpipeline.searches", "mlpipeline.observe.text"} <= pure
    assert pure - listed == set()


def test_the_architecture_page_names_every_place_that_a_project_knows(tmp_path: Path) -> None:
    project = Project(root=tmp_path, settings=Settings(), host="<host>")
    page = tree.PAGE.read_text(encoding="utf-8").partition("## On disk")[2]
    known = {name: getattr(project, name) for name, each in vars(Project).items() if isinstance(each, property)}
    places = {name: path.name for name, path in known.items() if isinstance(path, Path) and path != project.outputs_dir}
    assert {"requests_dir": "requests-<host>", "runs_dir": "runs"}.items() <= places.items()
    assert {name: place for name, place in places.items() if place not in page} == {}


def test_lint_checks_the_import_contracts() -> None:
    assert "/lint-imports\n" in recipe("lint")


def test_continuous_integration_runs_what_the_readme_says() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in ("make demo", "make test"):
        assert command in script
        assert command in readme
    assert "make lint" in script


def test_the_types_are_shipped() -> None:
    assert (PACKAGE / "py.typed").is_file()
    assert "py.typed" in packaging()["options.package_data"]["mlpipeline"].split()


def test_the_settings_of_the_tools_can_be_read() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert tools["pytest"]["ini_options"]["filterwarnings"] == ["error"]
    assert tools["mypy"]["strict"] is True
