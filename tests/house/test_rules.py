"""Each rule is shown what breaks it and what does not: a rule that finds nothing guards nothing."""

from pathlib import Path

import pytest

from tests.house import rules

DIGEST = "--hash=sha256:" + 64 * "a"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "extproc" / "mutators").mkdir(parents=True)
    (tmp_path / "tests" / "mutators").mkdir(parents=True)
    return tmp_path


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_ignored_is_not_committed(tmp_path: Path) -> None:
    _file(tmp_path, ".gitignore", ".venv/\n*.egg-info/\n")
    _file(tmp_path, ".venv/lib/a.py", "")
    _file(tmp_path, "extproc.egg-info/PKG-INFO", "")
    kept = _file(tmp_path, "extproc/a.py", "")

    assert set(rules.committed(tmp_path)) == {kept, tmp_path / ".gitignore"}


@pytest.mark.parametrize(
    "line",
    [
        "https://pypi." + "org/simple",
        "files.python" + "hosted.org",
        "pip install --index" + "-url mirror",
        "--extra-index" + "-url=mirror",
        "--find" + "-links wheels",
        "see /wo" + "rk/main/extproc",
        'open("/ro' + 'ot/.cache/x")',
        "/ho" + "me/someone/project",
        "/tm" + "p/w/v/bin/python",
    ],
)
def test_a_registry_or_a_path_of_one_machine_is_foreign(tmp_path: Path, line: str) -> None:
    assert rules.foreign(_file(tmp_path, "a.md", f"Text.\n{line}\n"))


@pytest.mark.parametrize(
    "line", ["/etc/extproc/policy.yaml", "/v1/home/chat", "the root/leaf", "--no-emit-index-url"]
)
def test_a_path_of_the_product_is_not_foreign(tmp_path: Path, line: str) -> None:
    assert rules.foreign(_file(tmp_path, "a.md", line)) == []


@pytest.mark.parametrize("text", ['r"^a$"', 'f"^({URL})$"', '("^a" "$")'])
def test_a_pattern_that_ends_with_a_dollar_is_loose(tmp_path: Path, text: str) -> None:
    assert rules.loose_patterns(_file(tmp_path, "a.py", f"Meta(pattern={text})"))


@pytest.mark.parametrize("text", [r'pattern=r"^a\Z"', r'pattern=r"^(a(/|$))+\Z"', 'price="1$"'])
def test_another_end_is_not(tmp_path: Path, text: str) -> None:
    assert rules.loose_patterns(_file(tmp_path, "a.py", f"Meta({text})")) == []


def test_a_module_needs_the_test_file_that_mirrors_it(tree: Path) -> None:
    _file(tree, "extproc/mutators/round.py", "")
    _file(tree, "tests/test_round.py", "")
    assert rules.unmirrored(tree, {}) == [
        "extproc/mutators/round.py: no tests/mutators/test_round.py"
    ]

    _file(tree, "tests/mutators/test_round.py", "")
    assert rules.unmirrored(tree, {}) == []


def test_a_package_needs_a_test_file_only_where_it_defines_something(tree: Path) -> None:
    _file(tree, "extproc/mutators/__init__.py", '"""Mutators."""\nALL = ()\n')
    assert rules.unmirrored(tree, {}) == []

    _file(tree, "extproc/mutators/__init__.py", "def bits() -> int:\n    return 1\n")
    assert rules.unmirrored(tree, {}) == [
        "extproc/mutators/__init__.py: no tests/mutators/test_mutators.py"
    ]


def test_generated_modules_need_no_test_file(tree: Path) -> None:
    _file(tree, "extproc/_pb/a_pb2.py", "")
    assert rules.unmirrored(tree, {}) == []


def test_an_exemption_of_a_module_that_is_gone_is_found(tree: Path) -> None:
    assert rules.unmirrored(tree, {"extproc/old.py": "reason"}) == [
        "extproc/old.py: exempt, but no such module"
    ]


@pytest.mark.parametrize("keyword", ["def", "async def"])
def test_a_function_of_forty_one_lines_is_too_long(tmp_path: Path, keyword: str) -> None:
    def written(lines: int) -> Path:
        return _file(tmp_path, "a.py", f"{keyword} f():\n" + "    x = 1\n" * (lines - 1))

    assert rules.long_functions(written(40)) == []
    assert rules.long_functions(written(41))


def test_a_method_inside_a_class_is_measured_too(tmp_path: Path) -> None:
    text = "class A:\n    def f(self):\n" + "        x = 1\n" * 40
    assert rules.long_functions(_file(tmp_path, "a.py", text))


def test_a_file_of_four_hundred_and_one_lines_is_too_long(tmp_path: Path) -> None:
    assert rules.long_file(_file(tmp_path, "a.py", "x = 1\n" * 400)) == []
    assert rules.long_file(_file(tmp_path, "a.py", "x = 1\n" * 401))


@pytest.mark.parametrize(
    "line",
    [
        "time.sleep(1)",
        "asyncio.sleep(0.1)",
        "from time import sleep",
        "pytest.skip('not here')",
        "pytest.importorskip('envoy')",
        "@pytest.mark.skip\ndef f(): ...",
        "@pytest.mark.skipif(True, reason='')\ndef f(): ...",
        "mark = pytest.mark.xfail",
        "from unittest.mock import Mock",
        "from unittest import mock",
        "import unittest.mock",
    ],
)
def test_a_sleep_a_skip_and_a_mock_are_shortcuts(tmp_path: Path, line: str) -> None:
    assert len(rules.shortcuts(_file(tmp_path, "test_a.py", line))) == 1


@pytest.mark.parametrize(
    "line", ["asyncio.sleep(0)", "clock.sleep(1)", "skip(3)", "'time.sleep(1)'"]
)
def test_to_yield_or_to_name_them_is_no_shortcut(tmp_path: Path, line: str) -> None:
    assert rules.shortcuts(_file(tmp_path, "test_a.py", line)) == []


def test_what_is_imported_must_be_declared_and_the_other_way_round(tmp_path: Path) -> None:
    text = "import os\nimport yaml.nodes\n\ndef f():\n    from grpc import aio\n"
    paths = [_file(tmp_path, "a.py", text)]
    provided = {"yaml": ["PyYAML"], "grpc": ["grpcio"]}

    assert rules.undeclared(paths, {"pyyaml", "grpcio"}, provided) == []
    assert rules.undeclared(paths, {"pyyaml"}, provided) == [f"{paths[0]}: grpc"]
    assert rules.undeclared(paths, {"pyyaml", "grpcio"}, {"grpc": ["grpcio"]})
    assert rules.unused(paths, {"pyyaml", "grpcio"}, provided) == []
    assert rules.unused(paths, {"pyyaml", "grpcio", "rich"}, provided) == ["rich"]


@pytest.mark.parametrize(
    "requirement",
    ["a==1.0", f"a>=1.0 {DIGEST}", f"b==1 \\\n    {DIGEST}\na==2\n    # via b", "a @ file:///x"],
)
def test_a_requirement_without_pin_and_hash_is_found(tmp_path: Path, requirement: str) -> None:
    assert len(rules.unhashed(_file(tmp_path, "a.lock", requirement))) == 1


def test_a_requirement_with_pin_and_hashes_is_fine(tmp_path: Path) -> None:
    text = f"# by make lock\na==1.0 \\\n    {DIGEST} \\\n    {DIGEST}\n    # via b\n"
    assert rules.unhashed(_file(tmp_path, "a.lock", text)) == []


def test_a_lock_must_meet_what_the_project_asks_for(tmp_path: Path) -> None:
    lock = _file(tmp_path, "a.lock", f"pyyaml==6.0.4 {DIGEST}\nh2==4.1 {DIGEST}\n")

    assert rules.unlocked(lock, ["PyYAML>=6.0.3", "h2>=4"]) == []
    assert len(rules.unlocked(lock, ["PyYAML>=7", "h2>=4", "numpy"])) == 2
