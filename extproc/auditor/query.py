"""``extproc audit query``: filters and sums over any number of files, by DuckDB.

Rule: values reach the database as parameters, names of columns from a fixed list.  A question in
SQL sees the records in memory and nothing else: no file, no network, no setting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from extproc.audit import Act, Enforced, Record, Suspected
from extproc.auditor.grouping import By
from extproc.errors import ConfigError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_COLUMNS: Final = {
    "n": "BIGINT",
    "kind": "VARCHAR",
    "time": "TIMESTAMP",
    "request": "VARCHAR",
    "decision": "VARCHAR",
    "reason": "VARCHAR",
    "detail": "VARCHAR",
    "shadow": "BOOLEAN",
    "principal": "VARCHAR",
    "tenant": "VARCHAR",
    "route": "VARCHAR",
    "model": "VARCHAR",
    "inputs": "BIGINT",
    "stream": "BOOLEAN",
    "fingerprint": "VARCHAR",
    "epoch": "VARCHAR",
    "policy": "VARCHAR",
    "fidelity": "VARCHAR",
    "changed": "MAP(VARCHAR, BIGINT)",
    "dropped": "MAP(VARCHAR, BIGINT)",
    "charge": "MAP(VARCHAR, DOUBLE)",
    "status": "INTEGER",
    "duration": "DOUBLE",
    "count": "BIGINT",
    "act": "VARCHAR",
    "uid": "BIGINT",
    "pid": "BIGINT",
    "who": "VARCHAR",
    "budget": "VARCHAR",
    "subject": "VARCHAR",
    "amount": "DOUBLE",
    "unit": "VARCHAR",
    "counters": "BIGINT",
    "outcome": "VARCHAR",
    "finding": "VARCHAR",
    "traffic": "VARCHAR",
    "suspicion": "DOUBLE",
    "before": "VARCHAR",
    "after": "VARCHAR",
    "escalated": "BOOLEAN",
    "cause": "VARCHAR",
    "until": "TIMESTAMP",
    "evidence": "MAP(VARCHAR, DOUBLE)",
    "counts": "MAP(VARCHAR, BIGINT)",
}
FIELDS: Final = (*Record.__struct_fields__,)
"""Of a record."""
ACT_FIELDS: Final = (*Act.__struct_fields__,)
"""Of an act."""
SUSPECTED_FIELDS: Final = (*Suspected.__struct_fields__,)
"""Of what was found of a suspect."""
POLICY_FIELDS: Final = (*Enforced.__struct_fields__,)
"""Of which policy was in force."""


_SUMS: Final = """\
count(*) AS records, \
count(*) FILTER (decision <> 'served') AS not_served, \
coalesce(sum(inputs), 0)::BIGINT AS inputs, \
count(DISTINCT principal) FILTER (principal <> '') AS principals, \
count(DISTINCT fingerprint) FILTER (fingerprint <> '') AS fingerprints, \
round(median(duration), 4) AS median_s, \
round(quantile_cont(duration, 0.99), 4) AS p99_s"""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the records."""

    equals: Mapping[str, str] = field(default_factory=dict)
    """Field to value; in a value ``*`` stands for any text."""
    since: datetime | None = None
    until: datetime | None = None
    by: Sequence[By] = ()
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Answer:
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    gaps: int
    """How many gaps the files tell of, whatever was asked."""
    missing: int
    """Records that these say are missing."""


def ask(paths: Sequence[Path], question: Question) -> Answer:
    """The latest records that fit, latest first; or sums, largest first."""
    with _connected() as database:
        _read(database, paths)
        where, values = _conditions(question)
        if question.by:
            keys = ", ".join(f"{_key(by)} AS {by}" for by in question.by)
            groups = ", ".join(str(place) for place in range(1, len(question.by) + 1))
            chosen, order = f"{keys}, {_SUMS}", f"GROUP BY {groups} ORDER BY records DESC, {groups}"
        else:
            chosen, order = ", ".join(FIELDS), "ORDER BY n DESC"
        asked = f"SELECT {chosen} FROM lines WHERE {where} {order} LIMIT ?"  # noqa: S608 - see the rule
        return _answer(database, asked, [*values, question.limit])


def ask_acts(paths: Sequence[Path], question: Question) -> Answer:
    """The latest acts of operators that fit, latest first."""
    return _ask(paths, question, "act", ACT_FIELDS)


def ask_suspected(paths: Sequence[Path], question: Question) -> Answer:
    """The latest that was found of suspects and fits, latest first."""
    return _ask(paths, question, "suspected", SUSPECTED_FIELDS)


def ask_policies(paths: Sequence[Path], question: Question) -> Answer:
    """The latest policies that were put in force, and fit, latest first."""
    return _ask(paths, question, "policy", POLICY_FIELDS)


def _ask(paths: Sequence[Path], question: Question, kind: str, fields: Sequence[str]) -> Answer:
    with _connected() as database:
        _read(database, paths)
        where, values = _conditions(question, kind, fields)
        chosen = ", ".join(fields)
        asked = f"SELECT {chosen} FROM lines WHERE {where} ORDER BY n DESC LIMIT ?"  # noqa: S608 - see the rule
        return _answer(database, asked, [*values, question.limit])


def ask_sql(paths: Sequence[Path], sql: str) -> Answer:
    """What a SELECT says about the tables ``records``, ``acts``, ``suspected`` and
    ``policies``.

    Raise ConfigError where it cannot be run.
    """
    with _connected() as database:
        _read(database, paths)
        database.execute("CREATE TABLE kept AS SELECT * FROM lines")
        database.execute("DROP VIEW lines")
        database.execute("ALTER TABLE kept RENAME TO lines")
        database.execute(f"CREATE VIEW records AS {_RECORDS}")
        database.execute(f"CREATE VIEW acts AS {_ACTS}")
        database.execute(f"CREATE VIEW suspected AS {_SUSPECTED}")
        database.execute(f"CREATE VIEW policies AS {_POLICIES}")
        database.execute("SET enable_external_access = false")
        database.execute("SET lock_configuration = true")
        try:
            return _answer(database, sql, [])
        except _error() as error:
            wrong = str(error).partition("\n")[0]
            remedy = "ask a SELECT about the tables records, acts, suspected and policies"
            raise ConfigError(f"--sql: {wrong}; {remedy}") from error


_RECORDS: Final = f"SELECT n, {', '.join(FIELDS)} FROM lines WHERE kind = 'exchange'"  # noqa: S608 - as above

_ACTS: Final = f"SELECT n, {', '.join(ACT_FIELDS)} FROM lines WHERE kind = 'act'"  # noqa: S608 - as above

_SUSPECTED: Final = f"SELECT n, {', '.join(SUSPECTED_FIELDS)} FROM lines WHERE kind = 'suspected'"  # noqa: S608 - as above

_POLICIES: Final = f"SELECT n, {', '.join(POLICY_FIELDS)} FROM lines WHERE kind = 'policy'"  # noqa: S608 - as above


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError as error:
        wrong = "audit query needs DuckDB"
        raise ConfigError(f"{wrong}; install it with: pip install 'extproc[audit]'") from error
    return duckdb


def _error() -> type[Exception]:
    return _duckdb().Error  # type: ignore[no-any-return]


def _connected() -> "DuckDBPyConnection":
    """In memory; nothing is ever loaded from elsewhere."""
    config = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    return _duckdb().connect(":memory:", config=config)  # type: ignore[no-any-return]


def _read(database: "DuckDBPyConnection", paths: Sequence[Path]) -> None:
    """Call what stands in the files ``lines``; a torn one is left out."""
    for path in paths:
        if not path.is_file():
            raise ConfigError(f"{path}: no such file; name files of an audit log")
    read = database.read_json(
        [str(path) for path in paths],
        columns=_COLUMNS,
        format="newline_delimited",
        ignore_errors=True,
    )
    read.create_view("lines")


def _conditions(
    question: Question, kind: str = "exchange", fields: Sequence[str] = FIELDS
) -> tuple[str, list[Any]]:
    """A WHERE clause, and its parameters."""
    clauses, values = ["kind = ?"], list[Any]([kind])
    for name, value in question.equals.items():
        assert name in fields
        clauses.append(f"{name}::VARCHAR GLOB ?")
        values.append(value.replace("[", "[[]").replace("?", "[?]"))
    for instant, order in ((question.since, ">="), (question.until, "<")):
        if instant is not None:
            clauses.append(f"time {order} ?")
            values.append(instant.astimezone(UTC).replace(tzinfo=None))
    return " AND ".join(clauses), values


def _key(by: By) -> str:
    match by:
        case By.MINUTE | By.HOUR | By.DAY:
            return f"date_trunc('{by}', time)"
        case _:
            return by.value


def _answer(database: "DuckDBPyConnection", asked: str, values: Sequence[Any]) -> Answer:
    found = database.execute(asked, values)
    columns = [column[0] for column in found.description or ()]
    rows = found.fetchall()
    gaps, missing = database.execute(_GAPS).fetchall()[0]
    return Answer(columns, rows, gaps, missing)


_GAPS: Final = (
    "SELECT count(*), coalesce(sum(count) FILTER (reason = 'queue'), 0)::BIGINT "
    "FROM lines WHERE kind = 'gap'"
)
