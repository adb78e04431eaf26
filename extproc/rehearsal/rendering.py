"""An explanation as text and as JSON.

Rule: header fields, names and bounds; nothing of a body but what a refusal says of it.
"""

from typing import Any

import orjson

from extproc.config.document import dotted
from extproc.rehearsal.explanation import REQUEST, Explanation, Row

BUILT_IN = "built in"


def text(explained: Explanation) -> str:
    status = f"{explained.status} " if explained.status else ""
    head = [f"{explained.decision}: {status}{explained.code}"]
    if explained.reason is not None:
        head.append(f"step:   {explained.reason.step}")
        head.append(f"why:    {explained.reason.why}")
    if explained.change is not None:
        change = explained.change
        how = f"{change.value} in " if change.value else ""
        head.append(f"change: {dotted(change.place)}, {how}{change.origin}")
    if explained.reply is not None:
        told = explained.reply.body.decode(errors="replace")
        head.append(f"client: {explained.reply.status} {told}")
    return "\n".join([*head, "", *_table(explained)])


def _table(explained: Explanation) -> list[str]:
    cells = [(row.name, row.value, _where(row)) for row in explained.rows]
    names = max((len(name) for name, _, _ in cells), default=0)
    values = min(max((len(value) for _, value, _ in cells), default=0), 60)
    return [f"{name:{names}}  {value:{values}}  {where}".rstrip() for name, value, where in cells]


def _where(row: Row) -> str:
    if row.origin is not None:
        return str(row.origin)
    return "" if row.place == REQUEST else BUILT_IN


def data(explained: Explanation) -> dict[str, Any]:
    """What --output json prints."""
    reason = explained.reason
    told: dict[str, Any] = {
        "decision": explained.decision,
        "status": explained.status,
        "code": explained.code,
    }
    if reason is not None and explained.change is not None:
        change = {**_place(explained.change), "written": not explained.change.value}
        told |= {"step": reason.step, "why": reason.why, "change": change}
    if explained.reply is not None:
        body = explained.reply.body.decode(errors="replace")
        told["client"] = {
            "status": explained.reply.status,
            "headers": explained.reply.headers,
            "body": body,
        }
    rows = [{"name": row.name.strip(), "value": row.value, **_place(row)} for row in explained.rows]
    return {**told, "policy": rows}


def _place(row: Row) -> dict[str, Any]:
    if row.place == REQUEST:
        return {}
    if row.origin is None:
        return {"path": dotted(row.place), "layer": BUILT_IN}
    return {
        "path": dotted(row.place),
        "file": str(row.origin.path),
        "line": row.origin.line,
        "layer": row.origin.layer,
    }


def to_json(told: Any) -> str:
    return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode()
