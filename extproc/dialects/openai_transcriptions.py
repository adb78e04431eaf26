"""OpenAI audio transcriptions, as documents and as streams (POST /v1/audio/transcriptions).

Source: OpenAI API reference, "Audio"; vLLM, "Transcriptions API".  The request is a form, of which
every field is known here; of formats those are available that the answer's tree reads: ``text``,
``srt`` and ``vtt`` are not.  A whisper that is not told a temperature takes 0, so a tenant that may
not have the same answer twice is given one.  What an answer says of a segment besides its text
(``avg_logprob``, ``no_speech_prob``, ``compression_ratio``, ``temperature``) is a ``score``, its
token ids are in no tier.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

import msgspec

from extproc.dialects.answers import Answers, Document, Events
from extproc.dialects.dialect import JSON, JsonDialect, Parameters
from extproc.dialects.gate import (
    PASS,
    TAKEN,
    Changes,
    Each,
    Granted,
    Json,
    Object,
    Only,
    Repeatable,
    Rule,
    Terms,
)
from extproc.dialects.multipart import Part, read_form, write_form
from extproc.dialects.openai_error import openai_error
from extproc.dialects.openai_logprobs import ENTRIES
from extproc.dialects.openai_request import COLDEST, SAMPLING
from extproc.dialects.openai_scores import SCORE
from extproc.dialects.openai_usage import USAGE
from extproc.dialects.request import Asked, require
from extproc.dialects.shape import (
    Fault,
    Fields,
    Gate,
    Items,
    Keep,
    ModelName,
    Node,
    Opaque,
)
from extproc.dialects.unasked import COUNTS, counting, unasked
from extproc.errors import ClientError
from extproc.prediction import Query
from extproc.refusal import Refusal

_ASKING: Final = "stream_include_usage"
"""vLLM's, as a form has no objects for ``stream_options``."""
_NUMBER: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,20})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Number:
    """A number as a form writes it, under a rule for numbers."""

    rule: Rule

    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        if not _NUMBER.fullmatch(value):
            raise ClientError(f"{place!r} must be a number.")
        before = float(value)
        after = self.rule.admit(before, changes, place)
        return value if after is before else after if after is TAKEN else repr(after)


_RULES: Final[dict[str, Rule]] = {
    **dict.fromkeys(("model", "language", "prompt", "chunking_strategy"), PASS),
    **{
        f"chunking_strategy[{name}]": PASS
        for name in ("type", "prefix_padding_ms", "silence_duration_ms", "threshold")
    },
    "response_format": Only(("json", "verbose_json", "diarized_json")),
    **dict.fromkeys(("stream", _ASKING), Only(("true", "false"))),
    "temperature": _Number(SAMPLING["temperature"]),
    "seed": Repeatable(),
    "include": Each(Granted("logprobs", Only(("logprobs",)))),
    "timestamp_granularities": Each(Only(("word", "segment"))),
    **dict.fromkeys(
        ("keywords", "known_speaker_names", "known_speaker_references", "languages"), Each(PASS)
    ),
}
_GATE: Final = Object(_RULES)
_VARIED: Final = Object(_RULES, {"temperature": repr(COLDEST)})
_LISTS: Final = frozenset(name for name, rule in _RULES.items() if isinstance(rule, Each))


class OpenAITranscriptions(JsonDialect, frozen=True, tag="openai_transcriptions"):
    """Audio transcriptions."""

    MEDIA_TYPES: ClassVar[frozenset[str]] = frozenset({"multipart/form-data"})
    HEADERS: ClassVar[tuple[str, ...]] = ("content-type",)
    count_usage: bool = False
    """Whether streams are asked for their token counts, for the record; who did not ask is shown
    none.  For vLLM: OpenAI tells them unasked, and knows no field that asks."""

    SENTINELS: ClassVar[frozenset[bytes]] = frozenset({b"[DONE]"})

    def read(self, body: bytes, parameters: Parameters, terms: Terms) -> Asked:
        gate = _GATE if terms.repeatable else _VARIED
        if terms.gates is not None:  # who asks for the gate sends no form
            terms.gates.append(gate)
        parts = read_form(body, parameters.get("content-type", ""))
        audio = [part for part in parts if part.name == "file"]
        require(len(audio) == 1 and audio[0].filename is not None, "'file' must be one file.")
        form = _form(part for part in parts if part.name != "file")
        if terms.check is not None:
            terms.check(form)
        changes = Changes(msgspec.structs.replace(terms, unknown=self.unknown))
        fields: dict[str, Json] = gate.admit(form, changes, "", self.allow_request)
        hidden = self._count(fields, changes)
        model = fields.get("model")
        require(model, "'model' must be a name.")
        sent, content_type = write_form([*_parts(fields), audio[0]], body)
        query = Query(str(model), 1, stream=fields.get("stream") == "true")
        headers = {"content-type": content_type}
        return Asked(query, sent, (audio[0].content,), headers, changes.counts, hidden)

    def _count(self, fields: dict[str, Json], changes: Changes) -> frozenset[str]:
        """Ask for the counts of a stream; what of the answer the client did not ask for."""
        asked = fields.get(_ASKING) == "true" or fields.get("stream") != "true"
        if asked or not self.count_usage:
            return frozenset()
        fields[_ASKING] = "true"
        changes.note(_ASKING)
        return frozenset({COUNTS})

    def answers(self) -> Answers:
        tree = self.answer()
        events = Events(tree, self.SENTINELS)
        if self.count_usage:
            events = counting(events, unasked(tree, COUNTS))
        return {JSON: Document(tree), "text/event-stream": events}

    def tree(self) -> Node:
        return _ANSWER

    def error(self, refusal: Refusal) -> bytes:
        return openai_error(refusal)


def _form(parts: Iterator[Part]) -> dict[str, Json]:
    """The fields by name: a text each, or an array where the API has one (``include[]``)."""
    form: dict[str, Json] = {}
    for part in parts:
        require(part.filename is None, f"{part.name[:64]!r} must not be a file.")
        name = part.name.removesuffix("[]")
        listed = name in _LISTS
        require(listed or name not in form, "The form repeats a field.")
        require(listed or name == part.name, f"{name[:64]!r} is not an array.")
        try:
            text = part.content.decode()
        except UnicodeDecodeError as error:
            raise ClientError("A field of the form is not UTF-8.") from error
        form[name] = [*form.get(name, []), text] if listed else text
    return form


def _parts(fields: dict[str, Json]) -> Iterator[Part]:
    for name, value in fields.items():
        if isinstance(value, list):
            yield from (Part(f"{name}[]", item.encode()) for item in value)
        else:
            yield Part(name, value.encode())


_SEGMENT: Final = Fields(
    {
        **dict.fromkeys(("id", "type", "seek", "start", "end"), Keep()),
        **dict.fromkeys(("text", "speaker"), Opaque("text")),
        **dict.fromkeys(
            ("avg_logprob", "no_speech_prob", "compression_ratio", "temperature"), SCORE
        ),
    }
)
_WORD: Final = Fields(dict.fromkeys(("word", "start", "end"), Keep()))
_ANSWER: Final = Fields(
    {
        **_SEGMENT.fields,
        **dict.fromkeys(("task", "duration", "segment_id", "obfuscation"), Keep()),
        "delta": Opaque("text"),
        "language": Opaque("label"),
        "languages": Gate("label", Items(Fields({"code": Keep()}))),
        "logprobs": Gate("logprobs", ENTRIES),
        "segments": Items(_SEGMENT),
        "words": Gate("text", Items(_WORD)),
        "usage": USAGE,
        # vLLM streams chunks in the manner of chat completions.
        **dict.fromkeys(("object", "created"), Keep()),
        "model": ModelName(),
        "choices": Items(
            Fields(
                {
                    "index": Keep(),
                    "delta": Fields({"role": Keep(), "content": Opaque("text")}),
                    "finish_reason": Keep(),
                }
            )
        ),
        "error": Fault(),
    }
)
