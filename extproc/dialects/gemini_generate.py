"""Gemini's content, as documents and as streams (POST /v1beta/models/{model}:generateContent).

Source: Gemini API reference and Vertex AI reference, "GenerateContentResponse".  The path names the
model, and its verb whether a stream was asked for: ``stream: true`` is for routes that end in
``:streamGenerateContent``, which answers with one JSON array, or with events where ``alt=sse`` says
so.  Rule: thoughts pass by the part; what counts them by difference is counted with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from extproc.dialects.answers import Answers, Array, Document, Events
from extproc.dialects.counted import Counted
from extproc.dialects.dialect import JSON, JsonDialect, Parameters
from extproc.dialects.features import CHOICES, TOKENS, TOOLS
from extproc.dialects.gate import PASS, Alternatives, Granted, Object, Terms
from extproc.dialects.gemini_logprobs import RESULT, average
from extproc.dialects.google_error import google_error
from extproc.dialects.mutation import Edit
from extproc.dialects.request import Asked, require
from extproc.dialects.sampling import CUT, SEED, TEMPERATURE
from extproc.dialects.shape import (
    ABSENT,
    Anything,
    Fault,
    Fields,
    Gate,
    Items,
    Json,
    Keep,
    Leaf,
    Node,
    Opaque,
    Rewrite,
)
from extproc.errors import UpstreamError
from extproc.prediction import Query, Score
from extproc.refusal import Refusal

_GENERATION: Final = Object(
    {
        **dict.fromkeys(
            (
                "frequencyPenalty",
                "mediaResolution",
                "presencePenalty",
                "responseJsonSchema",
                "responseMimeType",
                "responseModalities",
                "responseSchema",
                "speechConfig",
                "stopSequences",
            ),
            PASS,
        ),
        "candidateCount": CHOICES,
        "maxOutputTokens": TOKENS,
        "seed": SEED,
        "temperature": TEMPERATURE,
        "topK": CUT,
        "topP": CUT,
        "responseLogprobs": Granted("logprobs"),
        "logprobs": Granted("logprobs", Alternatives()),
        "thinkingConfig": Object(
            {
                "includeThoughts": Granted("reasoning"),
                "thinkingBudget": PASS,
                "thinkingLevel": PASS,
            }
        ),
    }
)
_GATE: Final = Object(
    {
        **dict.fromkeys(("contents", "systemInstruction", "toolConfig", "safetySettings"), PASS),
        "tools": TOOLS,
        "generationConfig": _GENERATION,
    },
    bounded=("generationConfig.maxOutputTokens",),
)
_LOGPROB_FIELDS: Final = ("responseLogprobs", "logprobs")
_GRAMMARS: Final = ("responseSchema", "responseJsonSchema")


class GeminiGenerate(JsonDialect, frozen=True, tag="gemini_generate"):
    """Gemini's generateContent, and streamGenerateContent."""

    stream: bool = False
    """Whether the route is of streamGenerateContent."""

    QUERY: ClassVar[Mapping[str, frozenset[str]]] = {"alt": frozenset({"json", "sse"})}

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        require(self.stream or parameters.get("?alt") != "sse", "'alt=sse' is for streams.")
        admitted = self.admit(body, self.gate(), terms)
        read = admitted.read
        require(isinstance(read.get("contents"), list), "'contents' must be an array.")
        asked = admitted.fields.get("generationConfig") or {}
        # What a grammar leaves to choose from, log probabilities tell one by one.
        require(
            not (any(map(asked.get, _GRAMMARS)) and any(map(asked.get, _LOGPROB_FIELDS))),
            "a response schema and log probabilities cannot be combined.",
        )
        # Several candidates are several draws of them at once.
        require(
            asked.get("candidateCount") in (None, 1) or not any(map(asked.get, _LOGPROB_FIELDS)),
            "several candidates and log probabilities cannot be combined.",
        )
        query = Query(parameters.get("model", ""), inputs=1, stream=self.stream)
        about = (read.get("systemInstruction"), read["contents"])
        return Asked(query, admitted.body, (about,), {}, admitted.changed)

    def gate(self) -> Object:
        return _GATE

    def answer(self) -> Node:
        return _guarded(super().answer())

    def answers(self) -> Answers:
        tree = self.answer()
        if self.stream:
            return {JSON: Array(tree), "text/event-stream": Events(tree)}
        return {JSON: Document(tree)}

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return google_error(refusal)


def _guarded(tree: Node) -> Node:
    """The tree with what its plain nodes cannot say, once the policy has added to those."""
    candidate = _fields(tree)["candidates"]
    assert isinstance(candidate, Items)
    content = _fields(candidate.node)["content"]
    parts = _fields(content)["parts"]
    assert isinstance(parts, Items)
    content = Fields({**_fields(content), "parts": Items(_Part(parts.node))})
    candidates = Items(Fields({**_fields(candidate.node), "content": content}))
    usage = Counted(
        _Usage(_fields(tree)["usageMetadata"]),
        input=("promptTokenCount", "toolUsePromptTokenCount"),
        output=("candidatesTokenCount", "thoughtsTokenCount"),
    )
    return Fields({**_fields(tree), "candidates": candidates, "usageMetadata": usage})


def _fields(node: Node) -> Mapping[str, Node]:
    assert isinstance(node, Fields)
    return node.fields


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the content, which ``thought`` may make one of the reasoning."""

    node: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        thought = value.get("thought") if isinstance(value, dict) else None
        if not isinstance(thought, bool | None):
            raise UpstreamError(f"{place}.thought is not a boolean")
        if thought and "reasoning" not in run.edits:
            return run.drop(f"{place}(thought)")
        return self.node.rewrite(value, run, place)


@dataclass(frozen=True, slots=True)
class _Usage:
    """Token counts.  The total holds the thoughts, so where those are not counted the output does.

    Else they were the difference, whatever had become of their own field.
    """

    node: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        known = self.node.rewrite(value, run, place)
        if not isinstance(known, dict) or "usage_detail" in run.edits:
            return known
        total, prompt = known.get("totalTokenCount"), known.get("promptTokenCount")
        if total is None or prompt is None or known.get("candidatesTokenCount") is None:
            return known
        if not type(total) is type(prompt) is int:
            raise UpstreamError(f"{place} holds a count that is no whole number")
        output = total - prompt
        same = output == known["candidatesTokenCount"]
        return known if same else {**known, "candidatesTokenCount": output}


def _score(value: Json, edit: Edit, place: str) -> Json:
    if type(value) not in (int, float):
        raise UpstreamError(f"{place} is not a number")
    before = Score(float(value))
    after = edit(before)
    if after is before:
        return value
    if not isinstance(after, Score | None):
        raise TypeError(f"a mutator made {type(after).__name__} of a score")
    return ABSENT if after is None else after.value


def _kept(*names: str) -> dict[str, Node]:
    return dict.fromkeys(names, Keep())


_RATINGS: Final = Items(
    Fields(
        {
            **_kept("category", "blocked"),
            **dict.fromkeys(("probability", "severity"), Opaque("label")),
            **dict.fromkeys(("probabilityScore", "severityScore"), Leaf("score", _score)),
        }
    )
)
_PART: Final = Fields(
    {
        "text": Opaque("text"),
        "thought": Keep(),
        "thoughtSignature": Opaque("reasoning"),
        "functionCall": Gate("text", Fields({**_kept("id", "name"), "args": Anything()})),
        "inlineData": Gate("text", Fields(_kept("mimeType", "data"))),
        "fileData": Gate("text", Fields(_kept("mimeType", "fileUri"))),
        "executableCode": Gate("text", Fields(_kept("id", "language", "code"))),
        "codeExecutionResult": Gate("text", Fields(_kept("id", "outcome", "output"))),
    }
)
_CITATIONS: Final = Items(Fields(_kept("startIndex", "endIndex", "uri", "title", "license")))
_SEGMENT: Final = Fields(_kept("partIndex", "startIndex", "endIndex", "text"))
_GROUNDING: Final = Fields(
    {
        "webSearchQueries": Items(Keep()),
        "searchEntryPoint": Fields(_kept("renderedContent")),
        "groundingChunks": Items(Fields({"web": Fields(_kept("uri", "title", "domain"))})),
        "groundingSupports": Items(
            Fields({"segment": _SEGMENT, "groundingChunkIndices": Items(Keep())})
        ),
    }
)
_CANDIDATE: Final = Fields(
    {
        **_kept("index", "finishReason"),
        "content": Fields({"role": Keep(), "parts": Items(_PART)}),
        "finishMessage": Opaque("text"),
        "avgLogprobs": Leaf("logprobs", average),
        "logprobsResult": RESULT,
        # With the thoughts among the output, it would tell them by the difference.
        "tokenCount": Opaque("usage_detail"),
        "safetyRatings": _RATINGS,
        "citationMetadata": Gate(
            "text", Fields({"citations": _CITATIONS, "citationSources": _CITATIONS})
        ),
        "groundingMetadata": Gate("text", _GROUNDING),
    }
)
_MODALITIES: Final = Gate("usage_detail", Items(Fields(_kept("modality", "tokenCount"))))
_COUNTS: Final = Fields(
    {
        **_kept("promptTokenCount", "candidatesTokenCount", "totalTokenCount"),
        **dict.fromkeys(
            ("thoughtsTokenCount", "cachedContentTokenCount", "toolUsePromptTokenCount"),
            Opaque("usage_detail"),
        ),
        **dict.fromkeys(
            (
                "promptTokensDetails",
                "cacheTokensDetails",
                "candidatesTokensDetails",
                "toolUsePromptTokensDetails",
            ),
            _MODALITIES,
        ),
        **dict.fromkeys(("trafficType", "serviceTier"), Opaque("identity")),
    }
)
_ANSWER: Final = Fields(
    {
        "candidates": Items(_CANDIDATE),
        "promptFeedback": Fields({"blockReason": Keep(), "safetyRatings": _RATINGS}),
        "usageMetadata": Gate("usage", _COUNTS),
        "modelVersion": Opaque("identity"),
        "responseId": Keep(),
        "createTime": Opaque("timing"),
        "error": Fault(),
    }
)
