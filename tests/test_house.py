"""The house's order where import-linter doesn't look: scripts, model_repository, subprocesses, files' sizes.

"Who may import whom" is in docs/architecture.md; the contracts for packages are in pyproject.toml.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "tandem": ROOT / "tandem",
    "tandem_triton": ROOT / "client" / "tandem_triton",
    "export": ROOT / "export",
}
OURS = {*PACKAGES, "tests", "scripts"}
MOST_LINES = 300


def python_files(*folders: str) -> list[Path]:
    """Every file of these folders, without what is made when it runs."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return [path for path in found if not {".venv", "build", "__pycache__"} & set(path.parts)]


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(tree: ast.AST) -> Iterator[str]:
    """The full names of the modules that a file imports, here or there in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(path: Path) -> set[str]:
    """What a file imports of ours."""
    names = set(imported(ast.parse(path.read_text("utf-8"))))
    return {name for name in names if name.split(".", maxsplit=1)[0] in OURS}


@pytest.mark.parametrize("path", python_files("model_repository"), ids=ids)
def test_a_served_model_imports_only_the_steps_and_the_adapter(path: Path) -> None:
    below = ("tandem.services.", "tandem.media.", "tandem.triton.", "tandem.errors")
    assert [name for name in ours(path) if not name.startswith(below) and f"{name}." not in below] == []


@pytest.mark.parametrize("path", python_files("scripts"), ids=ids)
def test_no_script_imports_a_test(path: Path) -> None:
    assert [name for name in ours(path) if name.startswith("tests")] == []


@pytest.mark.parametrize("path", python_files("tandem", "client", "export", "model_repository"), ids=ids)
def test_no_package_imports_scripts_or_tests(path: Path) -> None:
    assert [name for name in ours(path) if name.startswith(("tests", "scripts"))] == []


def started_by_name(tree: ast.AST) -> list[str]:
    """The modules of ours that a file starts in another process: `[…, "-m", "export.x"]`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.List | ast.Tuple):
            words = [one.value if isinstance(one, ast.Constant) else None for one in node.elts]
            found += [str(module) for flag, module in pairwise(words) if flag == "-m" and module]
    return [module for module in found if module.split(".")[0] in OURS]


@pytest.mark.parametrize(
    "path", python_files("tandem", "client", "export", "model_repository", "scripts"), ids=ids
)
def test_nothing_runs_by_name_what_it_may_not_import(path: Path) -> None:
    assert started_by_name(ast.parse(path.read_text("utf-8"))) == []


def test_a_module_started_by_name_would_be_seen() -> None:
    assert started_by_name(ast.parse('run([sys.executable, "-m", "export.recognizer", "--check"])')) == [
        "export.recognizer"
    ]


def modules() -> dict[str, Path]:
    """Full name → file of every module of the packages."""
    found = {}
    for package, folder in PACKAGES.items():
        for path in python_files(str(folder.relative_to(ROOT))):
            parts = [package, *path.relative_to(folder).with_suffix("").parts]
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def cycle_in(graph: Mapping[str, set[str]]) -> list[str]:
    """Names that go round in a circle, or nothing."""
    done: set[str] = set()

    def visit(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for other in sorted(graph[name]):
            if circle := visit(other, [*way, name]):
                return circle
        done.add(name)
        return []

    for name in graph:
        if circle := visit(name, []):
            return circle
    return []


def test_no_files_import_each_other_in_a_circle() -> None:
    known = modules()
    graph = {name: {other for other in ours(path) if other in known} - {name} for name, path in known.items()}
    assert cycle_in(graph) == []


def test_a_circle_would_be_seen() -> None:
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]


def length(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def test_no_file_is_longer_than_can_be_read() -> None:
    files = python_files("tandem", "client", "export", "model_repository", "scripts", "tests")
    too_long = {ids(path) for path in files if length(path) > MOST_LINES}
    assert too_long == set()


_FOREIGN = re.compile(
    r"pip3? install[^\n]*?[ '\"](tandem(-triton)?(-client)?)(?=[\[ '\"=<>~`]|$)", re.MULTILINE
)


def tells_to_install_us(text: str) -> bool:
    """Whether a text says `pip install tandem…`: we publish nothing, and such names are others'."""
    return bool(_FOREIGN.search(text))


def test_nobody_is_told_to_install_other_peoples_packages() -> None:
    kinds = ("*.py", "*.md", "*.toml", "*.sh", "*.txt", "*.yml", "*.yaml", "Dockerfile")
    folders = ("tandem", "client", "export", "scripts", "deploy", "docs", "tests", "model_repository")
    files = [path for folder in folders for kind in kinds for path in (ROOT / folder).rglob(kind)]
    files += [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(p for p in (ROOT / "scripts").iterdir() if p.is_file()),
    ]
    telling = {ids(path) for path in files if tells_to_install_us(path.read_text("utf-8", "replace"))}
    assert telling == set()
    for name in ("tandem", "tandem-client[cli]"):  # put together here, or this file would tell it, too
        assert tells_to_install_us(f"pip install {name}")
        assert tells_to_install_us(f"pip3 install -U '{name}'")
    assert not tells_to_install_us("pip install -e '.[dev]' -e client")


def test_the_version_is_the_same_everywhere() -> None:
    version = (ROOT / "client" / "tandem_triton" / "VERSION").read_text("utf-8").strip()
    for path in (ROOT / "docker-compose.yml", *(ROOT / "deploy").rglob("*.y*ml")):
        text = path.read_text("utf-8")
        tags = re.findall(r"image: tandem[\w-]*:(\S+)", text) + re.findall(
            r"/tandem[\w-]*, newTag: ([\d.]+)", text
        )
        assert set(tags) <= {version}, path
