"""Commands as RESP has them."""

from typing import Any, cast

import hiredis

Word = str | bytes | int


def packed(*words: Word) -> bytes:
    return cast("bytes", hiredis.pack_command(cast("Any", words)))
