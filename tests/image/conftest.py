"""The image, built once for all tests of it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.builder import Builder
from tests.image.container import Image

needed = pytest.mark.skipif(
    shutil.which("buildah") is None or os.geteuid() != 0,
    reason="needs buildah, and to be root: the image is run as another user",
)


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.image)
    item.add_marker(needed)


@pytest.fixture(scope="package")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    folder = tmp_path_factory.mktemp("image")
    yield Builder(folder)
    shutil.rmtree(folder)  # a gigabyte


@pytest.fixture(scope="package")
def image(builder: Builder) -> Image:
    root, config = builder.image()
    made = Image(root, config)
    made.prepare()
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What is mounted into the container."""
    made = tmp_path / "run"
    made.mkdir()
    return made
