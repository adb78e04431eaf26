"""Envoy's messages, compiled from protos/ by protos/generate.py.

Rule: never edit by hand; everything here lives in POOL, apart from protobuf's default pool.
"""

from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.internal import api_implementation

# protobuf in pure Python knows only one pool per process, and is too slow to stand in a request.
if api_implementation.Type() != "upb":
    raise ImportError("extproc needs protobuf's compiled implementation (upb), not pure Python")

POOL = DescriptorPool()
