"""The bell in a real browser: what comes is called out, counted and listed, leads to its case, and stays read."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from layers.loop.notices import write_notice
from layers.people.access import Scope
from layers.store.engine import begin
from tests.api.people import person
from tests.conftest import Server
from tests.incidents import OURS, report
from tests.web.desk import AXE, Open, desks, sign_in
from tests.web.pages import browser, visiting  # noqa: F401  (a fixture)
from tests.web.test_grid import NO_NETWORK, PHONE, Worker, come, worker  # noqa: F401  (a fixture)

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]}


@pytest.fixture
def dispatcher(server: Server) -> str:
    # Of one grid alone: what other tests of this server ask of the city's desks is not counted.
    return person(server, "dispatcher", scope=Scope(frozenset({str(OURS.grid_id)}), None))


@pytest.fixture
def desk(browser: Browser, server: Server, dispatcher: str) -> Iterator[Open]:  # noqa: F811
    with desks(browser, server, dispatcher) as open_page:
        yield open_page


def case_of_ours(server: Server, **more: Any) -> str:
    """The number of a new case in Chongchuan."""
    id = f"2026{secrets.randbelow(10**10):010}"
    report(server.database, replace(OURS, id=id, address="人民路 7 号", **more))
    return id


def written(server: Server, case: str, login: str, kind: str) -> int:
    with begin(server.database.engine, actor="test") as connection:
        return write_notice(
            connection,
            kind=kind,
            incident=case,
            audience={"people": [login]},
            carries={},
            scenario=None,
            at=dt.datetime.now(dt.UTC),
        )


def wrong(page: Page) -> list[str]:
    """What axe finds fault with in the list."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("(rules) => axe.run('dialog.notice-list', rules)", RULES)
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found["violations"]]


def test_what_comes_is_called_out_and_leads_to_its_case(desk: Open, server: Server, dispatcher: str) -> None:
    case = case_of_ours(server)
    written(server, case, dispatcher, "sent_back")
    page = desk()
    bell, count, toast = (page.locator(f".{name}") for name in ("bell", "bell-count", "toast"))
    expect(count).to_have_text("1")
    expect(toast).to_have_count(0)
    written(server, case, dispatcher, "urged")
    expect(toast).to_contain_text(f"催办：{case}")
    expect(toast).to_contain_text("人民路 7 号")
    expect(count).to_have_text("2")
    expect(bell).to_have_attribute("aria-label", "通知：2 条未读")
    bell.click()
    entries = page.locator("dialog.notice-list li")
    expect(entries).to_have_count(2)
    expect(entries.first).to_contain_text("催办")
    assert wrong(page) == []
    entries.first.locator("a").click()
    expect(page.locator("dialog.notice-list")).to_have_count(0)
    expect(page.locator(".beside")).to_contain_text(case)
    expect(count).to_have_text("1")
    page.reload()
    expect(count).to_have_text("1")
    bell.click()
    expect(page.locator("dialog.notice-list li.unread")).to_contain_text(["部门回退"])
    page.get_by_role("button", name="全部标为已读").click()
    expect(count).to_be_hidden()
    expect(page.locator("dialog.notice-list li.unread")).to_have_count(0)


def test_what_came_while_the_line_was_dead_is_there_once_when_it_is_back(
    desk: Open, server: Server, dispatcher: str
) -> None:
    case = case_of_ours(server)
    page = desk(errors_with=NO_NETWORK)
    expect(page.locator(".bell")).to_be_visible()
    page.context.set_offline(True)
    written(server, case, dispatcher, "urged")
    written(server, case, dispatcher, "supervised")
    page.context.set_offline(False)
    expect(page.locator(".toast")).to_have_text("有 2 条新通知")
    expect(page.locator(".bell-count")).to_have_text("2")


def test_the_phone_has_a_bell_that_leads_to_the_task_and_does_without_a_network(
    browser: Browser,  # noqa: F811
    server: Server,
    worker: Worker,  # noqa: F811
) -> None:
    case = case_of_ours(server, assignee=worker.login, lon=worker.lon, lat=worker.lat, grid_id=worker.grid)
    written(server, case, worker.login, "assigned")
    with visiting(browser, server.url) as visit:
        page = visit(ready=False, errors_with=NO_NETWORK, **PHONE)
        sign_in(page, server, worker.login)
        come(page, server, until="offline")
        expect(page.locator(".bell-count")).to_have_text("1")
        box = page.locator(".bell").bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 48
        page.context.set_offline(True)
        page.locator(".bell").click()
        entry = page.locator("dialog.notice-list li a")
        expect(entry).to_contain_text(f"指派给您：{case}")
        assert wrong(page) == []
        entry.click()
        expect(page).to_have_url(f"{server.url}/grid#task/{case}")
        expect(page.locator(".view.open")).to_contain_text(case)
        page.context.set_offline(False)
