"""Channels and webhooks on the page: set up, tried, changed, paused and ended; secrets are told once."""

from __future__ import annotations

import datetime as dt
import re

import sqlalchemy as sa
from playwright.sync_api import Page, expect

from layers.loop.channels import claim, record
from layers.loop.notice_tables import CHANNEL
from layers.loop.outbox import Outcome
from layers.people.access import Scope
from layers.people.privacy import keyring_in
from layers.store.engine import begin
from tests.api.people import person
from tests.conftest import Server
from tests.web import pages
from tests.web.desk import violations
from tests.web.pages import Visit
from tests.web.test_people_page import people_page

browser, visit = pages.browser, pages.visit


def settle(server: Server, title: str, outcome: Outcome) -> None:
    """Do as the worker does with what waits for the channel of this title."""
    over, keyring, now = set[int](), keyring_in(server.data), dt.datetime.now(dt.UTC)
    with begin(server.database.engine, actor="test") as connection:
        wanted = connection.execute(sa.select(CHANNEL.c.id).where(CHANNEL.c.title == title)).scalar_one()
        while (message := claim(connection, keyring, now=now, but=over)) is not None and message.channel != wanted:
            over.add(message.channel)
        assert message is not None, "nothing waits for it"
        record(connection, message, outcome, now=now)


def tried(page: Page, server: Server, title: str, outcome: Outcome) -> str:
    """Send a test notice; what the page says of its result."""
    with page.expect_response(lambda answer: answer.url.endswith("/try")):
        page.get_by_role("button", name="发送测试通知").click()
    expect(page.locator(".result")).to_contain_text("正在等待结果")
    settle(server, title, outcome)
    expect(page.locator(".result")).to_contain_text("测试结果")
    return page.locator(".result").inner_text()


def test_a_channel_is_set_up_tried_changed_paused_and_ended(visit: Visit, server: Server) -> None:
    page = people_page(visit, server, person(server, "admin"), "#tab=channels", errors_with="422")
    dialog, beside = page.locator("dialog"), page.locator(".person")
    page.get_by_role("button", name="新建渠道").click()
    dialog.get_by_label("名称").fill("值班群甲")
    expect(dialog.get_by_role("option", name="电子邮件（未配置）")).to_be_disabled()
    dialog.get_by_label("方式").select_option("dingtalk")
    dialog.get_by_label("机器人地址").fill("https://10.0.0.9/robot?token=T-O-K")
    dialog.get_by_label("加签密钥").fill("SEC-of-the-page")
    dialog.get_by_label("一个单位").check()
    dialog.get_by_label("单位", exact=True).select_option("cgj")
    dialog.get_by_label("只限以下").check()
    dialog.get_by_label("已超时").check()
    assert violations(page) == []
    dialog.get_by_role("button", name="新建").click()
    expect(dialog.locator(".wrong")).to_contain_text("不允许推送到这个地址")
    dialog.get_by_label("机器人地址").fill("https://robot.example/robot?token=T-O-K")
    dialog.get_by_role("button", name="新建").click()
    expect(beside.get_by_role("heading", name="值班群甲")).to_be_visible()
    expect(beside.locator("dl")).to_contain_text("https://robot.example/****")
    expect(beside.locator("dl")).to_contain_text("已超时")
    row = page.locator("tbody tr", has_text="值班群甲")
    expect(row).to_contain_text("市城市管理局")
    expect(row).to_contain_text("尚未发送")

    assert "对方返回 502" in tried(page, server, "值班群甲", Outcome(502, "answered 502"))
    expect(row).to_contain_text("起发送失败")
    expect(beside.locator("dl")).to_contain_text("失败原因")
    assert "已送达" in tried(page, server, "值班群甲", Outcome(200))
    expect(row).to_contain_text("正常")
    expect(beside.locator(".sendings li")).to_have_count(2)
    assert violations(page) == []

    beside.get_by_role("button", name="修改").click()
    expect(dialog.get_by_label("机器人地址")).to_have_value("")
    expect(dialog.get_by_label("加签密钥")).to_have_value("")
    dialog.get_by_label("名称").fill("值班群乙")
    dialog.get_by_role("button", name="保存").click()
    expect(beside.get_by_role("heading", name="值班群乙")).to_be_visible()
    beside.get_by_role("button", name="暂停").click()
    dialog.get_by_role("button", name="暂停").click()
    row = page.locator("tbody tr", has_text="值班群乙")
    expect(row).to_contain_text("起暂停")
    beside.get_by_role("button", name="恢复").click()
    expect(row).to_contain_text("正常")
    assert not [secret for secret in ("T-O-K", "SEC-of-the-page") if secret in page.content()]
    beside.get_by_role("button", name="停用").click()
    dialog.get_by_role("button", name="停用").click()
    expect(row).to_have_count(0)
    expect(beside).to_be_hidden()


def test_an_officer_registers_a_webhook_of_their_department_and_is_told_its_secret_once(
    visit: Visit, server: Server
) -> None:
    officer = person(server, "officer", scope=Scope(None, frozenset({"ldc"})))
    page = people_page(visit, server, officer, "#tab=webhooks&palette=light")
    expect(page.locator(".pages [aria-current]")).to_have_text("对接")
    expect(page.get_by_role("tab")).to_have_text(["接口密钥", "系统推送"])
    page.get_by_role("button", name="登记地址").click()
    dialog = page.locator("dialog")
    expect(dialog.get_by_role("option")).to_have_text(["请选择", "市路灯管理处"])
    dialog.get_by_label("单位").select_option("ldc")
    dialog.get_by_label("推送地址").fill("https://lamps.example/hook")
    dialog.get_by_role("button", name="登记地址").click()
    secret = page.locator("dialog .secret code")
    expect(secret).to_have_text(re.compile(r"^[0-9a-f]{64}$"))
    told = secret.inner_text()
    page.get_by_role("button", name="已经保存").click()
    row = page.locator("tbody tr", has_text="https://lamps.example/hook")
    row.get_by_role("button").click()
    beside = page.locator(".person")
    expect(beside).to_contain_text("还没有发送过")
    assert told not in page.content()
    assert violations(page) == []
    beside.get_by_role("button", name="停用").click()
    dialog.get_by_role("button", name="停用").click()
    expect(row).to_have_count(0)
