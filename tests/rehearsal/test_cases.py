from pathlib import Path
from textwrap import dedent

import orjson
import pytest

from extproc.errors import ConfigError
from extproc.rehearsal.cases import Cases, body_of, read_cases

HEAD = "cases:\n  - name: a\n    request: {path: /v1/x}\n    expect: {decision: refused}\n"


def cases(folder: Path, text: str) -> Cases:
    path = folder / "t.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return read_cases(path)[1]


def test_what_is_not_said_is_as_usual(tmp_path: Path) -> None:
    (case,) = cases(tmp_path, HEAD).cases
    assert (case.request.method, case.request.tenant, case.response) == ("POST", "", None)


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("name: a", "nam: a", ":2: cases[0].nam: unknown field; did you mean 'name'?"),
        ("path: /v1/x", "path: v1", ":3: cases[0].request.path: malformed; write a path such"),
        ("path: /v1/x", "path: /v1/x, method: post", ":3: cases[0].request.method: malformed"),
        ("{decision: refused}", "{}", ":4: cases[0].expect: nothing is expected; write decision"),
        (
            "refused}",
            "denied}",
            ":4: cases[0].expect.decision: unknown name 'denied'; write one of",
        ),
        (
            "path: /v1/x",
            "path: /v1/x, body: a, file: b",
            ":3: cases[0].request.file: there is body already; keep one of the two",
        ),
        (
            "{decision: refused}",
            "{response: {}}",
            ":4: cases[0].expect: an answer is expected, and the model server gives none; add",
        ),
        (HEAD, "cases: []\n", ":1: cases: wrong number of items; write a list of 1 to"),
        (HEAD, "policy: x\n", ":1: cases: missing; add a list of 1 to 10000 items"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, wrong: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        cases(tmp_path, HEAD.replace(old, new))
    assert str(caught.value).startswith(f"{tmp_path / 't.yaml'}{wrong}")


def test_bodies_are_json_text_events_or_files(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(b"\x00")
    path = tmp_path / "t.yaml"
    text = """
    cases:
      - {name: a, request: {path: /x, body: {a: 1}}, response: {events: [{b: 1}, "[DONE]"]},
         expect: {status: 200}}
      - {name: b, request: {path: /x, body: text}, response: {file: raw}, expect: {status: 200}}
      - {name: c, request: {path: /x}, response: {status: 204}, expect: {response: ""}}
    """
    path.write_text(dedent(text), encoding="utf-8")
    document, found = read_cases(path)

    def body(index: int, name: str) -> bytes:
        return body_of(document, ("cases", index, name), getattr(found.cases[index], name))

    assert orjson.loads(body(0, "request")) == {"a": 1}
    assert body(0, "response") == b'data: {"b":1}\n\ndata: [DONE]\n\n'
    assert (body(1, "request"), body(1, "response")) == (b"text", b"\x00")
    assert (body(2, "request"), body(2, "response")) == (b"", b"")
