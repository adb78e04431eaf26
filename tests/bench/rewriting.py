"""What rewriting an answer costs, without Envoy and without grpc: in this process, on one core."""

import time
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import orjson

from extproc.dialects.answers import Document
from extproc.dialects.kserve_v2_grpc import KServeV2Grpc
from extproc.dialects.shape import Node, Rewrite
from extproc.dialects.tensor import OutputKind
from extproc.dialects.told import Told
from extproc.dialects.value_stream import ValueStream
from extproc.fidelity import Fidelity
from extproc.information import Measure
from extproc.mutators import Quantize, Round, TopK
from extproc.policy import Policy, PolicyTable
from extproc.rewriter import body_rewriter, rewritten
from extproc.server.driver import SLICE
from tests.bench import bodies
from tests.bench.figures import Figure, Spread, Table
from tests.bench.timing import EMPTY_LOOP, Work, empty_loop, take_turns

_STREAMED: Final = 100
"""Events in one run: what a stream costs once is not what an event costs."""


@dataclass(frozen=True, slots=True)
class _Task:
    what: str
    ours: Work
    without: Work
    goal: float | None = None


def rewriting(table: PolicyTable) -> list[Table]:
    return [_answers(table), _stream(table)]


def _answers(table: PolicyTable) -> Table:
    tasks = _tasks(table)
    scale, *took = take_turns(
        [Work(empty_loop), *(work for task in tasks for work in (task.ours, task.without))]
    )
    return Table(
        "Rewriting one answer",
        "orjson reads and writes the same document; a tensor is widened and narrowed",
        (
            Figure(EMPTY_LOOP, "us", scale),
            *(
                Figure(task.what, "us", ours, without, task.goal)
                for task, ours, without in zip(tasks, took[::2], took[1::2], strict=True)
            ),
        ),
    )


def _tasks(table: PolicyTable) -> list[_Task]:
    chat, embeddings = _policy(table, bodies.CHAT), _policy(table, bodies.EMBEDDINGS)
    kserve = _policy(table, "/v2/models/{model}/infer")
    one, coded = bodies.embeddings_answer(), bodies.embeddings_answer(encoded=True)
    batch, batch_coded = (
        bodies.embeddings_answer(bodies.BATCH, encoded=encoded) for encoded in (False, True)
    )
    logprobs = bodies.logprobs_answer()
    tier = Fidelity("rounded", {"text": (), "logprobs": (TopK(k=2), Round(digits=3))})
    rounded = replace(chat, fidelity=tier, edits=tier.edits())
    return [
        _document("embedding, 1,536 values as JSON", embeddings, one, 300),
        _document("embedding, 1,536 values as base64", embeddings, coded, 60),
        _document("64 embeddings as JSON", embeddings, batch, 16_000),
        _document("64 embeddings as base64", embeddings, batch_coded, 2_000),
        _document("chat, 200 tokens with logprobs, dropped", chat, logprobs, 900),
        _document("chat, 200 tokens with logprobs, rounded", rounded, logprobs, 900),
        _document("chat, 1 KB", chat, bodies.chat_answer()),
        _document("KServe, 10 classes", kserve, bodies.kserve_answer()),
        _event("event, nothing to take out", chat, bodies.event()),
        _event("event, logprobs to take out", chat, bodies.event(logprobs=True)),
        _document("64 embeddings as base64, bits counted", embeddings, batch_coded, counted=True),
        _document("chat, 1 KB, bits counted", chat, bodies.chat_answer(), counted=True),
        _event("event, nothing to take out, bits counted", chat, bodies.event(), counted=True),
        *_tensors(),
    ]


def _tensors() -> list[_Task]:
    """KServe over gRPC, 1 MB of FP32: of many short rows, and of few long ones."""
    return [
        _tensor("rounded", "probabilities", (26_214, 10), Round(digits=2)),
        _tensor("rounded", "probabilities", (1024, 256), Round(digits=2)),
        _tensor("rounded", "probabilities", (256, 1024), Round(digits=2)),
        _tensor("quantised", "embedding", (1024, 256), Quantize(bits=8)),
        _tensor("quantised", "embedding", (256, 1024), Quantize(bits=8)),
    ]


def _tensor(
    done: str, kind: OutputKind, shape: tuple[int, int], mutator: Quantize | Round
) -> _Task:
    values = np.random.default_rng(1).dirichlet(np.ones(shape[1]), shape[0]).astype("<f4")
    message = bodies.infer_answer(values)
    [answer] = set(KServeV2Grpc(outputs={"output": kind}).answers().values())
    edits = Fidelity("bench", {kind: (mutator,)}).edits()

    def ours() -> None:
        rewriter = body_rewriter(answer, {}, Rewrite(edits, "m"), 2 << 20)
        b"".join(filter(None, rewriter.feed(message)))

    what = f"KServe gRPC tensor of 1 MB, {shape[0]:,} x {shape[1]:,}, {done}"
    return _Task(what, Work(ours), Work(lambda: values.astype(np.float64).astype("<f4")), 5_000)


def _document(
    what: str,
    policy: Policy,
    document: bytes,
    goal: float | None = None,
    *,
    counted: bool = False,
) -> _Task:
    node, measure = _tree(policy), _measure(policy, counted=counted)

    def ours() -> bytes | None:
        return rewritten(document, node, Rewrite(policy.edits, "chat", told=Told(measure=measure)))

    return _Task(what, Work(ours), _read_and_write(document), goal)


def _tree(policy: Policy) -> Node:
    answer = policy.answers["application/json"]
    assert isinstance(answer, Document)
    return answer.node


def _measure(policy: Policy, *, counted: bool) -> Measure | None:
    return Measure(policy.fidelity.mutators, policy.route.sizes) if counted else None


def _event(what: str, policy: Policy, event: bytes, *, counted: bool = False) -> _Task:
    answer, measure = policy.answers["text/event-stream"], _measure(policy, counted=counted)

    def ours() -> None:
        run = Rewrite(policy.edits, "chat", told=Told(measure=measure))
        rewriter = body_rewriter(answer, {}, run, policy.caps.value)
        for _ in range(_STREAMED):
            b"".join(filter(None, rewriter.feed(event)))

    data = event.removeprefix(b"data: ").rstrip()
    return _Task(what, Work(ours, per=_STREAMED), _read_and_write(data))


def _stream(table: PolicyTable) -> Table:
    """A batch as a stream of values, in the pieces that driver.py makes."""
    policy, document = _policy(table, bodies.EMBEDDINGS), bodies.embeddings_answer(bodies.BATCH)
    pieces = [document[at : at + SLICE] for at in range(0, len(document), SLICE)]
    megabytes = len(document) / 1e6
    ours, without = take_turns([Work(lambda: _steps(policy, pieces)), _read_and_write(document)])
    longest = Spread.of([max(_steps(policy, pieces)) * 1000 for _ in range(10)])
    return Table(
        f"Rewriting {bodies.BATCH} embeddings as JSON, {megabytes:.1f} MB, as a stream of values",
        "orjson reads and writes the same document",
        (
            Figure("speed", "MB/s", _rate(megabytes, ours), _rate(megabytes, without)),
            Figure(f"longest step, of {SLICE >> 10} KiB", "ms", longest, goal=5),
        ),
    )


def _steps(policy: Policy, pieces: list[bytes]) -> list[float]:
    """Seconds of CPU that each piece takes."""
    stream = ValueStream(_tree(policy), Rewrite(policy.edits, ""), policy.caps.value)
    clock = [time.process_time()]
    for piece in pieces:
        stream.feed(piece)
        clock.append(time.process_time())
    stream.finish()
    return [after - before for before, after in pairwise(clock)]


def _rate(megabytes: float, took: Spread) -> Spread:
    """MB/s, from microseconds."""
    return Spread(*(megabytes / each * 1e6 for each in (took.median, took.high, took.low)))


def _read_and_write(document: bytes) -> Work:
    return Work(lambda: orjson.dumps(orjson.loads(document)))


def _policy(table: PolicyTable, path: str) -> Policy:
    return table.policies["bench", f"POST {path}"]
