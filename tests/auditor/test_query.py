"""Questions to real files, by a real DuckDB."""

import sys
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from extproc.audit.record import Gap
from extproc.auditor.grouping import By
from extproc.auditor.query import (
    ACT_FIELDS,
    FIELDS,
    SUSPECTED_FIELDS,
    Answer,
    Question,
    ask,
    ask_acts,
    ask_sql,
    ask_suspected,
)
from extproc.errors import ConfigError
from tests.audit.logs import EVERY, act, at, chain, lines, record, suspected

RECORDS = [
    record(0, model="m", inputs=2, fingerprint="f1", principal="key:1", status=200, duration=0.5),
    record(1, model="m", inputs=3, fingerprint="f1", principal="key:2", status=200, duration=1.5),
    record(3600, model="x", inputs=0, reason="model_not_found", status=404, dropped={"a": 1}),
]


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    log, paths = chain(), []
    for number, found in enumerate(RECORDS):
        file = lines(log.opening(at(number), EVERY))
        file.append(log.record(found))
        file.append(log.gap(Gap(at(number), "queue", 5)))
        paths.append(tmp_path / f"log.{number}")
        paths[-1].write_bytes(b"".join(file))
    with paths[-1].open("ab") as last:
        last.write(b'{"n":99,"kind":"exch')
    return paths


def column(answer: Answer, name: str) -> list[Any]:
    return [row[answer.columns.index(name)] for row in answer.rows]


def test_the_latest_records_come_first_and_whole(files: list[Path]) -> None:
    answer = ask(files, Question())
    assert answer.columns == [*FIELDS]
    assert column(answer, "request") == ["e3600", "e1", "e0"]
    assert column(answer, "dropped")[0] == {"a": 1}
    assert (answer.gaps, answer.missing) == (3, 15)
    assert column(ask(files, Question(limit=1)), "request") == ["e3600"]


@pytest.mark.parametrize(
    ("question", "requests"),
    [
        (Question({"model": "m"}), ["e1", "e0"]),
        (Question({"model": "m", "principal": "key:2"}), ["e1"]),
        (Question({"reason": "*_found"}), ["e3600"]),
        (Question({"status": "404"}), ["e3600"]),
        (Question({"model": "?"}), []),
        (Question({"model": "[mx]"}), []),
        (Question({"model": "' OR 1=1 --"}), []),
        (Question(since=at(1)), ["e3600", "e1"]),
        (Question(until=at(1)), ["e0"]),
        (Question(since=at(1).astimezone(timezone(timedelta(hours=2))), until=at(2)), ["e1"]),
    ],
)
def test_records_are_chosen_by_their_fields(
    files: list[Path], question: Question, requests: list[str]
) -> None:
    assert column(ask(files, question), "request") == requests


def test_sums_are_by_whatever_is_asked(files: list[Path]) -> None:
    answer = ask(files, Question(by=(By.MODEL,)))
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    assert rows[0] == {
        "model": "m",
        "records": 2,
        "not_served": 0,
        "inputs": 5,
        "principals": 2,
        "fingerprints": 1,
        "median_s": 1.0,
        "p99_s": 1.49,
    }
    assert rows[1]["model"] == "x"


@pytest.mark.parametrize("by", By)
def test_sums_may_be_by_each_of_them(files: list[Path], by: By) -> None:
    answer = ask(files, Question(by=(by, By.TENANT)))
    assert answer.columns[:2] == [by, "tenant"]
    assert sum(column(answer, "records")) == 3


def test_time_is_cut_into_hours(files: list[Path]) -> None:
    answer = ask(files, Question(by=(By.HOUR,)))
    assert column(answer, "hour") == [at(0).replace(tzinfo=None), at(3600).replace(tzinfo=None)]


def test_a_select_may_ask_anything_of_the_records(files: list[Path]) -> None:
    answer = ask_sql(files, "SELECT model, sum(inputs) AS total FROM records GROUP BY 1 ORDER BY 1")
    assert answer.columns == ["model", "total"]
    assert answer.rows == [("m", 5), ("x", 0)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM '{file}'",
        "COPY records TO '{file}.csv'",
        "ATTACH '{file}.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '99GB'",
        "SELECT * FROM nowhere",
        "nonsense",
    ],
)
def test_a_question_reaches_nothing_but_the_records(files: list[Path], sql: str) -> None:
    before = sorted(files[0].parent.iterdir())
    with pytest.raises(ConfigError, match="--sql: "):
        ask_sql(files, sql.format(file=files[0]))
    assert sorted(files[0].parent.iterdir()) == before


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gone: no such file"):
        ask([tmp_path / "gone"], Question())


def test_an_extra_that_is_missing_is_named(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ConfigError, match=r"pip install 'extproc\[audit\]'"):
        ask(files, Question())


# What operators did.


@pytest.fixture
def acted(tmp_path: Path) -> list[Path]:
    log, path = chain(), tmp_path / "log"
    file = lines(log.opening(at(0), EVERY))
    file.append(log.record(record(1, charge={"requests": 1, "credits": 0.125})))
    file.append(log.record(act(2)))
    more = {"act": "grant", "budget": "daily", "amount": 1.5, "unit": "credits", "counters": 1}
    file.append(log.record(act(3, **more)))
    path.write_bytes(b"".join(file))
    return [path]


def test_acts_are_asked_for_by_themselves_the_latest_first(acted: list[Path]) -> None:
    answer = ask_acts(acted, Question())
    assert answer.columns == [*ACT_FIELDS]
    assert column(answer, "act") == ["grant", "freeze"]
    assert column(answer, "who") == ["ops", "ops"]
    assert column(answer, "amount") == [1.5, None]
    assert column(ask_acts(acted, Question(limit=1)), "budget") == ["daily"]
    assert ask_acts(acted, Question({"tenant": "beta"})).rows == []
    assert column(ask_acts(acted, Question(until=at(3))), "act") == ["freeze"]


def test_acts_are_no_records(acted: list[Path]) -> None:
    assert column(ask(acted, Question()), "request") == ["e1"]
    assert ask(acted, Question(by=(By.TENANT,))).rows[0][1] == 1


def test_what_was_charged_is_read_to_the_thousandth(acted: list[Path]) -> None:
    assert column(ask(acted, Question()), "charge") == [{"requests": 1.0, "credits": 0.125}]


def test_a_select_may_ask_about_acts_too(acted: list[Path]) -> None:
    asked = "SELECT budget, sum(amount) FROM acts WHERE act = 'grant' GROUP BY 1"
    assert ask_sql(acted, asked).rows == [("daily", 1.5)]


# What was found of suspects.


@pytest.fixture
def found_out(tmp_path: Path) -> list[Path]:
    log, path = chain(), tmp_path / "log"
    file = lines(log.opening(at(0), EVERY))
    file.append(log.record(record(1)))
    more = {"evidence": {"novelty": 9.062}, "counts": {"queries": 120}, "until": at(3600)}
    file.append(log.record(suspected(2, suspicion=0.95, escalated=True, **more)))
    file.append(log.record(suspected(3, subject="acme|key:1", before="fidelity", after="")))
    path.write_bytes(b"".join(file))
    return [path]


def test_what_was_found_is_asked_for_by_itself_the_latest_first(found_out: list[Path]) -> None:
    answer = ask_suspected(found_out, Question())
    assert answer.columns == [*SUSPECTED_FIELDS]
    assert column(answer, "finding") == ["f3", "f2"]
    assert column(answer, "evidence")[1] == {"novelty": 9.062}
    assert column(answer, "counts")[1] == {"queries": 120}
    assert column(answer, "until") == [None, at(3600).replace(tzinfo=None)]
    one = ask_suspected(found_out, Question({"subject": "acme|*"}))
    assert column(one, "finding") == ["f3"]
    assert column(ask(found_out, Question()), "request") == ["e1"]


def test_a_select_may_ask_about_suspects_too(found_out: list[Path]) -> None:
    asked = "SELECT after, max(suspicion) FROM suspected WHERE escalated GROUP BY 1"
    assert ask_sql(found_out, asked).rows == [("fidelity", 0.95)]
