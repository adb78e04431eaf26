import math
from dataclasses import replace

import numpy as np
import pytest
from msgspec.structs import replace as replaced

from extproc.canonical import at_once, digest
from extproc.caps import Caps
from extproc.credentials import ApiKey, ApiKeys, EnvoyJwt, EnvoyJwts
from extproc.credentials.envoy_jwt import NAMESPACE
from extproc.dialects import KServeV2, OpenAIChat
from extproc.dialects.answers import streamed
from extproc.dialects.gate import Terms
from extproc.dialects.mutation import Gathering
from extproc.dialects.request import Asked
from extproc.draw import Draw
from extproc.errors import ClientError, UpstreamError
from extproc.fidelity import Fidelity
from extproc.information import UNSIZED, Information
from extproc.limits import Charge, Limit
from extproc.marks.canaries import Canaries
from extproc.marks.cells import Cells
from extproc.marks.marking import Marks
from extproc.marks.pledge import Pledge
from extproc.marks.positions import secret
from extproc.mutators import (
    Drop,
    LabelOnly,
    MarkPositions,
    Noise,
    Quantize,
    Rotate,
    Round,
    Similarity,
    TopK,
)
from extproc.policy import CLOSELY, Excerpt, Policy, PolicyTable
from extproc.prediction import Embedding, Probabilities, Query
from extproc.refusal import UNKNOWN_MODEL
from extproc.rollout import Rollout
from extproc.route import Route
from extproc.shaping import UNSHAPED, Grid, Shaping
from tests import playbook
from tests.playbook import rate

INFER = Route("POST", "/v2/models/{model}/infer", KServeV2())
VERB = Route("POST", "/v1beta/models/{model}:generateContent", KServeV2())
CHAT = Route("POST", "/v1/chat/completions", OpenAIChat())
BURST = rate("burst", "principal", 20, 1.0)
HOURLY = rate("hourly", "tenant", 1000, 3600.0)


def policy(
    *, tenant: str = "acme", models: tuple[str, ...] = ("*",), limits: tuple[Limit, ...] = ()
) -> Policy:
    fidelity = Fidelity("full", {"text": ()})
    return Policy(
        tenant=tenant,
        route=CHAT,
        fidelity=fidelity,
        edits=fidelity.edits(),
        answers=CHAT.dialect.answers(),
        terms=Terms(frozenset(fidelity.mutators)),
        draw=None,
        models=models,
        limits=limits,
        shadow=False,
        caps=Caps(),
    )


def test_mutators_work_in_order_until_one_drops() -> None:
    edits = Fidelity("t", {"probabilities": (Drop(), LabelOnly())}).edits()
    edit = edits["probabilities"]
    assert edit is not None
    assert edit(None, Probabilities(np.array([1.0]))) is None


def test_a_tier_is_keyed_where_one_of_its_mutators_draws() -> None:
    assert Fidelity("t", {"text": (), "embedding": (Quantize(bits=8), Rotate())}).keyed
    assert not Fidelity("t", {"text": (), "embedding": (Quantize(bits=8),)}).keyed
    assert not Fidelity("t", {}).keyed


def test_a_tier_shows_as_many_alternatives_as_its_mutators_leave() -> None:
    assert Fidelity("t", {"logprobs": (TopK(k=3), Round(digits=2), TopK(k=2))}).alternatives == 2
    assert Fidelity("t", {"logprobs": (Round(digits=2),)}).alternatives is None
    assert Fidelity("t", {"probabilities": (TopK(k=3),)}).alternatives is None


def test_a_tier_is_known_by_what_it_does() -> None:
    one = Fidelity("a", {"text": (), "embedding": (Rotate(), Quantize(bits=8))})
    same = Fidelity("b", {"embedding": (Rotate(), Quantize(bits=8)), "text": ()})
    others = [
        Fidelity("a", {"embedding": (Rotate(), Quantize(bits=8))}),
        Fidelity("a", {"text": (), "embedding": (Quantize(bits=8), Rotate())}),
        Fidelity("a", {"text": (), "embedding": (Rotate(), Quantize(bits=4))}),
        Fidelity("a", {"text": (), "score": (), "embedding": (Rotate(), Quantize(bits=8))}),
    ]
    assert one.digest() == same.digest()
    assert len(one.digest()) == 32
    assert len({each.digest() for each in [one, *others]}) == 5


def test_a_tier_bounds_what_one_prediction_tells() -> None:
    tier = Fidelity("t", {"text": (), "score": (), "probabilities": (TopK(k=3), Round(digits=2))})
    assert tier.bits("probabilities", 10) < 25
    assert tier.bits("probabilities", 10) < tier.bits("probabilities", 1000) < 60
    assert tier.bits("score", 1) == 64
    assert tier.bits("label", 1) == 0
    assert tier.bits("text", 1) == 20.0


COMPARED = Fidelity("t", {"embedding": (Quantize(bits=8), Similarity(digits=2)), "text": ()})


def test_a_tier_that_compares_vectors_lets_none_pass_by_itself() -> None:
    edit = COMPARED.edits()["embedding"]
    assert isinstance(edit, Gathering)
    with pytest.raises(UpstreamError, match="cannot be compared"):
        edit(None, Embedding(np.ones(3)))
    each = edit.each(None, Embedding(np.ones(3)))
    assert isinstance(each, Embedding)
    assert [row.values.tolist() for row in edit.together([each, each])] == [[1.0, 1.0]] * 2


def test_a_tier_says_how_many_inputs_it_compares_and_what_that_tells() -> None:
    assert COMPARED.compared == Similarity.MOST
    assert Fidelity("t", {"embedding": (Quantize(bits=8),)}).compared is None
    assert Fidelity("t", {}).compared is None
    assert COMPARED.bits("embedding", 384) == 0
    assert COMPARED.bits("embedding", 384, inputs=3) == 2 * math.log2(201)


def test_more_inputs_than_are_compared_are_refused() -> None:
    policy().check_inputs(10**6)
    bounded = replace(policy(), most_inputs=2)
    bounded.check_inputs(2)
    with pytest.raises(ClientError, match="No more than 2 inputs"):
        bounded.check_inputs(3)


def test_a_tier_that_rotates_gives_vectors_a_space() -> None:
    rotated = Fidelity("t", {"embedding": (Rotate(), Quantize(bits=8))})
    assert rotated.rotates
    assert not COMPARED.rotates
    chosen = replace(policy(), fidelity=rotated, draw=Draw(b"k" * 32), spaced=True)
    assert len(chosen.space("m")) == 16
    assert chosen.space("m") != chosen.space("n")
    assert replace(chosen, spaced=False).space("m") == ""
    assert chosen.space("m") not in repr(chosen.draw)


KEYED = Fidelity("keyed", {"embedding": (Noise(norm=0.3),)})


def answer(
    question: object, *, root: bytes = b"k", model: str = "m", tier: Fidelity = KEYED
) -> bytes:
    """What one tenant is served for a vector of ones."""
    chosen = replace(policy(), fidelity=tier, edits=tier.edits(), draw=Draw(root * 32))
    draws = chosen.draws(model, [digest(question)])
    edit = chosen.edits["embedding"]
    assert draws is not None
    assert edit is not None
    served = edit(draws.of(0), Embedding(np.ones(8)))
    assert isinstance(served, Embedding)
    return served.values.tobytes()


def test_the_same_question_is_answered_alike_and_every_other_differently() -> None:
    question = {"role": "user", "content": "What is it?"}
    assert answer(question) == answer({"content": " what  IS it", "role": "user", "name": None})
    renamed = Fidelity("renamed", KEYED.mutators)
    assert answer(question) == answer(question, tier=renamed)
    answers = {
        answer(question),
        answer({**question, "content": "Who is it?"}),
        answer(question, root=b"l"),
        answer(question, model="n"),
        answer(question, tier=Fidelity("keyed", {"embedding": (Noise(norm=0.31),)})),
        answer(question, tier=Fidelity("keyed", {**KEYED.mutators, "text": ()})),
    }
    assert len(answers) == 6


def test_no_model_is_called_like_another_label_of_its_tenant() -> None:
    """The cache salt is drawn from the same secret, and told to the model server."""
    chosen = replace(policy(), draw=Draw(b"k" * 32))
    draws = chosen.draws("cache_salt", [digest("a")])
    assert draws is not None
    assert draws.space != Draw(b"k" * 32).child(b"cache_salt")


def test_a_tier_that_is_not_keyed_draws_nothing() -> None:
    assert policy().draws("m", [digest("a")]) is None


def test_a_keyed_tier_without_a_source_serves_nothing() -> None:
    edit = KEYED.edits()["embedding"]
    assert edit is not None
    with pytest.raises(TypeError):
        edit(None, Embedding(np.ones(8)))


def test_a_model_is_permitted_by_any_pattern() -> None:
    chosen = policy(models=("text-*", "digits"))
    assert chosen.permits("text-small")
    assert chosen.permits("digits")
    assert not chosen.permits("digits2")
    assert not chosen.permits("Text-small")
    assert not chosen.permits("a-text-small")
    assert not chosen.permits("")


def charged(policy: Policy, principal: str) -> list[Charge]:
    return policy.charges(policy.caller(principal, {}))


def test_limits_are_counted_per_principal_or_per_tenant() -> None:
    assert charged(policy(limits=(BURST, HOURLY)), "key:1") == [
        Charge(BURST.rule, "acme", "key:1", 1, 1),
        Charge(HOURLY.rule, "acme", "", 1, 1),
    ]


def test_no_two_counters_share_a_place() -> None:
    """A principal called like a tenant, a limit of one name for both, two tenants."""
    both = (BURST, rate("all", "tenant", 1, 1.0))
    places = [
        (charge.group, charge.rule.name, charge.subject)
        for tenant in ("acme", "beta")
        for principal in ("acme", "beta", "key:1")
        for charge in charged(policy(tenant=tenant, limits=both), principal)
        if charge.subject or principal == "key:1"
    ]
    assert len(set(places)) == len(places)


def test_an_end_user_is_known_by_a_keyed_digest_alone() -> None:
    known = policy().caller("key:1", {}, "alice@example.com", "m")
    assert known.user == policy().caller("key:2", {}, "alice@example.com").user
    assert known.user != policy().caller("key:1", {}, "bob@example.com").user
    assert len(bytes.fromhex(known.user)) == 8
    assert not policy().caller("key:1", {}).user


def test_a_policy_without_limits_charges_nothing() -> None:
    assert charged(policy(), "key:1") == []


def test_dynamic_metadata_is_read_only_where_a_credential_asks_for_it() -> None:
    keys, mesh = ApiKeys(ApiKey(), b"k", {}), EnvoyJwts(EnvoyJwt(issuer="i"), [])
    table = PolicyTable("0", b"k", (CHAT,), {"keys": keys}, {}, {}, Caps())
    assert table.namespaces == ()
    assert replace(table, provers={"keys": keys, "mesh": mesh}).namespaces == (NAMESPACE,)


def test_what_proves_who_a_caller_is_never_goes_on() -> None:
    keys = ApiKeys(ApiKey(), b"k", {})
    table = PolicyTable("0", b"k", (CHAT,), {"one": keys, "two": keys}, {}, {}, Caps())
    assert table.credential_headers == keys.headers


def test_what_is_shaped_is_that_of_the_policy_that_a_route_selects() -> None:
    """But for strangers, and for tenants to whom nothing is done yet."""
    own, theirs = Shaping(grid=Grid(1.0)), Shaping(grid=Grid(2.0))
    table = PolicyTable(
        "0",
        b"k",
        (CHAT,),
        {},
        {},
        {},
        Caps(),
        shapings={"acme": own},
        selected_shapings={"quiet": theirs},
    )
    assert table.shaping("acme") is own
    assert table.shaping("acme", "quiet") is theirs
    assert table.shaping("acme", "no policy") is own
    assert table.shaping("nobody") is table.shaping("", "quiet") is UNSHAPED
    on_trial = replace(table, rollout=Rollout("shadow"))
    assert on_trial.shaping("acme", "quiet") is own


def test_a_table_does_not_show_its_key() -> None:
    table = PolicyTable(
        version="0",
        key=b"0123456789abcdef",
        routes=(CHAT,),
        provers={"keys": ApiKeys(ApiKey(), b"0123456789abcdef", {})},
        tenants={},
        policies={},
        caps=Caps(),
    )
    assert "0123456789abcdef" not in repr(table)


def digests(chosen: Policy, asked: Asked) -> list[bytes]:
    return [*at_once(chosen.digests(asked))]


def test_inputs_have_digests_where_a_record_is_kept_or_something_draws_from_them() -> None:
    asked = Asked(Query("m", 2), b"x" * CLOSELY, ["a", "b"])
    assert digests(policy(), asked) == []
    for chosen in (replace(policy(), audited=True), replace(policy(), draw=Draw(b"k" * 32))):
        assert digests(chosen, asked) == [digest("a"), digest("b")]


def test_for_a_record_alone_a_body_that_is_long_is_known_by_its_bytes() -> None:
    audited = replace(policy(), audited=True)
    one, other = (Asked(Query("m", 1), text * CLOSELY, ["a"]) for text in (b"one", b"two"))
    assert digests(audited, one) == digests(audited, one) != [digest("a")]
    assert digests(audited, one) != digests(audited, other)
    assert digests(replace(audited, draw=Draw(b"k" * 32)), one) == [digest("a")]


def test_the_first_exception_that_fits_a_model_holds_for_it() -> None:
    own, other = policy(models=("text-*",)), policy(tenant="beta")
    found = replace(own, exceptions=((("text-a", "text-b"), other), (("text-b*",), None)))
    assert found.of("text-x") is found
    assert found.of("text-a") is other
    assert found.of("text-b") is other
    assert found.of("text-bb") is None
    assert found.of("digits") is None
    assert [found.permits(each) for each in ("text-a", "text-bb", "digits")] == [True, False, False]


def test_a_denied_model_is_refused_like_an_unknown_one_but_in_the_record() -> None:
    found = replace(policy(models=("m*",)), exceptions=((("mine",), None),))
    denied, unknown = found.unknown("mine"), found.unknown("x")
    assert denied == unknown == UNKNOWN_MODEL
    assert (denied.outcome, unknown.outcome) == ("model_denied", "model_not_found")


def test_an_exchange_keeps_little_of_a_large_table() -> None:
    mine, other = policy(), policy(tenant="beta")
    whole = playbook.table(mine, other, tenants={"key:1": "acme"})
    assert whole.excerpt(mine) == Excerpt(whole.version, whole.pseudonyms, mine)
    assert whole.excerpt(None).policy is None


def test_what_admits_nobody_any_more_is_still_served_by() -> None:
    whole = playbook.table(policy(), tenants={"key:1": "acme"})
    served = whole.served()
    assert (served.policies, served.routes) == (whole.policies, whole.routes)
    assert [*served.provers, *served.tenants] == []


def test_only_what_a_request_asked_for_is_an_answer_to_it() -> None:
    document, stream = Query("m", 1), Query("m", 1, stream=True)
    assert not streamed(policy().answer("Application/JSON; charset=utf-8", document))
    assert streamed(policy().answer("text/event-stream", stream))
    for media_type, query in (("text/event-stream", document), ("text/html", stream), ("", stream)):
        with pytest.raises(UpstreamError, match="content type"):
            policy().answer(media_type, query)


def test_an_answer_is_measured_where_somebody_counts_what_it_tells() -> None:
    assert policy().told(3).measure is None
    chosen = policy()
    information = Information(CHAT.dialect, chosen.fidelity.mutators, UNSIZED)
    assert replace(chosen, information=information).told(3).measure is not None


def test_an_answer_is_noticed_where_detectors_look_and_classes_have_labels_of_their_own() -> None:
    assert policy().told(3, "m").noticed is None
    watched = replace(policy(), watched=True, secret=b"s" * 32)

    def labels(chosen: Policy, model: str) -> list[int]:
        noticed = chosen.told(40, model, knobs=5).noticed
        assert noticed is not None
        assert noticed.knobs == 5
        noticed.see_rows("probabilities", np.eye(40))
        return noticed.labels

    assert labels(watched, "m") == labels(watched, "m")
    assert labels(watched, "m") != labels(watched, "n")
    assert labels(watched, "m") != labels(replace(watched, secret=b"t" * 32), "m")


def test_the_lowest_of_several_tiers_is_the_last_there_is() -> None:
    chosen, coarse, labels = policy(), policy(tenant="coarse"), policy(tenant="labels")
    lowering = replace(chosen, lower={"coarse": coarse, "labels": labels})
    assert lowering.lowest({"coarse", "labels"}) is labels
    assert lowering.lowest({"coarse", "higher"}) is coarse
    assert lowering.lowest({"higher"}) is None


def test_addresses_are_told_apart_as_any_of_its_limits_does() -> None:
    by_address = Limit(BURST.rule, "requests", ("address",), prefix=(24, 56))
    assert policy(limits=(by_address, BURST)).prefixes == {(24, 56)}


def test_canaries_are_behind_prose_alone() -> None:
    key = Draw(b"k" * 32)
    cells = Cells(key)
    planted = replace(policy(), canaries=Canaries(cells, key, 1.0, "{}"))
    asked = Asked(Query("gpt", 1), b"", ["What is this?"], prose=True)
    made = at_once(planted.marking(asked))
    assert made is not None
    assert made.planted is not None
    assert at_once(planted.marking(replaced(asked, prose=False))) is None
    both = replace(planted, marks=Marks(cells, key, 0.005))
    found = at_once(both.marking(replaced(asked, prose=False)))
    assert found is not None
    assert found.planted is None
    assert at_once(policy().marking(asked)) is None


def test_no_layout_tells_whether_a_canary_is_planted_beside_a_list() -> None:
    """Planted: a text without a canary is written anew where a list marks it as well, and one with
    a canary that was cut off before its end is not.
    """
    key = Draw(b"k" * 32)
    listed = replace(policy(), pledges=(Pledge("green_list", key, b"{}", ""),))
    asked = Asked(Query("gpt", 1), b"", ["What is this?"], prose=True)
    for share, planted in ((0.0, False), (1.0, True)):
        canaries = Canaries(Cells(key), key, share, "{}")
        made = at_once(replace(listed, canaries=canaries).marking(asked))
        assert made is not None
        assert (made.planted is not None, made.alike) == (planted, False)
    marked = at_once(replace(listed, marks=Marks(Cells(key), key, 0.0)).marking(asked))
    assert marked is not None
    assert marked.alike


def test_vectors_are_kept_of_the_model_that_is_asked_beside_marks_of_labels() -> None:
    """Planted: a key of all models shows by one entry how the others' vectors are moved."""
    key = Draw(b"k" * 32)
    moving = Fidelity("t", {"embedding": (MarkPositions(strength=0.05),)})
    plain = replace(policy(), fidelity=moving, marked_by=key)
    asked, inputs = Asked(Query("minilm", 1), b"", ["What is this?"]), [digest("What is this?")]
    assert at_once(plain.marking(asked, inputs)) is None
    keeping = replace(plain, kept=1.0)
    found = at_once(keeping.marking(asked, inputs))
    assert found is not None
    assert found.single
    assert (found.kept[0].strength, found.stamped) == (0.05, {})
    assert found.kept[0].key == secret(key.child(b"model minilm")).key.hex()
    both = replace(keeping, marks=Marks(Cells(key), key, 0.2))
    labels = at_once(both.marking(asked, inputs))
    assert labels is not None
    assert (len(labels.kept), len(labels.stamped)) == (1, 1)
    for other in (replace(keeping, marked_by=None), replace(keeping, fidelity=Fidelity("u", {}))):
        assert at_once(other.marking(asked, inputs)) is None
