"""What all tests have once: secrets, a Redis that has them, and pods as they are admitted."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.k8s import guide
from tests.k8s.admission import PODS, admit
from tests.k8s.redis_server import redis_server
from tests.stores.redis.rig import Server


@pytest.fixture(scope="package")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> guide.Secrets:
    return guide.made(tmp_path_factory.mktemp("guide"))


@pytest.fixture(scope="package")
def store(secrets: guide.Secrets, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with redis_server(tmp_path_factory.mktemp("redis"), secrets) as running:
        yield running


@pytest.fixture(scope="package")
def admitted() -> dict[str, Any]:
    return dict(zip(PODS, admit(*PODS.values()), strict=True))
