"""Calling people back on the desk: from one to the next by keyboard, numbers for a recorded purpose, rates beside."""

from __future__ import annotations

import datetime as dt
import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from layers.loop.tables import CALLER
from layers.people.access import Scope
from layers.people.privacy import keyring_in
from layers.people.reads import SENSITIVE_READ
from layers.store.engine import begin
from tests.api.people import person
from tests.conftest import Server
from tests.incidents import OURS, change, report
from tests.web import pages
from tests.web.desk import Open, desks, violations

browser = pages.browser
RUDONG = frozenset({"320623"})
LEAD = "320623-hwc"
_numbers = itertools.count(1)
Waits = Callable[..., tuple[str, int]]


@pytest.fixture
def caller(server: Server) -> str:
    """Who calls back: of one county, where no other test has callers."""
    return person(server, "dispatcher", scope=Scope(RUDONG, None))


@pytest.fixture
def desk(browser: Browser, server: Server, caller: str) -> Iterator[Open]:
    with desks(browser, server, caller) as open_page:
        yield open_page


@pytest.fixture
def waits(server: Server) -> Iterator[Waits]:
    """Puts a case that was closed so many hours ago, whose caller waits; gone at the end."""
    made: list[str] = []

    def put(title: str, *, hours: int, phone: str) -> tuple[str, int]:
        id = f"20260909{os.getpid() % 10_000:04d}{next(_numbers):02d}"
        report(
            server.database, replace(OURS, id=id, title=title, admin_code="320623001", lead=LEAD, lon=121.18, lat=32.28)
        )
        closed = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)
        change(server.database, id, state="closed", channel="hotline", reported_at=closed, closed_at=closed)
        made.append(id)
        keyring = keyring_in(server.data)
        about = {
            "incident": id, "channel": "hotline", "line": "12345", "at": closed, "phone_mark": keyring.mark(phone),
            "phone": keyring.seal(phone, about="caller.phone"), "name": keyring.seal("李建国", about="caller.name"),
        }  # fmt: skip
        with begin(server.database.engine, actor="test") as connection:
            return id, int(connection.execute(sa.insert(CALLER).values(about).returning(CALLER.c.id)).scalar_one())

    yield put
    with server.database.owner.begin() as connection:
        for id in made:
            connection.execute(sa.text("delete from core.contact where incident = :id"), {"id": id})
            connection.execute(sa.text("delete from core.caller where incident = :id"), {"id": id})
            connection.execute(sa.text("delete from city.incident where id = :id"), {"id": id})


def test_callers_are_called_one_after_the_other_by_the_keyboard_and_the_rates_follow(
    desk: Open, waits: Waits, caller: str, server: Server
) -> None:
    first, number = waits("等得最久的路灯", hours=9, phone="13900001111")
    second, other = waits("第二盏路灯", hours=5, phone="13900002222")
    page = desk()
    press = page.keyboard.press
    press("7")
    expect(page.locator(".due-row .name")).to_have_text(["等得最久的路灯", "第二盏路灯"])
    expect(page.locator(".case-tabs [data-tab=callbacks] .count")).to_have_text("2")
    expect(page.locator(".due-row").first).to_contain_text("139****1111")
    expect(page.locator(".callbacks")).not_to_contain_text("建国")
    assert violations(page) == []
    press("j")
    expect(page.locator("#case-title")).to_have_text("等得最久的路灯")
    press("p")
    expect(page.locator(".answering .person")).to_have_text("李建国 13900001111")
    expect(page.get_by_role("button", name="登记", exact=True)).to_be_disabled()
    press("y")
    press("y")
    press("n")
    assert violations(page) == []
    press("Enter")
    expect(page.locator(".said")).to_contain_text(f"{first}：回访已登记")
    expect(page.locator(".due-row .name")).to_have_text(["第二盏路灯"])
    # The next one is open already.
    expect(page.locator("#case-title")).to_have_text("第二盏路灯")
    expect(page.locator(".rate b")).to_have_text(["–", "100%", "0%"])
    expect(page.locator(".rate").nth(1)).to_contain_text("1 / 1")
    press("n")
    press("Enter")
    expect(page.locator(".due-row .tried")).to_have_text("已拨 1 次未通")
    expect(page.locator(".left-out")).to_contain_text("仍在联系 1 人")
    page.locator(".rate-groups summary").click()
    expect(page.locator(".rate-groups tbody tr")).to_have_count(1)
    expect(page.locator(".rate-groups tbody tr")).to_contain_text("如东县环境卫生管理所")
    expect(page.locator(".rate-groups [data-low=true]")).to_contain_text("0%")

    answers = sa.select(CALLER.c.id, CALLER.c.solved, CALLER.c.satisfied).where(CALLER.c.id.in_([number, other]))
    reads = sa.select(SENSITIVE_READ.c.purpose, SENSITIVE_READ.c.id).where(SENSITIVE_READ.c.actor == caller)
    with server.database.owner.connect() as connection:
        assert {row.id: (row.solved, row.satisfied) for row in connection.execute(answers)} == {
            number: (True, False), other: (None, None)
        }  # fmt: skip
        assert [tuple(row) for row in connection.execute(reads)] == [("callback", str(number))]


def test_who_was_called_by_somebody_else_meanwhile_is_not_asked_twice(desk: Open, waits: Waits, server: Server) -> None:
    id, number = waits("两人回访的路灯", hours=3, phone="13900003333")
    page = desk("#tab=callbacks", errors_with="409")
    page.keyboard.press("j")
    for key in "yyy":
        page.keyboard.press(key)
    with begin(server.database.engine, actor="test") as connection:
        answered = {"reached_at": dt.datetime.now(dt.UTC), "solved": False, "satisfied": False}
        connection.execute(sa.update(CALLER).where(CALLER.c.id == number).values(answered))
    page.keyboard.press("Enter")
    expect(page.locator(".answering .wrong")).to_contain_text("已经回访过")
    assert id in page.url


def test_a_department_sees_the_rates_of_its_cases_and_calls_nobody(desk: Open, waits: Waits, server: Server) -> None:
    waits("部门看三率的路灯", hours=2, phone="13900004444")
    officer = person(server, "officer", scope=Scope(None, frozenset({LEAD})))
    page = desk("#tab=callbacks", login=officer)
    expect(page.locator(".callbacks")).to_contain_text("回访由热线坐席办理")
    expect(page.locator(".rate b")).to_have_count(3)
    expect(page.locator(".due-row")).to_have_count(0)
    page.get_by_role("button", name="周通报").click()
    expect(page.locator(".bulletin")).to_contain_text("反映最多的事项")
    expect(page.locator(".bulletin")).to_contain_text("满意率低于 85% 的单位")


def test_a_phone_is_added_by_a_code_and_the_desk_says_what_keeps_it_out(desk: Open, server: Server) -> None:
    page = desk()
    page.get_by_role("button", name="添加手机").click()
    dialog = page.locator("dialog.joining")
    expect(dialog).to_contain_text(f"{server.url}/grid")
    expect(dialog).to_contain_text("只在本机有效")
    expect(dialog).to_contain_text("不是 HTTPS")
    expect(dialog.locator("img")).to_have_count(0)
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.route(
        "**/join",
        lambda route: route.fulfill(json={"address": "https://city.example/grid", "secure": True, "reachable": True}),
    )
    page.get_by_role("button", name="添加手机").click()
    expect(dialog).to_contain_text("https://city.example/grid")
    expect(dialog.locator(".conflict")).to_have_count(0)
    assert dialog.locator("img").evaluate("async (img) => { await img.decode(); return img.naturalWidth; }") > 100


def test_only_those_who_bring_phones_in_are_offered_the_code(desk: Open, server: Server) -> None:
    page = desk(login=person(server, "officer"))
    expect(page.locator(".desk-tools .keys")).to_be_visible()
    expect(page.get_by_role("button", name="添加手机")).to_have_count(0)
