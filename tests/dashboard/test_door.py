"""Nobody comes in whom nobody knows, nobody does what they may not, and no page elsewhere does it for them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.dashboard.desks import Office, an_office, client_of, some_tokens

from farandole.dashboard import Caller, DashboardMisconfigured, Oidc, Proxy, Role, Settings, Tokens
from farandole.dashboard.auth.attempts import Attempts
from farandole.dashboard.auth.groups import read_groups
from farandole.dashboard.auth.logins import local
from farandole.dashboard.auth.sessions import cookie_of
from farandole.dashboard.auth.tokens import make

TOKENS, SHOWN = some_tokens(viewer=Role.SEE, clerk=Role.DECIDE, operator=Role.OPERATE, boss=Role.ADMINISTER)
WHO = {"viewer": Role.SEE, "clerk": Role.DECIDE, "operator": Role.OPERATE, "boss": Role.ADMINISTER}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with an_office(tmp_path, Settings(tokens=TOKENS)) as office:
        yield office


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {SHOWN[name]}"}


DOES = {
    "/runs": ({"type": "Applied", "payload": {"customer": "x"}}, Role.OPERATE),
    "/runs/x/signals": ({"type": "Moved", "payload": {"street": "y"}}, Role.OPERATE),
    "/runs/x/pause": ({}, Role.OPERATE),
    "/runs/x/resume": ({}, Role.OPERATE),
    "/runs/x/cancel": ({"reason": "why"}, Role.OPERATE),
    "/runs/x/retry": ({}, Role.OPERATE),
    "/decisions/x/answers": ({"run_id": "x", "type": "Granted", "hash": "00"}, Role.DECIDE),
    "/failures/x/retry": ({}, Role.OPERATE),
    "/reactors/nobody/stop": ({"reason": "why"}, Role.ADMINISTER),
    "/reactors/nobody/go-on": ({}, Role.ADMINISTER),
    "/schedules/x/pause": ({}, Role.OPERATE),
    "/schedules/x/resume": ({}, Role.OPERATE),
    "/schedules/x/fire": ({}, Role.OPERATE),
}


async def test_each_role_does_what_it_may_and_nothing_more(office: Office) -> None:
    for path, (body, needs) in DOES.items():
        for name, role in WHO.items():
            answer = await office.http.post(f"/api/v1{path}", json=body, headers=bearer(name))
            if role < needs:
                assert answer.status_code == 403, (path, name, answer.text)
                assert answer.json()["cure"]
            else:
                assert answer.status_code in (202, 404, 409), (path, name, answer.text)


async def test_every_act_of_the_api_is_in_that_matrix(office: Office) -> None:
    paths = (await office.http.get("/api/openapi.json", headers=bearer("viewer"))).json()["paths"]
    posts = {path for path, methods in paths.items() if set(methods) - {"get"}}
    known = {p.replace("/x/", "/{}/").replace("/nobody/", "/{}/") for p in DOES}
    assert {
        "/" + "/".join("{}" if "{" in part else part for part in p.removeprefix("/api/v1/").split("/")) for p in posts
    } == known


async def test_without_a_login_nothing_is_answered_but_health_and_the_login_itself(office: Office) -> None:
    paths = (await office.http.get("/api/openapi.json", headers=bearer("viewer"))).json()["paths"]
    for path, methods in paths.items():
        for method in methods:
            url = path.replace("{run_id}", "x").replace("{name}", "x")
            answer = await office.http.request(method.upper(), url, json={} if method == "post" else None)
            assert answer.status_code == (200 if path in ("/healthz", "/readyz") else 401), path
            if answer.status_code == 401:
                assert answer.headers["www-authenticate"] == "Bearer"
                assert answer.headers["content-type"] == "application/problem+json"
    assert (await office.http.get("/api/openapi.json")).status_code == 401
    page = await office.http.get("/runs?status=failed", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=/runs%3Fstatus%3Dfailed")


@pytest.mark.parametrize("shown", ["", "fa_nothing", "x" * 5000, "é"])
async def test_a_token_that_is_not_known_is_refused(office: Office, shown: str) -> None:
    answer = await office.http.get("/api/v1/runs", headers={"Authorization": f"Bearer {shown}".encode()})
    assert answer.status_code == 401
    assert not shown or shown not in answer.text


async def test_who_guesses_is_made_to_wait_and_nobody_else(office: Office) -> None:
    for _ in range(10):
        assert (await office.http.get("/api/v1/runs", headers={"Authorization": "Bearer x"})).status_code == 401
    waits = await office.http.get("/api/v1/runs", headers={"Authorization": "Bearer x"})
    assert waits.status_code == 429
    assert int(waits.headers["retry-after"]) > 0
    # From the same address: behind a proxy, or in one office, all have but one.
    assert (await office.http.get("/api/v1/runs", headers=bearer("boss"))).status_code == 200


def test_attempts_are_forgotten_after_a_while_and_memory_of_them_is_bounded() -> None:
    now = [0.0]
    attempts = Attempts(3, 60, lambda: now[0])
    for _ in range(3):
        assert attempts.wait("a") == 0
        attempts.failed("a")
    assert (attempts.wait("a"), attempts.wait("b")) == (61, 0)
    now[0] = 61.0
    assert attempts.wait("a") == 0
    for n in range(20_000):
        attempts.failed(str(n))
    assert len(attempts._failed) <= 10_000


async def test_a_browser_logs_in_once_acts_by_its_session_and_logs_out(office: Office) -> None:
    async with client_of(office.app) as browser:
        await browser.get("/login")
        csrf = await csrf_of(browser)
        wrong = await browser.post("/auth/login", data={"token": "fa_x", "csrf": csrf})
        assert wrong.status_code == 401
        done = await browser.post("/auth/login", data={"token": SHOWN["operator"], "csrf": csrf, "next": "/runs"})
        assert (done.status_code, done.headers["location"]) == (303, "/runs")
        assert (await browser.get("/api/v1/runs")).status_code == 200
        await browser.get("/login")
        csrf = await csrf_of(browser)
        body = {"type": "Applied", "payload": {"customer": "x"}}
        refused = await browser.post("/api/v1/runs", json=body)
        assert refused.status_code == 403
        taken = await browser.post("/api/v1/runs", json=body, headers={"X-CSRF-Token": csrf})
        assert taken.status_code == 202
        elsewhere = {"X-CSRF-Token": csrf, "Sec-Fetch-Site": "cross-site"}
        assert (await browser.post("/api/v1/runs", json=body, headers=elsewhere)).status_code == 403
        elsewhere = {"X-CSRF-Token": csrf, "Origin": "https://elsewhere.example"}
        assert (await browser.post("/api/v1/runs", json=body, headers=elsewhere)).status_code == 403
        assert (await browser.post("/auth/logout", data={"csrf": "x"})).status_code == 403
        assert (await browser.post("/auth/logout", data={"csrf": csrf})).status_code == 303
        assert (await browser.get("/api/v1/runs")).status_code == 401


async def csrf_of(browser: httpx2.AsyncClient) -> str:
    """What the pages have in them: the session is signed, and can be read by whoever has it."""
    import json
    from base64 import b64decode

    (cookie,) = browser.cookies.values()
    return str(json.loads(b64decode(cookie.partition(".")[0]))["csrf"])


async def test_a_session_ends_when_its_token_is_taken_out(tmp_path: Path) -> None:
    shown, token = make("ann", Role.SEE)
    tokens = Tokens([token])
    async with an_office(tmp_path, Settings(tokens=tokens)) as office, client_of(office.app) as browser:
        await browser.get("/login")
        await browser.post("/auth/login", data={"token": shown, "csrf": await csrf_of(browser)})
        assert (await browser.get("/api/v1/runs")).status_code == 200
        tokens._tokens.clear()
        tokens._tokens.update(Tokens([make("bob", Role.SEE)[1]])._tokens)
        assert (await browser.get("/api/v1/runs")).status_code == 401


async def test_a_forged_session_is_none(office: Office) -> None:
    name = cookie_of(office.desk, Settings(tokens=TOKENS)).name
    async with client_of(office.app, cookies={name: "eyJieSI6ICJvaWRjIn0=.aaaa.bbbb"}) as browser:
        assert (await browser.get("/api/v1/runs")).status_code == 401


async def test_where_nobody_is_asked_other_sites_are_kept_out_all_the_same(tmp_path: Path) -> None:
    async with an_office(tmp_path) as office:
        body = {"type": "Applied", "payload": {"customer": "x"}}
        assert (await office.http.post("/api/v1/runs", json=body)).status_code == 202
        for headers in (
            {"Origin": "https://elsewhere.example"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            assert (await office.http.post("/api/v1/runs", json=body, headers=headers)).status_code == 403
        plain = await office.http.post("/api/v1/runs", content=b"{}", headers={"Content-Type": "text/plain"})
        assert plain.status_code == 415
        rebound = await office.http.get("/api/v1/runs", headers={"Host": "elsewhere.example"})
        assert rebound.status_code == 421
        for host in ("localhost:8600", "[::1]:8600", "127.0.0.1"):
            assert (await office.http.get("/api/v1/runs", headers={"Host": host})).status_code == 200


async def test_every_answer_has_the_headers_that_keep_a_browser_in(office: Office) -> None:
    for path in ("/healthz", "/api/v1/runs", "/login", "/nothing", "/api/v1/nothing"):
        for headers in ({}, bearer("viewer"), {"Authorization": "Bearer x"}):
            answer = await office.http.get(path, headers=headers)
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self' 'nonce-")
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cache-control"] == "no-store"


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(office: Office) -> None:
    large = b'{"x": "' + b"a" * 1_000_001 + b'"}'
    headers = {**bearer("boss"), "Content-Type": "application/json"}
    assert (await office.http.post("/api/v1/runs", content=large, headers=headers)).status_code == 413

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"a" * 50_000

    assert (await office.http.post("/api/v1/runs", content=pieces(), headers=headers)).status_code == 413


async def test_a_proxy_that_is_trusted_says_who_asks_and_others_do_not(tmp_path: Path) -> None:
    proxy = Proxy(networks=["127.0.0.0/8"], roles={"ops": Role.OPERATE})
    async with an_office(tmp_path, Settings(proxy=proxy, host="0.0.0.0")) as office:
        said = {
            "X-Forwarded-User": "ann",
            "X-Forwarded-Groups": "ops, editor",
            "X-Forwarded-For": "10.0.0.9, 127.0.0.1",
        }
        assert (await office.http.get("/api/v1/runs", headers=said)).status_code == 200
        answer = await office.http.post(
            "/api/v1/runs", json={"type": "Applied", "payload": {"customer": "x"}}, headers=said
        )
        assert answer.status_code == 202
        audit = await said_of(office, said)
        assert [(act["by"], act["via"], act["ip"]) for act in audit] == [("ann", "proxy", "10.0.0.9")]
        assert (
            await office.http.get("/api/v1/runs", headers={**said, "X-Forwarded-Groups": "editor"})
        ).status_code == 401
        assert (await office.http.get("/api/v1/runs")).status_code == 401
        stranger = httpx2.ASGITransport(app=office.app, client=("10.9.9.9", 1))
        async with httpx2.AsyncClient(transport=stranger, base_url="http://x") as other:
            assert (await other.get("/api/v1/runs", headers=said)).status_code == 401


async def test_of_what_was_sent_beside_a_proxys_own_words_nothing_is_believed(tmp_path: Path) -> None:
    proxy = Proxy(networks=["127.0.0.0/8"], roles={"ops": Role.OPERATE})
    async with an_office(tmp_path, Settings(proxy=proxy, host="0.0.0.0")) as office:
        said = [("X-Forwarded-User", "ann"), ("X-Forwarded-Groups", "ops"), ("X-Forwarded-For", "10.0.0.9")]
        for more in (("X-Forwarded-User", "boss"), ("X-Forwarded-Groups", "farandole:administer")):
            answer = await office.http.get("/api/v1/runs", headers=[more, *said])
            assert (answer.status_code, answer.json()["status"]) == (401, 401)
        made_up = [("X-Forwarded-For", "1.2.3.4"), *said]
        body = {"type": "Applied", "payload": {"customer": "x"}}
        assert (await office.http.post("/api/v1/runs", json=body, headers=made_up)).status_code == 202
        assert [act["ip"] for act in await said_of(office, dict(said))] == ["10.0.0.9"]


def test_a_secret_that_others_could_find_signs_no_sessions() -> None:
    with pytest.raises(DashboardMisconfigured, match="shorter than 32 bytes"):
        Settings(secret="")


@pytest.mark.parametrize("name", ["team#1", "a,b", "two words", "-", "ä" * 101])
def test_a_token_is_made_for_nobody_whom_its_file_cannot_name(name: str) -> None:
    with pytest.raises(DashboardMisconfigured, match="cannot name a person or role"):
        make(name, Role.SEE)


async def test_odd_words_in_headers_and_forms_are_refused_and_not_stumbled_over(office: Office) -> None:
    assert (await office.http.get("/login", params={"next": "//["})).status_code == 200
    odd = {"Origin": "http://[", "Content-Type": "application/json"}
    assert (await office.http.post("/auth/login", data={"token": "x", "csrf": "é"})).status_code == 403
    assert (
        await office.http.post("/auth/logout", data={"csrf": "é"}, headers={"Origin": odd["Origin"]})
    ).status_code == 403


async def said_of(office: Office, headers: dict[str, str]) -> Any:
    while not (found := (await office.http.get("/api/v1/audit", headers=headers)).json()["items"]):
        pass
    return found


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org"])
def test_beyond_this_machine_it_does_not_begin_without_a_way_to_ask_who_comes(host: str) -> None:
    with pytest.raises(DashboardMisconfigured, match="farandole token"):
        Settings(host=host)
    Settings(host=host, tokens=TOKENS)
    Settings(host=host, oidc=Oidc(issuer="https://x", client_id="x"))
    for local_ in ("127.0.0.1", "::1", "localhost", "127.8.8.8"):
        Settings(host=local_)


@pytest.mark.parametrize("next_", ["https://x", "//x", "/\\x", "\\x", "x", "", "/a\r\nb", "/a\\b", "javascript:x"])
def test_after_a_login_nobody_is_sent_elsewhere(next_: str) -> None:
    assert local(next_) == "/"
    assert local("/runs?a=b") == "/runs?a=b"


def test_groups_name_a_role_the_highest_counts_and_others_are_further_ones() -> None:
    roles = {"ops": Role.OPERATE, "all": Role.SEE}
    assert read_groups(["all", "ops", "editor"], roles, None) == (Role.OPERATE, frozenset({"editor"}))
    assert read_groups(["farandole:administer", "farandole:personal"], {}, None) == (
        Role.ADMINISTER,
        frozenset({"personal"}),
    )
    assert read_groups(["operate"], {}, None) == (None, frozenset({"operate"}))
    assert read_groups([], {}, Role.SEE) == (Role.SEE, frozenset())


def test_a_token_that_is_taken_out_of_its_file_is_good_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farandole.dashboard.auth.tokens._LOOK", 0.0)
    (ann, kept), (bob, other) = make("ann", Role.SEE), make("bob", Role.SEE)
    file = tmp_path / "tokens"
    file.write_text(f"{kept.line()}\n{other.line()}\n")
    tokens = Tokens.named(str(file))
    assert tokens.find(ann)
    assert tokens.find(bob)
    file.write_text(f"{other.line()}\n")
    assert tokens.find(ann) is None
    assert tokens.known(kept.hash) is None
    for broken in ("what is this\n", None):
        file.unlink() if broken is None else file.write_text(broken)
        assert tokens.find(bob) == other


async def test_a_file_from_which_all_tokens_were_taken_out_opens_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farandole.dashboard.auth.tokens._LOOK", 0.0)
    shown, token = make("ann", Role.ADMINISTER)
    file = tmp_path / "tokens"
    file.write_text(token.line())
    async with an_office(tmp_path, Settings(tokens=Tokens.named(str(file)))) as office:
        headers = {"Authorization": f"Bearer {shown}"}
        assert (await office.http.get("/api/v1/runs", headers=headers)).status_code == 200
        file.write_text("# nobody\n")
        assert (await office.http.get("/api/v1/runs", headers=headers)).status_code == 401
        assert (await office.http.get("/api/v1/runs")).status_code == 401


def test_nobody_is_asked_for_what_a_role_is_asked_because_they_call_themselves_so() -> None:
    caller = Caller(name="role:editor", method="oidc", role=Role.DECIDE)
    assert not caller.is_asked(["role:editor"])
    assert Caller(name="x", method="oidc", role=Role.DECIDE, further=frozenset({"editor"})).is_asked(["role:editor"])
    assert Caller(name="ann", method="token", role=Role.DECIDE).is_asked(["ann", "role:editor"])
    assert caller.is_asked([])


def test_a_file_of_tokens_is_read_and_what_is_wrong_with_it_is_told_without_quoting_it(tmp_path: Path) -> None:
    from datetime import date

    shown, token = make("ann", Role.OPERATE, ["editor", "personal"], date(2999, 1, 1))
    _, old = make("bob", Role.SEE, ends=date(2001, 1, 1))
    file = tmp_path / "tokens"
    file.write_text(f"# ours\n\n{token.line()}\n{old.line()}  # he left\n")
    tokens = Tokens.named(str(file))
    assert len(tokens) == 2
    assert tokens.find(shown) == token
    assert tokens.known(old.hash) is None
    assert Tokens.named(token.line()).find(shown) == token
    for line in ("x ann see", f"{'a' * 64} ann king", f"{'a' * 64} ann", f"{'a' * 64} ann see - someday"):
        with pytest.raises(DashboardMisconfigured, match="line 1") as e:
            Tokens.read(line, "tokens")
        assert "ann" not in str(e.value)
    with pytest.raises(DashboardMisconfigured, match="farandole token"):
        Tokens.named(str(tmp_path / "nothing"))
    for name in ("a b", "", "a,b", "-", "x" * 201):
        with pytest.raises(DashboardMisconfigured):
            make(name, Role.SEE)
