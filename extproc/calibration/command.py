"""``extproc calibrate``.

Exit codes as of every command (``extproc --help``): 1 where the calibration was written, but does
not bear out for every traffic class what it is to promise: 0.1 % of benign clients at most.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from extproc.errors import ConfigError

if TYPE_CHECKING:
    from extproc.config import Config
    from extproc.detectors.calibration import Calibration

FOUND: Final = 1


Traffic = Annotated[
    list[Path],
    typer.Argument(
        metavar="TRAFFIC...",
        help='Benign traffic, a line each query: {"client", "time", "traffic", "input"}; or files '
        "of an audit log, audit.jsonl*, of benign callers: the reference of the policy's "
        "calibration stays as it is.",
        show_default=False,
    ),
]
Policy = Annotated[Path, typer.Option(help="The policy file.", show_default=False)]
Base = Annotated[
    Path | None,
    typer.Option(envvar="EXTPROC_BASE", help="The platform's base file.", show_default=False),
]
Into = Annotated[Path, typer.Option(help="Where the calibration is written.", show_default=False)]
Output = Annotated[Literal["text", "json"], typer.Option(help="How the result is printed.")]


def calibrate(
    traffic: Traffic, policy: Policy, into: Into, base: Base = None, output: Output = "text"
) -> int:
    """Learn from recorded traffic what benign callers ask, and how much of it is suspicious.

    Exit codes: 0 at most 0.1 % of benign clients are ever suspected; 1 that is not borne out for
    every traffic class; 2 the command was called wrongly; 4 a file cannot be used.
    """
    from extproc.calibration import table
    from extproc.calibration.interval import RATE
    from extproc.config import load
    from extproc.config.key_register import hmac_key
    from extproc.detectors.calibration import seal

    config = load(policy, base)
    key = hmac_key(config)
    _write(into, None)
    made = _of_log(traffic, config) if _is_log(traffic[0]) else _of_traffic(traffic, config, key)
    _write(into, seal(made, key))
    print(table.to_json(made) if output == "json" else table.text(made, into))
    return 0 if all(each.highest <= RATE for each in made.thresholds.values()) else FOUND


def _of_traffic(paths: list[Path], config: "Config", key: bytes) -> "Calibration":
    from extproc.calibration.making import calibrate as make

    if len(paths) > 1:
        raise ConfigError(f"{paths[0]} is no audit log; give one file of traffic")
    return make(paths[0], key, _half_life(config), _tell)


def _of_log(paths: list[Path], config: "Config") -> "Calibration":
    from extproc.calibration import logged
    from extproc.calibration.making import recalibrate
    from extproc.config import compile_detection
    from extproc.detectors.seen import name
    from extproc.rehearsal.stand_ins import table_without_secrets

    plan = compile_detection(config)
    if plan is None or plan.calibration is None:
        raise ConfigError("the policy has no detection; name the calibration that was in force")
    reference = plan.calibration.reference
    found = logged.read(
        paths,
        table_without_secrets(config),
        name(reference),
        by_principal=plan.by_principal,
        progress=_tell,
    )
    return recalibrate(found, str(paths[0]), reference, plan.half_life, _tell)


def _is_log(path: Path) -> bool:
    """Whether its first line is one of an audit log."""
    from extproc.audit.chain import read
    from extproc.auditor.files import lines

    try:
        return read(next(lines(path), b"")) is not None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name a file that can be read") from error


def _tell(said: str) -> None:
    print(said, file=sys.stderr)


def _half_life(config: "Config") -> float:
    """Seconds."""
    from extproc.config.detection_settings import DetectionSettings
    from extproc.units import seconds

    detection = config.settings.detection or DetectionSettings(reference="")
    return seconds(detection.half_life)


def _write(into: Path, sealed: bytes | None) -> None:
    """Whole or not at all: sidecars may be reading the one that was there.

    Without octets only try whether it could be done, before the work is.
    """
    beside = into.with_name(f"{into.name}.new")
    try:
        beside.write_bytes(sealed or b"")
        if sealed is None:
            beside.unlink()
        else:
            beside.replace(into)
    except OSError as error:
        raise ConfigError(f"{into}: {error.strerror}; name a file that can be written") from error
