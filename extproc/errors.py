"""Every exception this package raises, grouped by whose fault it is.

ExtprocError
├── ConfigError       operator: the configuration is wrong; refuse to start, or keep the old one
├── OperatorError     the operator asks about what there is not; told so, nothing is done
├── ClientError       the client's request breaks its API or our bounds      -> the refusal it names
├── UpstreamError     the model server's answer breaks its API or our bounds -> 502
├── Malformed         bytes are not what their format says; who reads them knows whose fault it is
├── ProtocolError     Envoy sent what its protocol or our set-up forbids     -> abort the stream
├── IssuerUnavailable  whoever made a token cannot be asked about it in time  -> 503
└── StoreUnavailable  counters cannot be reached in time                     -> 503

Refusing a request is not an error: see refusal.py.  A message never holds a value from a body.
"""

from extproc.refusal import INVALID_REQUEST, Refusal


class ExtprocError(Exception):
    """Base of every error raised here."""


class ConfigError(ExtprocError):
    """The configuration cannot be used; the message says where and what to do."""


class OperatorError(ExtprocError):
    """An operator names what there is not, or asks for what cannot be; the message says so."""


class ClientError(ExtprocError):
    """The client's request cannot be served; carries the refusal to answer with."""

    def __init__(self, detail: str, refusal: Refusal = INVALID_REQUEST) -> None:
        super().__init__(detail)
        self.refusal = refusal.because(detail)


class UpstreamError(ExtprocError):
    """The model server's answer is not what its API promises, or passes our bounds."""


class Malformed(ExtprocError):  # noqa: N818 - names a condition, whoever reads makes it an error
    """Bytes are not what their format says: a ClientError or an UpstreamError, by who sent them."""


class ProtocolError(ExtprocError):
    """Envoy broke the message order, or is not configured as we require."""


class IssuerUnavailable(ExtprocError):  # noqa: N818 - names a condition, as in gRPC
    """The issuer of a token did not say in time what it is."""


class StoreUnavailable(ExtprocError):  # noqa: N818 - names a condition, as in gRPC
    """The store did not answer in time, so that the outcome is unknown."""
