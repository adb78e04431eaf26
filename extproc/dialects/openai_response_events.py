"""The events of a streamed response (OpenAI API reference, "Responses", streaming events).

Rule: the same text, log probabilities and reasoning stand in ``*.delta``, ``*.done``,
``content_part.*``, ``output_item.*`` and in the whole response at the end, each read by the same
tree.  An event that is not named here does not pass.  What goes leaves no gap: ``output_index``,
``content_index`` and ``sequence_number`` count what passes, since clients keep items in arrays and
take a gap for a loss.
"""

from bisect import bisect_left, insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from extproc.dialects.openai_logprobs import Withheld
from extproc.dialects.openai_response import ANNOTATION, ITEM, PART, REASONED, scalars
from extproc.dialects.shape import ABSENT, Fault, Fields, Gate, Json, Node, Rewrite
from extproc.dialects.variants import Variants
from extproc.errors import UpstreamError
from extproc.prediction import Kind

MOST: Final = 4096
"""Items of one response, and parts of them, that are told apart."""
_MEMORY: Final = "openai_responses"


@dataclass(slots=True)
class _Order:
    """The places of an array's members, some of which have gone."""

    kept: dict[int, bool] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    """In order."""

    def settle(self, index: int, *, kept: bool) -> bool:
        """Say whether a member passes; what was said first holds.  Return whether it was now."""
        new = index not in self.kept
        if new:
            self.kept[index] = kept
            if not kept:
                insort(self.gone, index)
        return new

    def place(self, index: int) -> int | None:
        """Where it stands among those that pass; None where it has gone."""
        return index - bisect_left(self.gone, index) if self.kept.get(index, True) else None


@dataclass(slots=True)
class _Stream:
    """What of a response has gone so far."""

    items: _Order = field(default_factory=_Order)
    parts: dict[int, _Order] = field(default_factory=dict)
    told: int = 0
    """How many items and parts are in both."""
    events: int = 0
    """How many have gone that were counted."""

    def places(self, event: Mapping[str, Json]) -> dict[str, int] | None:
        """Its indices among what passes; None where it is about something that has gone."""
        found: dict[str, int | None] = {}
        item, part = _index(event, "output_index"), _index(event, "content_index")
        if item is not None:
            found["output_index"] = self.items.place(item)
            if part is not None and item in self.parts:
                found["content_index"] = self.parts[item].place(part)
        places = {name: place for name, place in found.items() if place is not None}
        return places if len(places) == len(found) else None

    def settle(self, event: Mapping[str, Json], *, kept: bool) -> None:
        """Note whether the item or the part passes that an event is about."""
        item, part = _index(event, "output_index"), _index(event, "content_index")
        if item is None:
            return
        if "item" in event:
            self.told += self.items.settle(item, kept=kept)
        elif "part" in event and part is not None:
            self.told += self.items.settle(item, kept=True)
            self.told += self.parts.setdefault(item, _Order()).settle(part, kept=kept)
        if self.told > MOST:
            raise UpstreamError(f"the answer has more than {MOST} items and parts")


def _index(event: Mapping[str, Json], name: str) -> int | None:
    index = event.get(name)
    if index is None or (type(index) is int and index >= 0):
        return index
    raise UpstreamError(f"{name} is not an index")


@dataclass(frozen=True, slots=True)
class ResponseEvent:
    """One event; what it is about may have gone, and it with it."""

    events: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if not isinstance(value, dict):
            raise UpstreamError("an event is not an object")
        stream: _Stream = run.memory.setdefault(_MEMORY, _Stream())
        number, places = _index(value, "sequence_number"), stream.places(value)
        after: Json = ABSENT if places is None else self.events.rewrite(value, run, place)
        if places is not None:
            stream.settle(value, kept=after is not ABSENT)
        if after is ABSENT or places is None:
            stream.events += number is not None
            return ABSENT
        if number is not None:
            places["sequence_number"] = max(0, number - stream.events)
        moved = {name: index for name, index in places.items() if index != value[name]}
        return {**after, **moved} if moved else after


@dataclass(frozen=True, slots=True)
class _Holding:
    """An event that is about one member, and goes with it."""

    name: str
    fields: Fields

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        after = self.fields.rewrite(value, run, place)
        return after if self.name in after or self.name not in value else ABSENT


_EVERY: Final = scalars(("type", "sequence_number", "output_index", "item_id", "obfuscation"))


def _event(*names: str, **more: Node) -> Fields:
    return Fields({**_EVERY, **scalars(names), **more})


def _holding(name: str, node: Node, *names: str) -> Node:
    return _Holding(name, _event(*names, **{name: node}))


def _told(kind: Kind, stem: str, whole: str, *names: str, **more: Node) -> dict[str, Node]:
    """What comes piece by piece, and then whole under a name of its own."""
    return {
        f"response.{stem}.delta": Gate(kind, _event("delta", *names, **more)),
        f"response.{stem}.done": Gate(kind, _event(whole, *names, **more)),
    }


def _pieces(stem: str, node: Node, *names: str) -> dict[str, Node]:
    return {
        f"response.{stem}.{step}": _holding("part", node, "status", *names)
        for step in ("added", "done")
    }


def _steps(stem: str, *steps: str) -> dict[str, Node]:
    """A tool at work."""
    return {f"response.{stem}.{step}": Gate("text", _event()) for step in steps}


_EVENTS: Final[Mapping[str, Node]] = {
    "response.output_item.added": _holding("item", ITEM),
    "response.output_item.done": _holding("item", ITEM),
    **_pieces("content_part", PART, "content_index"),
    **_pieces("reasoning_part", REASONED, "content_index"),
    **_pieces("reasoning_summary_part", REASONED, "summary_index"),
    **_told("text", "output_text", "text", "content_index", logprobs=Withheld()),
    **_told("text", "refusal", "refusal", "content_index"),
    **_told("reasoning", "reasoning_text", "text", "content_index"),
    **_told("reasoning", "reasoning_summary_text", "text", "summary_index"),
    **_told("text", "function_call_arguments", "arguments", "name"),
    **_told("text", "custom_tool_call_input", "input"),
    **_told("text", "mcp_call_arguments", "arguments"),
    **_told("text", "code_interpreter_call_code", "code"),
    "response.output_text.annotation.added": Gate(
        "text", _event("content_index", "annotation_index", annotation=ANNOTATION)
    ),
    "response.image_generation_call.partial_image": Gate(
        "text",
        _event(
            "background",
            "output_format",
            "partial_image_b64",
            "partial_image_index",
            "quality",
            "size",
        ),
    ),
    **_steps("web_search_call", "in_progress", "searching", "completed"),
    **_steps("file_search_call", "in_progress", "searching", "completed"),
    **_steps("code_interpreter_call", "in_progress", "interpreting", "completed"),
    **_steps("image_generation_call", "in_progress", "generating", "completed"),
    **_steps("mcp_call", "in_progress", "completed", "failed"),
    **_steps("mcp_list_tools", "in_progress", "completed", "failed"),
    "keepalive": _event(),
}
_LIFE: Final = ("created", "queued", "in_progress", "completed", "incomplete", "failed")


def response_events(response: Node) -> Node:
    """The tree of an event, given that of the response."""
    whole = {f"response.{state}": _event(response=response) for state in _LIFE}
    return ResponseEvent(Variants({**_EVENTS, **whole, "error": Fault()}))
