"""One HTTP request and its response, as a state machine without I/O.

              RequestHeaders             end of request            ResponseHeaders
      START ────────────────> REQUEST ───────────────────> WAITING ───────────────┐
                                                                                  │
                  ┌──────────────────────────────────────┬────────────────────────┤
                  │ document                             │ stream of events       │ error, no body
                  v              more than caps.document v                        v
                HELD ─────────────────────────────────> OPEN ──────────────────> DONE
                  └────────────────── end of response ──────────────────────────> ^

Rules.  The request goes on only when its whole body has been read and admitted.  While the answer
is HELD nothing has left, so a fault becomes a 502; once it is OPEN a fault becomes an error event
and the end of the stream, or cuts the body off.  After DONE nothing is sent, whatever comes, and
what comes of a request after its end is not read: Envoy has been seen to repeat the end of a body
(envoyproxy/envoy#46237).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Final

from extproc import grpc_status
from extproc.canonical import Steps
from extproc.constant_rate import Filler, filler
from extproc.detectors.excerpt import NOTHING, sample
from extproc.dialects.answers import Answer, streamed
from extproc.dialects.grpc_dialect import GrpcDialect
from extproc.dialects.request import Asked
from extproc.dialects.shape import Rewrite
from extproc.dialects.status import Status
from extproc.dialects.told import Told
from extproc.errors import ClientError, ProtocolError, UpstreamError
from extproc.events import (
    Abort,
    Action,
    Event,
    Headers,
    ReplaceRequest,
    ReplaceResponse,
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    Respond,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    SendRequestBody,
    SendRequestHeaders,
    SendRequestTrailers,
    SendResponseBody,
    SendResponseHeaders,
    SendResponseTrailers,
    Work,
)
from extproc.exhaustion import Reserving
from extproc.incoming import Incoming
from extproc.limits import Reserved
from extproc.padding import Padding, padding
from extproc.policy import Policy
from extproc.prediction import Query
from extproc.refusal import UPSTREAM_UNREADABLE, Refusal, of_upstream
from extproc.reply import reply
from extproc.response_headers import SPACE_ID, passing, removable, removable_trailers
from extproc.rewriter import BodyRewriter, body_rewriter, to_the_end
from extproc.wording import Wording

State = Enum("State", ("START", "REQUEST", "WAITING", "HELD", "OPEN", "DONE"))


_ANSWERING: Final = (State.OPEN, State.HELD)
_LATE: Final = (State.OPEN, State.DONE)
_Work = Iterator[bytes | None]  # see BodyRewriter.feed
_Then = Callable[[], Sequence[Action]]
_Passed = Callable[[Asked], Sequence[Action]]


class Exchange:
    """``receive(event)`` returns what to do now; see the module's states and rules."""

    reserving: Reserving | None = None  # see ReservedExchange

    def __init__(self, policy: Policy, parameters: Mapping[str, str]) -> None:
        self.state = State.START
        self.outcome = "unfinished"
        """For the record: ``served``, or the cause of the refusal, or ``cut``."""
        self.verdict = "unfinished"
        """The outcome as the client knows it: of a refusal, its code and not its cause."""
        self.fault = ""  # why the answer was not released: names and bounds, never values
        self.query: Query | None = None
        self.changed: Mapping[str, int] = {}
        """What the gate changed in the request; see Asked."""
        self.digests: Sequence[bytes] = ()
        self.sample = NOTHING  # of its inputs, where detectors look at them
        self.status = 0
        """Of HTTP, which the client gets; 0 while it has none."""
        self._upstream = 0
        """Of HTTP, which the model server answered; 0 while it has not."""
        self._policy = policy
        self._grpc = isinstance(policy.route.dialect, GrpcDialect)
        self._incoming = Incoming(policy, parameters)
        self._headers: Headers = {}
        self._removed: tuple[str, ...] = ()  # header fields of the answer that do not pass
        self._own: dict[str, str] = {}  # header fields of a success that are ours
        self._rewriter: BodyRewriter | None = None
        self.filler: Filler | None = None
        """What fills the stream up that the answer is, where it leaves at a constant rate."""
        self._padding: Padding | None = None
        self._run: Rewrite | None = None
        self._answer: list[bytes] = []  # what has been rewritten and has not left
        # What goes on to be rewritten in another turn, and what to do when that is done.
        self._paused: tuple[_Work, _Then] | None = None

    @property
    def done(self) -> bool:
        return self.state is State.DONE

    @property
    def working(self) -> bool:
        """Whether it goes on with the last event once others have had a turn: see Work."""
        return self._paused is not None

    @property
    def held(self) -> int:
        """Bytes of bodies that this exchange keeps now."""
        reading = self._incoming if self._rewriter is None else self._rewriter
        return self._rewritten() + reading.held + self.sample.size + self.told.kept

    @property
    def dropped(self) -> Mapping[str, int]:
        """How often a value was taken out of the answer, by its place in the dialect's tree."""
        return self._run.dropped if self._run is not None else {}

    @property
    def told(self) -> Told:
        """What its answer told, whether that passed or not."""
        return self._run.told if self._run is not None else Told()

    def receive(self, event: Event | Work | Reserved) -> Sequence[Action]:
        """Advance by one event.  Raise ProtocolError where it cannot come now, or is not ours."""
        try:
            if self._paused is None:
                return self._advance(event) if not isinstance(event, Work) else []
            if not isinstance(event, Work):
                raise ProtocolError(f"{type(event).__name__} before the last event was done with")
            (work, then), self._paused = self._paused, None
            return self._go_on(work, then)
        except ClientError as error:
            # Its words go to the client alone: they may repeat a name that the client chose.
            return self.refuse(error.refusal)
        except UpstreamError as error:
            self.fault = str(error)
            return self._give_up()

    def refuse(self, refusal: Refusal) -> Sequence[Action]:
        """Answer with a refusal and stop, as far as something can still be said."""
        if self.state in _LATE:
            return self._give_up() if self.state is State.OPEN else []
        buckets, wording = self._policy.shaping.buckets, self._wording(refusal)
        answer = reply(refusal, wording, buckets, grpc=self._grpc)
        self._finish(refusal.outcome, answer.status, refusal.code)
        return [answer]

    def _wording(self, refusal: Refusal) -> Wording:
        return self._policy.route.dialect

    def abandon(self, fault: str) -> None:
        """Decide nothing more and keep nothing; for a shadow, which lets the exchange go on."""
        self.fault = fault
        self._finish("unfinished")

    def _advance(self, event: Event | Reserved) -> Sequence[Action]:
        if isinstance(event, ResponseBody) and self.state in _ANSWERING:
            return self._response_body(event.data, end=event.end)  # nearly all that comes
        match self.state, event:
            case (State.DONE, _) | (State.WAITING | State.HELD | State.OPEN, RequestBody()):
                return []
            case State.START, RequestHeaders(end):
                return self._request_headers(end=end)
            case State.REQUEST, RequestBody(data, end):
                return self._request_body(data, end=end)
            case State.REQUEST, RequestTrailers(names):
                return self._request_trailers(names)
            case State.REQUEST | State.WAITING, ResponseHeaders() as headers:
                return self._response_headers(headers)
            case State.HELD | State.OPEN, ResponseTrailers() as trailers:
                return self._response_trailers(trailers)
            case _:
                raise ProtocolError(f"{type(event).__name__} in {self.state.name}")

    def _request_headers(self, *, end: bool) -> Sequence[Action]:
        self.state = State.REQUEST
        if not end:
            return []
        # A request without a body: there is nothing to send but its headers.
        return self._admit(lambda asked: [SendRequestHeaders(asked.set_headers)])

    def _request_body(self, data: bytes, *, end: bool) -> Sequence[Action]:
        self._incoming.feed(data)
        if not end:
            return []
        return self._admit(lambda asked: [ReplaceRequest(asked.body, asked.set_headers)])

    def _request_trailers(self, names: tuple[str, ...]) -> Sequence[Action]:
        return self._admit(
            lambda asked: [
                SendRequestHeaders(asked.set_headers),
                SendRequestBody(asked.body, end=False),
                SendRequestTrailers(names),
            ]
        )

    def _admit(self, passed: _Passed) -> Sequence[Action]:
        """The whole request is here: read it, and do this about what goes on."""
        return self._afford(self._read_under(self._policy), passed)

    def _read_under(self, policy: Policy) -> Asked:
        """The request as this policy lets it go on, or the one that it has for the model."""
        self._policy, asked = self._incoming.read(policy)
        self.query, self.changed = asked.query, asked.changed
        return asked

    def _afford(self, asked: Asked, passed: _Passed) -> Sequence[Action]:
        """Nobody counts what it costs: it goes on."""
        return self._go_on(self._know(asked), partial(passed, asked))

    def _know(self, asked: Asked) -> _Work:
        """What the answer is rewritten by; then the request goes on."""
        policy, model = self._policy, asked.query.model
        inputs = yield from self._digested(asked)
        marking = yield from policy.marking(asked, inputs)
        draws, count = policy.draws(model, inputs, marking), asked.query.inputs
        told, unasked = policy.told(count, model, asked.noted.knobs, marking), asked.unasked
        self._run = Rewrite(policy.edits, model, draws, unasked=unasked, told=told, inputs=count)
        self._own = {SPACE_ID: policy.space(model)} if policy.spaced else {}
        self.digests = inputs if policy.audited else ()
        self.sample = sample(asked.inputs) if policy.watched else NOTHING
        self._incoming.drop()
        self.state = State.WAITING

    def _digested(self, asked: Asked) -> Steps[Sequence[bytes]]:
        return (yield from self._policy.digests(asked))

    def _response_headers(self, event: ResponseHeaders) -> Sequence[Action]:
        self._upstream, remove = event.status, removable(event.headers)
        if self._grpc and event.end and 200 <= event.status < 300:
            return self._trailers_only(event, remove)
        if self.state is State.REQUEST or not 200 <= event.status < 300:
            # Envoy's own reply, or an error of the model server: its words never pass.  Answered as
            # other refusals are: another message of Envoy's would show in the header fields.
            return self.refuse(of_upstream(event.status, event.headers.get("retry-after", "")))
        if event.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise UpstreamError("the answer is compressed although nobody asked for that")
        self.status, self._headers, self._removed = event.status, event.headers, remove
        if event.end:
            self._finish("served")
            return [SendResponseHeaders(self._own, remove)]
        if isinstance(self._policy.route.dialect, Status):
            self._finish("served")
            return [ReplaceResponse(event.status, {}, (*remove, "content-type"), b"")]
        return self._open_body(event.headers)

    def _trailers_only(self, event: ResponseHeaders, remove: tuple[str, ...]) -> Sequence[Action]:
        """A gRPC error without a message: the number passes, with our own words."""
        failed = grpc_status.failure(event.headers.get("grpc-status", ""))
        if failed is None:
            raise UpstreamError("the answer has neither a message nor the status of an error")
        self._finish(failed.code, event.status)
        others = tuple(name for name in remove if name not in {"grpc-status", "grpc-message"})
        return [SendResponseHeaders({"grpc-message": failed.message}, others)]

    def _open_body(self, headers: Headers) -> Sequence[Action]:
        """Choose the rewriter by the answer's content type, which the request must allow."""
        assert self.query is not None
        assert self._run is not None
        answer = self._policy.answer(headers.get("content-type", ""), self.query)
        self._rewriter = body_rewriter(answer, headers, self._run, self._policy.caps.value)
        self._shape(answer)
        if streamed(answer):
            return self._release()
        self.state = State.HELD
        return []

    def _shape(self, answer: Answer) -> None:
        """What hides the lengths of a stream at a constant rate need not hide them twice."""
        shaping = self._policy.shaping
        if shaping.rate is not None and streamed(answer):
            self.filler = filler(answer)
        elif shaping.buckets is not None:
            self._padding = padding(answer, shaping.buckets)

    def _release(self) -> Sequence[Action]:
        self.state = State.OPEN
        return [SendResponseHeaders(self._set_headers(), self._removed)]

    def _set_headers(self) -> Headers:
        assert self._rewriter is not None
        return {**self._rewriter.set_headers, **self._own}

    def _response_body(self, data: bytes, *, end: bool) -> Sequence[Action]:
        assert self._rewriter is not None
        if not end:
            return self._go_on(self._rewriter.feed(data), self._fed)
        if self._grpc:
            raise UpstreamError("the answer ends without a status")
        return self._go_on(to_the_end(self._rewriter, data), self._finished)

    def _go_on(self, work: _Work, then: _Then) -> Sequence[Action]:
        """Until others are to have a turn; where it raises, what was rewritten stays: _give_up."""
        for piece in work:
            if piece is None:
                self._paused = work, then
                return []
            self._answer.append(piece if self._padding is None else self._padding.piece(piece))
        return then()

    def _finished(self) -> Sequence[Action]:
        self._close()
        return self._end(self._whole() if self.state is State.HELD else self._send(end=True))

    def _fed(self) -> Sequence[Action]:
        if self.state is State.HELD and self._rewritten() <= self._policy.caps.document:
            return []
        return self._send(end=False)

    def _close(self) -> None:
        """The whole answer is here."""
        if self._padding is not None:
            self._answer = [self._padding.end(b"".join(self._answer))]

    def _rewritten(self) -> int:
        return sum(map(len, self._answer))

    def _whole(self) -> list[Action]:
        """Headers and body in one message, which Envoy and grpc carry more cheaply than two; on a
        grid it is the one that refuses, since another kind takes Envoy longer.
        """
        headers, body = self._set_headers(), b"".join(self._answer)
        if self._policy.shaping.grid is None:
            return [ReplaceResponse(self.status, headers, self._removed, body)]
        fields = {**passing(self._headers), **headers}
        return [Respond(self.status, fields, body, "extproc_served")]

    def _send(self, *, end: bool) -> list[Action]:
        """What has been rewritten so far, with the headers before it if they have not left."""
        headers = self._release() if self.state is State.HELD else []
        data, self._answer = b"".join(self._answer), []
        body = [SendResponseBody(data, end=end)] if data or end else []
        return [*headers, *body]

    def _response_trailers(self, event: ResponseTrailers) -> Sequence[Action]:
        assert self._rewriter is not None
        removed = removable_trailers(event.names)
        if self._grpc and event.grpc_status != grpc_status.OK:
            return self._failed(event.grpc_status, removed)
        return self._go_on(self._rewriter.finish(), partial(self._ended, removed))

    def _ended(self, removed: tuple[str, ...]) -> Sequence[Action]:
        self._close()
        return self._end([*self._send(end=False), SendResponseTrailers(removed)])

    def _failed(self, status: str, removed: tuple[str, ...]) -> Sequence[Action]:
        """A gRPC answer that ends with an error; what is held of it is not sent."""
        failed = grpc_status.failure(status)
        if failed is None:
            raise UpstreamError("the answer ends without a status")
        self._own = {}
        headers = self._release() if self.state is State.HELD else []
        self._finish(failed.code)
        others = tuple(name for name in removed if name != "grpc-message")
        return [*headers, SendResponseTrailers(others, {"grpc-message": failed.message})]

    def _end(self, actions: list[Action]) -> Sequence[Action]:
        self._finish("served")
        return actions

    def _give_up(self) -> Sequence[Action]:
        """The answer cannot be released: say so in the way that is still open."""
        if self.state is not State.OPEN:
            return self.refuse(UPSTREAM_UNREADABLE)
        read, rewriter = b"".join(self._answer), self._rewriter
        self._finish("cut")
        assert rewriter is not None
        last = rewriter.cut(self._policy.route.dialect.error(UPSTREAM_UNREADABLE))
        if last is None:
            return [Abort("extproc_answer_cut")]
        if self._padding is not None:
            last = self._padding.piece(last)
        return [SendResponseBody(read + last, end=True)]

    def _finish(self, outcome: str, status: int | None = None, code: str = "") -> None:
        self.state, self.outcome, self.status = State.DONE, outcome, status or self.status
        self.verdict = code or outcome
        self._incoming.drop()
        self.told.forget()
        self._answer, self._rewriter, self._paused = [], None, None
