"""Vectors that are marked behind a real Envoy, and then rotated and rounded."""

from pathlib import Path

import numpy as np
import orjson
import pybase64

from extproc.config import compile_table, load
from extproc.marks.positions import positions
from extproc.mutators import mutate
from extproc.prediction import Embedding, Vector
from tests.e2e import bodies
from tests.e2e.client import post
from tests.e2e.gateway import LiveGateway, live_gateway, write_policy
from tests.e2e.upstream import Upstream, answering

COUNT = 3
ROUTE = "POST /v1/embeddings"
MARK = "{kind: mark_positions, strength: 0.05}"
RAW = np.array([bodies.vector(index) for index in range(COUNT)])


def changed(text: str) -> str:
    """Two tenants of one cohort at tiers that mark; one is rotated besides."""
    text = text.replace(
        "embedding: [{kind: rotate}]",
        f"embedding: [{MARK}, {{kind: rotate}}, {{kind: quantize, bits: 8}}]",
    )
    text = text.replace(
        "embedding: [{kind: truncate, dimensions: 64}, {kind: quantize, bits: 1}]",
        f"embedding: [{MARK}, {{kind: truncate, dimensions: 64}}]",
    )
    for tenant in ("rotated", "labels"):
        old = f"  {tenant}: {{policy: {tenant},"
        text = text.replace(old, f"  {tenant}: {{cohort: pair, policy: {tenant},")
    return text


def served(gateway: LiveGateway, upstream: Upstream, tenant: str, *, encoded: bool) -> list[Vector]:
    upstream.script = answering(bodies.embeddings_answer(COUNT, encoded=encoded))
    response = post(
        gateway, bodies.EMBEDDINGS, bodies.embeddings_request(input=["a"] * COUNT), tenant
    )
    assert response.status_code == 200
    rows = [each["embedding"] for each in orjson.loads(response.content)["data"]]
    return [
        np.frombuffer(pybase64.b64decode(row), "<f4").astype(float) if encoded else np.array(row)
        for row in rows
    ]


def test_vectors_are_marked_first_for_a_cohort_in_json_and_in_base64(
    tmp_path: Path, upstream: Upstream
) -> None:
    """Planted: a key of each tenant's own, and marks behind the rotation, fail here."""
    with live_gateway(tmp_path, upstream.port, policy=changed) as gateway:
        found = {
            (tenant, encoded): served(gateway, upstream, tenant, encoded=encoded)
            for tenant in ("rotated", "labels", "full")
            for encoded in (False, True)
        }
    write_policy(tmp_path, "unix:///nowhere", changed)
    policies = compile_table(load(tmp_path / "policy.yaml")).policies
    for (tenant, encoded), rows in found.items():
        policy = policies[tenant, ROUTE]
        draws = policy.draws("minilm", [b"any"])
        for raw, row in zip(RAW.astype("<f4").astype(float) if encoded else RAW, rows, strict=True):
            chain = policy.fidelity.mutators["embedding"]
            wanted = mutate(chain, draws.of(0) if draws else None, Embedding(raw))
            assert isinstance(wanted, Embedding)
            np.testing.assert_allclose(row, wanted.values, rtol=1e-6, atol=1e-9)
    both = [policies[tenant, ROUTE].draws("minilm", [b"any"]) for tenant in ("rotated", "labels")]
    [one, other] = [draws.of(0).marks for draws in both if draws]
    assert one == other is not None
    assert one is not None
    moves = positions(one, 384).of(RAW[0])[:64]
    shift = unit(found["labels", False][0]) - unit(RAW[0][:64])
    assert np.array_equal(np.sign(shift[moves != 0]), np.sign(moves[moves != 0]))


def unit(values: Vector) -> Vector:
    return values / float(np.linalg.norm(values))
