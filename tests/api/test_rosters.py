"""Tables of people: thousands of accounts made or given their roles at once, all or none; passwords that run out."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from layers.errors import OneTimeOver, WrongLogin
from layers.people.access import Actor
from layers.people.accounts import ONE_TIME, make_account, reset_password, set_password
from layers.people.passwords import fits, hashed, hashed_random, one_time
from layers.people.privacy import keyring_in
from layers.people.roles import shipped_roles
from layers.people.rosters import MOST_LINES, RosterRefused, entries_of, grant_all, make_all
from layers.people.signin import Attempt, Policy, sign_in
from layers.people.tables import ACCOUNT, ACCOUNT_EVENT
from layers.store.engine import begin
from tests.api.people import person, signed_in
from tests.conftest import Database, Server

HEADER = "登录名,姓名,角色,区域,部门\n"
LINES = "wg.a1,王一,网格员,320602001001001;320602001001002,全部\nwg.a2,=1+2,worker,320602,cgj\n"


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[httpx.Client]:
    with signed_in(server, person(server, "admin")) as client:
        yield client


@pytest.fixture(scope="module")
def security(server: Server) -> Iterator[httpx.Client]:
    with signed_in(server, person(server, "security")) as client:
        yield client


def count(server: Server) -> int:
    with server.database.owner.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(ACCOUNT)) or 0


def test_one_file_makes_the_accounts_and_gives_them_their_roles_by_two_hands(
    server: Server, admin: httpx.Client, security: httpx.Client
) -> None:
    content = (HEADER + LINES).encode("gb18030")
    assert security.post("/accounts/import", content=content).status_code == 403
    made = admin.post("/accounts/import", content=content)
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    rows = list(csv.reader(io.StringIO(made.text.removeprefix("\ufeff"))))
    assert rows[0] == ["登录名", "姓名", "一次性密码", "有效至"]
    assert [row[:2] for row in rows[1:]] == [["wg.a1", "王一"], ["wg.a2", "'=1+2"]]
    with signed_in(server, "wg.a1", rows[1][2]) as client:
        told = client.get("/session").json()
        assert (told["due"], told["roles"], told["areas"]) == ("password", [], [])
    assert admin.post("/accounts/grants", content=content).status_code == 403
    granted = security.post("/accounts/grants", content=content)
    assert granted.json() == {"granted": 2}
    first, second = (admin.get(f"/accounts/{login}").json() for login in ("wg.a1", "wg.a2"))
    assert (first["roles"], first["departments"]) == (["worker"], None)
    assert first["areas"] == ["320602001001001", "320602001001002"]
    assert (second["areas"], second["departments"]) == (["320602"], ["cgj"])
    events = [one["event"] for one in admin.get("/accounts/wg.a2/events").json()["events"]]
    assert events == ["granted", "account_made"]


def test_of_a_wrong_line_all_are_refused_and_told_and_nothing_is_made(
    server: Server, admin: httpx.Client, security: httpx.Client
) -> None:
    taken = person(server)
    before = count(server)
    table = HEADER + f"wg.b1,李一,,,\n{taken},李二,,,\nadmin 1,李三,,,\nwg.b4,,,,\nwg.b5,五,,,\nwg.b5,六,,,\n"
    refused = admin.post("/accounts/import", content=table.encode())
    assert (refused.status_code, refused.json()["code"]) == (422, "roster_refused")
    wrong = [(one["line"], one["cause"]) for one in refused.json()["lines"]]
    assert wrong == [
        (3, "login_taken"), (4, "login_unfit"), (5, "name_unfit"), (6, "login_twice"), (7, "login_twice"),
    ]  # fmt: skip
    assert count(server) == before
    own = security.get("/session").json()["actor"]
    table = HEADER + f"{taken},李,worker,320602,\n{own},我,worker,,\nnobody.there,无,worker,,\n"
    table += f"{person(server)},甲,飞行员,,\n{person(server)},乙,admin;security,,\n{person(server)},丙,worker,32,\n"
    refused = security.post("/accounts/grants", content=table.encode())
    causes = [one["cause"] for one in refused.json()["lines"]]
    assert causes == ["own_account", "unknown_account", "role_unknown", "duties_separate", "areas_unfit"]
    assert admin.get(f"/accounts/{taken}").json()["roles"] == []


def test_passwords_of_those_who_never_came_are_given_out_anew(server: Server, admin: httpx.Client) -> None:
    table = "login,name\nwg.c1,甲\nwg.c2,乙\n".encode()
    first = admin.post("/accounts/import", content=table).text.splitlines()
    with signed_in(server, "wg.c1", first[1].split(",")[2]):
        pass
    refused = admin.post("/accounts/import?renew=true", content=table).json()
    assert [(one["line"], one["cause"]) for one in refused["lines"]] == [(2, "login_used")]
    again = admin.post("/accounts/import?renew=true", content="login,name\nwg.c2,乙\nwg.c3,丙\n".encode())
    assert again.status_code == 201
    password = again.text.splitlines()[1].split(",")[2]
    assert password != first[2].split(",")[2]
    with signed_in(server, "wg.c2", password) as client:
        assert client.get("/session").json()["due"] == "password"
    officer = person(server, "auditor")
    refused = admin.post("/accounts/import?renew=true", content=f"login,name\n{officer},审计\n".encode()).json()
    assert refused["lines"][0]["cause"] == "administrators_account"


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "roster_header"),
        ("姓名,角色\n王,worker\n".encode(), "roster_header"),
        ("登录名,姓名\n\n".encode(), "roster_empty"),
        (b"login,name\n\xff\xfe\xff,\xff\n", "roster_encoding"),
        (b"login\0,name\nx,y\n", "roster_encoding"),
        (b'login,name\nwg.d1,"open\n', "roster_broken"),
        (b"login,name\n" + b"wg.x,y\n" * (MOST_LINES + 1), "roster_long"),
        (b"login,name\n" + b"," * 3_200_000, "roster_large"),
    ],
)
def test_what_is_no_table_of_people_is_refused_by_its_cause(admin: httpx.Client, content: bytes, cause: str) -> None:
    answer = admin.post("/accounts/import", content=content)
    assert (answer.status_code, answer.json()["cause"]) == (422, cause)


def test_a_city_of_grid_workers_is_taken_in_in_seconds(database: Database) -> None:
    lines = [f"wg{n:05},网格员{n},网格员,32060200100{n:04},全部" for n in range(8_470)]
    entries = entries_of((HEADER + "\n".join(lines)).encode(), shipped_roles())
    with begin(database.engine, actor="admin") as connection:
        given = make_all(connection, entries, Actor("admin"), lasting=ONE_TIME, renew=False)
        assert grant_all(connection, entries, Actor("security", rights=frozenset({"role.edit"}))) == 8_470
    assert len({one.password for one in given}) == 8_470
    with database.owner.connect() as connection:
        row = connection.execute(sa.select(ACCOUNT).where(ACCOUNT.c.login == "wg08469")).one()
        assert (row.roles, row.areas, row.departments, row.must_change) == (["worker"], ["320602001008469"], None, True)
        assert fits(row.hash, given[-1].password)
        assert connection.scalar(sa.select(sa.func.count()).select_from(ACCOUNT_EVENT)) == 2 * 8_470
    with pytest.raises(RosterRefused) as refused, begin(database.engine, actor="admin") as connection:
        make_all(connection, entries, Actor("admin"), lasting=ONE_TIME, renew=False)
    assert (refused.value.count, len(refused.value.lines)) == (8_470, 100)


def test_a_quick_hash_is_of_its_password_alone() -> None:
    password = one_time()
    assert fits(hashed_random(password), password)
    assert not fits(hashed_random(password), one_time())
    assert fits(hashed("Tongzhou-Bay-2026"), "Tongzhou-Bay-2026")
    assert not fits(None, password)


def test_a_password_that_was_given_out_opens_for_its_hours_and_no_longer(database: Database, tmp_path: Path) -> None:
    keyring, writer = keyring_in(tmp_path), database.engine
    with begin(writer, actor="admin") as connection:
        given = make_account(connection, login="wang", name="王", actor="admin", lasting=dt.timedelta(hours=5))
    now = dt.datetime.now(dt.UTC)

    def attempt(password: str, at: dt.datetime) -> str:
        tried = Attempt("wang", password, None, "192.0.2.1", "")
        return sign_in(writer, tried, keyring=keyring, now=at, policy=Policy())

    assert attempt(given, now + dt.timedelta(hours=4))
    with pytest.raises(OneTimeOver):
        attempt(given, now + dt.timedelta(hours=6))
    with pytest.raises(WrongLogin):
        attempt("not this one", now + dt.timedelta(hours=6))
    with begin(writer, actor="admin") as connection:
        anew = reset_password(connection, "wang", actor="admin")
    assert attempt(anew, now + ONE_TIME - dt.timedelta(minutes=1))
    with pytest.raises(OneTimeOver):
        attempt(anew, now + ONE_TIME + dt.timedelta(minutes=1))
    with begin(writer, actor="wang") as connection:
        set_password(connection, "wang", "Langshan-Hill-88", session="", now=now)
    assert attempt("Langshan-Hill-88", now + 100 * ONE_TIME)


def test_who_comes_too_late_is_told_so_and_who_types_a_wrong_password_is_not(
    server: Server, admin: httpx.Client
) -> None:
    made = admin.post("/accounts", json={"login": "late.one", "name": "迟"}).json()
    told = admin.get("/accounts/late.one").json()
    ends = dt.datetime.fromisoformat(told["oneTimeUntil"]) - dt.datetime.fromisoformat(told["madeAt"])
    assert abs(ends - ONE_TIME) < dt.timedelta(seconds=5)
    with server.database.engine.begin() as connection:
        past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
        connection.execute(ACCOUNT.update().where(ACCOUNT.c.login == "late.one").values(one_time_until=past))
    page = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    answers = [
        httpx.post(f"{server.url}/session", json={"login": "late.one", "password": password}, headers=page)
        for password in (made["password"], "not this one")
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (401, "one_time_over"), (401, "wrong_login"),
    ]  # fmt: skip


def test_how_the_audit_chain_stands_is_told_to_the_auditor(server: Server, admin: httpx.Client) -> None:
    assert admin.get("/audit").status_code == 403
    with signed_in(server, person(server, "auditor")) as auditor:
        told = auditor.get("/audit").json()
    assert set(told) == {"seal", "waitingS", "roots", "newestRoot", "verify"}
    assert told["waitingS"] >= 0


def test_an_account_that_was_tried_too_often_is_shown_as_locked(server: Server, admin: httpx.Client) -> None:
    login = person(server)
    page = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    assert admin.get(f"/accounts/{login}").json()["lockedUntil"] is None
    for _ in range(5):
        httpx.post(f"{server.url}/session", json={"login": login, "password": "not this one"}, headers=page)
    assert admin.get(f"/accounts/{login}").json()["lockedUntil"] is not None
    assert admin.delete(f"/accounts/{login}/lock").status_code == 204
    assert admin.get(f"/accounts/{login}").json()["lockedUntil"] is None
