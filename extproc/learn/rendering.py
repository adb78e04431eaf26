"""Proposed rules as YAML, to paste into a route of a policy file."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from extproc.errors import ConfigError
from extproc.learn.proposals import Proposal, propose
from extproc.learn.samples import read


def learn(paths: Sequence[Path]) -> str:
    """The rules for the answers in these files.  Raise ConfigError where there are none."""
    samples: list[Any] = read(paths)
    proposals = propose(samples)
    if all(proposal.kind == "drop" for proposal in proposals):
        names = ", ".join(map(str, paths))
        raise ConfigError(f"{names}: nothing in it that could pass; give other samples")
    return "\n".join(_lines(proposals, len(samples)))


def _lines(proposals: Sequence[Proposal], count: int) -> Iterator[str]:
    yield f"# Proposed from {count} {'samples' if count > 1 else 'sample'}: check each line."
    yield "# What is not named here does not pass."
    yield "dialect:"
    yield "  kind: generic"
    yield "  request: {}  # what a request may hold, such as {inputs: pass}"
    yield "  answer:"
    for proposal in proposals:
        path = json.dumps(proposal.path, ensure_ascii=False)
        yield f"    {path}: {proposal.kind}  # {proposal.evidence}"
