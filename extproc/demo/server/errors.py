"""What goes wrong here, by whose fault.

DemoError
├── MissingWeights   operator: a model's weights are not installed; say how to install them
└── ApiError         client: the request cannot be answered; has a status, becomes an API's error
"""

from http import HTTPStatus


class DemoError(Exception):
    """Base of every error raised here."""


class MissingWeights(DemoError):  # noqa: N818 - names a condition
    """A model's weights are not installed."""


class ApiError(DemoError):
    """The request cannot be answered; ``param`` and ``code`` are OpenAI's words."""

    def __init__(
        self, status: HTTPStatus, message: str, *, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code
