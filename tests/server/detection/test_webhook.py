"""One receiver, over real TLS."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from extproc.config.receivers import Receiver
from extproc.errors import ConfigError
from extproc.server.detection.webhook import Failed, Webhook
from tests.e2e.authority import Authority
from tests.server.detection.receiver import OLD, SECRET, Endpoint, verified

NOW = 1_800_000_000.5
IDENTITY = "5" * 32


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture
def endpoint(authority: Authority) -> Iterator[Endpoint]:
    with Endpoint(authority.issue("receiver", "127.0.0.1")) as found:
        yield found


def to(endpoint: Endpoint, ca: Path, answer: float = 10.0) -> Webhook:
    return Webhook(Receiver(endpoint.url, (SECRET, OLD), ca.read_text()), answer)


async def sent(webhook: Webhook) -> Failed | None:
    try:
        return await webhook.send(IDENTITY, b'{"a":1}', NOW)
    finally:
        await webhook.close()


async def test_what_is_sent_arrives_as_it_is_and_verifies(
    endpoint: Endpoint, authority: Authority
) -> None:
    assert await sent(to(endpoint, authority.own.certificate)) is None
    [got] = endpoint.received
    assert got.body == b'{"a":1}'
    assert got.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    for secret in (SECRET, OLD):
        verified(got.headers, got.body, secret, NOW, set())


@pytest.mark.parametrize("status", [301, 307, 400, 410, 500, 503])
async def test_whatever_is_not_2xx_has_failed_and_no_redirection_is_followed(
    endpoint: Endpoint, authority: Authority, status: int
) -> None:
    endpoint.statuses = [status]
    endpoint.headers = {"location": endpoint.url}
    assert await sent(to(endpoint, authority.own.certificate)) == Failed(f"status {status}")
    assert len(endpoint.received) == 1


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120.0),
        (format_datetime(datetime.fromtimestamp(int(NOW) + 90, UTC), usegmt=True), 89.5),
        (format_datetime(datetime.fromtimestamp(int(NOW) - 90, UTC), usegmt=True), 0.0),
        ("Fri, 15 Jan 2027 08:00:30", 29.5),
        ("-5", 0.0),
        ("soon", 0.0),
        ("9" * 400, 999_999_999.0),
    ],
)
async def test_how_long_it_asks_to_be_left_alone_is_told(
    endpoint: Endpoint, authority: Authority, asked: str, seconds: float
) -> None:
    endpoint.statuses, endpoint.headers = [429], {"retry-after": asked}
    failed = await sent(to(endpoint, authority.own.certificate))
    assert failed == Failed("status 429", seconds)


async def test_a_certificate_of_another_authority_is_refused(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "authority")
    failed = await sent(to(endpoint, other.own.certificate))
    assert failed == Failed("SSLCertVerificationError")
    assert endpoint.received == []


async def test_a_certificate_of_another_host_is_refused(authority: Authority) -> None:
    with Endpoint(authority.issue("elsewhere", "127.0.0.2")) as endpoint:
        failed = await sent(to(endpoint, authority.own.certificate))
        assert failed == Failed("SSLCertVerificationError")
        assert endpoint.received == []


async def test_one_that_is_slow_or_gone_has_failed_in_time(
    endpoint: Endpoint, authority: Authority
) -> None:
    endpoint.slow.clear()
    slow = await sent(to(endpoint, authority.own.certificate, answer=0.2))
    assert slow is not None
    assert slow.problem in {"ReadTimeout", "TimeoutError"}
    endpoint.slow.set()
    gone = Receiver("https://127.0.0.1:1/", (SECRET,), authority.own.certificate.read_text())
    assert await sent(Webhook(gone)) == Failed("ConnectError")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "http://[::1]/x", "http://localhost/x"])
async def test_on_this_machine_nobody_needs_tls(url: str) -> None:
    await Webhook(Receiver(url, (SECRET,))).close()


@pytest.mark.parametrize(
    ("receiver", "message"),
    [
        (Receiver("http://a.example/secret", (SECRET,)), "its URL is not https"),
        (Receiver("ftp://127.0.0.1/secret", (SECRET,)), "its URL is not https"),
    ],
)
def test_a_receiver_that_is_none_is_refused(receiver: Receiver, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        Webhook(receiver)
    assert "/secret" not in str(refused.value)
