"""A request to the chat API, as types.

Rule: what would change the answer is either honoured or refused; fields that change nothing here,
like ``user`` or ``store``, are not read.
"""

from http import HTTPStatus
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from extproc.demo.server.errors import ApiError
from extproc.demo.server.models.sampling import Sampling
from extproc.demo.server.models.vocabulary import SIZE

MAX_PROMPT: Final = 32_768

_MAX_TOKENS: Final = 128
_REASONING_TOKENS: Final = {
    None: 0,
    "none": 0,
    "minimal": 4,
    "low": 8,
    "medium": 16,
    "high": 32,
    "xhigh": 64,
}

Tokens = Annotated[int, Meta(ge=1, le=16384)]
Text = Annotated[str, Meta(min_length=1, max_length=256)]
TokenId = Annotated[int, Meta(ge=0, lt=SIZE)]
Bias = Annotated[float, Meta(ge=-100, le=100)]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]


class TextPart(msgspec.Struct, frozen=True):
    type: Literal["text"]
    text: str


class Message(msgspec.Struct, frozen=True):
    role: str
    content: str | Annotated[list[TextPart], Meta(max_length=64)] | None = None

    @property
    def text(self) -> str:
        """The message in one line: the model has learned no other blanks."""
        match self.content:
            case None:
                return ""
            case str(text):
                return " ".join(text.split())
            case parts:
                return " ".join(" ".join(part.text for part in parts).split())


class StreamOptions(msgspec.Struct, frozen=True):
    include_usage: bool = False


class ChatRequest(msgspec.Struct, frozen=True):
    """``logit_bias`` takes as many tokens as OpenAI's API does, and by id as it does."""

    model: str
    messages: Annotated[list[Message], Meta(min_length=1, max_length=256)]
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    seed: int | None = None
    n: Annotated[int, Meta(ge=1, le=8)] | None = None
    stop: Text | Annotated[list[Text], Meta(max_length=4)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    logit_bias: Annotated[dict[TokenId, Bias], Meta(max_length=300)] | None = None
    reasoning_effort: Effort | None = None
    cache_salt: str | None = None

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages]

    @property
    def choices(self) -> int:
        return self.n or 1

    @property
    def stops(self) -> list[str]:
        return [self.stop] if isinstance(self.stop, str) else self.stop or []

    @property
    def wants_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage

    @property
    def sampling(self) -> Sampling:
        return Sampling(
            max_tokens=self.max_completion_tokens or self.max_tokens or _MAX_TOKENS,
            temperature=1.0 if self.temperature is None else self.temperature,
            top_p=self.top_p or 1.0,
            alternatives=self.top_logprobs or 0,
            logit_bias=self.logit_bias or {},
        )

    @property
    def reasoning(self) -> Sampling | None:
        """How to sample the hidden reasoning, if any is asked for: greedily, thus repeatably."""
        tokens = _REASONING_TOKENS[self.reasoning_effort]
        return Sampling(max_tokens=tokens, temperature=0) if tokens else None


def check(request: ChatRequest) -> None:
    """Raise ApiError 400 for what the types cannot say."""
    if request.top_logprobs is not None and not request.logprobs:
        message = "'top_logprobs' needs 'logprobs' to be true."
        raise ApiError(HTTPStatus.BAD_REQUEST, message, param="top_logprobs")
    if sum(map(len, request.texts)) > MAX_PROMPT:
        raise ApiError(
            HTTPStatus.BAD_REQUEST,
            f"The messages of this model have at most {MAX_PROMPT} characters.",
            param="messages",
            code="context_length_exceeded",
        )
