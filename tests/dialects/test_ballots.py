"""Votes in the tensors of KServe: as JSON, in their raw form, and over gRPC."""

from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pytest

from extproc.dialects import KServeV2, KServeV2Grpc
from extproc.dialects.answers import Body, Frames, Whole, at_once
from extproc.dialects.kserve_v2 import BINARY, LENGTH
from extproc.errors import UpstreamError
from extproc.mutators import Drop, NoisyMax
from tests.dialects.ensembles import PRIVATE, SURE, TOLD, run
from tests.dialects.tiers import OPEN, Edits, tier
from tests.protos import message

OUTPUTS: Any = {"tally": "votes", "class": "label"}
KSERVE, GRPC = KServeV2(outputs=OUTPUTS, teachers=250), KServeV2Grpc(outputs=OUTPUTS, teachers=250)
Response = message("inference.ModelInferResponse")
TYPES = {"INT32": "<i4", "INT64": "<i8"}

Serve = Callable[..., Any]


def by_json(votes: Any, edits: Edits = PRIVATE, datatype: str = "INT64", **more: Any) -> Any:
    """What is served of a tensor of these votes, as nested lists; None where it is dropped."""
    shape = more.pop("shape", [*np.shape(votes)])
    data = np.array(votes).ravel().tolist() if more.pop("flat", False) else votes
    tensor = {"name": "tally", "shape": shape, "datatype": datatype, "data": data}
    after = KSERVE.answer().rewrite({"outputs": [tensor]}, run(edits, **more), "")
    [output] = after["outputs"] or [None]
    return None if output is None else _told(output["data"], output["shape"])


def by_octets(votes: Any, edits: Edits = PRIVATE, datatype: str = "INT64", **more: Any) -> Any:
    shape = more.pop("shape", [*np.shape(votes)])
    octets = np.array(votes, TYPES.get(datatype, "<i8")).tobytes()
    size = {"binary_data_size": len(octets)}
    tensor = {"name": "tally", "shape": shape, "datatype": datatype, "parameters": size}
    head = orjson.dumps({"outputs": [tensor]})
    answer = KSERVE.answers()[BINARY]
    assert isinstance(answer, Body)
    body, headers = head + octets, {LENGTH: str(len(head))}
    rewritten = answer.reading.rewrite(body, headers, run(edits, **more))
    whole = rewritten if isinstance(rewritten, Whole) else at_once(rewritten)
    length = int(whole.set_headers[LENGTH])
    outputs = orjson.loads(whole.body[:length])["outputs"]
    if not outputs:
        return None
    numbers = np.frombuffer(whole.body[length:], TYPES[outputs[0]["datatype"]])
    return _told(numbers.tolist(), outputs[0]["shape"])


def by_grpc(votes: Any, edits: Edits = PRIVATE, datatype: str = "INT64", **more: Any) -> Any:
    shape, raw = more.pop("shape", [*np.shape(votes)]), more.pop("raw", False)
    answer = Response(model_name="m")
    tensor = answer.outputs.add(name="tally", datatype=datatype, shape=shape)
    numbers = np.array(votes).ravel()
    form = {"INT32": "int_contents", "INT64": "int64_contents", "FP64": "fp64_contents"}[datatype]
    if raw:
        answer.raw_output_contents.append(numbers.astype(TYPES.get(datatype, "<f8")).tobytes())
    else:
        getattr(tensor.contents, form).extend(numbers.tolist())
    frames = next(iter(GRPC.answers().values()))
    assert isinstance(frames, Frames)
    rewritten = frames.message.rewrite(answer.SerializeToString(), run(edits, **more))
    octets = rewritten if isinstance(rewritten, bytes) else at_once(rewritten)
    after = Response.FromString(octets)
    if not after.outputs:
        return None
    [output] = after.outputs
    found: Any = getattr(output.contents, form)
    if raw:
        found = np.frombuffer(after.raw_output_contents[0], TYPES[datatype]).tolist()
    return _told(list(found), list(output.shape))


def by_raw_grpc(votes: Any, edits: Edits = PRIVATE, datatype: str = "INT64", **more: Any) -> Any:
    return by_grpc(votes, edits, datatype, raw=True, **more)


def _told(data: Any, shape: Any) -> Any:
    return np.array(data).reshape(shape).tolist()


WAYS: list[Serve] = [by_json, by_octets, by_grpc, by_raw_grpc]
every_way = pytest.mark.parametrize("serve", WAYS)


@every_way
@pytest.mark.parametrize("datatype", TYPES)
def test_votes_become_one_for_the_class_that_is_told(serve: Serve, datatype: str) -> None:
    assert serve(SURE, datatype=datatype) == TOLD
    assert serve(SURE[0], datatype=datatype, inputs=1) == TOLD[0]


@every_way
def test_all_ways_tell_the_same(serve: Serve) -> None:
    torn = [[83, 84, 83]] * 200
    told = serve(torn, inputs=200)
    assert told == by_json(torn, inputs=200)
    assert len({str(row) for row in told}) == 3  # each about an input of its own


@every_way
def test_what_is_not_named_does_not_pass_and_what_passes_is_as_it_was(serve: Serve) -> None:
    assert serve(SURE, {}) is None
    assert serve(SURE, tier({"votes": [Drop()]})) is None
    assert serve(SURE, OPEN) == SURE


@every_way
@pytest.mark.parametrize("edits", [PRIVATE, OPEN])
@pytest.mark.parametrize(
    ("votes", "inputs"),
    [
        ([[0, 249, 0], [0, 250, 0]], 2),
        ([[0, 251, 0], [0, 250, 0]], 2),
        ([[-1, 251, 0], [0, 250, 0]], 2),
        (SURE, 1),
        (SURE, 3),
        ([SURE], 2),
        (SURE[0], 2),
    ],
)
def test_what_is_not_one_row_for_each_input_and_one_vote_of_each_member_is_unreadable(
    serve: Serve, edits: Edits, votes: Any, inputs: int
) -> None:
    with pytest.raises(UpstreamError):
        serve(votes, edits, inputs=inputs)


@pytest.mark.parametrize("datatype", ["FP64", "UINT64"])
def test_numbers_of_another_type_are_no_votes(datatype: str) -> None:
    for serve in (by_json, by_octets):
        with pytest.raises(UpstreamError, match="is declared votes and holds"):
            serve(SURE, datatype=datatype)
    with pytest.raises(UpstreamError, match="is declared votes and holds FP64"):
        by_grpc(SURE, datatype="FP64")


def test_what_holds_nothing_tells_nothing() -> None:
    empty = np.zeros((0, 3), np.int64).tolist()
    assert by_json(empty, shape=[0, 3], inputs=1) == []
    assert by_octets(empty, shape=[0, 3], inputs=1) == []
    assert by_grpc(empty, shape=[0, 3], inputs=1) == []


def test_flat_data_stays_flat() -> None:
    tensor = {"name": "tally", "shape": [2, 3], "datatype": "INT64", "data": [*SURE[0], *SURE[1]]}
    after = KSERVE.answer().rewrite({"outputs": [tensor]}, run(), "")
    assert after["outputs"][0]["data"] == [*TOLD[0], *TOLD[1]]


def test_other_members_of_a_tensor_do_not_pass_and_without_any_it_is_itself() -> None:
    tensor = {"name": "tally", "shape": [2, 3], "datatype": "INT64", "data": SURE}
    answer = {"outputs": [tensor]}
    assert KSERVE.answer().rewrite(answer, run(OPEN), "") is answer
    more = {"outputs": [{**tensor, "parameters": {"seconds": 0.1}, "sure": 0.8}]}
    assert KSERVE.answer().rewrite(more, run(OPEN), "") == answer


@every_way
def test_wide_rows_are_answered_one_after_the_other(serve: Serve) -> None:
    wide = np.zeros((2, 9000), np.int64)
    wide[0, 7] = wide[1, 8999] = 250
    assert np.argmax(serve(wide.tolist()), axis=1).tolist() == [7, 8999]


def test_two_answers_about_one_input_do_not_tell_whether_the_votes_were_the_same() -> None:
    """Of one noise they would be one answer where the votes are, and only there."""
    both = KServeV2(outputs={"a": "votes", "b": "votes"}, teachers=250)
    torn = [[number, 250 - number] for number in [125] * 64]
    outputs = [{"name": name, "shape": [64, 2], "datatype": "INT64", "data": torn} for name in "ab"]
    rewrite = run(tier({"votes": [NoisyMax(noise="gaussian", scale=40.0)]}), inputs=64)
    a, b = both.answer().rewrite({"outputs": outputs}, rewrite, "")["outputs"]
    alike = sum(one == other for one, other in zip(a["data"], b["data"], strict=True))
    assert 16 <= alike <= 48
