"""``extproc replay AUDIT... --policy NEW``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from extproc.errors import ConfigError

if TYPE_CHECKING:
    from extproc.audit import Seen
    from extproc.config import Config
    from extproc.policy import PolicyTable
    from extproc.replay.comparison import Comparison
    from extproc.replay.judge import Judge
    from extproc.replay.watching import Watching

_TOLD: Final = 100_000
"""Exchanges after which a line tells how far it is."""


def replay(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="AUDIT...", help="Files of an audit log: audit.jsonl*", show_default=False
        ),
    ],
    policy: Annotated[Path, typer.Option(help="The other policy file.", show_default=False)],
    base: Annotated[
        Path | None,
        typer.Option(envvar="EXTPROC_BASE", help="The platform's base file.", show_default=False),
    ] = None,
    output: Annotated[Literal["text", "json"], typer.Option(help="How it is printed.")] = "text",
) -> None:
    """What another policy would have made of recorded traffic: who is served, and how exactly.

    It is taken as it is in force for all.  Exit codes: 0 done, also where it says what is not
    judged; 2 called wrongly; 4 a file cannot be used.
    """
    from extproc.config import load
    from extproc.rehearsal.stand_ins import in_force, table_without_secrets
    from extproc.replay import rendering
    from extproc.replay.comparison import Comparison
    from extproc.replay.judge import Judge

    config = in_force(load(policy, base))
    table = table_without_secrets(config)
    watching, why = _watching(config, table)
    judge, comparison = Judge(table, watching), Comparison()
    if why:
        judge.unjudged["detection"] = why
    _judge_all(judge, watching, comparison, paths)
    if watching is not None and watching.unknown:
        judge.unjudged["detection"] = _other_reference(watching)
    tenants = [*comparison.tenants()]
    if output == "json":
        print(rendering.to_json(tenants, judge.unjudged, table.version))
    else:
        rendering.show(tenants, judge.unjudged)


def _watching(config: "Config", table: "PolicyTable") -> "tuple[Watching | None, str]":
    """Who watches, where the policy has detection; or why nobody can."""
    from extproc.config import compile_detection
    from extproc.config.key_register import hmac_key
    from extproc.replay.watching import Watching
    from extproc.server.detection.calibrated import calibrated

    try:
        plan = compile_detection(config)
        return (Watching(calibrated(plan, hmac_key(config)), table), "") if plan else (None, "")
    except ConfigError as error:
        return None, str(error)


def _other_reference(watching: "Watching") -> str:
    whole = watching.unknown + watching.learned
    which = "all" if watching.unknown == whole else f"{watching.unknown} of {whole}"
    return (
        f"{which} exchanges were looked at by another reference than the policy's, and nobody is "
        "judged by them"
    )


def _learn(watching: "Watching | None", seen: "Seen") -> None:
    from extproc.errors import Malformed

    try:
        if watching is not None:
            watching.learn(seen)
    except Malformed as error:
        wrong = f"what was learned of request {seen.request} cannot be read: {error}"
        raise ConfigError(f"{wrong}; see what is wrong with: extproc audit verify") from error


def _judge_all(
    judge: "Judge", watching: "Watching | None", comparison: "Comparison", paths: list[Path]
) -> None:
    import asyncio

    asyncio.run(_judge_each(judge, watching, comparison, paths))


async def _judge_each(
    judge: "Judge", watching: "Watching | None", comparison: "Comparison", paths: list[Path]
) -> None:
    from extproc.audit import Record
    from extproc.replay.traffic import exchanges

    number = 0
    for each in exchanges(paths):
        if not isinstance(each, Record):
            _learn(watching, each)
            continue
        comparison.add(each, await judge.judge(each))
        number += 1
        if not number % _TOLD:
            print(f"{number} exchanges, up to {each.time:%Y-%m-%d %H:%M}", file=sys.stderr)
