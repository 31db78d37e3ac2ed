"""The desk in a real browser: queue, case, call, batch and supervision, worked by keyboard and from two desks."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from layers.catalog.incident import TABLE
from layers.loop.hotline.classify import FOLDER
from layers.loop.hotline.phrases import shipped_phrases
from layers.loop.hotline.training import train
from layers.people.access import Scope
from layers.people.reads import SENSITIVE_READ
from layers.store.engine import begin
from tests.api.people import person, signed_in
from tests.conftest import Server
from tests.web import pages
from tests.web.desk import LAMPS, Open, case_of, desks, steps_of, take, violations

browser = pages.browser
WORDS = "启东北新镇人民路上路灯坏了一排，晚上走路很危险"
_numbers = itertools.count(1)

Filed = Callable[..., str]


@pytest.fixture(scope="module")
def office(own_server: Server) -> Server:
    """A server whose classifier knows a few matters."""
    known = {LAMPS, "06010", "06001", "02003", "none"}
    few = [one for one in shipped_phrases() if one.matter in known]
    train(few, [], now=dt.datetime.now(dt.UTC)).save(own_server.data / FOLDER)
    return own_server


@pytest.fixture(scope="module")
def dispatcher(office: Server) -> str:
    return person(office, "dispatcher")


@pytest.fixture(scope="module")
def desk_of(office: Server, dispatcher: str) -> Iterator[httpx.Client]:
    """The dispatcher's requests, without a page."""
    with signed_in(office, dispatcher) as client:
        yield client


@pytest.fixture
def filed(desk_of: httpx.Client) -> Filed:
    """Files a case of a broken lamp; `title` finds it again. Each lies far enough from the others to be no double."""

    def file(title: str, **more: Any) -> str:
        n = next(_numbers)
        body = {
            "channel": "hotline", "matter": LAMPS, "title": title, "description": f"{title}，晚上看不见路",
            "lon": 120.87 + (n % 10) * 0.004, "lat": 31.99 + (n // 10) * 0.004, **more,
        }  # fmt: skip
        answer = desk_of.post("/incidents", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["receipt"]["incident"])

    return file


@pytest.fixture
def desk(browser: Browser, office: Server, dispatcher: str) -> Iterator[Open]:
    """Opens the desk, signed in as the dispatcher or as `login`."""
    with desks(browser, office, dispatcher) as open_page:
        yield open_page


def test_a_callers_words_become_a_located_classified_routed_case_by_one_click(
    desk: Open, desk_of: httpx.Client
) -> None:
    page = desk()
    assert page.title().startswith("受理台")
    page.locator(".desk-tools .call").click()
    page.locator("#intake-phone").fill("13900001234")
    page.locator("#intake-text").fill(WORDS)
    through = page.get_by_role("button", name="建案并派遣")
    expect(through).to_be_enabled()
    expect(page.locator(".draft .guess b").first).to_have_text("路灯异常")
    expect(page.locator(".draft")).to_contain_text("启东市北新镇人民路")
    expect(page.locator(".guess-department")).to_contain_text("启东市路灯管理所")

    through.click()
    expect(page.locator(".case .kicker .state")).to_have_text("已派遣")
    id = page.locator(".case-head .number").inner_text()
    found = case_of(desk_of, id)
    incident = found["incident"]
    assert incident["matter"] == LAMPS
    assert incident["admin_code"].startswith("320681")
    assert incident["lead"].startswith("320681-")
    assert incident["due_at"] is not None
    assert incident["description"] == WORDS
    assert [step["step"] for step in found["steps"]] == ["report", "accept", "register", "dispatch"]
    assert [caller["phone"] for caller in found["callers"]] == ["139****1234"]
    expect(page.locator(".responsible .who b")).to_have_text("启东市路灯管理所")


def test_a_guess_is_corrected_and_a_step_that_is_not_ones_own_is_left(desk: Open, desk_of: httpx.Client) -> None:
    page = desk("#intake=")
    page.locator("#intake-text").fill("这里的路灯不亮，已经三天了")
    expect(page.locator(".lacks")).to_contain_text("位置")
    expect(page.get_by_role("button", name="建案并派遣")).to_be_disabled()
    page.mouse.click(*pages.centre(page))
    expect(page.locator(".guesses")).to_contain_text(["路灯异常", "图上位置"])
    expect(page.locator(".guess-department")).to_contain_text("路灯管理")
    page.locator("#intake-other-matter").fill("暴露垃圾")
    page.locator("#intake-name-of-case").fill("垃圾与路灯")
    page.get_by_role("button", name="只建案").click()
    expect(page.locator("#case-title")).to_have_text("垃圾与路灯")
    found = case_of(desk_of, page.locator(".case-head .number").inner_text())
    assert found["incident"]["matter"] == "06010"
    assert found["incident"]["state"] == "reported"


def test_an_order_from_above_is_filed_as_one_and_somebody_near_is_sent_by_name(
    desk: Open, desk_of: httpx.Client, office: Server
) -> None:
    sent = person(office, "worker", scope=Scope(frozenset({"320681"}), frozenset()))
    person(office, "analyst")
    page = desk("#intake=", errors_with="422")
    page.locator("#intake-source").select_option("order")
    expect(page.locator("#intake-line")).to_be_disabled()
    page.locator("#intake-text").fill(WORDS)
    expect(page.get_by_role("button", name="只建案")).to_be_enabled()
    page.locator("#intake-phone").fill("九号")  # the click that follows at once counts
    page.get_by_role("button", name="只建案").click()
    expect(page.locator(".intake .wrong")).to_have_text("电话号码不对：应为 3 至 15 位数字")
    page.locator("#intake-phone").fill("")
    page.get_by_role("button", name="只建案").click()
    page.locator("[data-step=assign]").click()
    expect(page.locator("#step-assignee-list option").first).to_have_attribute("value", f"测试 {sent} {sent}")
    page.locator("#step-assignee").fill(f"测试 {sent} {sent}")
    page.locator(".step-form button[type=submit]").click()
    expect(page.locator(".timeline")).to_contain_text(sent)
    incident = case_of(desk_of, page.locator(".case-head .number").inner_text())["incident"]
    assert (incident["channel"], incident["line"], incident["assignee"]) == ("order", None, sent)


def test_a_county_alone_is_no_place_to_send_anybody_to(desk: Open) -> None:
    page = desk("#intake=")
    page.locator("#intake-text").fill("海安市的路灯坏了一排")
    expect(page.locator(".draft")).to_contain_text("海安市")
    expect(page.locator(".draft")).to_contain_text("大致范围")
    expect(page.locator(".lacks")).to_have_text("还差：位置")
    expect(page.get_by_role("button", name="建案并派遣")).to_be_disabled()


def test_of_two_desks_that_take_a_step_one_is_told_what_changed(
    desk: Open, desk_of: httpx.Client, filed: Filed, office: Server
) -> None:
    id = filed("两台同时受理的路灯")
    other = person(office, "dispatcher")
    slower, quicker = desk(f"#case={id}", errors_with="409"), desk(f"#case={id}", login=other)
    slower.locator("[data-step=reject]").click()
    slower.locator("#step-reason").select_option("unclear")
    slower.locator("#step-note").fill("说不清在哪里")
    quicker.locator("[data-step=accept]").click()
    expect(quicker.locator(".case .kicker .state")).to_have_text("已受理")

    # Told by the live stream while the form is open; what was written stays.
    expect(slower.locator(".conflict")).to_contain_text(f"{other}：受理")
    expect(slower.locator("#step-note")).to_have_value("说不清在哪里")
    slower.locator(".step-form button[type=submit]").click()
    expect(slower.locator(".conflict")).to_contain_text("有人抢先一步")
    expect(slower.locator(".conflict")).to_contain_text(f"{other}：受理")
    expect(slower.locator(".case .kicker .state")).to_have_text("已受理")
    assert steps_of(desk_of, id) == ["report", "accept"]


def test_a_case_goes_from_the_queue_to_a_department_by_the_keyboard_alone(
    desk: Open, desk_of: httpx.Client, filed: Filed
) -> None:
    id = filed("只用键盘的路灯")
    page = desk()
    press = page.keyboard.press
    press("?")
    expect(page.locator("dialog.keys-help")).to_be_visible()
    press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    press("/")
    page.keyboard.type("只用键盘")
    expect(page.locator(".case-row")).to_have_count(1)
    press("Escape")
    press("j")
    expect(page.locator(f"[data-key='{id}']")).to_be_focused()
    press("Enter")
    for key, state in (("a", "已受理"), ("r", "已立案")):
        expect(page.locator(f".actions kbd:text-is('{key.upper()}')")).to_be_visible()
        press(key)
        expect(page.locator(".case .kicker .state")).to_have_text(state)
    press("d")
    expect(page.locator("#step-lead")).to_be_focused()
    expect(page.locator(".step-form .hint")).to_contain_text("路灯管理所")
    press("Control+Enter")
    expect(page.locator(".case .kicker .state")).to_have_text("已派遣")
    press("n")
    page.keyboard.type("夜班交接：已电话通知")
    press("Control+Enter")
    expect(page.locator(".timeline .note")).to_have_text("夜班交接：已电话通知")
    press("Escape")
    expect(page.locator(".case")).to_have_count(0)
    press("5")  # whoever comes next reads it in the queue
    expect(page.locator(f"[data-id='{id}'] .handed-over")).to_have_text("备注 夜班交接：已电话通知")
    assert steps_of(desk_of, id) == ["report", "accept", "register", "dispatch", "note"]


def test_several_cases_take_a_step_at_once_each_with_its_own_result(
    desk: Open, desk_of: httpx.Client, filed: Filed
) -> None:
    ids = [filed(f"成批的路灯{n}") for n in "甲乙丙"]
    page = desk("#text=成批的路灯")
    expect(page.locator(".case-row")).to_have_count(3)
    for _ in ids:
        page.keyboard.press("j")
        page.keyboard.press("x")
    expect(page.locator(".batch-bar")).to_contain_text("已选 3 件")
    accept = page.locator(".batch-bar [data-step=accept]")
    expect(accept).to_be_visible()
    take(desk_of, ids[1], "cancel", reason="mistaken", note="误报")
    accept.click()
    expect(page.locator(".results")).to_contain_text("受理：2 件成功，共 3 件")
    expect(page.locator(".results li")).to_have_count(1)
    expect(page.locator(".results li")).to_contain_text(ids[1])
    assert [case_of(desk_of, id)["incident"]["state"] for id in ids] == ["accepted", "cancelled", "accepted"]


def test_the_queue_follows_the_city_and_nothing_moves_under_the_hand(
    desk: Open, desk_of: httpx.Client, filed: Filed
) -> None:
    ids = [filed(f"队列里的路灯{n}") for n in "一二"]
    page = desk("#text=队列里的路灯")
    shown = page.locator(".case-row")
    expect(shown).to_have_count(2)
    take(desk_of, ids[0], "accept")
    expect(page.locator(f".case-row[data-id='{ids[0]}'] .state")).to_have_text("已受理")
    take(desk_of, ids[1], "cancel", reason="mistaken", note="误报")
    expect(page.locator(f".case-row[data-id='{ids[1]}']")).to_contain_text("已移出此队列")
    third = filed("队列里的路灯三")
    fresh = page.locator(".news .fresh")
    expect(fresh).to_contain_text("1 件新案卷")
    expect(shown).to_have_count(2)
    page.keyboard.press(".")
    expect(page.locator(f".case-row[data-id='{third}']")).to_be_visible()
    expect(page.locator(f".case-row[data-id='{ids[1]}']")).to_have_count(0)

    # Pointing at a row rings its place on the map.
    page.locator(f".case-row[data-id='{third}']").hover()
    rings = (
        "async () => (await window.__chengtu.map.getSource('tool-cases').getData())"
        ".features.filter(({ properties }) => properties.ring > 0).map(({ properties }) => properties.id)"
    )
    assert page.evaluate(rings) == [third]


def test_a_caller_is_masked_and_shown_for_a_purpose_that_is_recorded(
    desk: Open, dispatcher: str, filed: Filed, office: Server
) -> None:
    id = filed("有人来电的路灯", contact={"name": "欧阳建国", "phone": "13900001234"})
    page = desk(f"#case={id}")
    callers = page.locator(".callers")
    expect(callers).to_contain_text("139****1234")
    expect(callers).not_to_contain_text("建国")
    page.get_by_role("button", name="查看完整信息").click()
    page.locator(".purpose .chip", has_text="回访").click()
    expect(callers).to_contain_text("欧阳建国 · 13900001234")
    with office.database.owner.connect() as connection:
        read = connection.execute(sa.select(SENSITIVE_READ).where(SENSITIVE_READ.c.actor == dispatcher)).one()
    assert read.purpose == "callback"


def test_a_supervisor_sees_who_is_late_opens_the_list_and_urges(
    desk: Open, desk_of: httpx.Client, filed: Filed, office: Server
) -> None:
    id = filed("超期的路灯")
    for step in ("accept", "register", "dispatch"):
        take(desk_of, id, step)
    lead = case_of(desk_of, id)["incident"]["lead"]
    late = {"light": "red", "stage_due_at": dt.datetime.now(dt.UTC) - dt.timedelta(hours=5)}
    with begin(office.database.engine, actor="test") as connection:
        connection.execute(sa.update(TABLE).where(TABLE.c.id == id).values(late))
    names = {one["code"]: one["title"]["zh"] for one in desk_of.get("/departments").json()["departments"]}
    page = desk("#tab=supervision", login=person(office, "commander"))
    expect(page.locator(".figure b")).not_to_have_text("0")
    expect(page.locator(".desk-tools .call")).to_have_count(0)
    page.get_by_role("button", name=f"全部催办 {names[lead]}").click()
    expect(page.locator(".results")).to_contain_text("催办：1 件成功，共 1 件")
    assert case_of(desk_of, id)["incident"]["urges"] == 1
    page.locator(f".bar-door[title='{names[lead]}']").click()
    expect(page.locator(f".case-row[data-id='{id}'] .left-time")).to_have_text("超期 5 小时")
    assert f"lead={lead}" in page.url


def test_a_department_begins_with_its_own_queue_and_signs_for_a_case(
    desk: Open, desk_of: httpx.Client, filed: Filed, office: Server
) -> None:
    id = filed("部门签收的路灯")
    for step in ("accept", "register", "dispatch"):
        take(desk_of, id, step)
    lead = case_of(desk_of, id)["incident"]["lead"]
    page = desk(login=person(office, "officer", scope=Scope(None, frozenset({lead}))))
    expect(page.locator(".case-tabs [aria-current]")).to_contain_text("本单位")
    page.locator(f"[data-key='{id}']").click()
    expect(page.locator(".actions [data-step=sign]")).to_be_visible()
    page.keyboard.press("s")
    expect(page.locator(".timeline")).to_contain_text("签收")
    page.locator(".actions .refused summary").click()
    expect(page.locator(".actions .refused")).to_contain_text("作废 您的角色无权作废")
    assert steps_of(desk_of, id)[-1] == "sign"


@pytest.mark.parametrize(("palette", "width"), [("dark", 1280), ("light", 390)])
def test_the_desk_is_accessible_and_fits(desk: Open, filed: Filed, palette: str, width: int) -> None:
    id = filed("无障碍的路灯", contact={"name": "王五", "phone": "13900001235"})
    page = desk(f"#case={id}&palette={palette}", viewport={"width": width, "height": 844}, color_scheme=palette)
    expect(page.locator(".timeline li")).to_have_count(1)
    expect(page.locator(".responsible .reasons li")).not_to_have_count(0)
    wide = "() => document.documentElement.scrollWidth - innerWidth"
    assert violations(page) == []
    assert page.evaluate(wide) <= 0
    page.locator(".case [data-step=reject]").click()
    page.get_by_role("button", name="查看完整信息").click()
    expect(page.locator(".purpose .chip")).not_to_have_count(0)
    assert violations(page) == []
    page.goto(re.sub("#.*", f"#intake=&palette={palette}", page.url))
    page.locator("#intake-text").fill(WORDS)
    expect(page.locator(".guess-department")).to_contain_text("路灯管理所")
    assert violations(page) == []
    assert page.evaluate(wide) <= 0
    page.goto(re.sub("#.*", f"#tab=supervision&palette={palette}", page.url))
    expect(page.locator(".supervision .figure")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate(wide) <= 0
