from extproc.envoyconf.bootstrap import bootstrap
from extproc.envoyconf.text import read_documents, to_yaml
from tests.envoyconf import shipped


def test_the_bootstrap_that_ships_is_the_one_that_is_rendered() -> None:
    assert shipped.FILE.read_text(encoding="utf-8") == to_yaml(bootstrap(shipped.GATEWAY)), (
        "write it anew: extproc envoy bootstrap --policy envoy/policy.yaml"
        " --upstream http://127.0.0.1:8000 > envoy/bootstrap.yaml"
    )


def test_what_is_rendered_is_read_back_alike() -> None:
    assert read_documents(shipped.FILE) == [bootstrap(shipped.GATEWAY)]
