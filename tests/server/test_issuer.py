from pathlib import Path

import httpx
import pytest

from extproc.errors import IssuerUnavailable
from extproc.server.issuer import Issuer as Asked
from tests.envoyconf import shipped
from tests.issuer import Issuer

CERTIFICATES = Path(shipped.__file__).parent


async def got(url: str, most: int = 1000, seconds: float = 5.0) -> bytes:
    asked = Asked(url, seconds, most=most)
    try:
        return await asked.get()
    finally:
        await asked.close()


async def test_what_the_issuer_answers_is_had() -> None:
    with Issuer(keys=b"{}") as issuer:
        assert await got(f"{issuer.url}/jwks") == b"{}"


@pytest.mark.parametrize("status", [204, 301, 302, 400, 401, 404, 500, 503])
async def test_any_other_status_is_no_answer(status: int) -> None:
    with Issuer(body=b"", status=status) as issuer:
        with pytest.raises(IssuerUnavailable, match=f"^status {status}$"):
            await got(f"{issuer.url}/jwks")
        assert list(issuer.asked) == ["/jwks"]  # and nobody is sent elsewhere


async def test_an_answer_has_a_longest() -> None:
    with Issuer(keys=b"x" * 1000) as issuer:
        assert len(await got(f"{issuer.url}/jwks", most=1000)) == 1000
        with pytest.raises(IssuerUnavailable, match="more than 999 bytes"):
            await got(f"{issuer.url}/jwks", most=999)


async def test_an_answer_takes_no_longer_than_it_may() -> None:
    with Issuer(keys=b"{}") as issuer:
        issuer.slow.clear()
        with pytest.raises(IssuerUnavailable):
            await got(f"{issuer.url}/jwks", seconds=0.05)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/jwks", "https://:x/", "https://[/"])
async def test_who_cannot_be_reached_does_not_answer(url: str) -> None:
    with pytest.raises(IssuerUnavailable):
        await got(url)


@pytest.mark.parametrize(
    ("host", "trusted", "good"),
    [
        ("localhost", "localhost.pem", True),
        ("localhost", "authority.pem", False),  # nobody we trust vouches for it
        ("127.0.0.1", "localhost.pem", False),  # it is not who we asked for
    ],
)
async def test_a_certificate_must_be_good(
    monkeypatch: pytest.MonkeyPatch, host: str, trusted: str, *, good: bool
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / trusted))
    with Issuer(keys=b"{}", certificate=CERTIFICATES / "localhost.pem") as issuer:
        if good:
            assert await got(f"https://{host}:{issuer.port}/jwks") == b"{}"
            return
        with pytest.raises(IssuerUnavailable, match="ConnectError"):
            await got(f"https://{host}:{issuer.port}/jwks")


async def test_https_is_never_spoken_to_in_the_clear() -> None:
    with Issuer(keys=b"{}") as issuer, pytest.raises(IssuerUnavailable):
        await got(issuer.url.replace("http:", "https:"))


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Issuer(keys=b"{}") as issuer, Issuer(body=b"evil") as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        assert await got(f"{issuer.url}/jwks") == b"{}"
        async with httpx.AsyncClient() as trusting:
            assert (await trusting.get(f"{issuer.url}/jwks")).content == b"evil"


async def test_a_question_is_a_form_with_our_name_and_secret() -> None:
    with Issuer(known={"t": {"active": True}}) as issuer:
        asked = Asked(f"{issuer.url}/introspect", 5.0, most=1000)
        assert await asked.post({"token": "t"}, ("us", "s3cret")) == b'{"active":true}'
        assert issuer.authorization == "Basic dXM6czNjcmV0"
        assert issuer.forms == [{"token": ["t"]}]
        await asked.close()
