"""KServe v2 (the Open Inference Protocol over REST), for models that take one tensor of rows."""

from dataclasses import dataclass

import numpy as np
import orjson

from extproc.redteam.answers import Answers, Floats
from extproc.redteam.request import Reply, Request


@dataclass(frozen=True, slots=True)
class Kserve:
    """Reads the outputs ``probabilities`` and ``label``, or ``votes``, whichever come.

    Votes are shares of them; a row of none names no class, and so is none that was served.
    """

    model: str
    tensor: str
    """The input's name."""
    classes: int
    most: int = 1_000
    """Inputs of one request: a gateway takes requests up to a size, and wide inputs are large."""

    def request(self, inputs: Floats, key: int) -> Request:
        tensor = {
            "name": self.tensor,
            "shape": list(inputs.shape),
            "datatype": "FP64",
            "data": np.ascontiguousarray(inputs, np.float64).ravel(),
        }
        body = orjson.dumps({"inputs": [tensor]}, option=orjson.OPT_SERIALIZE_NUMPY)
        return Request(
            f"/v2/models/{self.model}/infer",
            body,
            headers={"content-type": "application/json"},
            key=key,
            queries=len(inputs),
        )

    def read(self, reply: Reply, count: int) -> Answers:
        if not reply.served:
            return Answers.refused(count)
        try:
            outputs = {each["name"]: each["data"] for each in orjson.loads(reply.body)["outputs"]}
            return self._answers(outputs, count)
        except (ValueError, KeyError, TypeError):
            return Answers.refused(count)

    def _answers(self, outputs: dict[str, list[float]], count: int) -> Answers:
        if "votes" in outputs:
            return _shares(np.array(outputs["votes"], np.float64).reshape(count, self.classes))
        scores = None
        if "probabilities" in outputs:
            scores = np.array(outputs["probabilities"], np.float64).reshape(count, self.classes)
        if "label" in outputs:
            labels = np.array(outputs["label"], np.int64).reshape(count)
        elif scores is not None:
            labels = scores.argmax(axis=1)
        else:
            return Answers.refused(count)
        return Answers(labels, scores, np.ones(count, bool))


def _shares(votes: Floats) -> Answers:
    """What votes [N, C] come to."""
    total = votes.sum(axis=1)
    served = total > 0
    labels = np.where(served, votes.argmax(axis=1), -1)
    return Answers(labels, votes / np.where(served, total, np.nan)[:, None], served)
