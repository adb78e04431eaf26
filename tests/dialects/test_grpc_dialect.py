import pytest

from extproc.dialects import KServeV2Grpc, TensorFlowGrpc
from extproc.dialects.answers import Frames, Message
from extproc.dialects.grpc_dialect import GrpcDialect, answering, framed, unframed
from extproc.dialects.shape import Rewrite
from extproc.errors import ClientError
from extproc.refusal import UNKNOWN_MODEL


@pytest.mark.parametrize("message", [b"", b"abc"])
def test_a_request_is_one_message(message: bytes) -> None:
    assert unframed(framed(message)) == message


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "no message"),
        (b"\0\0\0\0", "no message"),
        (b"\0\0\0\0\x03ab", "not one whole"),
        (framed(b"a") * 2, "not one whole"),
        (framed(b"a") + b"\0", "not one whole"),
        (b"\x01" + framed(b"a")[1:], "Compressed"),
        (b"\xff" + framed(b"a")[1:], "Compressed"),
    ],
)
def test_anything_else_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(ClientError, match=why):
        unframed(body)


def test_an_answer_is_framed_whatever_the_content_is_called() -> None:
    class Same:
        def rewrite(self, message: bytes, run: Rewrite) -> bytes:
            return message

    message: Message = Same()
    frames = answering(message)
    assert frames.keys() == {"application/grpc", "application/grpc+proto"}
    assert set(frames.values()) == {Frames(message)}


@pytest.mark.parametrize("dialect", [KServeV2Grpc(), TensorFlowGrpc()])
def test_a_refusal_is_its_words(dialect: KServeV2Grpc | TensorFlowGrpc) -> None:
    assert dialect.error(UNKNOWN_MODEL) == UNKNOWN_MODEL.message.encode()
    assert dialect.answers().keys() == dialect.MEDIA_TYPES


def test_which_calls_there_are_is_a_services_own_to_say() -> None:
    with pytest.raises(NotImplementedError):
        GrpcDialect().paths()
    assert KServeV2Grpc().paths() == ("/inference.GRPCInferenceService/ModelInfer",)
    assert TensorFlowGrpc("Regress").paths() == ("/tensorflow.serving.PredictionService/Regress",)


def test_a_service_says_whether_its_classes_have_names() -> None:
    with pytest.raises(NotImplementedError):
        GrpcDialect().positional()
