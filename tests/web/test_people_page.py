"""The page of those who administer, in a real browser: two hands make an account and grant its roles; tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import FilePayload, Page, expect

from layers.people.roles import forget_own_role
from layers.store.engine import begin
from tests.api.people import PASSWORD, person
from tests.conftest import ROOT, Server
from tests.web import pages
from tests.web.pages import Visit

browser, visit = pages.browser, pages.visit
AXE = ROOT / "webmap" / "node_modules" / "axe-core" / "axe.min.js"


def people_page(visit: Visit, server: Server, login: str, fragment: str = "", **options: Any) -> Page:
    """The page of somebody who has signed in."""
    page = visit(ready=False, **options)
    sent = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    answer = httpx.post(f"{server.url}/session", json={"login": login, "password": PASSWORD}, headers=sent)
    page.context.add_cookies([{"name": n, "value": v, "url": server.url} for n, v in answer.cookies.items()])
    page.goto(f"{server.url}/people{fragment}")
    pages.await_map(page)
    return page


def test_one_makes_an_account_and_another_gives_it_its_role(visit: Visit, server: Server) -> None:
    page = people_page(visit, server, person(server, "admin"), errors_with="422")
    page.get_by_role("button", name="新建账号").click()
    page.locator("dialog").get_by_label("登录名").fill("li.xiaoyue")
    page.locator("dialog").get_by_label("姓名").fill("李晓月")
    page.locator("dialog .primary").click()
    secret = page.locator("dialog .secret code")
    expect(secret).to_have_text(re.compile(r"^\w{16}$"))
    password = secret.inner_text()
    page.keyboard.press("Escape")
    expect(secret).to_be_visible()
    page.get_by_role("button", name="已经保存").click()
    page.get_by_role("searchbox").fill("晓月")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="li.xiaoyue").click()
    expect(page.locator(".person")).to_contain_text("待首次登录")
    expect(page.locator(".person")).to_contain_text("角色和范围由安全管理员授予")
    page.get_by_role("button", name="批量导入").click()
    lines = "登录名,姓名\nli.xiaoyue,李\nxu.a,徐\n".encode("gb18030")
    table: FilePayload = {"name": "名单.csv", "mimeType": "text/csv", "buffer": lines}
    page.locator("dialog input[type=file]").set_input_files(table)
    page.get_by_role("button", name="导入并生成一次性密码").click()
    expect(page.locator("dialog .refused")).to_contain_text("登录名 li.xiaoyue 已被使用")
    with page.expect_download() as saved:
        page.get_by_label("从未登录过的账号，重发一次性密码").check()
        page.get_by_role("button", name="导入并生成一次性密码").click()
    given = saved.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in given] == ["登录名", "li.xiaoyue", "xu.a"]
    assert password not in given[1]
    other = people_page(visit, server, person(server, "security"))
    other.get_by_role("searchbox").fill("xiaoyue")
    other.get_by_role("button", name="li.xiaoyue").click()
    other.get_by_label("网格员").check()
    other.get_by_role("group", name="区域").get_by_label("只限以下").check()
    other.get_by_placeholder("或输入区划代码").fill("320602001001002")
    other.get_by_placeholder("或输入区划代码").press("Enter")
    other.get_by_role("button", name="保存").click()
    expect(other.locator(".person dl")).to_contain_text("网格员")
    told = httpx.get(f"{server.url}/accounts/li.xiaoyue", headers=server.admin).json()
    assert (told["roles"], told["areas"]) == (["worker"], ["320602001001002"])
    assert other.locator(".pages").inner_text().splitlines()[-1] == "人员"


@pytest.fixture
def volunteers(server: Server) -> Iterator[None]:
    """Whatever becomes of the role here, others find it as it ships."""
    yield
    with begin(server.database.engine, actor="test") as connection:
        forget_own_role(connection, "volunteer")


@pytest.mark.usefixtures("volunteers")
def test_what_a_city_changes_of_a_role_is_marked_and_taken_back(visit: Visit, server: Server) -> None:
    page = people_page(visit, server, person(server, "security"), "#tab=roles&palette=light")
    box = page.get_by_label("志愿者：查看内部图层")
    box.check()
    page.locator("tfoot").get_by_role("button", name="保存").click()
    head = page.locator("thead th", has_text="volunteer")
    expect(head).to_contain_text("本市已改")
    expect(page.locator("label.mark[data-change=added]")).to_have_count(1)
    assert "layer.view" in next(
        role["rights"] for role in httpx.get(f"{server.url}/roles", headers=server.admin).json()["roles"]
        if role["name"] == "volunteer"
    )  # fmt: skip
    page.evaluate(AXE.read_text(encoding="utf-8"))
    rules = "() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] })"
    violations = page.evaluate(rules)["violations"]
    assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in violations] == []
    page.locator("tfoot").get_by_role("button", name="恢复出厂").click()
    page.locator("dialog").get_by_role("button", name="确定").click()
    expect(head).to_contain_text("出厂设置")


def test_who_may_nothing_here_is_told_so_and_finds_no_link(visit: Visit, server: Server) -> None:
    page = people_page(visit, server, person(server, "analyst"))
    expect(page.locator("main")).to_contain_text("本页供系统管理员、安全管理员和审计员使用")
    page.goto(f"{server.url}/data")
    pages.await_map(page)
    expect(page.locator(".pages")).not_to_contain_text("人员")
    auditor = people_page(visit, server, person(server, "auditor"), "#tab=audit")
    expect(auditor.locator("main")).to_contain_text("python -m layers audit verify")
