"""All that a policy file names, of one state of its files.

Rule: what was read is compared with what is there when all has been read; where a file changed
meanwhile, or the folder of all of them was swapped as Kubernetes does, it is read again.  No policy
is ever made of the files of two.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from extproc.config.audit import AuditPlan, compile_audit
from extproc.config.detection import DetectionPlan, compile_detection
from extproc.config.document import Document
from extproc.config.files import Files
from extproc.config.loading import Config, load
from extproc.config.table import compile_table
from extproc.errors import ConfigError
from extproc.policy import PolicyTable

ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a sidecar serves by."""

    config: Config
    table: PolicyTable
    plan: AuditPlan | None
    detection: DetectionPlan | None = None

    def lightened(self) -> "Loaded":
        """Without the text's own data and the tenants' settings, which the table does not need.

        They are let go of one by one: all at once takes long enough to hold others up.
        """
        document, settings = self.config.document, self.config.settings
        tenants = document.data.get("tenants")
        for heavy in (document.lines, tenants, settings.tenants):
            while isinstance(heavy, dict) and heavy:
                heavy.popitem()
        bare = Document(document.path, {}, {(): 1}, files=document.files)
        light = msgspec.structs.replace(settings, tenants={})
        detection = self.detection.lightened() if self.detection is not None else None
        config = replace(self.config, document=bare, settings=light)
        return Loaded(config, self.table, self.plan, detection)


def load_all(
    path: Path,
    base: Path | None = None,
    files: Files | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Loaded:
    """Raise ConfigError, worded as by ``load``; ``files`` notes what was read even then."""
    files = Files() if files is None else files
    for _ in range(ATTEMPTS):
        files.clear()
        try:
            loaded = _once(path, base, files, environ)
        except ConfigError:
            if files.same():
                raise
        else:
            if files.same():
                return loaded
    wrong = f"{path}: its files change while they are read, again and again"
    raise ConfigError(f"{wrong}; write each anew and rename it into its place")


def _once(path: Path, base: Path | None, files: Files, environ: Mapping[str, str]) -> Loaded:
    config = load(path, base, files)
    return Loaded(
        config,
        compile_table(config, environ),
        compile_audit(config, environ),
        compile_detection(config, environ),
    )
