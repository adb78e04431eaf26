"""File types: a deep classifier of 2,048 bytes, its published weights, run by ONNX Runtime.

Rule: nothing is downloaded; model and labels are those of the `magika` wheel.  Fratantonio et al.,
2025, "Magika: AI-Powered Content-Type Detection".
"""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from extproc.demo.server.errors import MissingWeights
from extproc.demo.server.models.classifier import Floats, Scores, Signature

PADDING: Final = 256
"""What stands where a file is shorter; bytes are 0 to 255."""

_PACKAGE: Final = "magika"
_RUNTIME: Final = "onnxruntime"
_MODEL: Final = "standard_v3_3"
_MISSING: Final = (
    "magika needs its package: pip install magika onnxruntime"
    " (or leave it out: --models digits,minilm,tiny-lm)"
)


@dataclass(frozen=True, slots=True)
class Magika:
    signature: Signature
    session: Any

    @classmethod
    def load(cls) -> Self:
        """Load the model from its package; raise MissingWeights when it is not installed."""
        directory = model_directory()
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # requests run beside each other, each on one core
        options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            directory / "model.onnx", options, providers=["CPUExecutionProvider"]
        )
        config = json.loads((directory / "config.min.json").read_bytes())
        signature = Signature(
            "magika",
            "bytes",
            config["beg_size"] + config["end_size"],
            len(config["target_labels_space"]),
            logits=False,
            platform="onnxruntime",
            bounds=(0, PADDING),
            slow=True,
        )
        return cls(signature, session)

    def score(self, rows: Floats) -> Scores:
        """Score rows [B, 2048] of numbers 0 to 256, each rounded to a whole one."""
        whole = np.rint(rows).astype(np.int32)
        # One by one: a row's scores depend on no other, and larger batches take longer for each.
        scored = [self.session.run(None, {"bytes": row[None]})[0] for row in whole]
        probabilities = np.concatenate(scored).astype(np.float64)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        return Scores(probabilities, probabilities.argmax(axis=1))


def model_directory() -> Path:
    """Where the model is; raise MissingWeights when it is not installed."""
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations or find_spec(_RUNTIME) is None:
        raise MissingWeights(_MISSING)
    directory = Path(spec.submodule_search_locations[0]) / "models" / _MODEL
    if not (directory / "model.onnx").is_file():
        raise MissingWeights(_MISSING)
    return directory
