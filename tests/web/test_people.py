"""Signing in at the page: with a password, a one-time password, a code; seeing who one is, and leaving."""

from __future__ import annotations

import datetime as dt

import httpx
from playwright.sync_api import expect

from layers.people.accounts import reset_password
from layers.people.totp import code_at
from layers.store.engine import begin
from tests.api.people import PASSWORD, person
from tests.conftest import Server
from tests.web import pages
from tests.web.pages import Visit, await_map

browser, visit = pages.browser, pages.visit


def test_a_person_signs_in_sees_who_they_are_and_leaves(visit: Visit, server: Server) -> None:
    login = person(server, "planner")
    page = visit(errors_with="401")
    page.get_by_role("button", name="登录").click()
    page.get_by_label("登录名").fill(login)
    page.get_by_label("密码").fill("not this one")
    page.locator("dialog .primary").click()
    expect(page.locator("dialog")).to_contain_text("登录名或密码不对")
    page.get_by_label("密码").fill(PASSWORD)
    page.locator("dialog .primary").click()
    mine = page.get_by_role("button", name=f"我的账号：测试 {login}")
    expect(mine).to_be_visible()
    await_map(page)
    assert page.evaluate("() => [localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    mine.click()
    expect(page.locator("dialog")).to_contain_text("规划人员")
    page.get_by_role("button", name="登录过的设备").click()
    expect(page.locator("dialog .sessions")).to_contain_text("本机")
    page.get_by_role("button", name="返回").click()
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("button", name="登录", exact=True)).to_be_visible()
    assert page.context.cookies() == []


def test_a_one_time_password_is_changed_and_a_second_factor_enrolled(visit: Visit, server: Server) -> None:
    login = person(server, "analyst")
    with begin(server.database.engine, actor="test") as connection:
        given = reset_password(connection, login, actor="test")
    page = visit(errors_with="401")
    page.get_by_role("button", name="登录").click()
    page.get_by_label("登录名").fill(login)
    page.get_by_label("密码").fill(given)
    page.locator("dialog .primary").click()
    page.get_by_label("新密码", exact=True).fill("Langshan-Hill-88")
    page.get_by_label("再输入一次新密码").fill("Langshan-Hill-89")
    page.locator("dialog .primary").click()
    expect(page.locator("dialog")).to_contain_text("两次输入的新密码不一样")
    page.get_by_label("再输入一次新密码").fill("Langshan-Hill-88")
    page.locator("dialog .primary").click()
    page.get_by_role("button", name="我的账号：").click()
    page.get_by_role("button", name="绑定动态口令").click()
    page.get_by_label("密码").fill("Langshan-Hill-88")
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_alt_text("供验证器扫描的二维码")).to_be_visible()
    assert page.locator("img.enrol").evaluate("image => image.naturalWidth") > 100
    now = dt.datetime.now(dt.UTC)
    secret = page.locator("dialog p code").inner_text()
    page.get_by_label("动态口令").fill(code_at(secret, now))
    page.locator("dialog .primary").click()
    expect(page.locator(".recovery li")).to_have_count(10)
    page.get_by_role("button", name="已经保存").click()
    await_map(page)
    body = {"login": login, "password": "Langshan-Hill-88"}
    assert httpx.post(f"{server.url}/session", json=body).json()["code"] == "second_factor_due"
    page.context.clear_cookies()
    page.reload()
    page.get_by_role("button", name="登录", exact=True).click()
    page.get_by_label("登录名").fill(login)
    page.get_by_label("密码").fill("Langshan-Hill-88")
    page.locator("dialog .primary").click()
    page.get_by_label("动态口令").fill(code_at(secret, now + dt.timedelta(seconds=30)))
    page.locator("dialog .primary").click()
    expect(page.get_by_role("button", name="我的账号：")).to_be_visible()


def test_whose_roles_bring_nothing_in_is_told_which_right_is_missing(visit: Visit, server: Server) -> None:
    with httpx.Client(base_url=server.url) as client:
        client.post("/session", json={"login": person(server, "analyst"), "password": PASSWORD}).raise_for_status()
        cookie = client.cookies["chengtu"]
    page = visit(ready=False)
    page.context.add_cookies([{"name": "chengtu", "value": cookie, "url": server.url}])
    page.goto(f"{server.url}/data")
    expect(page.get_by_role("heading", name="您的角色没有这项权限")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("data.deliver")
