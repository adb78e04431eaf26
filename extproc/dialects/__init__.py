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

from extproc.dialects.anthropic_messages import AnthropicMessages
from extproc.dialects.cohere_chat import CohereChat
from extproc.dialects.cohere_classify import CohereClassify
from extproc.dialects.cohere_embed import CohereEmbed
from extproc.dialects.gemini_embed import GeminiEmbed
from extproc.dialects.gemini_generate import GeminiGenerate
from extproc.dialects.generic import Generic
from extproc.dialects.hf_pipeline import HfPipeline
from extproc.dialects.kserve_v2 import KServeV2
from extproc.dialects.kserve_v2_grpc import KServeV2Grpc
from extproc.dialects.mlflow import MLflow
from extproc.dialects.ollama_chat import OllamaChat
from extproc.dialects.ollama_embed import OllamaEmbed
from extproc.dialects.ollama_generate import OllamaGenerate
from extproc.dialects.openai_chat import OpenAIChat
from extproc.dialects.openai_completions import OpenAICompletions
from extproc.dialects.openai_decisions import OpenAIDecisions
from extproc.dialects.openai_embeddings import OpenAIEmbeddings
from extproc.dialects.openai_moderations import OpenAIModerations
from extproc.dialects.openai_responses import OpenAIResponses
from extproc.dialects.openai_transcriptions import OpenAITranscriptions
from extproc.dialects.openai_vector_search import OpenAIVectorSearch
from extproc.dialects.rerank import Rerank
from extproc.dialects.sagemaker import SageMaker
from extproc.dialects.seldon_v1 import SeldonV1
from extproc.dialects.status import Status
from extproc.dialects.tei import (
    TeiEmbed,
    TeiEmbedAll,
    TeiEmbedSparse,
    TeiPredict,
    TeiRerank,
    TeiSimilarity,
)
from extproc.dialects.tensorflow_grpc import TensorFlowGrpc
from extproc.dialects.tensorflow_rest import TensorFlowREST
from extproc.dialects.torchserve import TorchServe
from extproc.dialects.triton_generate import TritonGenerate
from extproc.dialects.vertex_embeddings import VertexEmbeddings
from extproc.dialects.vertex_predict import VertexPredict
from extproc.dialects.vllm_classify import VllmClassify
from extproc.dialects.vllm_pooling import VllmPooling
from extproc.dialects.vllm_score import VllmScore
from extproc.dialects.votes import Votes

__all__ = [
    "AnthropicMessages",
    "CohereChat",
    "CohereClassify",
    "CohereEmbed",
    "Dialect",
    "GeminiEmbed",
    "GeminiGenerate",
    "Generic",
    "HfPipeline",
    "KServeV2",
    "KServeV2Grpc",
    "MLflow",
    "OllamaChat",
    "OllamaEmbed",
    "OllamaGenerate",
    "OpenAIChat",
    "OpenAICompletions",
    "OpenAIDecisions",
    "OpenAIEmbeddings",
    "OpenAIModerations",
    "OpenAIResponses",
    "OpenAITranscriptions",
    "OpenAIVectorSearch",
    "Rerank",
    "SageMaker",
    "SeldonV1",
    "Status",
    "TeiEmbed",
    "TeiEmbedAll",
    "TeiEmbedSparse",
    "TeiPredict",
    "TeiRerank",
    "TeiSimilarity",
    "TensorFlowGrpc",
    "TensorFlowREST",
    "TorchServe",
    "TritonGenerate",
    "VertexEmbeddings",
    "VertexPredict",
    "VllmClassify",
    "VllmPooling",
    "VllmScore",
    "Votes",
]

Dialect = (
    OpenAIChat
    | OpenAIEmbeddings
    | KServeV2
    | Status
    | AnthropicMessages
    | CohereChat
    | CohereClassify
    | CohereEmbed
    | GeminiEmbed
    | GeminiGenerate
    | Generic
    | HfPipeline
    | KServeV2Grpc
    | MLflow
    | OllamaChat
    | OllamaEmbed
    | OllamaGenerate
    | OpenAICompletions
    | OpenAIDecisions
    | OpenAIModerations
    | OpenAIResponses
    | OpenAITranscriptions
    | OpenAIVectorSearch
    | Rerank
    | SageMaker
    | SeldonV1
    | TeiEmbed
    | TeiEmbedAll
    | TeiEmbedSparse
    | TeiPredict
    | TeiRerank
    | TeiSimilarity
    | TensorFlowGrpc
    | TensorFlowREST
    | TorchServe
    | TritonGenerate
    | VertexEmbeddings
    | VertexPredict
    | VllmClassify
    | VllmPooling
    | VllmScore
    | Votes
)
