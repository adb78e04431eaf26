import pytest

from extproc.envoyconf.check import problems
from extproc.errors import ConfigError
from tests.envoyconf import shipped


def test_nothing_can_be_said_against_the_bootstrap_that_ships() -> None:
    assert problems(shipped.document()) == []


def test_everything_is_said_at_once() -> None:
    document = shipped.document()
    shipped.config(document, "ext_proc")["failure_mode_allow"] = True
    shipped.route(document)["route"]["cluster"] = "gone"
    shipped.route(document)["typed_per_filter_config"] = {"nobody": {}}

    said = "\n".join(problems(document))

    assert "failure_mode_allow" in said
    assert "'gone'" in said
    assert "'nobody'" in said


def test_a_document_that_says_a_thing_twice_is_refused() -> None:
    document = shipped.document()
    shipped.config(document, "ext_proc")["failureModeAllow"] = True
    shipped.config(document, "ext_proc")["failure_mode_allow"] = False

    with pytest.raises(ConfigError, match="twice"):
        problems(document)
