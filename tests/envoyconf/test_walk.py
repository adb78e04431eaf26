import pytest

from extproc.envoyconf.bootstrap import Document
from extproc.envoyconf.walk import Place, normalised, places
from extproc.errors import ConfigError


def test_both_spellings_of_a_field_are_one() -> None:
    camel: Document = {"httpFilters": [{"typedConfig": {"http2ProtocolOptions": {}}}]}
    snake: Document = {"http_filters": [{"typed_config": {"http2_protocol_options": {}}}]}

    assert normalised(camel).value == normalised(snake).value == snake


def test_underscores_before_digits_are_found_again() -> None:
    assert normalised({"proxy100Continue": True}).value == {"proxy_100_continue": True}


def test_a_field_in_both_spellings_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"a\.failure_mode_allow is there twice"):
        normalised({"a": {"failureModeAllow": True, "failure_mode_allow": False}})


def test_names_are_no_fields() -> None:
    document = {
        "typedPerFilterConfig": {"my.ExtProc": {"someField": 1}},
        "jsonFormat": {"startTime": "%START_TIME%"},
    }

    assert normalised(document).value == {
        "typed_per_filter_config": {"my.ExtProc": {"some_field": 1}},
        "json_format": {"startTime": "%START_TIME%"},
    }


def test_every_mapping_has_its_path() -> None:
    root = normalised({"a": [{"b": {}}, 1], "c": {}})

    assert [place.path for place in places(root)] == ["", "a[0]", "a[0].b", "c"]
    assert [place.path for place in places(root.message("a"))] == ["a"]


def test_what_is_missing_or_of_another_type_reads_as_empty() -> None:
    place = Place("x", {"text": "y", "items": ["z"], "deep": {"er": {"@type": "t/a.b.C"}}})

    assert place.message("text").value == {}
    assert place.message("none", "such") == Place("x.none.such", {})
    assert place.messages("items") == [Place("x.items[0]", {})]
    assert place.messages("text") == []
    assert place.message("deep", "er").type == "C"
