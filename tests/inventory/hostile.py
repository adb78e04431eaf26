"""A policy whose names were written by somebody who means ill, of which each must stay a name."""

from dataclasses import replace
from pathlib import Path

from extproc.inventory.report import Inventory
from tests.inventory.policies import policy, surveyed

NAMES = [
    "<script>alert(1)</script>",
    "</title></style><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "a|b\\|c`d``e",
    "`",
    "line\nbreak\r\n| new | row |",
    "\x1b[31mred\x1b[0m \x07",
    "\u202egnp.exe",
    "[red]markup[/red] [link=file:///]x[/link]",
    "**bold** _it_ [x](javascript:alert(1)) ![y](//evil.example) &lt;",
    "http://evil.example/ www.evil.example me@evil.example",
    "{{7*7}} ${7*7} %s %(x)s {0}",
    "' -- ;",
]
SECRETS = ("0123456789abcdef0123456789abcdef", "ab" * 16)
"""The HMAC key, and the digest by which a tenant is known."""


def hostile(folder: Path) -> Inventory:
    """Of a policy that holds all of them: files with some of them do not even load."""
    found = surveyed(folder, policy())
    named = [
        replace(each, models=("text-*", *NAMES), not_models=tuple(NAMES[:3]), policy=NAMES[0])
        for each in found.surfaces
    ]
    return replace(found, surfaces=tuple(named), policy=NAMES[1])
