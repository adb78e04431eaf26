"""Which tiers may mark, where, and for whom."""

from pathlib import Path

import pytest

from extproc.auditor.keys import new_pair as new_signing_pair
from extproc.canonical import at_once, digests
from extproc.config import compile_table, load
from extproc.config.vault_key import new_pair
from extproc.dialects.request import Asked
from extproc.draw import Draw
from extproc.errors import ConfigError
from extproc.marks.marking import Marks
from extproc.policy import PolicyTable
from extproc.prediction import Query
from tests.config.example import ENVIRON, changed, write

KEPT = """\
audit: {path: audit.jsonl, key: "file:audit.pem"}
ownership: {vault: marks.vault, recipient: "file:vault.pub"}
"""
MARK = "{kind: mark, rate: 0.002}"
KSERVE = "POST /v2/models/{model}/infer"
TENANTS = """\
  one: {{policy: trial, cohort: pair, principals: ["key:{}"]}}
  two: {{policy: trial, cohort: pair, principals: ["key:{}"]}}
  spared: {{policy: trial, exempt: true, principals: ["key:{}"]}}
""".format("1" * 64, "2" * 64, "3" * 64)


def compiled(folder: Path, *changes: tuple[str, str], kept: str = KEPT) -> PolicyTable:
    (folder / "audit.pem").write_bytes(new_signing_pair()[0])
    (folder / "vault.pub").write_bytes(new_pair()[1])
    text = changed(*changes, ("fidelities:", f"{kept}fidelities:")) + TENANTS
    return compile_table(load(write(folder, text)), ENVIRON)


def marking(chain: str, more: str = "text: pass") -> tuple[str, str]:
    return "full: {probabilities: pass, text: pass}", f"full: {{probabilities: {chain}, {more}}}"


def marks(table: PolicyTable, tenant: str) -> Marks | None:
    return table.policies[tenant, KSERVE].marks


def test_a_tier_marks_for_a_cohort_or_for_a_tenant_without_one(tmp_path: Path) -> None:
    """Planted: a key of each tenant's own lets two of a cohort see their marks."""
    table = compiled(tmp_path, marking(f"[{MARK}, {{kind: round, digits: 2}}]"))
    beta, one, two = (marks(table, tenant) for tenant in ("beta", "one", "two"))
    assert beta is not None
    assert one is not None
    assert two is not None
    assert one.draw == two.draw != beta.draw
    assert one.cells is beta.cells
    assert (one.rate, one.protected) == (0.002, frozenset())
    assert marks(table, "acme") is None
    assert table.policies["beta", KSERVE].draw is not None


def test_whoever_is_exempt_gets_no_marks(tmp_path: Path) -> None:
    """Planted: leaving the exemption out marks the answers of whom it is promised to."""
    assert marks(compiled(tmp_path, marking(f"[{MARK}]")), "spared") is None


def test_another_epoch_has_other_marks(tmp_path: Path) -> None:
    one = marks(compiled(tmp_path, marking(f"[{MARK}]")), "beta")
    other = marks(
        compiled(tmp_path, marking(f"[{MARK}]"), ('"env:HMAC"', '"env:HMAC", epoch: 2')), "beta"
    )
    assert one is not None
    assert other is not None
    assert one.draw != other.draw


OTHERS = (
    "top_k, k: 2",
    "round, digits: 2",
    "bins, count: 3",
    "codebook, bits: 8",
    "label_only",
    "smooth, margin: 0.1",
)
"""Each of those that work on probabilities; all but the last may stand behind a mark."""
WITH_LABEL = ("{probs: probabilities}", "{probs: probabilities, top: label}")


@pytest.mark.parametrize(
    ("chain", "more", "wrong"),
    [
        *(
            (f"[{{kind: {other}}}, {MARK}]", "text: pass", "mark stands behind others")
            for other in OTHERS[:-1]
        ),
        (f"[{{kind: smooth, margin: 0.1}}, {MARK}]", "text: pass", "mark behind it may change"),
        (f"[{MARK}, {MARK}]", "text: pass", "mark behind it may change the label again"),
        (
            f"[{MARK}, {{kind: smooth, margin: 0.1}}]",
            "text: pass",
            "smooth behind it may change the label again; remove one of the two",
        ),
        (f"[{MARK}]", "label: pass", f"{KSERVE} may answer the label apart"),
        (f"[{MARK}]", "tensor: pass", f"{KSERVE} may answer tensor, which would tell"),
    ],
)
def test_what_would_undo_or_betray_a_mark_is_refused(
    tmp_path: Path, chain: str, more: str, wrong: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, marking(chain, more), WITH_LABEL)
    assert "fidelities.full.probabilities[" in str(caught.value)
    assert wrong in str(caught.value)


@pytest.mark.parametrize("other", OTHERS[:-1])
def test_what_keeps_the_label_may_stand_behind_it(tmp_path: Path, other: str) -> None:
    assert marks(compiled(tmp_path, marking(f"[{MARK}, {{kind: {other}}}]")), "beta") is not None


def test_beside_no_label_of_its_own_names_may_pass(tmp_path: Path) -> None:
    assert marks(compiled(tmp_path, marking(f"[{MARK}]", "label: pass")), "beta") is not None


def test_a_mark_that_nothing_commits_to_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"probabilities\[0\]: .*proves nothing; name a vault"):
        compile_table(load(write(tmp_path, changed(marking(f"[{MARK}]")))), ENVIRON)


@pytest.mark.parametrize("rate", ["0.0005", "0.01", "0"])
def test_the_rate_is_a_tenth_to_half_a_percent(tmp_path: Path, rate: str) -> None:
    with pytest.raises(ConfigError, match="rate"):
        compiled(tmp_path, marking(f"[{{kind: mark, rate: {rate}}}]"))


MOVED = "{kind: mark_positions, strength: 0.03}"


def moving(chain: str) -> tuple[str, str]:
    return "full: {probabilities: pass, text: pass}", f"full: {{embedding: {chain}, text: pass}}"


def moved_by(folder: Path, tenant: str) -> Draw | None:
    table = compile_table(load(write(folder, changed(moving(f"[{MOVED}]")) + TENANTS)), ENVIRON)
    draws = table.policies[tenant, KSERVE].draws("digits", [b"input"])
    return draws.of(0).marks if draws is not None else None


def test_vectors_are_marked_for_a_cohort_or_for_a_tenant_without_one(tmp_path: Path) -> None:
    """Planted: a key of each tenant's own, and marks for whoever is exempt, fail here."""
    one, two, beta = (moved_by(tmp_path, tenant) for tenant in ("one", "two", "beta"))
    assert one == two != beta
    assert one is not None
    assert beta is not None
    assert moved_by(tmp_path, "spared") is None


@pytest.mark.parametrize(
    ("kept", "tenant", "share"),
    [
        (KEPT, "beta", 0.2),
        (KEPT.replace('vault.pub"', 'vault.pub", embeddings: 0.5'), "beta", 0.5),
        (KEPT, "spared", 0.0),
        ("", "beta", 0.0),
    ],
    ids=["as it is", "as asked", "exempt", "no vault"],
)
def test_a_share_of_vectors_is_committed_to_where_they_are_marked(
    tmp_path: Path, kept: str, tenant: str, share: float
) -> None:
    """And what is answered is the same; planted: keeping what an exempt tenant asks fails here."""
    table = compiled(tmp_path, moving(f"[{MOVED}]"), kept=kept)
    policy = table.policies[tenant, "POST /v1/embeddings"]
    assert policy.kept == share
    inputs = [f"text {number}" for number in range(400)]
    asked = Asked(Query("minilm", 400), b"", inputs)
    found = at_once(policy.marking(asked, at_once(digests(inputs))))
    assert abs((len(found.kept) if found is not None else 0) - 400 * share) < 50
    bare = compiled(tmp_path, moving(f"[{MOVED}]"), kept="")
    unkept = bare.policies[tenant, "POST /v1/embeddings"]
    assert unkept.draws("minilm", [b"any"]) == policy.draws("minilm", [b"any"])
    assert table.policies[tenant, KSERVE].kept == 0.0  # which answers no vectors


BEHIND = (
    "{kind: rotate}",
    "{kind: quantize, bits: 1}",
    "{kind: truncate, dimensions: 3}",
    "{kind: noise, norm: 0.1}",
    "{kind: dither, step: 0.1}",
    "{kind: hash, bits: 64}",
)


@pytest.mark.parametrize("other", BEHIND)
def test_before_what_changes_vectors_they_may_be_marked_and_not_behind_it(
    tmp_path: Path, other: str
) -> None:
    compile_table(load(write(tmp_path, changed(moving(f"[{MOVED}, {other}]")))), ENVIRON)
    with pytest.raises(ConfigError, match=r"embedding\[1\]: mark_positions stands behind others"):
        compile_table(load(write(tmp_path, changed(moving(f"[{other}, {MOVED}]")))), ENVIRON)


def test_vectors_that_are_not_served_are_not_marked(tmp_path: Path) -> None:
    text = changed(moving(f"[{MOVED}, {{kind: similarity, digits: 2}}]"))
    with pytest.raises(ConfigError, match=r"embedding\[0\]: .* compared, and not served"):
        compile_table(load(write(tmp_path, text)), ENVIRON)


def test_they_are_marked_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"embedding\[1\]: mark_positions stands behind others"):
        compile_table(load(write(tmp_path, changed(moving(f"[{MOVED}, {MOVED}]")))), ENVIRON)


@pytest.mark.parametrize("strength", ["0.001", "0.2", "0"])
def test_vectors_are_moved_by_half_a_percent_to_a_tenth(tmp_path: Path, strength: str) -> None:
    text = changed(moving(f"[{{kind: mark_positions, strength: {strength}}}]"))
    with pytest.raises(ConfigError, match="strength"):
        compile_table(load(write(tmp_path, text)), ENVIRON)
