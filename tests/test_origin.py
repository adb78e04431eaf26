import pytest

from extproc.client_address import Proxies
from extproc.events import CheckedRequest, Peer
from extproc.origin import JA4, Origin, origin

KEY = b"k" * 32
FIELDS = {
    ":path": "/v1/classify",
    "user-agent": "a-client/1.0",
    "accept": "*/*",
    "authorization": "Bearer secret-1",
    "content-length": "10",
}


def of(address: str = "192.0.2.7", **fields: str) -> Origin:
    headers = FIELDS | {name.replace("_", "-"): value for name, value in fields.items()}
    request = CheckedRequest("POST", "/v1/classify", headers, Peer(address))
    return origin(request, Proxies(), KEY)


def test_neighbours_have_one_network() -> None:
    assert of("192.0.2.7").network == of("192.0.2.250").network != of("192.0.3.7").network
    assert of("2001:db8:1:2::1").network == of("2001:db8:1:ffff::1").network
    assert of("2001:db8:1::1").network != of("2001:db8:2::1").network
    assert of("::ffff:192.0.2.9").network == of("192.0.2.7").network


def test_where_envoy_tells_no_address_there_is_no_network() -> None:
    assert of("").network == ""
    assert len(of("").client) == 16


@pytest.mark.parametrize(
    "field",
    [
        {"content_length": "99"},
        {"x_request_id": "a1"},
        {"authorization": "Bearer secret-2"},
        {"cookie": "a=b"},
        {"traceparent": "00-1"},
        {"x_forwarded_for": "198.51.100.1"},
        {":path": "/v1/other"},
    ],
)
def test_what_differs_from_request_to_request_is_left_out(field: dict[str, str]) -> None:
    assert of(**field) == of()


@pytest.mark.parametrize(
    "field", [{"user_agent": "another/2"}, {"accept_language": "de"}, {"priority": "u=1"}]
)
def test_another_client_looks_different(field: dict[str, str]) -> None:
    assert of(**field).client != of().client


def test_the_order_of_fields_does_not_matter() -> None:
    request = CheckedRequest("POST", "/", dict(reversed(FIELDS.items())), Peer("192.0.2.7"))
    assert origin(request, Proxies(), KEY) == of()


def test_the_handshake_tells_more_than_fields_a_client_chooses() -> None:
    told = {JA4: "t13d1516h2_8daaf6152771_02713d6af862"}
    assert of(**told).client == of(**told, user_agent="another/2").client
    assert of(**told).client != of(**{JA4: "t13d1516h2_8daaf6152771_e5627efa2ab1"}).client
    assert of(**{JA4: ""}).client == of(**{JA4: "-"}).client == of().client


def test_nothing_of_an_address_or_a_client_can_be_told_without_the_key() -> None:
    request = CheckedRequest("POST", "/", FIELDS, Peer("192.0.2.7"))
    other = origin(request, Proxies(), b"another key")
    assert other.network != of().network
    assert other.client != of().client
    assert "192.0.2" not in repr(of())
    assert "a-client" not in repr(of())


def test_long_values_and_many_fields_are_cut() -> None:
    assert of(user_agent="a" * 300).client == of(user_agent="a" * 400).client
    many = {f"field{number:03}": "" for number in range(100)}
    assert of(**many).client == of(**many, zzz="").client


def test_a_value_that_is_no_text_is_no_fault() -> None:
    assert len(of(user_agent="\udcff").client) == 16
