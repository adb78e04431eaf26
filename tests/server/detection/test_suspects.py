"""What an operator sees of suspects and says about them, through the acts of a sidecar."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from extproc.accounts.messages import Holder, Page, Show, Shown, Tenants
from extproc.accounts.suspects import (
    Overridden,
    Override,
    ShownSuspect,
    ShowSuspect,
    Suspect,
    SuspectPage,
    Suspects,
    Word,
)
from extproc.audit import Pseudonyms
from extproc.server.audit_log import AuditLog
from extproc.server.audited import Auditor
from extproc.server.detection.history import History
from extproc.server.detection.suspects import PAGE, SuspectActs, Watched
from tests.server.detection.findings import PERSON, finding
from tests.server.detection.watching import ACME, ALICE, BLOCK, Watch
from tests.server.journals import plan, report, said
from tests.server.test_acts import NOON, Operator, made


class Rig(Operator):
    def __init__(self, *watched: Watched, auditor: Auditor | None = None) -> None:
        super().__init__(made("acme", "beta", "gamma"), auditor)
        self.watch, self.history = Watch(*watched), History()
        self.acts.suspects = SuspectActs(self.watch, self.history, wall=lambda: self.now)
        self.names = Pseudonyms(self.tables.now.table.key)
        self.alice = f"beta|{self.names.principal(PERSON)}"

    async def one(self, subject: str) -> Suspect:
        answer = await self.ask(ShowSuspect(subject))
        assert isinstance(answer, ShownSuspect), answer
        return answer.suspect

    async def say(self, ask: Override) -> Overridden:
        answer = await self.ask(ask)
        assert isinstance(answer, Overridden), answer
        return answer


@pytest.fixture
def rig() -> Iterator[Rig]:
    found = Rig(ACME, ALICE, BLOCK)
    yield found
    found.records.close()


async def test_all_of_whom_there_is_a_case_are_listed_by_pseudonym(rig: Rig) -> None:
    page = await rig.ask(Suspects())
    assert isinstance(page, SuspectPage)
    assert [each.subject for each in page.suspects] == ["acme", rig.alice, "cohort:block-7"]
    assert page.after == ""


async def test_many_are_listed_in_pages() -> None:
    rig = Rig(*(Watched(f"t{number:04}", f"t{number:04}") for number in range(PAGE + 1)))
    first = await rig.ask(Suspects())
    assert isinstance(first, SuspectPage)
    assert (len(first.suspects), first.after) == (PAGE, f"t{PAGE - 1:04}")
    second = await rig.ask(Suspects(first.after))
    assert isinstance(second, SuspectPage)
    assert (len(second.suspects), second.after) == (1, "")
    rig.records.close()


async def test_one_is_shown_with_its_evidence_and_its_steps(rig: Rig) -> None:
    rig.history.found(finding(before="throttle", after="fidelity"))
    shown = await rig.one("acme")
    assert shown.evidence == {"novelty": 9.062, "cadence": 0.25}
    assert shown.counts == {"queries": 120, "exchanges": 12}
    assert (shown.step, shown.cohorts) == ("fidelity", ("block-7",))
    assert shown.until == datetime(2027, 1, 15, 9, tzinfo=UTC)
    assert [(change.before, change.after) for change in shown.history] == [("throttle", "fidelity")]


async def test_a_principal_is_found_by_what_alerts_call_it_and_never_told_by_name(rig: Rig) -> None:
    shown = await rig.one(rig.alice)
    assert (shown.subject, shown.tenant) == (rig.alice, "beta")
    assert PERSON not in str(shown)
    assert await rig.one(f"beta|{PERSON}") == shown


async def test_whoever_is_not_known_is_told_unless_it_is_a_tenant(rig: Rig) -> None:
    for name in ("nobody", "beta|jwt:0123456789abcdef", "cohort:none"):
        message = await rig.failed(ShowSuspect(name))
        assert message == f"nothing is known of '{name}'; those of whom there is: extproc suspects"
    assert (await rig.one("gamma")).suspicion == 0.0


async def test_where_nobody_watches_that_is_told(rig: Rig) -> None:
    rig.acts.suspects = None
    for ask in (Suspects(), ShowSuspect("acme"), Override("acme", "trust")):
        message = await rig.failed(ask)
        assert message == "nobody is watched here; add detection to the policy file"


async def test_what_is_said_holds_and_is_recorded(rig: Rig) -> None:
    trusted = await rig.say(Override("acme", "trust", 3600))
    assert (trusted.suspect.word, trusted.audited) == ("trusted", False)
    assert trusted.suspect.word_until == datetime(2026, 6, 1, 13, tzinfo=UTC)
    frozen = await rig.say(Override(rig.alice, "freeze"))
    assert (frozen.suspect.word, frozen.suspect.word_until) == ("frozen", None)
    forgiven = await rig.say(Override("acme", "forgive"))
    assert (forgiven.suspect.step, forgiven.suspect.evidence) == ("", {})
    at = NOON.timestamp() + 3600
    assert rig.watch.said == [
        ("acme", "trust", at),
        (f"beta|{PERSON}", "freeze", 0.0),
        ("acme", "forgive", 0.0),
    ]
    told = rig.recorded()
    assert [(line["act"], line["tenant"], line["subject"]) for line in told] == [
        ("suspect_trust", "acme", "acme"),
        ("suspect_freeze", "beta", rig.alice),
        ("suspect_forgive", "acme", "acme"),
    ]
    assert [(line["amount"], line["unit"]) for line in told] == [
        (3600.0, "seconds"),
        (None, ""),
        (None, ""),
    ]
    assert {line["who"] for line in told} == {"ops"}
    assert rig.count("suspect_trust") == 1


async def test_a_tenant_may_be_trusted_before_anything_is_known_of_it(rig: Rig) -> None:
    assert (await rig.say(Override("gamma", "trust"))).suspect.word == "trusted"


async def test_where_principals_are_watched_nothing_can_be_said_of_a_tenant(rig: Rig) -> None:
    rig.acts.suspects = SuspectActs(rig.watch, rig.history, by_principal=True)
    message = await rig.failed(Override("gamma", "trust"))
    assert message.startswith("each principal of gamma is watched by itself; name one")
    assert rig.watch.said == []


@pytest.mark.parametrize("word", ["trust", "freeze"])
async def test_a_cohort_can_only_be_forgiven(rig: Rig, word: Word) -> None:
    message = await rig.failed(Override("cohort:block-7", word))
    assert message.endswith(f"; {word} its members, or forgive it")
    assert rig.watch.said == []
    await rig.say(Override("cohort:block-7", "forgive"))
    assert rig.watch.said == [("cohort:block-7", "forgive", 0.0)]


async def test_what_was_said_while_the_store_is_down_is_recorded_as_unknown(rig: Rig) -> None:
    rig.watch.down = True
    message = await rig.failed(Override("acme", "freeze"), "unavailable")
    assert message.endswith("whether it holds is not known")
    [told] = rig.recorded()
    assert (told["act"], told["outcome"]) == ("suspect_freeze", "unknown")


async def test_it_stands_in_the_audit_log_and_where_it_cannot_it_is_not_done(
    tmp_path: Path,
) -> None:
    log = AuditLog(plan(tmp_path))
    rig = Rig(ACME, ALICE, auditor=Auditor(log))
    assert (await rig.say(Override(rig.alice, "trust", 60.0))).audited
    log.failing = True
    assert "is its disk full?" in await rig.failed(Override("acme", "freeze"), "refused")
    log.close()
    rig.records.close()
    assert len(rig.watch.said) == 1
    found = report(tmp_path)
    assert (found.whole, found.acts) == (True, 1)
    [line] = [each for each in said(tmp_path) if each["kind"] == "act"]
    assert (line["act"], line["subject"], line["amount"]) == ("suspect_trust", rig.alice, 60.0)
    assert PERSON not in str(said(tmp_path))


async def _holders(rig: Rig) -> dict[str, Holder]:
    page = await rig.ask(Tenants())
    assert isinstance(page, Page)
    return {holder.whom: holder for holder in page.holders}


async def test_a_list_of_tenants_tells_the_suspicion_of_the_worst_of_each(rig: Rig) -> None:
    rig.watch._known["beta|x"] = replace(ALICE, subject="beta|x", suspicion=0.2)
    found = await _holders(rig)
    assert (found["acme"].suspicion, found["acme"].step) == (0.93, "fidelity")
    assert (found["beta"].suspicion, found["gamma"].suspicion) == (0.71, 0.0)
    assert found["shared:"].suspicion is None
    shown = await rig.ask(Show("acme"))
    assert isinstance(shown, Shown)
    assert shown.holder.suspicion == 0.93


async def test_without_detection_no_tenant_has_a_suspicion(rig: Rig) -> None:
    rig.acts.suspects = None
    assert {holder.suspicion for holder in (await _holders(rig)).values()} == {None}
