"""The Redis of k8s/components/redis, with the users that the guide makes."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.k8s.guide import Secrets
from tests.k8s.rendered import one
from tests.stores.redis.rig import Server


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
