"""A policy file, read and of the right types."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from extproc.config.addresses import check_addresses
from extproc.config.diagnosis import policy_of
from extproc.config.document import Document
from extproc.config.files import Files
from extproc.config.overlay import overlaid
from extproc.config.settings import Settings
from extproc.config.source import read
from extproc.credentials import ApiKey, Mtls
from extproc.units import seconds


@dataclass(frozen=True, slots=True)
class Config:
    """What a sidecar is started with; compile_table resolves what it names."""

    document: Document
    settings: Settings
    base: Path | None = None
    """The base file that binds it."""
    key_files: Mapping[str, Path] = field(default_factory=dict)
    """By the name of a credential."""

    @property
    def listen(self) -> str:
        """``unix:///path`` or ``host:port``"""
        return self.settings.listen

    @property
    def health(self) -> str:
        """``host:port``"""
        return self.settings.health

    @property
    def admin(self) -> str | None:
        """``host:port``"""
        return self.settings.admin

    @property
    def control(self) -> str | None:
        """``unix:///path``"""
        return self.settings.control

    @property
    def drain(self) -> float:
        """Seconds."""
        return seconds(self.settings.drain)

    @property
    def notice(self) -> float:
        """Seconds."""
        return seconds(self.settings.notice)

    def asks_for_certificates(self, *, shown: bool) -> bool:
        """Whether a credential knows clients by their certificate.

        Raise ConfigError where one does, and clients have none ``shown``.
        """
        for name, credential in self.settings.credentials.items():
            if isinstance(credential, Mtls):
                if not shown:
                    wrong = "no client could show its certificate"
                    remedy = "give --client-ca, with --certificate and --key"
                    raise self.document.fault(("credentials", name), wrong, remedy)
                return True
        return False


def load(path: Path, base: Path | None = None, files: Files | None = None) -> Config:
    """Read a policy file, with the base file that binds it where there is one.

    Raise ConfigError: ``FILE:LINE: path: what is wrong; what to do``.  ``files`` notes what is
    read, also where that goes wrong.
    """
    document = read(path, files)
    if base is not None:
        document = overlaid(document, read(base, document.files))
    settings = policy_of(document)
    check_addresses(document, settings)
    return Config(document, settings, base, dict(_key_files(document, settings)))


def _key_files(document: Document, settings: Settings) -> Iterator[tuple[str, Path]]:
    for name, credential in settings.credentials.items():
        if isinstance(credential, ApiKey) and credential.file is not None:
            yield name, document.folder(("credentials", name, "file")) / credential.file
