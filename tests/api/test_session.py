"""Signing in and out over HTTP: cookies that pages cannot read, lock-outs, revocation, and what is forged."""

from __future__ import annotations

import datetime as dt
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import sqlalchemy as sa

from api.door import Door, Ways
from layers.people.access import ANYONE, EVERYWHERE, Scope
from layers.people.accounts import set_active
from layers.people.signin import Policy
from layers.people.tables import ACCOUNT, ACCOUNT_EVENT, ATTEMPT, SESSION
from layers.people.totp import code_at
from layers.store.engine import begin
from tests.api.people import PASSWORD, page, person, signed_in
from tests.api.test_system import until
from tests.conftest import Server


def test_signing_in_opens_what_the_roles_may_and_signing_out_closes_it(server: Server) -> None:
    login = person(server, "dispatcher")
    with page(server) as client:
        assert client.get("/session").json()["actor"] is None
        assert client.get("/layers/incident").status_code == 404
        answer = client.post("/session", json={"login": f" {login.upper()} ", "password": PASSWORD})
        assert answer.json() == {"login": login}
        cookie = answer.headers["set-cookie"].lower()
        assert {"httponly", "samesite=strict", "path=/"} <= {part.strip() for part in cookie.split(";")}
        told = client.get("/session").json()
        assert (told["actor"], told["roles"], told["areas"], told["due"]) == (login, ["dispatcher"], None, None)
        assert "incident.dispatch" in told["rights"]
        assert client.get("/layers/incident").status_code == 200
        assert client.delete("/session").status_code == 204
        assert client.get("/session").json()["actor"] is None
        assert client.get("/layers/incident").status_code == 404


def test_only_digests_are_kept(server: Server) -> None:
    with signed_in(server, person(server, "analyst")) as client:
        secret = client.cookies["chengtu"]
        with server.database.owner.connect() as connection:
            tables = (SESSION, ACCOUNT, ACCOUNT_EVENT)
            kept = [str(row) for table in tables for row in connection.execute(table.select())]
        assert not any(secret in row or PASSWORD in row for row in kept)
        assert any("$argon2id$" in row for row in kept)


def test_the_cookie_of_https_is_for_this_host_alone() -> None:
    ways = Ways(public_url="https://city.example")
    scope = {"scheme": "http", "headers": [(b"cookie", b"chengtu=a; __Host-chengtu=b")], "method": "GET"}
    assert (ways.cookie(scope), ways.secure(scope)) == ("__Host-chengtu", True)
    assert (Ways().cookie(scope), Ways().secure(scope)) == ("chengtu", False)
    assert Ways().cookie({**scope, "scheme": "https"}) == "__Host-chengtu"


@pytest.mark.parametrize(
    ("headers", "proxies", "address"),
    [
        ([(b"x-forwarded-for", b"1.2.3.4")], 0, "9.9.9.9"),
        ([(b"x-forwarded-for", b"6.6.6.6, 1.2.3.4")], 1, "1.2.3.4"),
        ([(b"x-forwarded-for", b"6.6.6.6, 1.2.3.4, 10.0.0.1")], 2, "1.2.3.4"),
        ([], 1, "9.9.9.9"),
    ],
)
def test_an_address_is_told_by_proxies_of_our_own_only(
    headers: list[tuple[bytes, bytes]], proxies: int, address: str
) -> None:
    assert Ways(proxies=proxies).address({"headers": headers, "client": ("9.9.9.9", 1)}) == address


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://other.city.example"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
def test_a_page_of_another_host_changes_nothing_with_our_cookie(server: Server, headers: dict[str, str]) -> None:
    with signed_in(server, person(server, "admin")) as client:
        forged = httpx.Client(base_url=server.url, cookies=dict(client.cookies), headers=headers)
        with forged:
            for method, path in (("POST", "/uploads"), ("POST", "/accounts"), ("DELETE", "/session")):
                refused = forged.request(method, path, json={})
                assert (refused.status_code, refused.json()["code"]) == (403, "forged"), path
            assert forged.get("/session").status_code == 200
        assert client.get("/session").json()["actor"] is not None


def test_a_page_of_another_host_signs_nobody_in(server: Server) -> None:
    body = {"login": person(server), "password": PASSWORD}
    refused = httpx.post(f"{server.url}/session", json=body, headers={"Origin": "https://evil.example"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forged")
    assert httpx.post(f"{server.url}/session", json=body).status_code == 200, "a program names no origin"


def test_a_token_needs_no_origin_and_comes_before_a_cookie(server: Server) -> None:
    with signed_in(server, person(server, "analyst")) as client:
        assert client.get("/session", headers=server.admin).json()["actor"] == "admin"
        refused = client.get("/session", headers={"Authorization": "Bearer no"})
        assert (refused.status_code, refused.json()["code"]) == (401, "wrong_token")
    assert httpx.post(f"{server.url}/accounts", json={}, headers=server.admin).status_code == 422


def test_a_cookie_that_is_over_is_that_of_a_visitor(server: Server) -> None:
    stale = {"chengtu": "was-once-good"}
    assert httpx.get(f"{server.url}/layers", cookies=stale).status_code == 200
    assert httpx.get(f"{server.url}/session", cookies=stale).json()["actor"] is None
    assert httpx.get(f"{server.url}/tiles/county/6/53/25.mvt", cookies=stale).status_code == 200


def test_five_wrong_passwords_lock_an_account_whether_it_is_there_or_not(server: Server) -> None:
    there = person(server, "analyst")
    for login in (there, f"{there}.ghost"):
        body = {"login": login, "password": "wrong-password"}
        told = [httpx.post(f"{server.url}/session", json=body) for _ in range(6)]
        assert [answer.status_code for answer in told] == [401] * 5 + [429], login
        assert {answer.json()["code"] for answer in told[:5]} == {"wrong_login"}
        assert told[5].json()["code"] == "too_many_attempts"
        assert 0 < int(told[5].headers["retry-after"]) <= 900
    right = {"login": there, "password": PASSWORD}
    assert httpx.post(f"{server.url}/session", json=right).status_code == 429, "the right one waits, too"
    with signed_in(server, person(server, "security")) as security:
        assert security.delete(f"/accounts/{there}/lock").status_code == 204
    assert httpx.post(f"{server.url}/session", json=right).status_code == 200


def test_a_lock_ends_by_itself(server: Server) -> None:
    login = person(server, "analyst")
    for _ in range(6):
        httpx.post(f"{server.url}/session", json={"login": login, "password": "wrong-password"})
    with server.database.engine.begin() as connection:
        past = ATTEMPT.c.began - dt.timedelta(minutes=16)
        connection.execute(ATTEMPT.update().where(ATTEMPT.c.key.startswith("account:")).values(began=past))
    with signed_in(server, login):
        pass


def test_a_hundred_guesses_at_once_are_a_hundred_attempts(server: Server) -> None:
    login = person(server, "analyst")

    def guess(n: int) -> int:
        return httpx.post(
            f"{server.url}/session", json={"login": login, "password": f"guess-{n}"}, timeout=60
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(guess, range(16)))
    assert (told.count(401), told.count(429)) == (5, 11)


def test_a_session_is_over_everywhere_within_a_second_of_being_revoked(server: Server) -> None:
    login = person(server, "dispatcher")
    with signed_in(server, login) as client, signed_in(server, login) as other:
        here = [one for one in client.get("/session/all").json()["sessions"] if not one["here"]]
        assert len(here) == 1
        with httpx.stream("GET", f"{server.url}/live", cookies=dict(other.cookies), timeout=10) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: hello"
            assert other.get("/tiles/incident/9/427/207.mvt").status_code in (200, 204)
            # As another process would: this server is not told of it.
            with begin(server.database.engine, actor="test") as connection:
                connection.execute(SESSION.delete().where(SESSION.c.id == here[0]["id"]))
            revoked = dt.datetime.now(dt.UTC)
            for _ in lines:
                pass  # the stream ends
        until(lambda: other.get("/tiles/incident/9/427/207.mvt").status_code == 404)
        assert other.get("/session").json()["actor"] is None
        assert dt.datetime.now(dt.UTC) - revoked < dt.timedelta(seconds=3)
        assert client.get("/session").json()["actor"] == login


def test_a_stream_ends_when_its_rights_change_and_one_without_a_session_goes_on(server: Server) -> None:
    login = person(server, "dispatcher")
    with signed_in(server, login) as client, httpx.stream("GET", f"{server.url}/live", timeout=10) as anyone:
        first = anyone.iter_lines()
        assert next(first) == "event: hello"
        with httpx.stream("GET", f"{server.url}/live", cookies=dict(client.cookies), timeout=10) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: hello"
            with begin(server.database.engine, actor="test") as connection:
                set_active(connection, login, active=False, actor="test")
            for _ in lines:
                pass
        until(lambda: client.get("/session").json()["actor"] is None)
        with begin(server.database.engine, actor="test") as connection:
            connection.execute(sa.select(sa.func.pg_notify("change", "")))
        assert not anyone.is_closed


def test_one_ends_ones_own_sessions_and_nobody_elses(server: Server) -> None:
    with signed_in(server, person(server, "analyst")) as one, signed_in(server, person(server, "analyst")) as other:
        id = one.get("/session/all").json()["sessions"][0]["id"]
        assert other.delete(f"/session/all/{id}").status_code == 404
        assert one.delete(f"/session/all/{id}").status_code == 204
        assert one.get("/session").json()["actor"] is None


def _is_visitor(client: httpx.Client) -> bool:
    return client.get("/session").json()["actor"] is None


def test_idle_and_old_sessions_are_over(server: Server) -> None:
    for column, past in ((SESSION.c.seen_at, dt.timedelta(minutes=121)), (SESSION.c.ends_at, dt.timedelta(hours=12))):
        login = person(server, "analyst")
        with signed_in(server, login) as client:
            with server.database.engine.begin() as connection:
                mine = SESSION.update().where(SESSION.c.login == login)
                connection.execute(mine.values({column.name: column - past}))
            until(partial(_is_visitor, client))


def test_a_new_password_is_chosen_before_any_right_counts(server: Server) -> None:
    with signed_in(server, person(server, "security")) as security, page(server) as client:
        login = person(server, "analyst")
        given = security.post(f"/accounts/{login}/password").json()["password"]
        assert client.post("/session", json={"login": login, "password": PASSWORD}).status_code == 401
        assert client.post("/session", json={"login": login, "password": given}).status_code == 200
        told = client.get("/session").json()
        assert (told["due"], told["rights"]) == ("password", [])
        assert client.get("/layers/incident").status_code == 404
        refused = client.post("/questions", json={})
        assert (refused.status_code, refused.json()["cause"]) == (403, "password_due")
        for new, cause in (("short", "password_length"), ("a" * 12, "password_weak"), (given, "password_same")):
            answer = client.put("/session/password", json={"old": given, "new": new})
            assert (answer.status_code, answer.json()["cause"]) == (422, cause)
        wrong = client.put("/session/password", json={"old": "not-this-one", "new": "Haimen-River-77"})
        assert (wrong.status_code, wrong.json()["cause"]) == (422, "password_wrong")
        assert client.put("/session/password", json={"old": given, "new": "Haimen-River-77"}).status_code == 204
        assert client.get("/session").json()["due"] is None
        assert client.get("/layers/incident").status_code == 200
        with signed_in(server, login, "Haimen-River-77") as again:
            assert again.get("/session").json()["due"] is None


def test_a_second_factor_is_asked_for_and_each_code_is_taken_once(server: Server) -> None:
    login = person(server, "dispatcher")
    with signed_in(server, login) as client:
        begun = client.post("/session/second-factor", json={"password": PASSWORD}).json()
        assert begun["picture"].startswith("<svg")
        secret = parse_qs(urlsplit(begun["uri"]).query)["secret"][0]
        assert secret == begun["secret"]
        wrong = client.put("/session/second-factor", json={"code": "000000"})
        assert (wrong.status_code, wrong.json()["cause"]) == (422, "code_wrong")
        now = dt.datetime.now(dt.UTC)
        codes = client.put("/session/second-factor", json={"code": code_at(secret, now)}).json()["recovery"]
        assert len(set(codes)) == 10
        assert client.post("/session/second-factor", json={"password": PASSWORD}).status_code == 409
    body = {"login": login, "password": PASSWORD}
    assert httpx.post(f"{server.url}/session", json=body).json()["code"] == "second_factor_due"
    used = httpx.post(f"{server.url}/session", json={**body, "code": code_at(secret, now)})
    assert used.json()["code"] == "wrong_login", "it proved the enrolment and is spent"
    ahead = {**body, "code": code_at(secret, now + dt.timedelta(seconds=30))}
    assert httpx.post(f"{server.url}/session", json=ahead).status_code == 200
    assert httpx.post(f"{server.url}/session", json=ahead).status_code == 401
    for expected in (200, 401):
        recovered = httpx.post(f"{server.url}/session", json={**body, "code": codes[0].upper()})
        assert recovered.status_code == expected
    with server.database.owner.connect() as connection:
        kept = connection.execute(ACCOUNT.select().where(ACCOUNT.c.login == login)).one()
    assert kept.totp.startswith("v1.")
    assert secret not in str(kept)


def test_without_the_password_no_second_factor_is_changed(server: Server) -> None:
    with signed_in(server, person(server, "analyst")) as client:
        for method in ("POST", "DELETE"):
            refused = client.request(method, "/session/second-factor", json={"password": "a guess of mine"})
            assert (refused.status_code, refused.json()["cause"]) == (422, "password_wrong")


def test_the_door_asks_the_database_once_in_half_a_second(server: Server) -> None:
    asked: list[str] = []
    engine = sa.create_engine(server.database.engine.url, connect_args={"options": "-c role=chengtu_writer"})

    def note(_: object, __: object, text: str, *___: object) -> None:
        asked.append(text)

    sa.event.listen(engine, "before_cursor_execute", note)
    time = [0.0]
    door = Door(engine, policy=Policy(), ways=Ways(), clock=lambda: time[0])
    with signed_in(server, person(server, "analyst")) as client:
        cookie = f"chengtu={client.cookies['chengtu']}".encode()
        scope = {"method": "GET", "scheme": "http", "headers": [(b"cookie", cookie)]}
        first = door.actor(scope)
        assert first != ANYONE
        count = len(asked)
        for _ in range(100):
            assert door.actor(scope) == first
        assert len(asked) == count
        time[0] += 0.5
        door.actor(scope)
        assert len(asked) > count
    engine.dispose()


def test_a_scope_is_told_as_it_was_granted(server: Server) -> None:
    scope = Scope(frozenset({"320602"}), frozenset({"cgj"}))
    with signed_in(server, person(server, "officer", scope=scope)) as client:
        told = client.get("/session").json()
        assert (told["areas"], told["departments"]) == (["320602"], ["cgj"])
    assert EVERYWHERE.holds(scope)


def test_every_event_of_signing_in_is_written_down(server: Server) -> None:
    login = person(server, "analyst")
    httpx.post(f"{server.url}/session", json={"login": login, "password": "wrong-password"})
    with signed_in(server, login) as client:
        client.delete("/session")
    with signed_in(server, person(server, "auditor")) as auditor:
        told = auditor.get(f"/accounts/{login}/events").json()["events"]
    assert [one["event"] for one in told] == ["signed_out", "signed_in", "refused", "granted", "account_made"]
    assert re.fullmatch(r"127\.0\.0\.1", told[1]["address"])
