"""Whose a copy of an embedding model is, by the keys of a policy file."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
import orjson
import pytest

from extproc.config import compile_table, load
from extproc.mutators import mutate
from extproc.prediction import Embedding
from extproc.redteam.adapters.openai_embeddings import OpenAiEmbeddings
from extproc.redteam.answers import Floats
from extproc.redteam.firing_range.firing_range import MARKED, SHIPPED
from extproc.redteam.firing_range.issue import Party, issue
from extproc.redteam.owner.kept import Kept
from extproc.redteam.owner.vectors import VectorOwner
from extproc.redteam.request import Request
from tests.redteam import planted

ADAPTER = OpenAiEmbeddings("private", planted.HEAD)
TEXTS = planted.texts(300)
ROUTE = "POST /v1/embeddings"


def _folder(directory: Path, source: Path = MARKED, policy: str = "marked") -> Path:
    parties = [Party("thief", policy), Party("thief.0", policy, cohort=False)]
    issue(source, directory, 1, parties, "127.0.0.1:1")
    return directory


def _owner(folder: Path, *, answers: bool = True) -> VectorOwner:
    def model(request: Request) -> tuple[int, object]:
        asked = orjson.loads(request.body)["input"]
        rows = planted.private_vectors(asked).tolist()
        return (200 if answers else 503), {"data": [{"embedding": each} for each in rows]}

    client = planted.Planted(model, "model")
    return VectorOwner(Kept((folder,), "thief", ("thief.0",)), ADAPTER, client)


def _served(folder: Path, tenant: str) -> Floats:
    """All texts, as the policy file has them served."""
    policy = compile_table(load(folder / "policy.yaml")).policies[tenant, ROUTE]
    draws = policy.draws("private", [b"any"])
    assert draws is not None
    rows = []
    for vector in _raw():
        after = mutate(policy.fidelity.mutators["embedding"], draws.of(0), Embedding(vector))
        assert isinstance(after, Embedding)
        rows.append(after.values)
    return np.array(rows)


def _said(copy: Mapping[str, Floats], texts: Sequence[str]) -> Floats:
    return np.array([copy[text] for text in texts])


@cache
def _raw() -> Floats:
    return planted.private_vectors(TEXTS)


async def test_who_asked_is_named_by_its_own_key_and_nobody_by_another_ones(tmp_path: Path) -> None:
    """Planted: the bystander's key for the thief's."""
    folder = _folder(tmp_path)
    for tenant, named, accused in (("thief-0", True, 0), ("thief.0-0", False, 1)):
        copy = dict(zip(TEXTS, _served(folder, tenant), strict=True))
        found = await _owner(folder).finds(partial(_said, copy), TEXTS)
        assert found is not None
        assert (found.named, found.accused) == (named, accused)
        assert min(found.bits, *found.others) < -20 < max(found.bits, *found.others)


async def test_the_model_itself_is_nobodys(tmp_path: Path) -> None:
    found = await _owner(_folder(tmp_path)).finds(lambda _: _raw(), TEXTS)
    assert found is not None
    assert (found.named, found.accused) == (False, 0)


async def test_nothing_is_found_by_what_does_not_mark_or_where_nothing_was_asked(
    tmp_path: Path,
) -> None:
    def copy(texts: Sequence[str]) -> Floats:
        raise AssertionError(texts)

    assert await _owner(_folder(tmp_path)).finds(copy, ()) is None
    (tmp_path / "plain").mkdir()
    plain = _folder(tmp_path / "plain", SHIPPED, "standard")
    assert await _owner(plain).finds(copy, TEXTS) is None


async def test_a_model_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match="does not answer its owner"):
        await _owner(_folder(tmp_path), answers=False).finds(lambda _: _raw(), TEXTS)
