"""Policy tests: every case of a file, played and compared with what it expects."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import UNSET

from extproc.config import Config
from extproc.config.document import Document, Place
from extproc.events import ResponseHeaders
from extproc.policy import PolicyTable
from extproc.rehearsal.cases import Answering, Asking, Case, body_of, read_cases
from extproc.rehearsal.differences import differences, holding, parsed
from extproc.rehearsal.explanation import Explanation, explain
from extproc.rehearsal.play import Answer, answer, play
from extproc.rehearsal.request import Caller, assuming, checked, nobody, with_type


@dataclass(frozen=True, slots=True)
class Verdict:
    """About one case."""

    name: str
    path: Path
    line: int
    wrong: tuple[str, ...]
    """What differs; nothing where the case holds."""
    touched: tuple[str, str] | None
    """The policy and the route that it was about."""


@dataclass(slots=True)
class Trial:
    """Of one policy."""

    config: Config
    table: PolicyTable
    verdicts: list[Verdict] = field(default_factory=list)

    def run(self, path: Path, now: float) -> None:
        """Try every case of a file, at ``now`` in seconds of wall time."""
        document, cases = read_cases(path)
        for index, case in enumerate(cases.cases):
            self.verdicts.append(self._verdict(document, ("cases", index), case, now))

    def untouched(self) -> list[tuple[str, str]]:
        """The policies and routes that no case was about."""
        touched = {verdict.touched for verdict in self.verdicts}
        tenants = self.config.settings.tenants
        every = {(tenants[tenant].policy, route) for tenant, route in self.table.policies}
        return sorted(every - touched)

    def _verdict(self, document: Document, place: Place, case: Case, now: float) -> Verdict:
        explained = self._played(document, (*place, "request"), case.request, now)
        found = None
        if case.response is not None:
            found = _answered(document, (*place, "response"), case.response, explained)
        wrong = (*self._wrong(case, explained, found),)
        line = document.line(place)
        return Verdict(case.name, document.path, line, wrong, self._touched(explained))

    def _played(self, document: Document, place: Place, asking: Asking, now: float) -> Explanation:
        body = body_of(document, place, asking)
        caller = Caller(asking.tenant, asking.credentials, asking.strength)
        table = nobody(self.table)
        if asking.tenant:
            table = assuming(self.table, self.config, caller, (document, place))
        headers = with_type(asking.headers, body)
        request = checked(f"{asking.method} {asking.path}", headers)
        return explain(self.config, table, play(table, request, body, now))

    def _touched(self, explained: Explanation) -> tuple[str, str] | None:
        policy, tenant = explained.played.policy, explained.played.tenant
        if policy is None:
            return None
        return self.config.settings.tenants[tenant].policy, policy.route.name

    def _wrong(self, case: Case, explained: Explanation, answered: Answer | None) -> Iterator[str]:
        expected, played = case.expect, explained.played
        reply = played.reply or answered
        facts = {
            "decision": "allowed" if explained.allowed else "refused",
            "status": reply.status if reply is not None else explained.status,
            "reason": explained.code,
            "tenant": played.tenant,
            "policy": self._policy(played.tenant),
            "tier": played.policy.fidelity.name if played.policy is not None else "",
        }
        for name, fact in facts.items():
            wanted = getattr(expected, name)
            if wanted is not None and wanted != fact:
                because = f" ({explained.reason.why})" if explained.reason is not None else ""
                yield f"{name}: expected {wanted}, is {fact or 'none'}{because}"
        if reply is not None and reply.cut:
            yield f"response: cut off ({played.machine.fault if played.machine else ''})"
        yield from _stopped(case, explained)
        sent = played.asked.body if played.asked is not None else b""
        yield from _bodies(expected.request, expected.request_lacks, sent, "request")
        got = reply.body if reply is not None else b""
        yield from _bodies(expected.response, expected.response_lacks, got, "response")

    def _policy(self, tenant: str) -> str:
        found = self.config.settings.tenants.get(tenant)
        return found.policy if found is not None else ""


def _stopped(case: Case, explained: Explanation) -> Iterator[str]:
    """What does not go on lacks everything: no case holds for that."""
    if explained.played.asked is not None or case.expect.decision == "refused":
        return
    asked = case.expect.request is not UNSET or case.expect.request_lacks
    if asked or case.response is not None:
        why = f" ({explained.reason.why})" if explained.reason is not None else ""
        yield f"request: expected to go on, and it does not{why}"


def _bodies(expected: object, lacks: tuple[str, ...], body: bytes, name: str) -> Iterator[str]:
    if expected is UNSET and not lacks:
        return
    found = parsed(body)
    if expected is not UNSET:
        yield from differences(expected, found, name)
    for each in lacks:
        yield from holding(each, found, name)


def _answered(
    document: Document, place: Place, given: Answering, explained: Explanation
) -> Answer | None:
    """What the client gets, where the request goes on."""
    machine = explained.played.machine
    if machine is None or not explained.allowed:
        return None
    body = body_of(document, place, given)
    kind = "text/event-stream" if given.events is not None else "application/json"
    headers = {":status": str(given.status), "content-type": kind, **given.headers}
    return answer(machine, ResponseHeaders(given.status, headers, end=not body), body)
