"""Somebody in very many groups of a provider comes in with those that say something here, or is told why not."""

from pathlib import Path

import pytest
from tests.dashboard.desks import Office, an_office, client_of
from tests.dashboard.provider import CLIENT, SECRET, Provider, a_provider
from tests.dashboard.test_oidc import there_and_back

from farandole.dashboard import DashboardMisconfigured, Oidc, Settings

MANY = [f"/departments/of-the-company/unit-{n:04}" for n in range(400)]
_A_COOKIE = 4096


def settings_of(provider: Provider) -> Settings:
    return Settings(oidc=Oidc(issuer=provider.issuer, client_id=CLIENT, client_secret=SECRET))


async def test_who_is_in_more_groups_than_a_cookie_holds_keeps_those_that_decisions_are_asked_of(
    tmp_path: Path,
) -> None:
    async with a_provider() as provider, an_office(tmp_path, settings_of(provider)) as office:
        await asked(office)
        provider.claims["roles"] = ["farandole:decide", "farandole:editor", "personal", "clerk", *MANY]
        async with client_of(office.app) as browser:
            back = await there_and_back(browser)
            assert back.status_code == 303
            assert max(len(each) for each in back.headers.get_list("set-cookie")) < _A_COOKIE
            mine = (await browser.get("/api/v1/decisions?mine=true")).json()["items"]
            assert [each["run_id"] for each in mine] == ["r"]
            # What is personal is shown to those who have that role, whoever is asked.
            (start, *_) = (await browser.get("/api/v1/runs/r/history")).json()["items"]
            assert start["payload"]["street"] == "Elm Street"


async def asked(office: Office) -> None:
    """A question to the role clerk."""
    await office.start("r", "ask")
    while not (await office.desk.runs.decisions()).found:
        pass


async def test_who_is_in_few_groups_keeps_them_all_for_what_is_asked_later(tmp_path: Path) -> None:
    async with a_provider() as provider, an_office(tmp_path, settings_of(provider)) as office:
        provider.claims["roles"] = ["farandole:decide", "clerk"]
        async with client_of(office.app) as browser:
            assert (await there_and_back(browser)).status_code == 303
            await asked(office)
            assert len((await browser.get("/api/v1/decisions?mine=true")).json()["items"]) == 1


async def test_who_is_in_too_many_even_so_is_told_and_not_sent_round_in_circles(tmp_path: Path) -> None:
    async with a_provider() as provider, an_office(tmp_path, settings_of(provider)) as office:
        provider.claims["roles"] = ["farandole:decide", *(f"farandole:{each}" for each in MANY)]
        async with client_of(office.app, headers={"Accept": "text/html"}) as browser:
            back = await there_and_back(browser)
            assert back.status_code == 403
            assert "400 groups" in back.text
            assert "filter" in back.text


async def test_wherever_somebody_wanted_to_go_the_login_goes_through(tmp_path: Path) -> None:
    async with (
        a_provider() as provider,
        an_office(tmp_path, settings_of(provider)) as office,
        client_of(office.app) as browser,
    ):
        away = await browser.get("/auth/oidc", params={"next": f"/runs?text={'x' * 5000}"})
        assert max(len(each) for each in away.headers.get_list("set-cookie")) < _A_COOKIE


@pytest.mark.parametrize("issuer", ["http://login.example.com/realms/main", "login.example.com", "", "http://[x"])
def test_an_issuer_that_anybody_on_the_way_could_speak_for_is_refused_at_the_start(issuer: str) -> None:
    with pytest.raises(DashboardMisconfigured, match="https://"):
        Oidc(issuer=issuer, client_id=CLIENT)


@pytest.mark.parametrize(
    "issuer", ["https://login.example.com", "http://localhost:8080", "http://127.0.0.1:9", "http://[::1]:9"]
)
def test_an_issuer_is_reached_by_tls_or_is_on_this_machine(issuer: str) -> None:
    assert Oidc(issuer=issuer, client_id=CLIENT).issuer == issuer
