"""API schemas: where an API keeps its queries and predictions, and how it words an error.

To add one: write a file here and add its class to the Dialect union.  The class *is* its
configuration: its fields are the YAML's fields.  Every dialect has three methods:

``read(body, parameters, granted)``
    The request gate.  Returns the query and the body that goes on to the model; raises ClientError
    where the request is not this API's, or asks for what no tier grants.
``answer()``
    The allow-list tree of an answer, document or stream event alike; see shape.py.
``error(refusal)``
    A refusal as a JSON body in this API's error shape.
"""

from extproc.dialects.kserve_v2 import KServeV2
from extproc.dialects.kserve_v2_grpc import KServeV2Grpc
from extproc.dialects.openai_chat import OpenAIChat
from extproc.dialects.openai_embeddings import OpenAIEmbeddings
from extproc.dialects.status import Status
from extproc.dialects.tensorflow_grpc import TensorFlowGrpc
from extproc.dialects.triton_generate import TritonGenerate

__all__ = [
    "Dialect",
    "KServeV2",
    "KServeV2Grpc",
    "OpenAIChat",
    "OpenAIEmbeddings",
    "Status",
    "TensorFlowGrpc",
    "TritonGenerate",
]

Dialect = (
    OpenAIChat
    | OpenAIEmbeddings
    | KServeV2
    | KServeV2Grpc
    | TritonGenerate
    | TensorFlowGrpc
    | Status
)
