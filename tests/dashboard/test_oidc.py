"""A login by OpenID Connect, at a real provider on this machine: who is let in, and which lies are not believed."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc.jwk import RSAKey
from tests.dashboard.desks import Office, an_office, client_of
from tests.dashboard.provider import CLIENT, SECRET, Provider, a_provider
from tests.dashboard.test_door import csrf_of

from farandole.dashboard import Oidc, Settings


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with a_provider() as provider:
        yield provider


@pytest.fixture
async def office(tmp_path: Path, provider: Provider) -> AsyncIterator[Office]:
    oidc = Oidc(issuer=provider.issuer, client_id=CLIENT, client_secret=SECRET)
    async with an_office(tmp_path, Settings(oidc=oidc, host="0.0.0.0")) as office:
        yield office


async def there_and_back(browser: httpx2.AsyncClient, *, next_: str = "/runs") -> httpx2.Response:
    """What a browser does."""
    away = await browser.get("/auth/oidc", params={"next": next_})
    assert away.status_code == 302, away.text
    async with httpx2.AsyncClient() as other:
        back = await other.get(away.headers["location"])
    return await browser.get(back.headers["location"])


async def test_whom_the_provider_knows_comes_in_with_the_role_of_their_groups(
    office: Office, provider: Provider
) -> None:
    provider.claims["roles"] = ["farandole:operate", "clerk"]
    async with client_of(office.app) as browser:
        back = await there_and_back(browser)
        assert (back.status_code, back.headers["location"]) == (303, "/runs")
        await browser.get("/login")
        headers = {"X-CSRF-Token": await csrf_of(browser)}
        body = {"type": "Applied", "payload": {"customer": "x", "wish": "ask"}, "run_id": "r"}
        assert (await browser.post("/api/v1/runs", json=body, headers=headers)).status_code == 202
        stop = await browser.post("/api/v1/reactors/handle/stop", json={"reason": "x"}, headers=headers)
        assert stop.status_code == 403
        while not (asked := (await browser.get("/api/v1/decisions?mine=true")).json()["items"]):
            pass
        answer = {"run_id": "r", "type": "Granted", "hash": asked[0]["hash"]}
        done = await browser.post(f"/api/v1/decisions/{asked[0]['id']}/answers", json=answer, headers=headers)
        assert done.status_code == 202
        position = ",".join(f"{p}={n}" for p, n in done.json()["position"].items())
        acts = (await browser.get("/api/v1/audit", params={"min_position": position})).json()["items"]
        assert [(act["kind"], act["by"], act["via"]) for act in acts] == [
            ("answer", "ann", "oidc"),
            ("start", "ann", "oidc"),
        ]


async def test_whom_no_group_gives_a_role_stays_outside(office: Office, provider: Provider) -> None:
    provider.claims["roles"] = ["operate"]
    async with client_of(office.app) as browser:
        back = await there_and_back(browser)
        assert (back.status_code, back.json()["title"]) == (403, "Not allowed")
        assert (await browser.get("/api/v1/runs")).status_code == 401


@pytest.mark.parametrize(
    "lies",
    [
        {"nonce": "another"},
        {"aud": "another"},
        {"aud": "another", "azp": CLIENT},
        {"iss": "https://another"},
        {"exp": 1},
        {"sub": None},
    ],
    ids=str,
)
async def test_what_is_not_meant_for_this_login_is_not_believed(
    office: Office, provider: Provider, lies: dict[str, object]
) -> None:
    provider.lies = lies
    if "sub" in lies:
        provider.claims = {"roles": []}
    async with client_of(office.app) as browser:
        back = await there_and_back(browser)
        assert back.status_code in (401, 403)
        assert (await browser.get("/api/v1/runs")).status_code == 401


async def test_a_token_signed_with_another_key_is_not_believed(office: Office, provider: Provider) -> None:
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "k"})
    async with client_of(office.app) as browser:
        assert (await there_and_back(browser)).status_code == 401


async def test_an_answer_that_nobody_asked_for_or_that_comes_twice_is_not_believed(office: Office) -> None:
    async with client_of(office.app) as browser:
        assert (await browser.get("/auth/oidc/callback?code=x&state=y")).status_code == 401
        assert (await browser.get("/auth/oidc/callback?error=access_denied&state=y")).status_code == 401
        away = await browser.get("/auth/oidc")
        state = parse_qs(urlsplit(away.headers["location"]).query)["state"][0]
        async with client_of(office.app) as victim:
            assert (await victim.get(f"/auth/oidc/callback?code=x&state={state}")).status_code == 401


async def test_a_provider_that_is_away_is_told_and_nothing_more(tmp_path: Path) -> None:
    oidc = Oidc(issuer="http://127.0.0.1:9", client_id=CLIENT, client_secret=SECRET)
    assert SECRET not in repr(oidc)
    async with an_office(tmp_path, Settings(oidc=oidc)) as office:
        answer = await office.http.get("/auth/oidc")
        assert (answer.status_code, answer.json()["title"]) == (503, "The provider is away")
        assert SECRET not in answer.text
