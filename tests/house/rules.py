"""What this repository asks of its own files.

Rule: a rule takes a text or a tree and returns what breaks it, one line per finding; it never
reads the repository by itself, so that each can be shown a tree that breaks it.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# The brackets keep this file from finding itself.
FOREIGN = re.compile(
    rb"""
      pypi[.]org | python[h]osted[.]org | registry[.]npm[j]s | (?:deb|security)[.]debian[.]org
    | static[.]crates[.]io | proxy[.]golang[.]org          # where packages come from
    | --(?:extra-)?index-url | --find-link[s] | --trusted-hos[t]
    | (?<![\w.}-]) / (?: home | root | Users | wor[k] | far[m] | tm[p]/w | op[t]/pypi ) /
    """,
    re.VERBOSE,
)
LONGEST_FUNCTION = 40
LONGEST_FILE = 400
SKIPS = {"importorskip", "skip", "skipif", "xfail"}
SHORTCUT_IMPORTS = {"asyncio.sleep", "time.sleep", "unittest.mock"}


def committed(root: Path) -> Iterator[Path]:
    """Yield every file that .gitignore does not name; its patterns are names, not paths."""
    ignored = [".git", *(line.rstrip("/") for line in _lines(root / ".gitignore"))]
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if path.is_file() and not any(fnmatch(part, name) for part in parts for name in ignored):
            yield path


def modules(root: Path) -> list[Path]:
    """Return the written modules of the package, relative to root: generated ones left out."""
    found = (path.relative_to(root) for path in sorted((root / "extproc").rglob("*.py")))
    return [path for path in found if "_pb" not in path.parts]


def foreign(path: Path) -> list[str]:
    """Find registry hosts, index options and paths of one machine."""
    return [f"{path}: {match[0].decode()}" for match in FOREIGN.finditer(path.read_bytes())]


def unmirrored(root: Path, exempt: Iterable[str]) -> list[str]:
    """Find modules without tests/<same path>/test_<module>.py, and exemptions of no module."""
    known = modules(root)
    stale = [f"{name}: exempt, but no such module" for name in exempt if Path(name) not in known]
    return stale + [
        f"{path}: no {mirror}"
        for path in known
        if path.as_posix() not in exempt
        and _has_code(root / path)
        and not (root / (mirror := _mirror(path))).is_file()
    ]


def loose_patterns(path: Path) -> list[str]:
    """Find patterns that take a line break after what they are for: Python's ``$`` does."""
    return [
        f"{path}:{node.lineno}: {ast.unparse(node.value)}"
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.keyword) and node.arg == "pattern"
        if any(_ends_loosely(each) for each in ast.walk(node.value))
    ]


def _ends_loosely(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and str(node.value).endswith("$")


def long_functions(path: Path) -> list[str]:
    """Find functions that do not fit the eye."""
    return [
        f"{path}:{node.lineno} {node.name}: {lines} lines"
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    ]


def long_file(path: Path) -> list[str]:
    """Find out whether a file holds more than one thing, by its length."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    return [f"{path}: {lines} lines"] if lines > LONGEST_FILE else []


def shortcuts(path: Path) -> list[str]:
    """Find sleeps, skips, expected failures and mocks.  asyncio.sleep(0) only yields: no sleep."""
    return [
        f"{path}: {ast.unparse(node)}"
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call | ast.Attribute | ast.Import | ast.ImportFrom)
        and _is_shortcut(node)
    ]


def undeclared(
    paths: Iterable[Path], declared: set[str], provided: Mapping[str, list[str]]
) -> list[str]:
    """Find imports of what is not declared, given which distributions provide a package."""
    return [
        f"{path}: {package}"
        for path in paths
        for package in sorted(_foreign_packages(path))
        if declared.isdisjoint(map(canonicalize_name, provided.get(package, [])))
    ]


def unused(
    paths: Iterable[Path], declared: set[str], provided: Mapping[str, list[str]]
) -> list[str]:
    """Find what is declared and never imported."""
    packages = {package for path in paths for package in _foreign_packages(path)}
    used = {canonicalize_name(name) for package in packages for name in provided.get(package, [])}
    return sorted(declared - used)


def unhashed(lock: Path) -> list[str]:
    """Find requirements that are not pinned by == and a sha256."""
    return [
        f"{lock.name}: {block.split()[0]}"
        for block in _requirements(lock)
        if "==" not in block.split()[0] or "--hash=sha256:" not in block
    ]


def unlocked(lock: Path, wanted: Iterable[str]) -> list[str]:
    """Find requirements, as pyproject.toml writes them, that a lock does not meet."""
    pins = dict(pinned(lock))
    return [f"{lock.name}: no {text}" for text in wanted if not _meets(pins, Requirement(text))]


def pinned(lock: Path) -> Iterator[tuple[str, str]]:
    """Yield (canonical name, version) for every requirement of a lock."""
    for block in _requirements(lock):
        name, _, version = block.split()[0].partition("==")
        yield canonicalize_name(name), version


def _meets(pins: dict[str, str], need: Requirement) -> bool:
    pin = pins.get(canonicalize_name(need.name))
    return pin is not None and need.specifier.contains(pin)


def _requirements(lock: Path) -> list[str]:
    joined = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.lstrip()[:1] not in {"", "#"}]


def _mirror(path: Path) -> Path:
    inside = path.relative_to("extproc")
    name = inside.parent.name if inside.stem == "__init__" else inside.stem.strip("_")
    return Path("tests", inside.parent, f"test_{name}.py")


def _has_code(path: Path) -> bool:
    """An __init__.py that only tells, imports or names has nothing to test."""
    if path.name != "__init__.py":
        return True
    defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return any(isinstance(node, defined) for node in _tree(path).body)


def _is_shortcut(node: ast.Call | ast.Attribute | ast.Import | ast.ImportFrom) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name("time" | "asyncio"), attr="sleep")):
            return [ast.unparse(arg) for arg in node.args] != ["0"]
        case ast.Attribute(value=ast.Name("pytest") | ast.Attribute(attr="mark")):
            return node.attr in SKIPS
        case ast.Import() | ast.ImportFrom():
            return bool(SHORTCUT_IMPORTS & set(_imported(node)))
        case _:
            return False


def _foreign_packages(path: Path) -> set[str]:
    imports = (n for n in ast.walk(_tree(path)) if isinstance(n, ast.Import | ast.ImportFrom))
    packages = {name.partition(".")[0] for node in imports for name in _imported(node)}
    return packages - sys.stdlib_module_names - {"docs", "extproc", "tests"}


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.Import):
        return names
    return [f"{node.module}", *(f"{node.module}.{name}" for name in names)]


def _tree(path: Path) -> ast.Module:
    return _parsed(path.read_text(encoding="utf-8"))


@cache
def _parsed(text: str) -> ast.Module:
    """Several rules read the same files; none changes a tree."""
    return ast.parse(text)


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
