"""Words behind the text of an answer: the tree of its choices, with a place for them.

Rule: they stand where the text stops by itself (``finish_reason: stop``), of the first choice, and
beside nothing that is no text.  In a stream they come with the event that says so, as model servers
send a last piece, so that no event is added and every client reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from extproc.dialects.openai_request import MASKS
from extproc.dialects.shape import Fields, Items, Json, Node, Rewrite

_OTHER: Final = ("tool_calls", "function_call", "refusal")
_READ_BY_PROGRAMS: Final = (
    *(name for name in MASKS if name != "logit_bias"),
    "tools",
    "functions",
    "stop",
    "suffix",
)


def is_prose(fields: Mapping[str, Json]) -> bool:
    """Whether a request wants text that is free in form, and in which nobody looks for anything."""
    form = fields.get("response_format")
    free = not form or (isinstance(form, dict) and form.get("type") == "text")
    return free and not any(map(fields.get, _READ_BY_PROGRAMS))


def ended(tree: Node, text: str, *parts: str) -> Fields:
    """The tree of an answer whose choices hold a text in this member, of one of their parts."""
    assert isinstance(tree, Fields)
    choices = tree.fields["choices"]
    assert isinstance(choices, Items)
    return Fields({**tree.fields, "choices": Items(_Choice(choices.node, text, parts))})


@dataclass(frozen=True, slots=True)
class _Choice:
    node: Node
    text: str
    parts: tuple[str, ...]
    """Members of a choice, or of a stream's, that hold the text; none where it holds it itself."""

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        after = self.node.rewrite(value, run, place)
        marking = run.told.marking
        if marking is None or marking.planted is None or not _is_first(after):
            return after
        part = next((name for name in self.parts if isinstance(after.get(name), dict)), "")
        holder = after[part] if part else after
        piece, reason = holder.get(self.text), after.get("finish_reason")
        nowhere = reason is not None and bool(self.parts) and not part
        if nowhere or reason not in {None, "stop"} or any(map(holder.get, _OTHER)):
            marking.planted = None
            return after
        if isinstance(piece, str):
            marking.planted.ending.read(piece)
        words = marking.closing() if reason is not None else ""
        if not words:
            return after
        closed = {**holder, self.text: (piece or "") + words}
        return {**after, part: closed} if part else closed


def _is_first(choice: Json) -> bool:
    return isinstance(choice, dict) and choice.get("index") == 0
