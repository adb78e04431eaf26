"""The issued keys of a policy: made, listed, revoked and replaced.

Rule: what is changed is the key file alone; the policy file says whose keys there may be.  Time is
a parameter, as everywhere.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import structs

from extproc.config.diagnosis import shown
from extproc.config.expectation import instead
from extproc.config.key_changes import append, rewrite
from extproc.config.key_file import KeyLine, check_note, read_pieces
from extproc.config.keyring import MAKE_ONE
from extproc.config.keys import new_id, new_key, visible
from extproc.config.loading import Config
from extproc.config.secret import resolve
from extproc.credentials.api_key import ApiKey, digest
from extproc.errors import ConfigError

_FILE = "write credentials: {keys: {kind: api_key, file: keys.jsonl}}"


@dataclass(frozen=True, slots=True)
class Issue:
    """A key that was just made, to be shown once."""

    key: str = field(repr=False)
    line: KeyLine


@dataclass(frozen=True, slots=True)
class Register:
    """A key file, and what its lines are made with."""

    path: Path
    config: Config
    environ: Mapping[str, str] = field(repr=False)
    """Where the secret may be, under which keys are hashed."""

    def issue(
        self, tenant: str, now: datetime, lifetime: timedelta | None = None, note: str = ""
    ) -> Issue:
        """Make a key and add it.  Raise ConfigError where the policy knows no such tenant."""
        tenants = self.config.settings.tenants
        if tenant not in tenants:
            wrong = f"there is no tenant {shown(tenant)}"
            raise self.config.document.fault(("tenants",), wrong, instead(tenant, tenants))
        check_note(note)
        made = self._made(tenant, now, lifetime, note)
        append(self.path, made.line)
        return made

    def lines(self) -> Iterator[KeyLine]:
        """Raise ConfigError at a line that is none, or where there is no file."""
        try:
            for piece in read_pieces(self.path):
                yield from piece.keys
        except OSError as error:
            wrong = f"{self.path} cannot be read ({error.strerror})"
            raise ConfigError(f"{wrong}; {MAKE_ONE}") from error

    def revoke(self, identity: str, now: datetime) -> KeyLine:
        """From now on it proves nothing.  One that was revoked before stays as it is."""
        revoked: list[KeyLine] = []

        def change(line: KeyLine) -> list[KeyLine]:
            again = line.revoked is not None
            revoked[:] = [line if again else structs.replace(line, revoked=_second(now))]
            return revoked

        rewrite(self.path, identity, change)
        return revoked[0]

    def rotate(self, identity: str, now: datetime, overlap: timedelta) -> Issue:
        """A new key as long-lived as the old one, which expires after the overlap, at the latest.

        Raise ConfigError where the old one proves nothing any more.
        """
        made: list[Issue] = []

        def change(old: KeyLine) -> list[KeyLine]:
            if (state := state_of(old, now)) != "active":
                wrong = f"{self.path}: the key {shown(identity)} is {state}"
                raise ConfigError(f"{wrong}; make a new one with: extproc keys new")
            lifetime = old.expires - old.created if old.expires is not None else None
            made[:] = [self._made(old.tenant, now, lifetime, old.note)]
            end = _second(now + overlap)
            expiring = structs.replace(old, expires=min(old.expires or end, end))
            return [expiring, made[0].line]

        rewrite(self.path, identity, change)
        return made[0]

    def _made(self, tenant: str, now: datetime, lifetime: timedelta | None, note: str) -> Issue:
        identity = new_id()
        key = new_key(identity)
        hashed = digest({"x-api-key": key}, hmac_key(self.config, self.environ))
        assert hashed is not None  # it has the form of a key
        expires = _second(now + lifetime) if lifetime is not None else None
        line = KeyLine(
            id=identity,
            prefix=visible(identity),
            hash=hashed.hex(),
            tenant=tenant,
            created=_second(now),
            expires=expires,
            note=note,
        )
        return Issue(key, line)


def register(
    config: Config, credential: str = "", environ: Mapping[str, str] = os.environ
) -> Register:
    """The key file of a credential, which needs no name where there is only one."""
    document = config.document
    credentials: Mapping[str, object] = config.settings.credentials
    files = {
        name: each.file
        for name, each in credentials.items()
        if isinstance(each, ApiKey) and each.file
    }
    if not files:
        raise document.fault(("credentials",), "no key file is named", _FILE)
    if credential and credential not in files:
        wrong = f"{shown(credential)} has no key file"
        raise document.fault(("credentials",), wrong, instead(credential, files))
    if not credential and len(files) > 1:
        remedy = f"name one: --credential {' or '.join(files)}"
        raise document.fault(("credentials",), "several have key files", remedy)
    name = credential or next(iter(files))
    path = document.folder(("credentials", name, "file")) / files[name]
    return Register(path, config, environ)


def hmac_key(config: Config, environ: Mapping[str, str] = os.environ) -> bytes:
    """Under which keys are hashed.  Raise ConfigError where it cannot be had."""
    return resolve(config.document, ("keys", "hmac"), config.settings.keys.hmac, environ)


def state_of(line: KeyLine, now: datetime) -> str:
    if line.revoked is not None:
        return "revoked"
    return "expired" if line.expires is not None and line.expires <= now else "active"


def _second(when: datetime) -> datetime:
    """Whole seconds are what people read."""
    return when.replace(microsecond=0)
