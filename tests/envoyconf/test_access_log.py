import re

from tests.envoyconf import shipped


def test_nothing_that_a_client_wrote_is_logged() -> None:
    (log,) = shipped.manager(shipped.document())["access_log"]
    fields = log["typed_config"]["log_format"]["json_format"]
    commands = {re.fullmatch(r"%(\w+)(\(.*\))?%", value)[1] for value in fields.values()}  # type: ignore[index]

    assert log["name"] == "envoy.access_loggers.stdout"
    assert commands == {
        *("START_TIME", "DYNAMIC_METADATA", "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "PROTOCOL"),
        *("RESPONSE_CODE", "RESPONSE_CODE_DETAILS", "RESPONSE_FLAGS", "BYTES_RECEIVED"),
        *("BYTES_SENT", "DURATION", "FILTER_STATE"),
    }
