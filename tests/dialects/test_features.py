"""Every API's fields that ask for a feature: what they may ask, and what is set where they do not.

Law: whatever a request says, no more tokens, choices or tools go on than are granted.
"""

from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.dialects import (
    AnthropicMessages,
    CohereChat,
    Dialect,
    GeminiGenerate,
    KServeV2Grpc,
    OllamaChat,
    OllamaGenerate,
    OpenAIChat,
    OpenAICompletions,
    OpenAIEmbeddings,
    OpenAIResponses,
    TritonGenerate,
)
from extproc.dialects.features import features
from extproc.dialects.gate import PASS, Object, Terms, gate_of
from extproc.entitlement import ALL, Entitlement
from extproc.errors import ClientError

CHAT = {"model": "m", "messages": []}
MOST = Entitlement(tools=False, choices=2, max_tokens=100)
Fields = dict[str, Any]

ASKING: list[tuple[Any, Fields, str, str, str]] = [
    (OpenAIChat(), CHAT, "max_tokens", "n", "tools"),
    (OpenAIChat(), CHAT, "max_completion_tokens", "n", "functions"),
    (OpenAIChat(cache_salt=True), CHAT, "max_tokens", "n", "tools"),
    (OpenAICompletions(), {"model": "m", "prompt": "x"}, "max_tokens", "n", ""),
    (OpenAICompletions(), {"model": "m", "prompt": "x"}, "max_tokens", "best_of", ""),
    (OpenAIResponses(), {"model": "m", "input": "x"}, "max_output_tokens", "", "tools"),
    (AnthropicMessages(), CHAT, "max_tokens", "", "tools"),
    (CohereChat(), CHAT, "max_tokens", "", "tools"),
    (
        GeminiGenerate(),
        {"contents": []},
        "generationConfig.maxOutputTokens",
        "generationConfig.candidateCount",
        "tools",
    ),
    (OllamaChat(), CHAT, "options.num_predict", "", "tools"),
    (OllamaGenerate(), {"model": "m"}, "options.num_predict", "", ""),
    (TritonGenerate(), {"text_input": "x"}, "max_tokens", "", ""),
    (TritonGenerate(), {"text_input": "x"}, "parameters.max_tokens", "", ""),
]
EACH = pytest.mark.parametrize(("dialect", "fields", "tokens", "choices", "tools"), ASKING)


def at(path: str, value: Any, fields: Fields) -> Fields:
    name, _, inner = path.partition(".")
    return {**fields, name: {inner: value} if inner else value}


def found(sent: Fields, path: str) -> Any:
    name, _, inner = path.partition(".")
    return (sent.get(name) or {}).get(inner) if inner else sent.get(name)


def sent(dialect: Any, fields: Fields, entitlement: Entitlement = MOST) -> Fields | str:
    """What goes on, or why not."""
    terms = Terms((), entitlement=entitlement)
    try:
        asked = dialect.read(orjson.dumps(fields), {"model": "m"}, terms)
    except ClientError as error:
        return error.refusal.message
    body: Fields = orjson.loads(asked.body)
    return body


@EACH
def test_a_maximum_of_tokens_passes_up_to_what_is_granted(
    dialect: Any, fields: Fields, tokens: str, choices: str, tools: str
) -> None:
    within = sent(dialect, at(tokens, 100, fields))
    assert isinstance(within, dict)
    assert found(within, tokens) == 100
    for beyond in (101, -1, 0, 1e2, "100", True, [1], 10**18):
        told = sent(dialect, at(tokens, beyond, fields))
        assert told == "The feature 'max_tokens' is not available.", beyond
    unbounded = sent(dialect, at(tokens, 10_000, fields), ALL)
    assert isinstance(unbounded, dict)
    assert found(unbounded, tokens) == 10_000


@EACH
def test_where_no_maximum_is_named_it_is_set(
    dialect: Any, fields: Fields, tokens: str, choices: str, tools: str
) -> None:
    first = next(each[2] for each in ASKING if type(each[0]) is type(dialect))
    for silent in (fields, at(tokens, None, fields)):
        bounded = sent(dialect, silent)
        assert isinstance(bounded, dict)
        assert found(bounded, first) == 100
        assert found(sent(dialect, silent, ALL), tokens) is None  # type: ignore[arg-type]


def test_a_maximum_is_set_beside_what_the_gate_made_of_its_object() -> None:
    config = {"seed": 1, "temperature": 0, "responseLogprobs": True}
    body = {"contents": [], "generationConfig": config}
    terms = Terms((), entitlement=MOST, repeatable=False)
    asked = GeminiGenerate().read(orjson.dumps(body), {"model": "m"}, terms)
    after = {"temperature": 0.3, "maxOutputTokens": 100}
    assert orjson.loads(asked.body)["generationConfig"] == after
    assert asked.changed["generationConfig"] == 1


@EACH
def test_choices_pass_up_to_what_is_granted(
    dialect: Any, fields: Fields, tokens: str, choices: str, tools: str
) -> None:
    if not choices:
        assert "choices" not in features(dialect.read) or isinstance(dialect, OpenAICompletions)
        return
    for value in (1, 2, None):
        assert isinstance(sent(dialect, at(choices, value, fields)), dict)
    for beyond in (3, 0, -1, "1", True):
        told = sent(dialect, at(choices, beyond, fields))
        assert told == "The feature 'choices' is not available."


@EACH
def test_tools_need_a_grant(
    dialect: Any, fields: Fields, tokens: str, choices: str, tools: str
) -> None:
    if not tools:
        assert "tools" not in features(dialect.read)
        return
    some = [{"type": "function", "name": "f"}]
    nothing: tuple[Any, ...] = ([], None)
    for empty in nothing:
        assert isinstance(sent(dialect, at(tools, empty, fields)), dict)
    assert sent(dialect, at(tools, some, fields)) == "The feature 'tools' is not available."
    assert isinstance(sent(dialect, at(tools, some, fields), ALL), dict)


def test_a_dialect_tells_which_features_its_fields_have() -> None:
    assert features(OpenAIChat().read) == {"tools", "choices", "max_tokens"}
    assert features(GeminiGenerate().read) == {"tools", "choices", "max_tokens"}
    assert features(OpenAIResponses().read) == {"tools", "max_tokens"}
    assert features(OpenAIEmbeddings().read) == set()
    assert features(KServeV2Grpc().read) == set()


def test_every_field_that_looks_like_one_of_a_feature_has_its_rule() -> None:
    """No dialect is forgotten: of the names that ask for one none passes bare."""
    names = {"max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens"}
    names |= {"num_predict", "max_new_tokens", "n", "best_of", "candidateCount", "tools"}
    names |= {"functions"}
    bare = []
    for kind in get_args(Dialect):
        try:
            gates = [gate_of(kind().read)]
        except TypeError:
            continue  # it has no defaults: all of it is declared
        while gates:
            gate = gates.pop()
            if isinstance(gate, Object):
                bare += [(kind, name) for name in names if gate.fields.get(name) is PASS]
                gates += [rule for rule in gate.fields.values() if isinstance(rule, Object)]
    assert [(kind.__name__, name) for kind, name in bare] == [("CohereEmbed", "max_tokens")]


values = st.one_of(st.none(), st.integers(-3, 200), st.floats(), st.text(max_size=3))


@given(st.dictionaries(st.sampled_from(["max_tokens", "max_completion_tokens", "n"]), values))
def test_whatever_is_said_no_more_goes_on_than_is_granted(said: Fields) -> None:
    after = sent(OpenAIChat(), {**CHAT, **said})
    if isinstance(after, dict):
        maxima = [after.get(name) for name in ("max_tokens", "max_completion_tokens")]
        named = [each for each in maxima if each is not None]
        assert named
        assert all(type(each) is int and 1 <= each <= 100 for each in named)
        assert after.get("n") in {None, 1, 2}
