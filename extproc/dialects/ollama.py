"""What Ollama's APIs have in common: options, durations, counts and the shape of an error.

Source: Ollama API reference.  Rule: ``stream`` is true where nothing is said, and of the options
those of loading a model (``num_gpu``, ``use_mmap``) are not a caller's to choose.
"""

from dataclasses import dataclass
from typing import Final

import orjson

from extproc.dialects.answers import Answers, Document, Lines
from extproc.dialects.counted import Counted
from extproc.dialects.dialect import JSON, JsonDialect
from extproc.dialects.features import TOKENS
from extproc.dialects.gate import (
    PASS,
    Alternatives,
    Changes,
    Granted,
    Object,
    Rule,
    Taking,
)
from extproc.dialects.openai_logprobs import ENTRIES
from extproc.dialects.request import Admitted, require
from extproc.dialects.sampling import CUT, SEED, TEMPERATURE
from extproc.dialects.shape import Fault, Gate, Json, Keep, ModelName, Node, Opaque
from extproc.prediction import Query
from extproc.refusal import Refusal

_LOGPROB_FIELDS: Final = ("logprobs", "top_logprobs")


class OllamaDialect(JsonDialect, frozen=True):
    """One of Ollama's APIs."""

    def error(self, refusal: Refusal) -> bytes:
        return orjson.dumps({"error": refusal.message})


class OllamaText(OllamaDialect, frozen=True):
    """One of those that write text, line by line or whole."""

    def answers(self) -> Answers:
        tree = self.answer()
        return {JSON: Document(tree), "application/x-ndjson": Lines(tree)}

    def query(self, admitted: Admitted) -> Query:
        """Raise ClientError where what all of them require is missing."""
        read, sent = admitted.read, admitted.fields
        model, stream = read.get("model"), read.get("stream")
        require(isinstance(model, str) and model, "'model' must be a name.")
        require(stream is None or isinstance(stream, bool), "'stream' must be a boolean.")
        # What a grammar leaves to choose from, log probabilities tell one by one.
        require(
            not (sent.get("format") and any(map(sent.get, _LOGPROB_FIELDS))),
            "'format' and 'logprobs' cannot be combined.",
        )
        return Query(str(model), inputs=1, stream=stream is not False)


@dataclass(frozen=True, slots=True)
class _Think:
    """Whether the model thinks, and how much.  Models that can do so unless told otherwise."""

    def admit(self, value: Json, changes: Changes, place: str) -> Json:
        if "reasoning" in changes.terms.granted or value is None or value is False:
            return value
        changes.note(place)
        return False


OPTIONS: Final = Object(
    {
        **dict.fromkeys(
            (
                "frequency_penalty",
                "num_ctx",
                "num_keep",
                "presence_penalty",
                "repeat_last_n",
                "repeat_penalty",
                "stop",
            ),
            PASS,
        ),
        **dict.fromkeys(
            ("min_p", "mirostat", "mirostat_eta", "mirostat_tau", "tfs_z", "top_k", "top_p"), CUT
        ),
        "typical_p": CUT,
        "num_predict": TOKENS,
        "seed": SEED,
        "temperature": TEMPERATURE,
    }
)
TEXT: Final[dict[str, Rule]] = {
    **dict.fromkeys(("model", "stream", "format"), PASS),
    "options": OPTIONS,
    # How long a model stays loaded is not a caller's to say: it tells who else asked, and when.
    "keep_alive": Taking(),
    "think": _Think(),
    "logprobs": Granted("logprobs"),
    "top_logprobs": Granted("logprobs", Alternatives()),
}
"""Request fields of all that write text."""
BOUNDED: Final = ("options.num_predict",)

COSTS: Final[dict[str, Node]] = {
    **dict.fromkeys(
        (
            "total_duration",
            "load_duration",
            "prompt_eval_duration",
            "eval_duration",
        ),
        Opaque("timing"),
    ),
    "prompt_eval_count": Counted(Opaque("usage"), input=()),
    "eval_count": Counted(Opaque("usage"), output=()),
}
ANSWER: Final[dict[str, Node]] = {
    "model": ModelName(),
    "done": Keep(),
    "done_reason": Keep(),
    # To the nanosecond, when the model was done with each token.
    "created_at": Opaque("timing"),
    "logprobs": Gate("logprobs", ENTRIES),
    **COSTS,
    "error": Fault(),
}
"""Answer fields of all that write text."""
