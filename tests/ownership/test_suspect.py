"""How a suspect is asked, and what it is understood to say."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from extproc.errors import ConfigError
from extproc.ownership.suspect import Api, api

FILE = """\
url: https://suspect.example
keys: [env:SUSPECT]
request:
  path: /classify
  body: '{"texts": {{inputs}}}'
  headers: {x-key: "{{key}}"}
  batch: 2
answer: {scores: "results[].scores", label: "results[].label", labels: [cat, dog, horse]}
"""


def described(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str = FILE) -> Api:
    monkeypatch.setenv("SUSPECT", "s3cret")
    (folder / "suspect.yaml").write_text(text)
    found = api(str(folder / "suspect.yaml"))
    assert found is not None
    return found


def test_a_file_says_how_it_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = described(tmp_path, monkeypatch)
    assert found.url == "https://suspect.example/classify"
    assert (found.key, found.ask.batch) == ("s3cret", 2)
    assert msgspec.json.decode(found.body(["one", "two"])) == {"texts": ["one", "two"]}


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([{"label": "dog"}, {"label": "cat"}], [{"1", "dog"}, {"0", "cat"}]),
        ([{"scores": [0.1, 0.2, 0.7]}, {"scores": [1, 0, 0]}], [{"2", "horse"}, {"0", "cat"}]),
        ([{"label": "cow"}, {"label": "cat"}], [{"cow"}, {"0", "cat"}]),
    ],
)
def test_labels_and_scores_are_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, results: Any, said: list[set[str]]
) -> None:
    found = described(tmp_path, monkeypatch)
    body = msgspec.json.encode({"results": results})
    assert [{*each} for each in found.read(body, 2)] == said


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{}",
        b'{"results": [{"label": "cat"}]}',
        b'{"results": [{"scores": ["x"]}]}',
    ],
)
def test_what_is_no_answer_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    with pytest.raises(ValueError):
        described(tmp_path, monkeypatch).read(body, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expected `object`"),
        ("[" * 3000, "suspect.yaml: it is no description of a suspect"),
        ("a: 1\nb: }s3cret", "line 2; see docs/ownership.md"),
        (FILE.replace("{{inputs}}", "{{imputs}}"), "nothing is put into {{imputs}}"),
        (
            FILE[: FILE.index("answer")] + "answer: {}\n",
            "say where label is, or scores, or vectors",
        ),
        (FILE.replace("env:SUSPECT", "env:NOT_THERE"), "the environment has no NOT_THERE"),
        (FILE.replace("https://suspect.example", "suspect"), "url"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        described(tmp_path, monkeypatch, text)
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_template_that_wants_numbers_is_not_filled_with_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = described(tmp_path, monkeypatch, FILE.replace("{{inputs}}", "{{flat}}"))
    with pytest.raises(ConfigError, match="no rows"):
        found.body([1, 2])


def test_a_target_file_of_the_red_team_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = "name: mine\nkind: classifier\ninputs: rows.csv\nclasses: 3\n"
    assert described(tmp_path, monkeypatch, FILE + more).ask.path == "/classify"


def test_kserve_is_asked_at_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUSPECT", "s3cret")
    found = api("https://x.example/v2/models/digits/infer", "env:SUSPECT")
    assert found is not None
    assert found.key == "s3cret"
    [tensor] = msgspec.json.decode(found.body([[1.0, 2.0]]))["inputs"]
    assert (tensor["shape"], tensor["data"]) == ([1, 2], [1.0, 2.0])
    outputs = [{"name": "probabilities", "data": [0.1, 0.9]}]
    assert found.read(msgspec.json.encode({"outputs": outputs}), 1) == [("1",)]
    outputs.append({"name": "label", "data": [0]})
    assert found.read(msgspec.json.encode({"outputs": outputs}), 1) == [("0",)]
    for wrong in (b"[]", b'{"outputs": [{}]}', b'{"outputs": 1}', b'{"outputs": []}'):
        with pytest.raises(ValueError):
            found.read(wrong, 1)
    with pytest.raises(ConfigError, match="no rows of numbers or of texts"):
        found.body([["a text", 1.0]])


def test_kserve_is_asked_about_texts_and_answers_embeddings() -> None:
    found = api("https://x.example/v2/models/minilm/infer")
    assert found is not None
    for asked in ("a text", ["a text"]):
        [tensor] = msgspec.json.decode(found.body([asked]))["inputs"]
        assert (tensor["datatype"], tensor["shape"], tensor["data"]) == (
            "BYTES",
            [1, 1],
            ["a text"],
        )
    answer: dict[str, Any] = {"name": "embedding", "data": [0.5, -0.25]}
    [said] = found.read(msgspec.json.encode({"outputs": [answer]}), 1)
    assert [*said] == [0.5, -0.25]
    answer["data"] = []
    with pytest.raises(ValueError):
        found.read(msgspec.json.encode({"outputs": [answer]}), 1)


def test_openais_embeddings_are_asked_at_their_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUSPECT", "s3cret")
    found = api("https://x.example/v1/embeddings#copy-2", "env:SUSPECT")
    assert found is not None
    assert (found.key, found.url) == ("s3cret", "https://x.example/v1/embeddings#copy-2")
    asked = {"input": ["one", "two"], "encoding_format": "float", "model": "copy-2"}
    assert msgspec.json.decode(found.body(["one", "two"])) == asked
    bare = api("https://x.example/v1/embeddings")
    assert bare is not None
    assert "model" not in msgspec.json.decode(bare.body(["one"]))
    data = [{"index": 1, "embedding": [3.0, 4.0]}, {"index": 0, "embedding": [1.0, 2.0]}]
    body = msgspec.json.encode({"data": data})
    assert [[*each] for each in found.read(body, 2)] == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'{"data": 1}',
        b'{"data": [{"embedding": [1.0]}]}',
        b'{"data": [{"index": 0, "embedding": []}]}',
        b'{"data": [{"index": 0, "embedding": ["x"]}]}',
        b'{"data": [{"index": 0, "embedding": "AAAA"}]}',
        b'{"data": [{"index": 0, "embedding": [1.0]}, {"index": "1", "embedding": [1.0]}]}',
    ],
)
def test_what_is_no_answer_of_openais_is_none(body: bytes) -> None:
    found = api("https://x.example/v1/embeddings")
    assert found is not None
    with pytest.raises(ValueError):
        found.read(body, 1)


def test_a_file_says_where_embeddings_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = FILE[: FILE.index("answer")] + "answer: {vectors: 'results[].vector'}\n"
    found = described(tmp_path, monkeypatch, text)
    body = msgspec.json.encode({"results": [{"vector": [1, 2, 3]}, {"vector": [4, 5, 6]}]})
    assert [[*each] for each in found.read(body, 2)] == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    for wrong in (b"{}", b'{"results": [{"vector": [1, 2]}, {"vector": [3]}]}'):
        with pytest.raises(ValueError):
            found.read(wrong, 2)


@pytest.mark.parametrize("secret", ["https://me:s3cret@x.example", "https://x.example"])
def test_a_url_holds_no_key(secret: str) -> None:
    """Planted: it would be told in the report."""
    more = "" if "@" in secret else "?key=s3cret"
    with pytest.raises(ConfigError, match="to hold no key") as caught:
        api(f"{secret}/v2/models/digits/infer{more}")
    assert "s3cret" not in str(caught.value)


def test_other_urls_are_to_be_described() -> None:
    with pytest.raises(ConfigError, match="describe it in a YAML file"):
        api("https://x.example/classify")


def test_other_files_are_what_it_said() -> None:
    assert api("answers.jsonl") is None
