"""The real models, loaded once for all tests, and the real process in front of the same weights."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from extproc.demo.server.app import Models, create_app
from extproc.demo.server.models import digits as digits_models
from extproc.demo.server.models import teachers
from extproc.demo.server.models.forest import Forest
from extproc.demo.server.models.minilm import MiniLm
from extproc.demo.server.models.minilm_private import PrivateMiniLm
from extproc.demo.server.models.softmax_regression import SoftmaxRegression
from extproc.demo.server.models.tiny_lm import TinyLm

CREATED = 1_700_000_000


@pytest.fixture(scope="session", autouse=True)
def one_core() -> Iterator[None]:
    """As the process has it; threads that wait for each other only make small models slow."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(scope="session")
def cache_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def digits() -> SoftmaxRegression:
    return digits_models.regression()


@pytest.fixture(scope="session")
def minilm() -> MiniLm:
    return MiniLm.load()


@pytest.fixture(scope="session")
def tiny_lm(cache_home: Path) -> TinyLm:
    return TinyLm.load(cache_home / "extproc", print)


@pytest.fixture(scope="session")
def forest() -> Forest:
    return digits_models.forest()


@pytest.fixture(scope="session")
def models(digits: SoftmaxRegression, forest: Forest, minilm: MiniLm, tiny_lm: TinyLm) -> Models:
    return Models([digits, forest, teachers.digits()], [minilm, PrivateMiniLm.on(minilm)], tiny_lm)


@pytest.fixture(scope="session")
def client(models: Models) -> Iterator[TestClient]:
    with TestClient(create_app(models, lambda: CREATED)) as client:
        yield client


@pytest.fixture(scope="package")
def served(tiny_lm: TinyLm, cache_home: Path) -> Iterator[str]:
    """The address of the server as a process of its own, its tiny-lm read from the cache."""
    command = [sys.executable, "-m", "extproc.demo.server", "--port", "0"]
    environment = os.environ | {"XDG_CACHE_HOME": str(cache_home)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        try:
            address = re.fullmatch(r"ready: (http://\S+) serves digits, minilm, tiny-lm\n", ready)
            assert address is not None, ready
            yield address[1]
        finally:
            process.terminate()
        assert process.wait(timeout=10) == 0
        assert process.stdout.read() == ""
