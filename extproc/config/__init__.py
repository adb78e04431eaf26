"""The policy file: read, checked and compiled into the table that serves.

Read in this order: settings.py (the file, as types), source.py (YAML to data and lines), overlay.py
(what a base file makes of it), diagnosis.py (errors that say where and what to do), table.py (names
resolved).  Rule: whatever
could go wrong while serving goes wrong here, with file, line and path.
"""

from extproc.config.audit import AuditPlan, compile_audit
from extproc.config.detection import DetectionPlan, compile_detection
from extproc.config.json_schema import base_schema, schema
from extproc.config.keys import new_key
from extproc.config.loaded import Loaded, load_all
from extproc.config.loading import Config, load
from extproc.config.ownership import VaultPlan
from extproc.config.table import compile_table

__all__ = [
    "AuditPlan",
    "Config",
    "DetectionPlan",
    "Loaded",
    "VaultPlan",
    "base_schema",
    "compile_audit",
    "compile_detection",
    "compile_table",
    "load",
    "load_all",
    "new_key",
    "schema",
]
