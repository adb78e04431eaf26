"""How an exchange ended, as Envoy is told by dynamic metadata: for its access log.

Rule: no more than the client knows.  Access logs are read by more people than the sidecar's own
records, so that a refusal is told by its code and not by its cause, nor is a suspicion told.

Source: ``ProcessingResponse.dynamic_metadata``; Envoy takes the namespaces that
``metadata_options.receiving_namespaces`` lists and drops others.
"""

from functools import lru_cache
from typing import Final

from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingResponse
from extproc._pb.google.protobuf.struct_pb2 import Struct
from extproc.exchange import Exchange
from extproc.local_reply import LocalReply
from extproc.policy import Excerpt
from extproc.rollout import OFF
from extproc.server.protobuf import Handover
from extproc.shadow import ShadowExchange
from extproc.untouched import Untouched

NAMESPACE: Final = "extproc"
PASSED: Final = "passed"
"""The outcome of what is on trial, whatever it would have been."""
_KINDS: Final = 1024
"""Of ends, whose messages are kept: more than codes and tiers there are."""


class Verdict:
    """``outcome`` is ``served``, ``cut``, the code of a refusal, ``passed`` or ``off``;
    ``shadow_would`` which of the first three it would have been, were it not on trial; and
    ``fidelity`` the tier of the policy.
    """

    def __init__(
        self,
        machine: Exchange | ShadowExchange | LocalReply | Untouched,
        handover: Handover | None,
        excerpt: Excerpt,
    ) -> None:
        self._machine, self._policy = machine, excerpt.policy
        self._decides = machine.inner if isinstance(machine, ShadowExchange) else machine
        self._would = handover.shadow_would if handover is not None else ""

    @property
    def known(self) -> bool:
        """Whether nothing changes it any more."""
        return self._decides.done

    def tell(self, message: ProcessingResponse) -> None:
        """Have Envoy know by this message."""
        message.dynamic_metadata.MergeFrom(_metadata(**self.said()))

    def said(self) -> dict[str, str]:
        """By name; empty where there is nothing to say."""
        outcome, would = self._end()
        fidelity = self._policy.fidelity.name if self._policy is not None else ""
        return {"outcome": outcome, "shadow_would": would, "fidelity": fidelity}

    def _end(self) -> tuple[str, str]:
        match self._machine:
            case Untouched(outcome=outcome):
                return (OFF if outcome == OFF else PASSED), self._would
            case ShadowExchange(verdict=verdict):
                return PASSED, self._would or verdict
            case machine:
                return machine.verdict, ""


@lru_cache(_KINDS)
def _metadata(outcome: str, shadow_would: str, fidelity: str) -> Struct:
    told = Struct()
    fields = told.fields[NAMESPACE].struct_value.fields
    said = {"outcome": outcome, "shadow_would": shadow_would, "fidelity": fidelity}
    for name, value in said.items():
        if value:
            fields[name].string_value = value
    return told
