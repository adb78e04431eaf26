"""What a request must be, beside what its dialect says: sizes, a schema, what each input may hold.

Rule: what no honest client has a use for is refused before the model sees it: answers to inputs far
from the data tell a copier most (Tramèr et al., "Stealing Machine Learning Models via Prediction
APIs", USENIX Security 2016, section 4).  A refusal names the field and the bound, never a value.
Nothing here recurses, however deep a body is nested.  What a route asks for stands in contract.py.
"""

from extproc.validation.contract import Contract
from extproc.validation.domain import Domain
from extproc.validation.schema import Schema
from extproc.validation.size import Size
from extproc.validation.tensors import TensorDomain
from extproc.validation.text import SCRIPTS, Characters, Script

__all__ = [
    "SCRIPTS",
    "Characters",
    "Contract",
    "Domain",
    "Schema",
    "Script",
    "Size",
    "TensorDomain",
]
