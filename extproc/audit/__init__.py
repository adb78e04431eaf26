"""The audit log: what is kept of every exchange, and how anyone can tell that nothing was changed.

Read in this order: record.py (what a line says), pseudonym.py (what stands for callers and inputs),
chain.py (how one line binds the next), signature.py (checkpoints), verification.py.  Writing files
is server/audit_log.py's business, reading them extproc/auditor's.
"""

from extproc.audit.pseudonym import Pseudonyms
from extproc.audit.record import Act, Enforced, Marked, Record, Seen, Suspected

__all__ = ["Act", "Enforced", "Marked", "Pseudonyms", "Record", "Seen", "Suspected"]
