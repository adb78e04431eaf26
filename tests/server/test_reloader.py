"""What files say is put in force whole, or not at all; and nothing of what was stays behind."""

import asyncio
import gc
import hmac
import io
import sys
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from extproc.auditor.keys import new_pair
from extproc.caps import Caps
from extproc.config import load_all
from extproc.config.files import Files
from extproc.config.key_file import KeyLine, encoded
from extproc.credentials import Needed, Proof
from extproc.errors import IssuerUnavailable
from extproc.events import CheckedRequest
from extproc.policy import PolicyTable
from extproc.server import reloader as reloading
from extproc.server.audit_log import AuditLog
from extproc.server.audited import Auditor
from extproc.server.issuers import Issuers
from extproc.server.record import Records
from extproc.server.reloader import Reloader
from extproc.server.tables import Tables
from extproc.server.telemetry import Telemetry
from extproc.server.watched import Watcher
from tests.config import example, scale
from tests.config.everything import write
from tests.config.sealed import sealed
from tests.e2e.authority import Authority
from tests.issuer import EC, NAME, Issuer, jwks
from tests.server.journals import plan, said

TEXT = example.changed(('"env:HMAC"', '"file:hmac"'))
OTHER = TEXT.replace("max: 20", "max: 21")
TOKEN = "opaque-token-0123456789"


class Sidecar:
    """All of one that reloads."""

    def __init__(self, path: Path, linger: float, auditor: Auditor | None) -> None:
        self.path, self.log = path, io.BytesIO()
        self.records, self.telemetry = Records(self.log), Telemetry()
        loaded = load_all(path)
        self.issuers = Issuers(loaded.table, self.records)
        self.tables = Tables(loaded.table, self.issuers.ask)
        self.caps: list[Caps] = []
        self.reloader = Reloader(
            loaded,
            self.tables,
            self.issuers,
            self.telemetry,
            self.records,
            self.caps.append,
            linger=linger,
            auditor=auditor,
        )

    @property
    def version(self) -> str:
        return self.tables.now.table.version

    @property
    def models(self) -> tuple[str, ...]:
        return self.tables.now.table.policies["acme", "POST /v1/embeddings"].models

    def value(self, metric: str, **labels: str) -> float | None:
        return self.telemetry.registry.get_sample_value(metric, labels)

    def recorded(self) -> list[dict[str, Any]]:
        """Every record so far; call it once, last."""
        self.records.close()
        return [orjson.loads(line) for line in self.log.getvalue().splitlines()]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.to_thread(_moment.wait, 0.01)

    async def counted(self, outcome: str, times: int) -> None:
        await self.until(
            lambda: self.value("extproc_config_reloads_total", outcome=outcome) == times
        )


_moment = threading.Event()


def text(folder: Path, content: str = TEXT) -> Path:
    (folder / "hmac").write_text("0" * 32)
    (folder / "policy.yaml").write_text(content)
    return folder / "policy.yaml"


@asynccontextmanager
async def sidecar(
    path: Path, *, runs: bool = False, linger: float = 0.0, auditor: Auditor | None = None
) -> AsyncIterator[Sidecar]:
    made = Sidecar(path, linger, auditor)
    await made.issuers.start()
    running = asyncio.create_task(made.reloader.run()) if runs else None
    yield made
    if running is not None:
        running.cancel()
        await asyncio.wait({running})
    await made.reloader.close()
    made.records.close()


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Sidecar]:
    async with sidecar(text(tmp_path)) as found:
        yield found


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Sidecar]:
    async with sidecar(text(tmp_path), runs=True) as found:
        yield found


# Once.


async def test_another_policy_is_put_in_force_and_told_everywhere(made: Sidecar) -> None:
    before, since = made.version, made.reloader.status()["since"]
    made.path.write_text(OTHER + "caps: {held: 7MiB}\n")
    await made.reloader.reload()
    assert made.version != before
    assert made.caps[-1].held == 7 << 20
    told = {"config": made.version, "since": made.reloader.status()["since"], "problem": ""}
    assert made.reloader.status() == told
    assert made.reloader.told() == [f"config {made.version} since {told['since']}"]
    assert told["since"] >= since
    assert made.value("extproc_config_info", hash=made.version) == 1
    assert made.value("extproc_config_info", hash=before) is None
    assert made.value("extproc_config_reload_failed") == 0
    assert made.value("extproc_config_since_timestamp_seconds")
    [record] = made.recorded()
    assert record.pop("time")
    assert record.pop("milliseconds") > 0
    told = {"level": "info", "message": "reloaded"}
    assert record == {**told, "before": before, "config": made.version}


async def test_the_same_policy_is_not_put_in_force_again(made: Sidecar) -> None:
    before = made.tables.now
    made.path.write_text(f"# A word.\n{TEXT}")
    await made.reloader.reload()
    assert made.tables.now is before
    assert made.value("extproc_config_reloads_total", outcome="unchanged") == 1
    assert [record["message"] for record in made.recorded()] == ["unchanged"]


WRONG = {
    "no YAML": "version: [",
    "a name that is none": TEXT.replace("policy: partner", "policy: other"),
    "half of it": TEXT[: TEXT.index("fidelities")] + "fidel",
    "nothing": "",
    "what needs a restart": TEXT.replace("/run/extproc.sock", "/run/other.sock"),
    "a secret that is missing": TEXT.replace("file:hmac", "file:gone"),
}


@pytest.mark.parametrize("why", WRONG)
async def test_what_is_wrong_keeps_what_serves_and_is_told(made: Sidecar, why: str) -> None:
    before = made.tables.now
    made.path.write_text(WRONG[why])
    await made.reloader.reload()
    assert made.tables.now is before
    config, problem = made.reloader.told()
    assert config.startswith(f"config {made.version} since ")
    assert problem.startswith(f"not reloaded: {made.path}:")
    assert made.reloader.status()["problem"] == problem.removeprefix("not reloaded: ")
    assert made.value("extproc_config_reload_failed") == 1
    assert made.value("extproc_config_reloads_total", outcome="failed") == 1
    assert made.value("extproc_config_info", hash=made.version) == 1
    made.path.write_text(TEXT)
    await made.reloader.reload()
    assert made.reloader.problem == ""
    assert made.value("extproc_config_reload_failed") == 0
    wrong, well = made.recorded()
    assert (wrong["level"], wrong["message"]) == ("error", "not reloaded")
    assert wrong["config"] == made.version
    assert wrong["problem"] == problem.removeprefix("not reloaded: ")
    assert well["message"] == "unchanged"


async def test_whoever_could_not_be_told_any_more_keeps_what_serves(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority").own.certificate
    right = {"hook": b"0" * 32, "authority.pem": authority.read_bytes()}
    (tmp_path / "hook").write_bytes(right["hook"])
    (tmp_path / "ref").write_bytes(sealed("0" * 32))
    alert = "{url: 'https://a.example', secret: 'file:hook', ca: authority.pem}"
    detection = f"detection: {{reference: ref, alerts: [{alert}]}}\n"
    path = text(tmp_path, TEXT + detection)
    async with sidecar(path) as made:
        before = made.tables.now
        path.write_text(OTHER + detection)
        for name, wrong, place in (
            ("hook", b"whsec_this-is-no-base64-at-all-whatever", "secret: it is whsec_ without"),
            ("authority.pem", b"", f"ca: {tmp_path}/authority.pem holds no certificates"),
        ):
            (tmp_path / name).write_bytes(wrong)
            await made.reloader.reload()
            assert made.tables.now is before
            assert f": detection.alerts[0].{place}" in made.reloader.problem
            (tmp_path / name).write_bytes(right[name])
        (tmp_path / "authority.pem").write_bytes(right["authority.pem"] * 2)
        await made.reloader.reload()
        assert made.reloader.problem == ""
        assert made.tables.now is not before


KEYS = ("xk-1", "xk-2", "xk-3")


def _issued(key: str, **more: Any) -> KeyLine:
    digest = hmac.digest(b"0" * 32, key.encode(), "sha256").hex()
    created = datetime(2025, 1, 1, tzinfo=UTC)
    return KeyLine(id=key[3:], prefix=key, hash=digest, tenant="acme", created=created, **more)


def _let_in(made: Sidecar) -> list[str]:
    prover = made.tables.now.table.provers["keys"]
    asked = {name: CheckedRequest("POST", "/", {"x-api-key": name}) for name in KEYS}
    proven = {name: prover.prove(request, 1.9e9) for name, request in asked.items()}
    return [name for name, proof in proven.items() if isinstance(proof, Proof)]


async def test_a_key_that_is_revoked_is_out_though_the_policy_is_wrong(tmp_path: Path) -> None:
    """And one that is new waits until it is right; a key that is gone from the file goes on."""
    path = text(tmp_path, TEXT + "credentials: {keys: {kind: api_key, file: keys.jsonl}}\n")
    file, revoked = tmp_path / "keys.jsonl", datetime(2026, 1, 1, tzinfo=UTC)
    file.write_bytes(b"".join(map(encoded, map(_issued, KEYS[:2]))))
    async with sidecar(path, runs=True) as made:
        assert _let_in(made) == ["xk-1", "xk-2"]
        path.write_text("version: [")
        await made.counted("failed", 1)
        assert _let_in(made) == ["xk-1", "xk-2"]
        file.write_bytes(encoded(_issued("xk-1", revoked=revoked)) + encoded(_issued("xk-3")))
        await made.until(lambda: _let_in(made) == ["xk-2"])
        await made.counted("failed", 2)
        file.write_bytes(b"no line\n")
        await made.counted("failed", 3)
        assert _let_in(made) == ["xk-2"]
        told = made.recorded()
    assert [record["message"] for record in told] == [
        "not reloaded",
        "keys ended",
        "not reloaded",
        "not reloaded",
    ]
    assert (told[1]["credential"], told[1]["keys"]) == ("keys", 1)


async def test_an_error_that_nobody_expected_keeps_it_too(
    made: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("s3cret")

    monkeypatch.setattr(reloading, "load_all", fail)
    before = made.tables.now
    await made.reloader.reload()
    assert made.tables.now is before
    assert made.reloader.problem == "internal error, see the log"
    assert b"s3cret" not in made.log.getvalue()
    assert [record["message"] for record in made.recorded()] == ["internal error", "not reloaded"]


async def test_the_end_may_come_later_from_now_on(made: Sidecar) -> None:
    made.path.write_text(f"{TEXT}drain: 7s\n")
    await made.reloader.reload()
    assert made.reloader.drain == 7


async def test_a_log_goes_on_under_other_pseudonyms(tmp_path: Path) -> None:
    """Who signs it cannot change, whom it hides can: the policy before hides as before."""
    path = write(tmp_path)
    async with sidecar(path) as made:
        before = made.tables.now.table
        (tmp_path / "pseudonyms").write_text("1" * 32)
        await made.reloader.reload()
        after = made.tables.now.table
        assert before.pseudonyms is not None
        assert after.pseudonyms is not None
        assert before.pseudonyms.epoch != after.pseudonyms.epoch
        (tmp_path / "audit.pem").write_bytes(new_pair()[0])
        await made.reloader.reload()
        assert "audit.key: cannot change while the sidecar runs" in made.reloader.problem


# Its issuers.


def asking(url: str, algorithms: str = "ES256") -> str:
    said = f"issuer: '{NAME}', audience: a, algorithms: [{algorithms}], jwks: '{url}/jwks'"
    opaque = f"issuer: '{NAME}', url: '{url}/introspect', client_id: us, client_secret: 'file:hmac'"
    credentials = f"tokens: {{kind: jwt, {said}}}, opaque: {{kind: introspection, {opaque}}}"
    return TEXT.replace("routes:\n", f"credentials: {{{credentials}}}\nroutes:\n", 1)


async def test_nothing_is_put_in_force_before_its_keys_are_there(made: Sidecar) -> None:
    with Issuer(keys=jwks(EC)) as issuer:
        issuer.slow.clear()
        made.path.write_text(asking(issuer.url))
        reloading = asyncio.create_task(made.reloader.reload())
        await made.until(lambda: issuer.waiting)
        assert "tokens" not in made.tables.now.table.provers
        issuer.slow.set()
        await reloading
        assert "tokens" in made.tables.now.table.provers
        assert made.reloader.issuers.refreshes[0].known


async def test_an_issuer_that_is_down_does_not_hold_it_up_for_ever(
    made: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extproc.server.issuers.START", 0.05)
    with Issuer(keys=jwks(EC)) as issuer:
        issuer.slow.clear()
        made.path.write_text(asking(issuer.url))
        await made.reloader.reload()
        assert made.reloader.told()[1:] == ["credential tokens: no keys: not fetched yet"]


async def test_one_whose_keys_are_known_does_not_hold_it_up_at_all(tmp_path: Path) -> None:
    with Issuer(keys=jwks(EC)) as issuer:
        async with sidecar(text(tmp_path, asking(issuer.url))) as made:
            issuer.slow.clear()
            made.path.write_text(asking(issuer.url).replace("max: 20", "max: 21"))
            async with asyncio.timeout(3):  # less than it may take to start
                await made.reloader.reload()
            assert made.reloader.issuers.refreshes[0].known
            assert made.reloader.told()[1:] == []
            await made.until(lambda: issuer.waiting)
            issuer.slow.set()


async def test_what_is_being_asked_is_answered_and_only_then_closed(tmp_path: Path) -> None:
    known = {TOKEN: {"active": True, "sub": "alice"}}
    with Issuer(keys=jwks(EC), known=known) as issuer:
        async with sidecar(text(tmp_path, asking(issuer.url))) as made:
            before = made.tables.now
            issuer.slow.clear()

            async def ask() -> None:
                with before:
                    await before.ask(Needed("opaque", TOKEN))

            asked = asyncio.create_task(ask())
            await made.until(lambda: issuer.waiting)
            made.path.write_text(asking(issuer.url).replace("max: 20", "max: 21"))
            await made.reloader.reload()
            assert made.tables.now is not before
            issuer.slow.set()
            await asked
            await made.until(lambda: not made.reloader._retiring)
            with pytest.raises((IssuerUnavailable, RuntimeError)):
                await before.ask(Needed("opaque", f"{TOKEN}-2"))


async def test_what_an_issuer_said_is_not_asked_again(tmp_path: Path) -> None:
    """It may be down by now: a key that was added somewhere shuts nobody out."""
    known = {TOKEN: {"active": True, "sub": "alice"}}
    with Issuer(keys=jwks(EC), known=known) as issuer:
        async with sidecar(text(tmp_path, asking(issuer.url))) as made:
            await made.tables.now.ask(Needed("opaque", TOKEN))
            issuer.status = 503
            made.path.write_text(asking(issuer.url).replace("max: 20", "max: 21"))
            await made.reloader.reload()
            request = CheckedRequest("POST", "/", {"authorization": f"Bearer {TOKEN}"})
            proof = made.tables.now.table.provers["opaque"].prove(request, time.time())  # noqa: TID251
            assert isinstance(proof, Proof)
            await made.until(made.reloader.issuers.told)


async def test_a_change_that_is_cut_off_changes_nothing(made: Sidecar) -> None:
    with Issuer(keys=jwks(EC)) as issuer:
        issuer.slow.clear()
        before = made.tables.now
        made.path.write_text(asking(issuer.url))
        reloading = asyncio.create_task(made.reloader.reload())
        await made.until(lambda: issuer.waiting)
        reloading.cancel()
        await asyncio.wait({reloading})
        assert made.tables.now is before
        issuer.slow.set()


# By itself.


async def test_files_are_loaded_when_they_change(running: Sidecar) -> None:
    running.path.write_text(TEXT.replace('"text-*"', '"code-*"'))
    await running.counted("changed", 1)
    assert running.models == ("code-*",)
    (running.path.parent / "hmac").write_text("1" * 32)
    await running.counted("changed", 2)
    assert running.tables.now.table.key == b"1" * 32


async def test_several_files_written_together_are_one_change(running: Sidecar) -> None:
    for number in range(20):
        running.path.write_text(TEXT.replace("max: 20", f"max: {30 + number}"))
        (running.path.parent / "hmac").write_text(f"{number:032}")
        await asyncio.sleep(0)
    await running.until(lambda: running.tables.now.table.key == b"%032d" % 19)
    assert running.value("extproc_config_reloads_total", outcome="changed") == 1


async def test_a_file_that_is_deleted_keeps_the_policy_until_it_is_back(running: Sidecar) -> None:
    before = running.tables.now
    running.path.unlink()
    await running.counted("failed", 1)
    assert "No such file or directory" in running.reloader.problem
    assert running.tables.now is before
    running.path.write_text(OTHER)
    await running.counted("changed", 1)
    assert running.reloader.problem == ""


async def test_so_does_a_whole_folder(running: Sidecar, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of which the watch tells nothing more: the files are looked at now and then."""
    monkeypatch.setattr(reloading, "LOOK", 0.05)
    folder = running.path.parent
    folder.rename(folder.with_name("gone"))
    await running.counted("failed", 1)
    folder.mkdir()
    text(folder, OTHER)
    await running.counted("changed", 1)


async def test_files_are_looked_at_where_nothing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reloading, "LOOK", 0.05)
    monkeypatch.setattr("extproc.server.watched.Watcher._concerns", lambda *_: False)
    async with sidecar(text(tmp_path), runs=True) as made:
        made.path.write_text(OTHER)
        await made.counted("changed", 1)


async def test_what_changed_before_anybody_watched_is_seen(tmp_path: Path) -> None:
    async with sidecar(text(tmp_path)) as made:
        made.path.write_text(OTHER)
        running = asyncio.create_task(made.reloader.run())
        await made.counted("changed", 1)
        running.cancel()
        await asyncio.wait({running})


async def test_what_changes_while_it_is_loaded_is_loaded_next(
    running: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, begun, go_on = load_all, threading.Event(), threading.Event()

    def held(path: Path, base: Path | None, files: Files) -> Any:
        loaded = load(path, base, files)
        begun.set()
        go_on.wait(10)
        return loaded

    monkeypatch.setattr(reloading, "load_all", held)
    running.path.write_text(TEXT.replace('"text-*"', '"one-*"'))
    await asyncio.to_thread(begun.wait, 10)
    running.path.write_text(TEXT.replace('"text-*"', '"two-*"'))
    go_on.set()
    await running.counted("changed", 2)
    assert running.models == ("two-*",)


async def test_whoever_is_in_a_hurry_has_it_loaded_though_nothing_changed(
    running: Sidecar,
) -> None:
    running.reloader.hurry()
    await running.counted("unchanged", 1)


async def test_an_audit_log_tells_which_policy_was_in_force_and_what_brought_it(
    tmp_path: Path,
) -> None:
    path, log = text(tmp_path), AuditLog(plan(tmp_path))
    async with sidecar(path, auditor=Auditor(log)) as made:
        first = made.version
        path.write_text(OTHER)
        await made.reloader.reload()
        second = made.version
        await made.reloader.reload()  # the same policy: nothing is told
        path.write_text("wrong")
        await made.reloader.reload()
        path.write_text(TEXT)
        await made.reloader.reload("signal")
    log.close()
    told = [line for line in said(tmp_path) if line["kind"] == "policy"]
    assert [(line["policy"], line["before"], line["cause"]) for line in told] == [
        (first, "", "start"),
        (second, first, "files"),
        (first, second, "signal"),
    ]


async def test_it_goes_on_after_an_error_that_nobody_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sidecar(text(tmp_path)) as made:
        follow, failed = Watcher.follow, list[int]()

        async def fail(watcher: Watcher, paths: Iterable[Path]) -> bool:
            failed.append(1)
            if len(failed) == 1:
                raise RuntimeError("s3cret")
            return await follow(watcher, paths)

        monkeypatch.setattr(reloading, "LOOK", 0.01)
        monkeypatch.setattr(Watcher, "follow", fail)
        made.path.write_text(OTHER)
        running = asyncio.create_task(made.reloader.run())
        await made.counted("changed", 1)
        running.cancel()
        await asyncio.wait({running})
        assert [record["message"] for record in made.recorded()] == ["internal error", "reloaded"]


# Nothing stays behind.


def open_files() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


async def test_fifty_changes_leave_nothing_behind(tmp_path: Path) -> None:
    """Neither tables nor tasks, threads or open files; and none of it waits for the collector."""
    with Issuer(keys=jwks(EC)) as issuer:
        content = asking(issuer.url)
        async with sidecar(text(tmp_path, content)) as made:
            tables = [await once_more(made, content, number) for number in range(2)]
            before = threading.active_count(), open_files(), len(asyncio.all_tasks())
            gc.collect()
            gc.disable()
            tables += [await once_more(made, content, number) for number in range(2, 52)]
            gc.enable()
            assert made.reloader.problem == ""
            assert [each() is not None for each in tables] == [False] * 51 + [True]
            assert made.tables._before == {}
            assert threading.active_count() <= before[0] + 1
            assert open_files() <= before[1] + 2
            await made.until(lambda: len(asyncio.all_tasks()) <= before[2])


async def once_more(made: Sidecar, content: str, number: int) -> "weakref.ref[PolicyTable]":
    """Another policy, by which a request is decided; returned when the last one has retired."""
    made.path.write_text(content.replace("max: 20", f"max: {21 + number}"))
    await made.reloader.reload()
    made.tables.now.table.policies.get(("acme", "POST /v1/embeddings"))
    await made.until(lambda: not made.reloader._retiring)
    return weakref.ref(made.tables.now.table)


async def test_the_policy_before_is_known_for_a_while(tmp_path: Path) -> None:
    async with sidecar(text(tmp_path), linger=60.0) as made:
        before = made.version
        made.path.write_text(OTHER)
        await made.reloader.reload()
        assert made.tables.of(before).version == before
        assert len(made.reloader._retiring) == 1
    assert made.reloader._retiring == set()


async def test_ten_thousand_tenants_are_put_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HMAC", scale.ENVIRON["HMAC"])
    scale.write_keys(tmp_path, 10, 10)
    path = scale.write_policy(tmp_path, 1000)
    async with sidecar(path) as made:
        scale.write_policy(tmp_path, 1001)
        interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
        await made.reloader.reload()
        await made.until(lambda: not made.reloader._retiring)
        assert len(made.tables.now.table.policies) == 1001 * scale.ROUTES
        assert (sys.getswitchinterval(), gc.get_threshold()) == (interval, thresholds)
