"""A suspect, followed from what it asks to the alert, the evidence, the records, and the end."""

import io
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from extproc.accounts.messages import Ask
from extproc.accounts.suspects import Overridden, Override, ShownSuspect, ShowSuspect, Word
from extproc.audit import Pseudonyms
from extproc.config.receivers import Receiver
from extproc.errors import ConfigError
from extproc.server.act_records import Peer
from extproc.server.acts import Acts
from extproc.server.audit_log import AuditLog
from extproc.server.audited import Auditor
from extproc.server.detection.listeners import Listeners
from extproc.server.record import Records
from extproc.server.tables import Tables
from extproc.server.telemetry import Telemetry
from extproc.stores.memory import MemoryCounters
from tests.e2e.authority import Authority
from tests.server.detection.receiver import SECRET, Endpoint, verified
from tests.server.detection.rig import asked, settings
from tests.server.detection.test_watcher import made as watcher_of
from tests.server.journals import plan, report, said
from tests.server.test_acts import made
from tests.server.wire import until

PEER = Peer(uid=1000, pid=77, who="ops")
PERSON = "jwt:https://issuer.example|alice"


class Sidecar:
    """What of one has to do with suspects."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "audit.jsonl"
        self.log, self.registry = AuditLog(plan(folder)), CollectorRegistry()
        self.tables, self.records = Tables(made("acme")), Records(io.BytesIO())
        self.watcher, auditor = watcher_of(per="principal"), Auditor(self.log)
        self.listeners = Listeners(
            self.watcher,
            self.tables,
            self.records,
            self.registry,
            auditor,
            settings(per="principal"),
        )
        self._acts = Acts(self.tables, MemoryCounters(), Telemetry(), self.records, auditor)
        self._acts.suspects = self.listeners.suspects
        self.names = Pseudonyms(self.tables.now.table.key)

    async def ask(self, ask: Ask) -> object:
        return await self._acts.answer(ask, PEER)

    async def attack(self, *inputs: int) -> None:
        self.watcher.notice(asked(*inputs, principal=PERSON, request="a1b2"))
        await self.watcher.idle()

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    async def close(self) -> None:
        await self.watcher.close()
        await self.listeners.close()
        self.log.close()
        self.records.close()


@pytest.fixture
async def sidecar(tmp_path: Path) -> AsyncIterator[Sidecar]:
    found = Sidecar(tmp_path)
    await found.watcher.start()
    yield found
    await found.close()


async def test_an_attack_is_followed_from_the_alert_to_the_evidence_to_the_end(
    sidecar: Sidecar, tmp_path: Path
) -> None:
    authority = Authority(tmp_path, "authority")
    with Endpoint(authority.issue("receiver", "127.0.0.1")) as endpoint:
        receiver = Receiver(endpoint.url, (SECRET,), authority.own.certificate.read_text())
        await sidecar.listeners.start((receiver,), sidecar.path)
        await sidecar.attack(*range(20))
        await until(lambda: len(endpoint.received) == 1)
        [got] = endpoint.received
        verified(got.headers, got.body, SECRET, float(got.headers["webhook-timestamp"]), set())
        subject = got.said["subject"]
        assert subject == f"acme|{sidecar.names.principal(PERSON)}"
        assert (got.said["data"]["after"], got.said["data"]["escalated"]) == ("deny", True)

        await shown(sidecar, subject)

        done = await sidecar.ask(Override(subject, "forgive"))
        assert isinstance(done, Overridden)
        assert (done.suspect.step, done.audited) == ("", True)
        assert sidecar.watcher.case("acme", PERSON).step == -1
        assert sidecar.metric("extproc_suspects", step="deny", shadow="false") == 0
        await until(lambda: len(endpoint.received) == 2)
        assert endpoint.received[1].said["data"]["before"] == "deny"
        await until(lambda: sidecar.metric("extproc_alerts_total", outcome="delivered") == 2)
        assert sidecar.metric("extproc_alerts_waiting") == 0
        await sidecar.close()
    recorded(tmp_path, [each.said for each in endpoint.received])


async def shown(sidecar: Sidecar, subject: str) -> None:
    answer = await sidecar.ask(ShowSuspect(subject))
    assert isinstance(answer, ShownSuspect)
    assert (answer.suspect.step, answer.suspect.counts["queries"]) == ("deny", 20)
    assert list(answer.suspect.evidence) == ["coverage"]
    assert [change.after for change in answer.suspect.history] == ["deny"]
    assert sidecar.metric("extproc_suspects", step="deny", shadow="false") == 1
    assert sidecar.watcher.case("acme", PERSON).step == 0


def recorded(folder: Path, alerts: Sequence[dict[str, Any]]) -> None:
    told = said(folder)
    kinds = [line["kind"] for line in told if line["kind"] in {"seen", "suspected", "act"}]
    assert sorted(kinds) == ["act", "seen", "suspected", "suspected"]
    findings = [line["finding"] for line in told if line["kind"] == "suspected"]
    assert findings == [each["id"] for each in alerts]
    assert [line["request"] for line in told if line["kind"] == "seen"] == ["a1b2"]
    assert report(folder).whole
    assert "issuer.example" not in str(alerts)
    assert "issuer.example" not in (folder / "audit.jsonl").read_text()


@pytest.mark.parametrize(("word", "override"), [("trust", "trusted"), ("freeze", "frozen")])
async def test_what_an_operator_says_holds_for_the_next_request(
    sidecar: Sidecar, word: Word, override: str
) -> None:
    await sidecar.attack(*range(20))
    subject = f"acme|{sidecar.names.principal(PERSON)}"
    assert isinstance(await sidecar.ask(Override(subject, word, 3600)), Overridden)
    assert sidecar.watcher.case("acme", PERSON).override == override


async def test_alerts_wait_beside_the_audit_log_and_no_glob_of_it_finds_them(
    sidecar: Sidecar, tmp_path: Path
) -> None:
    await sidecar.listeners.start((Receiver("https://127.0.0.1:1/", (SECRET,)),), sidecar.path)
    await sidecar.attack(*range(20))
    await until(lambda: sidecar.metric("extproc_alerts_total", outcome="retried") == 1)
    assert sidecar.metric("extproc_alerts_waiting") == 1
    await sidecar.close()
    names = sorted(path.name for path in sidecar.path.parent.iterdir())
    assert names == [".audit.jsonl.alerts", ".audit.jsonl.lock", "audit.jsonl"]
    assert sidecar.metric("extproc_alerts_total", outcome="lost") == 0


async def test_a_receiver_that_can_be_none_keeps_it_from_starting(sidecar: Sidecar) -> None:
    wrong = Receiver("http://receiver.example/", (SECRET,))
    with pytest.raises(ConfigError, match=r"alerts: receiver\.example"):
        await sidecar.listeners.start((wrong,), None)
