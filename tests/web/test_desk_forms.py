"""The forms of the desk: photos, pauses, more time, merging: what is sent is kept and shown, what is wrong is told."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect

from layers.ask.period import CITY_TIME
from layers.people.access import Scope
from tests.api.people import person, signed_in
from tests.conftest import Server
from tests.web import pages
from tests.web.desk import LAMPS, Open, case_of, desks, steps_of, take

browser = pages.browser
_numbers = itertools.count(1)
# Half past ten in the city, in thirty days.
LATER = dt.datetime.combine(dt.datetime.now(CITY_TIME).date() + dt.timedelta(days=30), dt.time(10, 30), CITY_TIME)
TYPED, SHOWN = LATER.strftime("%Y-%m-%dT%H:%M"), LATER.strftime("%Y-%m-%d %H:%M")
Filed = Callable[..., str]
# The picture came with the token that an address alone would not carry.
FETCHED = re.compile("^blob:")


@pytest.fixture(scope="module")
def dispatcher(server: Server) -> str:
    return person(server, "dispatcher")


@pytest.fixture(scope="module")
def desk_of(server: Server, dispatcher: str) -> Iterator[httpx.Client]:
    with signed_in(server, dispatcher) as client:
        yield client


@pytest.fixture
def desk(browser: Browser, server: Server, dispatcher: str) -> Iterator[Open]:
    with desks(browser, server, dispatcher) as open_page:
        yield open_page


@pytest.fixture
def filed(desk_of: httpx.Client) -> Filed:
    """Files a case of a broken lamp; each lies far from the others unless it is told where."""

    def file(title: str, **more: Any) -> str:
        n = next(_numbers)
        body = {
            "channel": "hotline", "matter": LAMPS, "title": title, "description": f"{title}，晚上看不见路",
            "lon": 120.85 + n * 0.008, "lat": 32.02, **more,
        }  # fmt: skip
        answer = desk_of.post("/incidents", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["receipt"]["incident"])

    return file


def at_work(client: httpx.Client, id: str) -> str:
    """Take a case as far as its department; returns which one that is."""
    for step in ("accept", "register", "dispatch"):
        take(client, id, step)
    return str(case_of(client, id)["incident"]["lead"])


def send(page: Page) -> None:
    page.locator(".case .step-form button[type=submit]").click()


def picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (800, 600), "navy").save(written, "PNG")
    return written.getvalue()


def test_photos_are_sent_with_a_step_and_seen_and_what_is_none_is_refused_in_words(
    desk: Open, desk_of: httpx.Client, filed: Filed
) -> None:
    id = filed("有照片的路灯")
    page = desk(f"#case={id}", errors_with="Failed to load resource")
    page.locator(".case [data-step=note]").click()
    disguised: FilePayload = {"name": "灯.jpg", "mimeType": "image/jpeg", "buffer": b"<html><script>1</script>" * 9}
    page.locator("#step-photo").set_input_files(disguised)
    told = page.locator(".case .step-form [role=status]")
    expect(told).to_contain_text("灯.jpg：")
    expect(told).to_contain_text("JPEG")
    page.locator("#step-photo").set_input_files({"name": "灯.png", "mimeType": "image/png", "buffer": picture()})
    expect(told).to_have_text("已上传 1 张")
    page.locator("#step-note").fill("现场照片")
    send(page)
    expect(page.locator(".photos h3")).to_have_text("照片（1）")
    small = page.locator(".thumb img")
    expect(small).to_have_attribute("src", FETCHED)
    assert small.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") > 0
    small.click()
    large = page.locator(".enlarged img")
    expect(large).to_be_visible()
    expect(large).to_have_attribute("src", FETCHED)
    assert large.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") == 800
    page.keyboard.press("Escape")
    found = case_of(desk_of, id)
    assert [step["step"] for step in found["steps"]] == ["report", "note"]
    assert found["steps"][-1]["carries"]["photos"] == [photo["id"] for photo in found["photos"]]


def test_a_case_is_suspended_until_a_day_and_taken_up_again(desk: Open, desk_of: httpx.Client, filed: Filed) -> None:
    id = filed("挂账的路灯")
    at_work(desk_of, id)
    page = desk(f"#case={id}&tab=area", errors_with="422")
    expect(page.locator(".case .left-time")).to_contain_text("剩")
    page.locator(".case [data-step=suspend]").click()
    send(page)
    expect(page.locator(".case .step-form .wrong")).to_contain_text("还需要")
    assert steps_of(desk_of, id)[-1] == "dispatch"
    page.locator("#step-reason").select_option(index=1)
    page.locator("#step-until").fill("2099-01-05T18:00")
    page.locator("#step-note").fill("等待管线迁改")
    send(page)
    expect(page.locator(".case .step-form .wrong")).to_contain_text("一年")
    page.locator("#step-until").fill(TYPED)
    send(page)
    expect(page.locator(".case .left-time")).to_have_text("挂账")
    expect(page.locator(".timeline li").first).to_contain_text(f"至 {SHOWN}")
    expect(page.locator(".timeline li").first).to_contain_text("等待管线迁改")
    page.locator(".case [data-step=resume]").click()
    expect(page.locator(".case .left-time")).to_contain_text("剩")
    assert steps_of(desk_of, id)[-2:] == ["suspend", "resume"]


def test_more_time_is_asked_for_by_the_department_and_granted_or_refused_at_the_desk(
    desk: Open, desk_of: httpx.Client, filed: Filed, server: Server
) -> None:
    granted, refused = filed("要延期的路灯"), filed("不准延期的路灯")
    lead = at_work(desk_of, granted)
    at_work(desk_of, refused)
    officer = desk(login=person(server, "officer", scope=Scope(None, frozenset({lead}))))
    for id in (granted, refused):
        officer.goto(f"{server.url}/desk#case={id}")
        officer.locator(".case [data-step=ask_defer]").click()
        officer.locator("#step-until").fill(TYPED)
        officer.locator("#step-note").fill("备件未到")
        send(officer)
        expect(officer.locator(".timeline li").first).to_contain_text("申请延期")
    expect(officer.locator(".actions .refused")).to_contain_text("申请延期")  # one request at a time

    page = desk(f"#case={granted}&tab=area")
    expect(page.locator(".timeline li").first).to_contain_text(f"至 {SHOWN}")
    page.locator(".case [data-step=defer]").click()
    send(page)
    expect(page.locator(".timeline li").first).to_contain_text("同意延期")
    assert dt.datetime.fromisoformat(case_of(desk_of, granted)["incident"]["due_at"]) == LATER
    before = case_of(desk_of, refused)["incident"]["due_at"]
    page.goto(f"{server.url}/desk#case={refused}&tab=area")
    page.locator(".case [data-step=refuse_defer]").click()
    page.locator("#step-note").fill("请调拨库存")
    send(page)
    # The officer, whose desk shows this case, is told without asking.
    expect(officer.locator(".timeline li").first).to_contain_text("请调拨库存")
    assert case_of(desk_of, refused)["incident"]["due_at"] == before
    assert case_of(desk_of, granted)["incident"]["deferrals"] == 1


def test_two_cases_become_one_and_the_callers_of_both_are_kept(desk: Open, desk_of: httpx.Client, filed: Filed) -> None:
    spot = {"lon": 120.801, "lat": 32.061}
    first = filed("两人说的同一盏路灯", contact={"name": "张三", "phone": "13900005555"}, **spot)
    second = filed("两人说的同一盏路灯坏了", contact={"name": "李四", "phone": "13900006666"}, **spot)
    page = desk(f"#case={second}")
    alike = page.locator(".case .duplicates")
    expect(alike).to_contain_text(first)
    expect(alike).to_contain_text("相距 0 米")
    alike.locator("li", has_text=first).get_by_role("button", name="并入此案").click()
    expect(page.locator(".case .kicker .state")).to_have_text("已作废")
    expect(page.locator(".timeline li").first).to_contain_text(f"并入 {first}")
    page.goto(f"{page.url.split('#')[0]}#case={first}")
    expect(page.locator(".callers h3")).to_have_text("反映人（2）")
    expect(page.locator(".callers")).to_contain_text("139****5555")
    expect(page.locator(".callers")).to_contain_text("139****6666")
    assert len(case_of(desk_of, first)["callers"]) == 2
    assert case_of(desk_of, second)["incident"]["merged_into"] == first


def test_of_a_batch_those_that_cannot_be_are_named_with_their_reason_and_the_others_are_done(
    desk: Open, desk_of: httpx.Client, filed: Filed
) -> None:
    ids = [filed(f"批量派遣的路灯{n}") for n in "甲乙丙"]
    for id in ids:
        take(desk_of, id, "accept")
    page = desk("#text=批量派遣的路灯")
    expect(page.locator(".case-row")).to_have_count(3)
    for _ in ids:
        page.keyboard.press("j")
        page.keyboard.press("x")
    register = page.locator(".batch-bar [data-step=register]")
    expect(register).to_be_visible()
    take(desk_of, ids[0], "register")
    take(desk_of, ids[2], "reject", reason="unclear", note="不归本市")
    register.click()
    results = page.locator(".results")
    expect(results).to_contain_text("立案：1 件成功，共 3 件")
    expect(results.locator("li")).to_have_count(2)
    for id in (ids[0], ids[2]):
        expect(results.locator("li", has_text=id)).not_to_have_text(id)
    assert [case_of(desk_of, id)["incident"]["state"] for id in ids] == ["registered", "registered", "rejected"]


def test_an_officer_writes_down_that_the_caller_was_spoken_with_while_the_case_is_at_work(
    desk: Open, desk_of: httpx.Client, filed: Filed, server: Server
) -> None:
    id = filed("联系来电人的路灯", contact={"name": "王五", "phone": "13900007777"})
    lead = at_work(desk_of, id)
    page = desk(f"#case={id}", login=person(server, "officer", scope=Scope(None, frozenset({lead}))))
    page.get_by_role("button", name="登记联系").click()
    form = page.locator(".callers .answering")
    form.get_by_role("button", name="显示号码").click()
    expect(form.locator(".person")).to_have_text("王五 13900007777")
    expect(form.locator("fieldset")).to_have_count(1)
    form.get_by_text("接通", exact=True).click()
    form.locator("textarea").fill("明天上午修")
    form.get_by_role("button", name="登记", exact=True).click()
    expect(page.locator(".said")).to_contain_text("联系已登记")
    expect(page.locator(".callers .answering")).to_have_count(0)
