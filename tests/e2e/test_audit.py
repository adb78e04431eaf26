"""The audit log behind a real Envoy: one record per request, under the name its client was told."""

from pathlib import Path

import pytest

from extproc.audit.verification import Report
from extproc.auditor.keys import new_pair
from extproc.auditor.query import Question, ask
from extproc.auditor.verifying import verify
from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import KEYS, live_gateway
from tests.e2e.upstream import Upstream, answering

AUDIT = 'audit: {path: audit.jsonl, key: "file:audit.pem", full: %s}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    private, public = new_pair()
    (tmp_path / "audit.pem").write_bytes(private)
    (tmp_path / "public.pem").write_bytes(public)
    return tmp_path


def told(folder: Path) -> dict[str, tuple[str, str, int]]:
    """By the name of the request: what became of it, the cause, and the status."""
    answer = ask([folder / "audit.jsonl"], Question())
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    return {row["request"]: (row["decision"], row["reason"], row["status"]) for row in rows}


def checked(folder: Path, *, live: bool = False) -> Report:
    return verify([folder / "audit.jsonl"], [folder / "public.pem"], None, live=live)


def test_every_request_has_one_record_under_the_name_its_client_was_told(
    folder: Path, upstream: Upstream
) -> None:
    upstream.script = answering(bodies.chat_answer())
    expected = {}
    with live_gateway(folder, upstream.port, policy=lambda t: t + AUDIT % "refuse") as gateway:
        for path, body, key, record in (
            (bodies.CHAT, bodies.chat_request(), {}, ("served", "", 200)),
            (bodies.CHAT, b"s3cret", {}, ("refused", "invalid_request", 400)),
            ("/nowhere", b"{}", {}, ("refused", "not_found", 404)),
            (
                bodies.CHAT,
                bodies.chat_request(),
                {"authorization": "Bearer xk-s3cret"},
                ("refused", "key_unknown", 401),
            ),
        ):
            response = post(gateway, path, body, headers=key)
            assert response.status_code == record[2]
            expected[response.headers["x-request-id"]] = record
    assert told(folder) == expected
    assert checked(folder).whole
    raw = (folder / "audit.jsonl").read_text()
    for secret in ("s3cret", *KEYS.values(), bodies.SECRET):
        assert secret not in raw


def test_a_sidecar_that_is_killed_leaves_a_log_that_is_whole(
    folder: Path, upstream: Upstream
) -> None:
    upstream.script = answering(bodies.chat_answer())

    with live_gateway(folder, upstream.port, policy=lambda t: t + AUDIT % "drop") as gateway:
        assert post(gateway, bodies.CHAT, bodies.chat_request()).status_code == 200
        gateway.until(lambda: len(told(folder)) == 1)
        gateway.kill_sidecar()
        gateway.until_refused()
    assert checked(folder, live=True).whole
    assert [found.what for found in checked(folder).findings] == ["cut"]
