"""What a policy file calls things."""

from typing import Annotated

from msgspec import Meta

Name = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z",
        description="a name: at most 64 letters, digits, '.', '_' and '-'",
    ),
]
"""Of a tenant, a policy, a tier, a limit, a traffic class."""
