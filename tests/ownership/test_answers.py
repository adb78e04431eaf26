"""What a suspect said, on record."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from extproc.errors import ConfigError
from extproc.marks.positions import MOST
from extproc.ownership.answers import Recorded, Said, digest, names, of, read, vector
from extproc.ownership.questions import about


def record(folder: Path, *lines: Any) -> Path:
    path = folder / "answers.jsonl"
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return path


def test_labels_and_scores_are_read_of_questions_and_of_inputs(tmp_path: Path) -> None:
    path = record(
        tmp_path,
        {"question": "a", "label": "cat"},
        {"question": "b", "label": 3},
        {"question": "c", "scores": [0.1, 0.7, 0.2]},
        {"question": "d", "scores": {"cat": 0.1, "dog": 0.9}},
        {"question": "e", "said": ["7", "horse"]},
        {"input": "a text", "label": "cat"},
        {"question": "nothing"},
    )
    found = {question: [*said] for question, said in read(path).items()}
    assert found == {
        "a": ["cat"],
        "b": ["3"],
        "c": ["1"],
        "d": ["dog"],
        "e": ["7", "horse"],
        about("a text").question: ["cat"],
    }


def test_the_first_answer_counts(tmp_path: Path) -> None:
    path = record(tmp_path, {"question": "a", "label": "cat"}, {"question": "a", "label": "dog"})
    assert read(path) == {"a": ("cat",)}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([{"question": "a"}], "holds no answer"),
        ([{"question": 7, "label": "x"}], "answers.jsonl:1: it is no answer"),
        ([], "holds no answer"),
    ],
)
def test_what_is_no_record_is_said(tmp_path: Path, lines: list[Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read(record(tmp_path, *lines))


@pytest.mark.parametrize("line", [b'{"label":"\xff"}', b'{"input":' + b"[" * 5000 + b"]" * 5000])
def test_what_nobody_can_read_is_said(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "answers.jsonl").write_bytes(line + b"\n")
    with pytest.raises(ConfigError, match=r"answers\.jsonl:1: it is no answer"):
        read(tmp_path / "answers.jsonl")


def test_what_two_suspects_said_is_not_held_against_one(tmp_path: Path) -> None:
    lines = [{"question": each, "said": ["1"], "suspect": f"http://{each}"} for each in "ab"]
    with pytest.raises(ConfigError, match="http://a and http://b"):
        read(record(tmp_path, *lines))


def test_a_record_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("label", "scores", "labels", "said"),
    [
        ("dog", None, ("cat", "dog"), {"1", "dog"}),
        (None, [0.1, 0.9], ("cat", "dog"), {"1", "dog"}),
        (None, [0.1, 0.9], ("cat",), {"1"}),
        (12, None, (11, 12), {"1"}),
        (4.0, None, (), {"4"}),
        (4.5, None, (), {"4.5"}),
        ("horse", None, ("cat", "dog"), {"horse"}),
        (None, None, (), set()),
        (None, [], (), set()),
    ],
)
def test_a_class_has_the_names_that_a_file_gives_it(
    label: Any, scores: Any, labels: Sequence[str], said: set[str]
) -> None:
    assert {*of(label, scores, labels)} == said


def test_a_digest_is_of_what_was_said_in_any_order() -> None:
    one = digest({"a": ("1", "cat"), "b": ("2",)})
    assert one == digest({"b": ("2",), "a": ("cat", "1")})
    assert one != digest({"a": ("1", "cat"), "b": ("3",)})


def test_embeddings_are_read_and_what_is_none_is_none(tmp_path: Path) -> None:
    path = record(
        tmp_path,
        {"question": "a", "embedding": [1, 0.5, -2.0]},
        {"input": "a text", "embedding": [3.0] * (MOST + 5)},
        {"question": "empty", "embedding": []},
    )
    found = read(path)
    assert found.keys() == {"a", about("a text").question}
    assert [*found["a"]] == [1.0, 0.5, -2.0]
    assert len(found[about("a text").question]) == MOST
    assert names(found["a"]) == ()
    assert vector([1.0, float("inf")]) == ()
    nested: Any = [[1.0, 2.0]]
    assert [*vector(nested)] == [1.0, 2.0]


def test_what_is_written_down_is_read_again(tmp_path: Path) -> None:
    said: dict[str, Said] = {"a": vector([0.1, -0.2]), "b": ("1", "cat")}
    lines = (Recorded.of(question, each, "http://x") for question, each in said.items())
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    found = read(path)
    assert digest(found) == digest(said)
    assert digest(found) != digest({**said, "a": vector([0.1, -0.25])})
    assert [*found["a"]] == [0.1, -0.2]
