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

from extproc.dialects.generic import Generic
from extproc.dialects.kserve_v2 import KServeV2
from extproc.dialects.mlflow import MLflow
from extproc.dialects.openai_chat import OpenAIChat
from extproc.dialects.openai_embeddings import OpenAIEmbeddings
from extproc.dialects.sagemaker import SageMaker
from extproc.dialects.seldon_v1 import SeldonV1
from extproc.dialects.status import Status
from extproc.dialects.tensorflow_rest import TensorFlowREST
from extproc.dialects.torchserve import TorchServe
from extproc.dialects.vertex_predict import VertexPredict

__all__ = [
    "Dialect",
    "Generic",
    "KServeV2",
    "MLflow",
    "OpenAIChat",
    "OpenAIEmbeddings",
    "SageMaker",
    "SeldonV1",
    "Status",
    "TensorFlowREST",
    "TorchServe",
    "VertexPredict",
]

Dialect = (
    OpenAIChat
    | OpenAIEmbeddings
    | KServeV2
    | TensorFlowREST
    | TorchServe
    | SageMaker
    | MLflow
    | VertexPredict
    | SeldonV1
    | Generic
    | Status
)
