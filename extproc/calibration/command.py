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

FOUND: Final = 1


Traffic = Annotated[
    Path,
    typer.Argument(
        help='Benign traffic, a line each query: {"client", "time", "traffic", "input"}.',
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
    from extproc.calibration.making import calibrate as make
    from extproc.config import load
    from extproc.config.key_register import hmac_key
    from extproc.detectors.calibration import seal

    config = load(policy, base)
    key = hmac_key(config)
    _write(into, None)
    made = make(traffic, key, _half_life(config), lambda said: print(said, file=sys.stderr))
    _write(into, seal(made, key))
    print(table.to_json(made) if output == "json" else table.text(made, into))
    return 0 if all(each.highest <= RATE for each in made.thresholds.values()) else FOUND


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
