"""Forms with files (multipart/form-data, RFC 7578): read strictly, and written anew.

Rule: the model server reads what was read here.  Parsers differ in what they take for a boundary,
for the end of a line and for a name, so a form goes on as it was understood, with a boundary of our
own that nobody can have written into a part: it is a digest of the form.  For the same reason the
standard library's ``email`` is no use here: it ends lines at a bare CR and decodes what the model
server would not.  What RFC 7578 does not need is refused: text around the parts, folded or further
header fields, escapes in names.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from extproc.dialects.request import require
from extproc.errors import ClientError

MOST_PARTS: Final = 128
_LONGEST_HEAD: Final = 1024
_BOUNDARY: Final = re.compile(
    r"""multipart/form-data\s*;\s*boundary=("?)([0-9A-Za-z'()+_,./:=?-]{1,70})\1\s*""",
    re.IGNORECASE,
)
_DISPOSITION: Final = re.compile(
    rb'content-disposition: form-data; name="([^"\\\x00-\x1f\x7f]+)"'
    rb'(?:; filename="([^"\\\x00-\x1f\x7f]*)")?',
    re.IGNORECASE,
)
_TYPE: Final = re.compile(rb"content-type: ([\w!#$&^.+-]+/[\w!#$&^.+-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form."""

    name: str
    content: bytes
    filename: str | None = None
    """None where it is no file."""
    media_type: str = ""


def read_form(body: bytes, content_type: str) -> list[Part]:
    """The parts in their order.  Raise ClientError where it is no form, or not strictly one."""
    found = _BOUNDARY.fullmatch(content_type)
    require(found, "The content type names no boundary.")
    assert found is not None
    delimiter = b"\r\n--" + found[2].encode()
    # The first delimiter has no line before it that would have to end.
    first, *parts = (b"\r\n" + body).split(delimiter)
    end = parts.pop() if parts else b""
    require(not first and end in {b"--", b"--\r\n"} and parts, "The request body is not a form.")
    require(len(parts) <= MOST_PARTS, f"The form has more than {MOST_PARTS} fields.")
    return [_part(raw) for raw in parts]


def _part(raw: bytes) -> Part:
    head, empty, content = raw.partition(b"\r\n\r\n")
    blank, *lines = head.split(b"\r\n")
    fitting = empty and not blank and len(head) <= _LONGEST_HEAD and 1 <= len(lines) <= 2
    found = _DISPOSITION.fullmatch(lines[0]) if fitting else None
    media = _TYPE.fullmatch(lines[1]) if fitting and len(lines) == 2 else None
    require(found and (media or len(lines) == 1), "A field of the form is not readable.")
    assert found is not None
    try:
        name, filename = (None if each is None else each.decode() for each in found.groups())
    except UnicodeDecodeError as error:
        raise ClientError("A field of the form has a name that is not UTF-8.") from error
    return Part(str(name), content, filename, "" if media is None else media[1].decode())


def write_form(parts: Iterable[Part], read: bytes) -> tuple[bytes, str]:
    """The body and its content type; ``read`` is the form from which the parts come."""
    boundary = "extproc-" + hashlib.sha256(read).hexdigest()[:40]
    pieces: list[bytes] = []
    for part in parts:
        pieces += (b"--", boundary.encode(), b"\r\n", _head(part).encode(), part.content, b"\r\n")
    body = b"".join([*pieces, b"--", boundary.encode(), b"--\r\n"])
    return body, f"multipart/form-data; boundary={boundary}"


def _head(part: Part) -> str:
    filename = "" if part.filename is None else f'; filename="{part.filename}"'
    media_type = f"Content-Type: {part.media_type}\r\n" if part.media_type else ""
    return f'Content-Disposition: form-data; name="{part.name}"{filename}\r\n{media_type}\r\n'
