"""How strong so many marks are: python -m tests.marks.strength; docs/ownership.md shows it."""

from typing import Final

from extproc.marks.stamps import CONTROLS
from extproc.marks.statistics import two_sample

_MARKS: Final = (5, 10, 20, 40, 100)
_SHARES: Final = (1.0, 0.8, 0.5)
_CLEAN: Final = (0.0, 0.05)


def main() -> None:
    head = "".join(f"{f'{share:.0%}, {clean:.0%}':>12}" for share in _SHARES for clean in _CLEAN)
    print(f"{'marks':>5}{head}")
    for marks in _MARKS:
        controls = CONTROLS * marks
        bits = (
            two_sample((round(share * marks), marks), (round(clean * controls), controls)).at_least
            for share in _SHARES
            for clean in _CLEAN
        )
        print(f"{marks:5}{''.join(f'{each:12.1f}' for each in bits)}")


if __name__ == "__main__":
    main()
