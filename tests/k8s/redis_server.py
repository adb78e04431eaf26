"""The Redis of k8s/components/redis, with the users that the guide makes."""

import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.e2e.authority import Certificate
from tests.k8s.guide import Secrets
from tests.k8s.rendered import Document, one
from tests.stores.redis.rig import Server, free_port

_ETC: Final = "/etc/redis"
_PORT: Final = "6379"


@contextmanager
def redis_server(folder: Path, secrets: Secrets) -> Iterator[Server]:
    for name, content in secrets["extproc-redis"].items():
        (folder / name).write_text(content)
    running = Server(folder, _options(folder))
    running.start()
    try:
        yield running
    finally:
        running.kill()


def _options(folder: Path) -> list[str]:
    """The committed file, but for what the test has elsewhere."""
    text = one("namespaces/standalone", "ConfigMap", "extproc-redis")["data"]["redis.conf"]
    lines = [shlex.split(line) for line in text.splitlines() if line and not line.startswith("#")]
    return [
        word
        for name, value in lines
        if name not in {"port", "dir"}
        for word in (f"--{name}", value.replace("/etc/redis/acl", str(folder)))
    ]


@contextmanager
def redis_over_tls(
    folder: Path, documents: list[Document], secrets: Secrets, own: Certificate, authority: Path
) -> Iterator[int]:
    """The container as it is rendered, its port by another number and its mounts in a folder."""
    [stateful] = [each for each in documents if each["kind"] == "StatefulSet"]
    [container] = stateful["spec"]["template"]["spec"]["containers"]
    [conf] = [
        each["data"]["redis.conf"]
        for each in documents
        if (each["kind"], each["metadata"]["name"]) == ("ConfigMap", "extproc-redis")
    ]
    mounted = {
        "conf/redis.conf": conf,
        "acl/users.acl": secrets["extproc-redis"]["users.acl"],
        "tls/tls.crt": own.certificate.read_text(),
        "tls/tls.key": own.key.read_text(),
        "tls/ca.crt": authority.read_text(),
    }
    (folder / "data").mkdir()
    for name, text in mounted.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(_here(text, folder))
    port = free_port()
    arguments = [_here(each, folder) for each in container["args"]]
    arguments = [str(port) if each == _PORT else each for each in arguments]
    process = subprocess.Popen(
        [*container["command"], *arguments, "--bind", "127.0.0.1"],
        executable=_able_to_speak_tls(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ready to accept connections" in line:
                break
        else:
            raise AssertionError("".join(said))
        yield port
    finally:
        process.kill()
        process.communicate()


def _here(text: str, folder: Path) -> str:
    return text.replace(_ETC, str(folder)).replace("dir /data", f"dir {folder}/data")


def _able_to_speak_tls() -> str:
    """That of the wheel is built without.  Debian's server and its redis-check-rdb are one program,
    which goes by the name it is called by; the package that has the latter starts no service.
    """
    found = shutil.which("redis-check-rdb")
    assert found, "redis-check-rdb is not on the PATH: install Debian's package redis-tools"
    return found
