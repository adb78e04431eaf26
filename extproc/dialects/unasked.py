"""Token counts that only we asked for: they are read, and the client never sees them.

Rule: a client gets the answer that it asked for, byte for byte.  Some servers count the tokens of a
stream only where they are asked to, so ``count_usage`` asks; what that adds to the answer goes:
the counts, the event that holds nothing else, and in all others the member that is null.

Source: OpenAI API reference, ``stream_options.include_usage``; vLLM, "OpenAI-compatible server".
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson
from msgspec.structs import replace

from extproc.dialects.answers import Events
from extproc.dialects.counted import Counted
from extproc.dialects.request import Asked
from extproc.dialects.shape import ABSENT, Fields, Json, Node, Rewrite

COUNTS: Final = "usage"
"""The member of OpenAI's streams that is null until the counts are there."""


def counted(asked: Asked, fields: Mapping[str, Json]) -> Asked:
    """A request that goes on with these fields: of a stream with its token counts asked for."""
    options = fields.get("stream_options") or {}
    if options.get("include_usage") or not asked.query.stream:
        return asked
    options = {**options, "include_usage": True}
    told = {"stream_options.include_usage": COUNTS}
    return asking(asked, {**fields, "stream_options": options}, told)


def asking(asked: Asked, fields: Mapping[str, Json], told: Mapping[str, str]) -> Asked:
    """A request that goes on with these fields.

    ``told``: by the places that ask for counts, the members of the answer that are for us alone.
    """
    changed = {**asked.changed, **{place: asked.changed.get(place, 0) + 1 for place in told}}
    return replace(
        asked, body=orjson.dumps(fields), changed=changed, unasked=frozenset(told.values())
    )


def counting(events: Events, node: Node) -> Events:
    """Such events with this tree, whose ``usage`` may be for us alone; see ``unasked``."""
    return dataclasses.replace(events, node=_Event(node), counts=COUNTS)


def unasked(tree: Node, *names: str) -> Fields:
    """The tree with these of its fields, which tell counts, for those who asked for them."""
    assert isinstance(tree, Fields)
    return Fields({**tree.fields, **{name: _Unasked(name, tree.fields[name]) for name in names}})


@dataclass(frozen=True, slots=True)
class _Unasked:
    name: str
    node: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        if self.name not in run.unasked:
            return self.node.rewrite(value, run, place)
        assert isinstance(self.node, Counted)
        self.node.note(value, run)
        return ABSENT


@dataclass(frozen=True, slots=True)
class _Event:
    """An event of OpenAI's streams: gone where it only holds counts that we alone asked for."""

    node: Node

    def rewrite(self, value: Json, run: Rewrite, place: str) -> Json:
        after = self.node.rewrite(value, run, place)
        if COUNTS in run.unasked and isinstance(value, dict) and value.get("choices") == []:
            return after if value.get(COUNTS) is None else ABSENT
        return after
