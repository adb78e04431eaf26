"""protobuf's own classes for the messages that the product reads and writes by hand.

Rule: compiled by protoc when first asked for, in a pool of their own, from .proto files that the
product does not know; so its reader and writer are held against another implementation.
"""

import tempfile
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_tools import protoc

_HERE = Path(__file__).parent


@cache
def _pool() -> DescriptorPool:
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory, "set")
        includes = [f"-I{_HERE}", f"-I{files('grpc_tools') / '_proto'}"]
        names = [path.name for path in sorted(_HERE.glob("*.proto"))]
        options = ["--include_imports", f"--descriptor_set_out={out}"]
        assert protoc.main(["protoc", *includes, *options, *names]) == 0
        compiled = FileDescriptorSet.FromString(out.read_bytes())
    pool = DescriptorPool()
    for file in compiled.file:
        pool.Add(file)
    return pool


def message(name: str) -> Any:
    """The class of a message by its full name, ``inference.ModelInferRequest`` for example."""
    return GetMessageClass(_pool().FindMessageTypeByName(name))
