import pytest

from extproc.envoyconf.settings import (
    Gateway,
    Pipe,
    Socket,
    Tls,
    Upstream,
    parse_address,
    parse_socket,
    parse_tls,
    parse_upstream,
)
from extproc.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("unix:///run/extproc/extproc.sock", Pipe("/run/extproc/extproc.sock")),
        ("unix:/run/extproc.sock", Pipe("/run/extproc.sock")),
        ("127.0.0.1:9100", Socket("127.0.0.1", 9100)),
        ("[::1]:9100", Socket("::1", 9100)),
        ("sidecar:9100", Socket("sidecar", 9100)),
        ("127.0.0.1:0", Socket("127.0.0.1", 0)),
    ],
)
def test_an_address_is_a_socket_or_a_host_and_port(text: str, address: Pipe | Socket) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        *("", ":80", "host", "host:", "host:port", "host:65536", "user@host:80", "host:80/path"),
        *("unix:", "unix:relative.sock", "unix://", "unix:@abstract", f"unix:///{'x' * 107}"),
        *("::1:9100", "[::1:9100", "http://host:80", "host:80 "),
    ],
)
def test_what_is_no_address_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_address(text)

    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("address", [Pipe("/run/a.sock"), Socket("h", 1), Socket("::1", 1)])
def test_an_address_is_printed_as_it_is_read(address: Pipe | Socket) -> None:
    assert parse_address(str(address)) == address


def test_a_socket_path_may_have_every_byte_that_the_kernel_gives_it() -> None:
    assert parse_address(f"unix:///{'x' * 106}") == Pipe(f"/{'x' * 106}")


@pytest.mark.parametrize(
    ("url", "upstream", "authority"),
    [
        ("http://127.0.0.1:8000", Upstream(Socket("127.0.0.1", 8000)), "127.0.0.1:8000"),
        ("http://models/", Upstream(Socket("models", 80)), "models"),
        ("https://models", Upstream(Socket("models", 443), tls=True), "models"),
        ("https://models:80", Upstream(Socket("models", 80), tls=True), "models:80"),
        ("http://[::1]:8000", Upstream(Socket("::1", 8000)), "[::1]:8000"),
        ("http://[::1]", Upstream(Socket("::1", 80)), "[::1]"),
        ("grpc://models:8001", Upstream(Socket("models", 8001), http2=True), "models:8001"),
        ("grpc://models", Upstream(Socket("models", 80), http2=True), "models"),
        ("grpcs://models", Upstream(Socket("models", 443), tls=True, http2=True), "models"),
    ],
)
def test_an_upstream_is_a_url_without_a_path(url: str, upstream: Upstream, authority: str) -> None:
    assert parse_upstream(url) == upstream
    assert upstream.authority == authority


@pytest.mark.parametrize(
    "url",
    [
        *("", "127.0.0.1:8000", "ftp://host", "http://", "http://:80", "http://user@host"),
        *("http://host/v1", "http://host?q", "http://host#f", "http://host:0", "http://host:x"),
        *("http://host:65536", "http://[::1"),
    ],
)
def test_what_is_no_url_of_a_model_server_is_refused_by_name(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_upstream(url)

    assert repr(url) in str(caught.value)


@pytest.mark.parametrize("field", ["listen", "admin"])
def test_envoy_listens_on_addresses_and_not_on_names(field: str) -> None:
    upstream = parse_upstream("http://models")

    with pytest.raises(ConfigError, match=f"{field}: 'localhost' is not an IP address"):
        Gateway(upstream=upstream, **{field: parse_socket("localhost:80")})  # type: ignore[arg-type]


def test_clients_connect_in_the_clear_where_no_file_is_given() -> None:
    assert parse_tls("", "", "") is None
    assert parse_tls("/a.pem", "/a.key", "") == Tls("/a.pem", "/a.key")
    assert parse_tls("/a.pem", "/a.key", "/ca.pem") == Tls("/a.pem", "/a.key", "/ca.pem")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (("/a.pem", "", ""), "a certificate and its key come together"),
        (("", "/a.key", "/ca.pem"), "a certificate and its key come together"),
        (("", "", "/ca.pem"), "give --certificate and --key"),
    ],
)
def test_a_file_that_needs_another_is_refused(files: tuple[str, str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_tls(*files)
