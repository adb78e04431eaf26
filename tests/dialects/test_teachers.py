"""How many members an ensemble has stands where its votes are declared, and nowhere else."""

from pathlib import Path

import pytest

from extproc.errors import ConfigError
from tests.config.example import changed, compiled

KSERVE = "{kind: kserve_v2, outputs: {probs: probabilities}}"
UNSAID = (
    "teachers: nobody says how many members the ensemble has whose votes are answered; "
    "write teachers: 250, or as many as each cast a vote"
)
IDLE = "teachers: no output holds votes; declare one, or remove it"


@pytest.mark.parametrize(
    ("dialect", "wrong"),
    [
        ("{kind: kserve_v2, outputs: {a: votes}}", UNSAID),
        ("{kind: kserve_v2, outputs: {a: votes}, teachers: 9}", ""),
        ("{kind: kserve_v2, outputs: {a: label}, teachers: 9}", IDLE),
        ("{kind: votes, teachers: 9}", ""),
        ("{kind: votes}", UNSAID),
        ("votes", UNSAID),
    ],
)
def test_it_is_said_where_there_are_votes(tmp_path: Path, dialect: str, wrong: str) -> None:
    path = "/v2/models/{model}/infer" if "kserve" in dialect else "/votes"
    text = changed((KSERVE, dialect), ("/v2/models/{model}/infer", path))
    if not wrong:
        compiled(tmp_path, text)
        return
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, text)
    assert str(caught.value).endswith(f"dialect.{wrong}")


def test_the_same_over_grpc(tmp_path: Path) -> None:
    route = '  - {path: "/inference.GRPCInferenceService/ModelInfer", dialect: DIALECT}\n'
    route = route.replace("DIALECT", "{kind: kserve_v2_grpc, outputs: {a: votes}}")
    with pytest.raises(ConfigError, match="nobody says how many members"):
        compiled(tmp_path, changed(("fidelities:\n", f"{route}fidelities:\n")))
