"""What a request asks for that an answer is paid by: tokens, choices, alternatives, and for whom.

Rule: noted is what goes on to the model server, after the gate, and never less than the server may
make of it.  So what is no whole number of at least 1 asks for any number of tokens, as in
features.py, and of two fields for the same the larger counts.

The end user is whom the client names, and so is nobody's proof: it is a key under which tenants
have their own users told apart, and nothing else.  It is never stored, logged or compared as it
is; who counts by it hashes it first.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from extproc.dialects.knobs import knobs

LONGEST_USER: Final = 256
"""Characters of a user's name; of a longer one the first."""
MOST_CHOICES: Final = 128
"""As many as an API gives, where what was asked is no number that we can read."""

VOCABULARY: Final = 1 << 20
"""No model has more tokens to choose from."""


@dataclass(slots=True)
class Noted:
    """Of one request, read once."""

    tokens: int | None = None
    """The most that may be written to one answer; None where nothing bounds it."""
    choices: int = 1
    """How many answers to one input may be written, whether all of them are shown or not."""
    logprobs: bool = False
    """Whether log probabilities are asked for, and go on."""
    alternatives: int = 0
    """How many alternatives of a token are."""
    user: str = ""
    """The end user that the client names; empty where it names none."""
    endless: bool = False
    """Whether a field asks for any number of tokens, whatever another says."""
    watched: bool = False
    """Whether detectors want to know what it asked for, be it that it does not go on."""
    knobs: int = 0
    """See knobs.py."""

    def note_tokens(self, value: Any) -> None:
        if value is None or self.endless:
            return
        if type(value) is int and value >= 1:
            self.tokens = max(value, self.tokens or 0)
        else:
            self.tokens, self.endless = None, True

    def note_choices(self, value: Any) -> None:
        if value is not None:
            whole = type(value) is int and value >= 0
            self.choices = max(self.choices, value if whole else MOST_CHOICES)

    def note_logprobs(self, value: Any) -> None:
        """0 asks for those of the chosen tokens."""
        self.logprobs = self.logprobs or (value is not None and value is not False)

    def note_alternatives(self, value: float | None) -> None:
        if value is not None:
            self.alternatives = max(self.alternatives, math.ceil(min(value, VOCABULARY)))

    def note_user(self, value: Any, *, surely: bool) -> None:
        """``surely``: in the API's newer field, which is taken before the other."""
        if isinstance(value, str) and value and (surely or not self.user):
            self.user = value[:LONGEST_USER]

    def note_fields(self, fields: Mapping[str, Any]) -> None:
        """Of an object in the request, before the gate changes it."""
        if self.watched:
            self.knobs |= knobs(fields)
