"""Needs and visits on the phone: once each and linked, also without a network; volunteers find what they may."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from layers.loop.care.tables import NEED, NEED_STEP, VISIT
from layers.loop.tables import STEP
from layers.people.access import Scope
from layers.people.reads import SENSITIVE_READ
from tests.api.people import person, signed_in
from tests.conftest import Server
from tests.web.pages import PATIENCE_MS, browser, visiting  # noqa: F401  (a fixture)
from tests.web.test_grid import AXE, PHONE, RULES, SMALL_TARGETS, Open, Worker, come, phone, sign_in, worker  # noqa: F401

CALLED = "13912340000"


def tell_need(page: Page, kind: str, words: str) -> None:
    """Take a need down by hand, at the middle of the grid."""
    page.locator(".tabs a[data-key=needs]").click()
    page.locator("a[data-key=new-need]").click()
    page.locator(f"[data-kind={kind}]").click()
    page.locator(".view.open [data-key=grid]").click()
    page.locator("#need-words").fill(words)
    page.locator("#need-phone").fill(CALLED)
    expect(page.locator(".view.open .server").first).to_be_visible()
    page.locator("#tell-need").click()
    expect(page.locator(".said")).to_contain_text("已记下")


def write_visit(page: Page, words: str) -> None:
    """Write a visit down by hand, with everything that was noted here before."""
    page.locator(".tabs a[data-key=visits]").click()
    page.locator("a[data-key=new-visit]").click()
    page.locator("[data-visit=comfort]").click()
    page.locator("[data-outcome=need]").click()
    page.locator(".view.open [data-key=grid]").click()
    page.locator("#visit-words").fill(words)
    for box in page.locator(".links input").all():
        box.check()
    page.locator("#write-visit").click()
    expect(page.locator(".said")).to_contain_text("已记下")


def rows(server: Server, statement: sa.Select[Any]) -> list[Any]:
    with server.database.engine.connect() as connection:
        return list(connection.execute(statement))


def test_a_need_and_a_visit_noted_out_of_reach_arrive_once_each_and_know_each_other(
    phone: Open,  # noqa: F811
    server: Server,
    worker: Worker,  # noqa: F811
) -> None:
    page = phone()
    expect(page.locator("html[data-offline=true]")).to_be_attached(timeout=PATIENCE_MS)
    context = page.context
    context.set_offline(True)
    tell_need(page, "meals", "每天中午送餐")
    write_visit(page, "上门慰问")
    page.close(run_before_unload=False)
    page = context.new_page()
    come(page, server, where="#waiting")
    kinds = [text.split("·")[0].strip() for text in page.locator(".act b").all_inner_texts()]
    assert kinds == ["需求", "走访"]
    assert rows(server, sa.select(NEED).where(NEED.c.taken_by == worker.login)) == []
    context.set_offline(False)
    expect(page.get_by_text("全部已发出")).to_be_visible(timeout=PATIENCE_MS)
    page.reload()
    expect(page.get_by_text("全部已发出")).to_be_visible(timeout=PATIENCE_MS)
    needs = rows(server, sa.select(NEED).where(NEED.c.taken_by == worker.login))
    visits = rows(server, sa.select(VISIT).where(VISIT.c.actor == worker.login))
    assert [(one.kind, one.words, one.grid_id) for one in needs] == [("meals", "每天中午送餐", worker.grid)]
    assert [(one.kind, one.words, one.needs) for one in visits] == [("comfort", "上门慰问", [needs[0].id])]
    assert CALLED not in str(needs)
    page.locator(".tabs a[data-key=visits]").click()
    expect(page.locator("[data-visit]").filter(has_text="上门慰问")).to_contain_text("需求 1 条")


def test_a_need_is_arranged_without_a_network_and_made_a_case_by_one_tap(
    phone: Open,  # noqa: F811
    server: Server,
    worker: Worker,  # noqa: F811
) -> None:
    told = {"kind": "lift", "lon": worker.lon, "lat": worker.lat, "words": "电梯停运", "contact": {"phone": CALLED}}
    with signed_in(server, worker.login) as me:
        first, second = (me.post("/needs", json=told).json()["receipt"]["need"] for _ in range(2))
    page = phone()
    expect(page.locator("html[data-offline=true]")).to_be_attached(timeout=PATIENCE_MS)
    page.locator(".tabs a[data-key=needs]").click()
    page.locator(f"a[data-key=need-{first}]").click()
    expect(page.locator(".person")).to_contain_text("139****0000")
    page.locator("[data-key=reveal]").click()
    expect(page.locator(".person a.call")).to_have_attribute("href", f"tel:{CALLED}")
    read = rows(server, sa.select(SENSITIVE_READ).where(SENSITIVE_READ.c.actor == worker.login))
    assert [(one.thing, one.id, one.purpose) for one in read] == [("need", str(first), "dispose")]
    page.context.set_offline(True)
    page.locator(".server [data-arrange]").first.click()
    expect(page.locator(".actions").last).to_contain_text("1 项待发")
    page.context.set_offline(False)
    states = sa.select(NEED.c.state, NEED.c.provider.is_not(None)).where(NEED.c.id == first)
    page.locator(".tabs a[data-key=waiting]").click()
    expect(page.get_by_text("全部已发出")).to_be_visible(timeout=PATIENCE_MS)
    assert rows(server, states) == [("arranged", True)]

    page.locator(".tabs a[data-key=needs]").click()
    page.locator(f"a[data-key=need-{second}]").click()
    page.locator("[data-step=refer]").click()
    expect(page.locator("#what")).to_have_value("电梯报修：电梯停运")
    page.locator("#matter").fill("路灯")
    page.locator(".chip[data-matter]").first.click()
    page.locator("#file").click()
    expect(page.get_by_text("全部已发出")).to_be_visible(timeout=PATIENCE_MS)
    made = sa.select(STEP.c.incident).where(STEP.c.actor == worker.login, STEP.c.step == "report")
    case = rows(server, made)[0].incident
    steps = sa.select(NEED_STEP.c.step, NEED_STEP.c.incident).where(NEED_STEP.c.need == second)
    assert rows(server, steps.order_by(NEED_STEP.c.id)) == [("take_down", None), ("refer", case)]
    assert rows(server, sa.select(NEED.c.state).where(NEED.c.id == second)) == [("done",)]


def test_a_need_that_others_went_on_with_shows_what_changed(
    phone: Open,  # noqa: F811
    server: Server,
    worker: Worker,  # noqa: F811
) -> None:
    told = {"kind": "meals", "lon": worker.lon, "lat": worker.lat}
    other = person(server, "worker", scope=Scope(frozenset({worker.grid}), frozenset()))
    with signed_in(server, other) as colleague:
        receipt = colleague.post("/needs", json=told).json()["receipt"]
        page = phone(errors_with="Failed to load resource")  # there is no network, then the step is refused
        expect(page.locator("html[data-offline=true]")).to_be_attached(timeout=PATIENCE_MS)
        page.locator(".tabs a[data-key=needs]").click()
        page.locator(f"a[data-key=need-{receipt['need']}]").click()
        page.context.set_offline(True)
        page.locator("[data-step=done]").click()
        body = {"step": "arrange", "note": "由食堂送餐", "expected": receipt["step"]}
        assert colleague.post(f"/needs/{receipt['need']}/steps", json=body).status_code == 200
    page.context.set_offline(False)
    page.locator(".tabs a[data-key=waiting]").click()
    act = page.locator(".act.refused")
    expect(act).to_contain_text("对接服务：由食堂送餐", timeout=PATIENCE_MS)
    act.get_by_role("button", name="按最新情况再提交").click()
    expect(page.get_by_text("全部已发出")).to_be_visible(timeout=PATIENCE_MS)
    assert rows(server, sa.select(NEED.c.state).where(NEED.c.id == receipt["need"])) == [("done",)]


def test_a_volunteer_finds_what_a_volunteer_may_and_every_view_is_open_to_all(
    browser: Browser,  # noqa: F811
    server: Server,
    worker: Worker,  # noqa: F811
) -> None:
    login = person(server, "volunteer", scope=Scope(frozenset({worker.grid}), frozenset()))
    with signed_in(server, worker.login) as me:
        me.post("/needs", json={"kind": "meals", "lon": worker.lon, "lat": worker.lat, "words": "不是志愿者登记的"})
    with visiting(browser, server.url) as visit:
        page = visit(ready=False, **PHONE)
        sign_in(page.context, server, login)
        come(page, server)
        tabs = page.locator(".tabs a").evaluate_all("(all) => all.map((each) => each.dataset.key)")
        assert tabs == ["map", "report", "waiting", "needs", "visits"]
        tell_need(page, "water", "厨房漏水")
        page.locator(".tabs a[data-key=needs]").click()
        expect(page.locator("a[data-key^=need-]")).to_have_count(1, timeout=PATIENCE_MS)
        expect(page.locator("a[data-key^=need-]")).to_contain_text("厨房漏水")
        page.evaluate(Path(AXE).read_text(encoding="utf-8"))
        problems: dict[str, Any] = {}
        for where in ("needs", "needs/new", "visits", "visits/new", "report"):
            page.evaluate("(where) => { location.hash = where; }", where)
            expect(page.locator(".view.open")).to_be_visible()
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                found = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", RULES)
                problems[f"{where} {scheme}"] = [f"{e['id']}: {e['nodes'][0]['html']}" for e in found["violations"]]
                problems[f"{where} {scheme}"] += page.evaluate(SMALL_TARGETS)
        page.locator("a[data-key=report]").click()
        page.locator("#matter").fill("路灯")
        page.locator(".chip[data-matter]").first.click()
        page.locator(".view.open [data-key=grid]").click()
        page.locator("#what").fill("路灯不亮")
        page.locator("#file").click()
        expect(page.get_by_text("全部已发出")).to_be_visible(timeout=PATIENCE_MS)
    assert problems == dict.fromkeys(problems, [])
    made = sa.select(STEP.c.carries).where(STEP.c.actor == login, STEP.c.step == "report")
    assert [one.carries["channel"] for one in rows(server, made)] == ["public"]


def test_a_report_that_was_sent_late_tells_both_times(
    phone: Open,  # noqa: F811
    server: Server,
    worker: Worker,  # noqa: F811
) -> None:
    then = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=3)).isoformat()
    body = {
        "channel": "worker", "matter": "01003", "description": "夜里发现", "lon": worker.lon, "lat": worker.lat,
        "happened_at": then,
    }  # fmt: skip
    with signed_in(server, worker.login) as me:
        id = me.post("/incidents", json=body).json()["receipt"]["incident"]
    with signed_in(server, person(server, "dispatcher")) as dispatcher:
        last = dispatcher.get(f"/incidents/{id}").json()["steps"][-1]["id"]
        step = {"step": "assign", "assignee": worker.login, "expected": last}
        assert dispatcher.post(f"/incidents/{id}/steps", json=step).status_code == 200
    page = phone()
    page.locator(".card").click()
    page.locator("summary").first.click()
    expect(page.locator(".steps")).to_contain_text("发生于", timeout=PATIENCE_MS)
    expect(page.locator(".steps")).to_contain_text("上传于")
