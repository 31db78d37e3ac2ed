"""The object card: what it says of a record, and how a record is changed from it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from tests.conftest import ROOT, Server
from tests.web import pages
from tests.web.pages import Visit

browser, visit = pages.browser, pages.visit

# A way to the QR code of a text by the library itself, for comparison.
ENCODE = """
import { encode } from "uqr";
const { data } = encode(process.argv[1], { ecc: "M", border: 4 });
process.stdout.write(data.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : []))).join(""));
"""


@dataclass(frozen=True)
class Place:
    """A component that no other test changes, and where it is."""

    id: str
    lon: float
    lat: float

    def open(self, zoom: float = 17, more: str = "") -> str:
        return f"#at={zoom}/{self.lat}/{self.lon}&layers=component{more}&open=component/{self.id}"


@pytest.fixture(scope="module")
def places(server: Server) -> Iterator[Place]:
    some = "select id, st_x(geom), st_y(geom) from city.component order by id offset 1500 limit 60"
    with server.database.reader.connect() as connection:
        return iter([Place(*row) for row in connection.execute(sa.text(some))])


def signed_in(visit: Visit, server: Server, fragment: str, *, live: bool = True, **options: Any) -> Page:
    """The map as the administrator sees it; without `live` it hears of no change."""
    page = visit(ready=False, **options)
    if not live:
        page.route(re.compile(r"/live(\?|$)"), lambda route: route.fulfill(status=204))
    page.add_init_script(f"sessionStorage.setItem('chengtu.token', '{server.token}')")
    page.goto(f"{server.url}/{fragment}")
    pages.await_map(page)
    return page


def editing(visit: Visit, server: Server, place: Place, **options: Any) -> Page:
    page = signed_in(visit, server, place.open(), **options)
    card(page).get_by_role("button", name="编辑").click()
    expect(card(page).locator("form")).to_be_visible()
    return page


def card(page: Page) -> Locator:
    return page.locator(".card")


def fact(page: Page, name: str) -> Locator:
    return card(page).locator(".fact", has=page.locator("dt", has_text=re.compile(f"^{name}$"))).locator("dd")


def record(server: Server, place: Place) -> Any:
    return httpx.get(f"{server.url}/items/component/{place.id}").json()


def change(server: Server, place: Place, **properties: str) -> None:
    """What a second person does meanwhile."""
    url = f"{server.url}/items/component/{place.id}"
    answer = httpx.patch(url, json={"properties": properties}, headers={**server.admin, "If-Match": "*"})
    assert answer.status_code == 200, answer.text


def test_the_card_tells_codes_with_their_standard_and_who_answers_for_the_place(
    visit: Visit, server: Server, places: Iterator[Place]
) -> None:
    place = next(places)
    page = visit(place.open())
    told = record(server, place)
    code, standard = told["properties"]["class_code"], told["properties"]["standard"]
    expect(fact(page, "部件类别").locator(".code")).to_have_text(f"{code} · {standard}")
    duty = told["context"]["dutyGrid"]
    expect(fact(page, "责任单位")).to_have_text(f"{duty['department']}{duty['team']}")
    # The duty desk is one tap away, and in the demo city visibly one that nobody can dial.
    desk = fact(page, "值班电话")
    assert re.fullmatch(r"0513-0000 \d{4}", duty["duty_phone"])
    expect(desk.get_by_role("link", name=duty["duty_phone"])).to_have_attribute(
        "href", "tel:" + re.sub(r"\D", "", duty["duty_phone"])
    )
    expect(desk.locator(".badge")).to_have_text("合成演示数据")
    expect(card(page).get_by_role("button", name="编辑")).to_have_count(0)


def test_the_place_is_told_in_all_frames_on_demand(visit: Visit, places: Iterator[Place]) -> None:
    page = visit(next(places).open())
    card(page).get_by_text("全部坐标系").click()
    frames = card(page).locator(".frames .fact")
    expect(frames).to_have_count(6)
    expect(frames.filter(has_text="高斯 120°E").locator(".figures-text")).to_have_text(
        re.compile(r"^\d{6}\.\d, \d{7}\.\d$")
    )


def test_history_tells_in_words_what_changed_by_whom_and_goes_on_page_by_page(
    visit: Visit, server: Server, places: Iterator[Place]
) -> None:
    place = next(places)
    was = record(server, place)["properties"]["state"]
    change(server, place, state="intact" if was == "broken" else "broken")
    for n in range(24):
        change(server, place, note=f"第{n}次巡查")
    page = visit(place.open())
    card(page).get_by_text("历史", exact=True).click()
    versions = card(page).locator(".version")
    expect(versions.first).to_contain_text("备注 第22次巡查 → 第23次巡查")
    expect(versions.first.locator(".kicker")).to_have_text(re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d · admin$"))
    expect(versions).to_have_count(20)
    card(page).get_by_role("button", name="更早的").click()
    expect(versions).to_have_count(26)
    expect(versions.last).to_contain_text("登记")
    expect(versions.last).to_contain_text("合成演示城市（第")
    expect(versions.last).not_to_contain_text("synthetic")
    expect(versions.nth(24)).to_contain_text(re.compile("状态 .+ → .+"))
    expect(card(page).get_by_role("button", name="更早的")).to_have_count(0)


def test_nearby_things_are_listed_by_distance_and_lead_there(visit: Visit, places: Iterator[Place]) -> None:
    place = next(places)
    page = visit(place.open())
    card(page).get_by_text("附近", exact=True).click()
    wider = card(page).get_by_role("button", name="扩大到")
    first = card(page).locator(".nearby .choice").first
    expect(first.or_(wider)).to_be_visible()
    if wider.is_visible():
        wider.click()
    away = [float(text.removesuffix(" 米").replace(",", "")) for text in
            card(page).locator(".nearby .detail").all_inner_texts()]  # fmt: skip
    assert away == sorted(away)
    name = first.locator(".name").first.inner_text()
    first.click()
    expect(page).not_to_have_url(re.compile(place.id))
    expect(card(page).locator("h2")).to_have_text(name)
    expect(card(page).locator("details.nearby")).to_have_attribute("open", "")


def test_the_qr_code_is_that_of_the_link_to_the_card(visit: Visit, places: Iterator[Place]) -> None:
    place = next(places)
    page = visit(place.open())
    card(page).get_by_role("button", name="二维码").click()
    dialog = page.get_by_role("dialog")
    link = dialog.locator(".link-text").inner_text()
    run = ["node", "--input-type=module", "-e", ENCODE, link]
    drawn = subprocess.run(run, cwd=ROOT / "webmap", capture_output=True, text=True, check=True).stdout
    assert dialog.locator("svg.qr path").get_attribute("d") == drawn
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(card(page)).to_be_visible()
    again = visit(link[link.index("#") :])
    expect(card(again)).to_contain_text(place.id)


def test_its_like_in_the_town_can_be_listed(visit: Visit, server: Server, places: Iterator[Place]) -> None:
    place = next(places)
    page = visit(place.open())
    card(page).get_by_role("button", name="列表").click()
    told = record(server, place)
    expect(page).to_have_url(re.compile(r"list=component"))
    for part in (told["properties"]["major"], told["context"]["town"]["id"]):
        expect(page).to_have_url(re.compile(f"where=[^&]*{part}"))


def test_an_edit_is_saved_shown_and_undone(visit: Visit, server: Server, places: Iterator[Place]) -> None:
    place = next(places)
    before = record(server, place)
    page = editing(visit, server, place)
    expect(page.get_by_label("部件名称")).to_be_focused()
    page.get_by_label("状态").select_option(label="丢失")
    page.get_by_label("备注").fill("井盖不见了")
    expect(card(page)).to_contain_text("有未保存的修改")
    card(page).get_by_role("button", name="保存").click()
    expect(fact(page, "状态")).to_contain_text("丢失")
    assert record(server, place)["properties"] == {**before["properties"], "state": "lost", "note": "井盖不见了"}
    toast = page.locator(".toast")
    expect(toast.get_by_role("status")).to_have_text("已保存")
    toast.get_by_role("button", name="撤销").click()
    expect(toast.get_by_role("status")).to_have_text("已撤销")
    expect(fact(page, "备注")).to_have_count(0)
    assert record(server, place)["properties"] == before["properties"]


def test_what_does_not_fit_is_told_field_by_field(visit: Visit, server: Server, places: Iterator[Place]) -> None:
    page = editing(visit, server, next(places), errors_with="422")
    state, note = page.get_by_label("状态"), page.get_by_label("备注")
    state.select_option(value="")
    card(page).get_by_role("button", name="保存").click()
    expect(state).to_have_accessible_description("需要填写")
    expect(state).to_be_focused()
    expect(card(page).get_by_role("alert")).to_contain_text("1 项需要更正")
    state.select_option(label="完好")
    note.evaluate("(element) => element.removeAttribute('maxlength')")
    note.fill("一" * 1001)
    card(page).get_by_role("button", name="保存").click()
    expect(note).to_have_accessible_description("超过 1000 个字符")
    # What only the server knows: a text that no database takes.
    note.fill("响铃\u0007")
    card(page).get_by_role("button", name="保存").click()
    expect(note).to_have_accessible_description("含有控制字符")
    expect(note).to_be_focused()
    expect(note).to_have_attribute("aria-invalid", "true")


def test_a_second_editor_sees_what_the_first_changed_and_chooses(
    visit: Visit, server: Server, places: Iterator[Place]
) -> None:
    place = next(places)
    page = editing(visit, server, place, live=False, errors_with="412")
    page.get_by_label("备注").fill("我的备注")
    page.get_by_label("权属单位").fill("我的单位")
    change(server, place, note="对方的备注", owner="对方的单位", address="对方的位置")
    conflict = card(page).locator(".conflict")
    card(page).get_by_role("button", name="保存").click()
    expect(conflict).to_contain_text("admin 于")
    assert record(server, place)["properties"]["note"] == "对方的备注"
    rows = conflict.locator("tbody tr")
    expect(rows.filter(has_text="备注")).to_contain_text("对方的备注")
    expect(rows.filter(has_text="位置描述")).to_contain_text("对方的位置")
    rows.filter(has_text="权属单位").get_by_label("对方的单位").check()
    card(page).get_by_role("button", name="保存").click()
    expect(conflict).to_be_visible()
    conflict.get_by_role("button", name="合并").click()
    expect(page.get_by_label("权属单位")).to_have_value("对方的单位")
    expect(page.get_by_label("位置描述")).to_have_value("对方的位置")
    expect(page.get_by_label("备注")).to_have_value("我的备注")
    card(page).get_by_role("button", name="保存").click()
    expect(fact(page, "备注")).to_have_text("我的备注")
    told = record(server, place)["properties"]
    assert (told["owner"], told["address"]) == ("对方的单位", "对方的位置")


def test_a_change_elsewhere_shows_in_an_open_form_and_takes_nothing_that_was_typed(
    visit: Visit, server: Server, places: Iterator[Place]
) -> None:
    place = next(places)
    page = editing(visit, server, place)
    expect(page.locator(".live[data-state=live]")).to_be_visible()
    change(server, place, note="先有的")
    expect(page.get_by_label("备注")).to_have_value("先有的")
    page.get_by_label("权属单位").fill("打了一半")
    change(server, place, maintainer="又改了")
    expect(card(page).locator(".conflict")).to_contain_text("又改了")
    expect(page.get_by_label("权属单位")).to_have_value("打了一半")
    card(page).get_by_role("button", name="全部用对方的").click()
    expect(page.get_by_label("养护单位")).to_have_value("又改了")
    expect(page.get_by_label("权属单位")).to_have_value("打了一半")


def test_a_record_that_is_retired_under_a_form_can_be_brought_back(
    visit: Visit, server: Server, places: Iterator[Place]
) -> None:
    place = next(places)
    page = editing(visit, server, place, errors_with="404")
    page.get_by_label("备注").fill("还在")
    url = f"{server.url}/items/component/{place.id}"
    assert httpx.delete(url, headers={**server.admin, "If-Match": "*"}).status_code == 204
    card(page).get_by_role("button", name="恢复这条记录").click()
    expect(card(page).locator(".conflict")).to_have_count(0)
    card(page).get_by_role("button", name="保存").click()
    expect(fact(page, "备注")).to_have_text("还在")


def test_an_undo_that_comes_too_late_says_so(visit: Visit, server: Server, places: Iterator[Place]) -> None:
    place = next(places)
    page = editing(visit, server, place, errors_with="412")
    page.get_by_label("备注").fill("先")
    card(page).get_by_role("button", name="保存").click()
    expect(fact(page, "备注")).to_have_text("先")
    change(server, place, note="后")
    page.locator(".toast").get_by_role("button", name="撤销").click()
    expect(page.locator(".toast").get_by_role("status")).to_contain_text("不能撤销")
    assert record(server, place)["properties"]["note"] == "后"


def test_a_point_is_moved_by_hand_by_keys_and_by_coordinates(
    visit: Visit, server: Server, places: Iterator[Place]
) -> None:
    place = next(places)
    page = editing(visit, server, place)
    card(page).get_by_role("button", name="移动").click()
    marker = page.get_by_label("位置标记")
    box = marker.bounding_box()
    assert box
    page.mouse.move(box["x"] + 14, box["y"] + 14)
    page.mouse.down()
    page.mouse.move(box["x"] + 74, box["y"] + 14, steps=4)
    page.mouse.up()
    east = page.get_by_label("经度")
    dragged = float(east.input_value())
    assert dragged > place.lon
    marker.focus()
    page.keyboard.press("Shift+ArrowLeft")
    assert place.lon < float(east.input_value()) < dragged
    page.locator(".coordinates .frame").select_option("EPSG:4549")
    easting = page.get_by_label("东", exact=True)
    easting.fill("abc")
    easting.press("Tab")
    expect(easting).to_have_attribute("aria-invalid", "true")
    card(page).get_by_role("button", name="保存").click()
    expect(easting).to_be_focused()
    assert record(server, place)["geometry"]["coordinates"] == pytest.approx([place.lon, place.lat], abs=1e-6)
    lon, lat = place.lon + 0.0005, place.lat
    page.locator(".coordinates .frame").select_option("EPSG:4326")
    east.fill(f"{lon:.7f}")
    east.press("Tab")
    page.get_by_label("纬度").fill(f"{lat:.7f}")
    page.get_by_label("纬度").press("Tab")
    card(page).get_by_role("button", name="保存").click()
    expect(page.locator(".toast").get_by_role("status")).to_have_text("已保存")
    assert record(server, place)["geometry"]["coordinates"] == pytest.approx([lon, lat], abs=1e-6)
    expect(page.locator(".move-marker")).to_have_count(0)
    card(page).get_by_text("历史", exact=True).click()
    expect(card(page).locator(".version").first).to_contain_text(re.compile(r"位置移动 \d+ 米"))


def test_leaving_a_half_filled_form_is_asked_about(visit: Visit, server: Server, places: Iterator[Place]) -> None:
    place = next(places)
    page = editing(visit, server, place)
    page.get_by_label("备注").fill("别丢")
    x, y = pages.centre(page)
    page.mouse.click(x - 150, y + 150)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("离开将丢失")
    dialog.get_by_role("button", name="继续编辑").click()
    expect(page.get_by_label("备注")).to_have_value("别丢")
    page.keyboard.press("Escape")
    dialog.get_by_role("button", name="放弃修改").click()
    expect(card(page).locator("form")).to_have_count(0)
    expect(card(page)).to_contain_text(place.id)
    assert record(server, place)["properties"]["note"] != "别丢"


def test_a_form_keeps_what_was_typed_when_the_language_changes(
    visit: Visit, server: Server, places: Iterator[Place]
) -> None:
    page = editing(visit, server, next(places))
    page.get_by_label("备注").fill("双语")
    page.get_by_role("button", name="Switch to English").click()
    expect(page.get_by_label("Note")).to_have_value("双语")
    expect(card(page).get_by_role("button", name="Save")).to_be_visible()


def test_a_record_is_added_where_one_points_and_undone(visit: Visit, server: Server, places: Iterator[Place]) -> None:
    place = next(places)
    lon, lat = place.lon + 0.0004, place.lat + 0.0003
    page = signed_in(visit, server, f"#at=17/{lat}/{lon}&layers=component&open=@{lon:.6f},{lat:.6f}", errors_with="404")
    card(page).get_by_role("button", name="在此新增").click()
    page.get_by_role("dialog").get_by_role("button", name="城市部件").click()
    card(page).get_by_role("button", name="保存").click()
    expect(page.get_by_label("部件类别")).to_have_accessible_description("需要填写")
    group = page.get_by_label("部件类别").locator("optgroup").first
    assert group.get_attribute("label") == "GB/T 47678.5-2026"
    page.get_by_label("部件类别").select_option(value="01037")
    page.get_by_label("状态").select_option(label="完好")
    card(page).get_by_role("button", name="保存").click()
    expect(card(page).locator("h2")).to_have_text("路灯")
    expect(fact(page, "来源")).to_contain_text("hand")
    id = page.url.split("open=component/")[1]
    made = httpx.get(f"{server.url}/items/component/{id}").json()
    assert made["geometry"]["coordinates"] == pytest.approx([lon, lat], abs=1e-6)
    page.locator(".toast").get_by_role("button", name="撤销").click()
    expect(card(page)).to_be_hidden()
    assert httpx.get(f"{server.url}/items/component/{id}").status_code == 404


def test_a_retired_record_leaves_its_history_and_comes_back(
    visit: Visit, server: Server, places: Iterator[Place]
) -> None:
    place = next(places)
    page = editing(visit, server, place, errors_with="404")
    for answer in ("取消", "注销"):
        card(page).get_by_role("button", name="注销").click()
        page.get_by_role("dialog").get_by_role("button", name=answer, exact=True).click()
    expect(page.locator(".toast").get_by_role("status")).to_contain_text("已注销")
    expect(card(page)).to_be_hidden()
    page.locator(".toast").get_by_role("button", name="撤销").click()
    expect(page.locator(".toast").get_by_role("status")).to_have_text("已撤销")
    expect(fact(page, "ID")).to_contain_text(place.id)
    assert record(server, place)["context"]["source"] == "synthetic"
    card(page).get_by_text("历史", exact=True).click()
    expect(card(page).locator(".events")).to_contain_text("注销")


def test_a_form_has_no_obstacle_for_assistive_technology(visit: Visit, server: Server, places: Iterator[Place]) -> None:
    place = next(places)
    axe = (ROOT / "webmap/node_modules/axe-core/axe.min.js").read_text()
    check = "axe.run('.card, .toast', { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }).then((r) => r.violations)"
    for palette in ("dark", "light"):
        page = editing(visit, server, place, color_scheme=palette)
        page.evaluate(axe)
        card(page).get_by_role("button", name="移动").click()
        assert page.evaluate(check) == []
        card(page).get_by_role("button", name="取消").click()
        for name in ("全部坐标系", "历史", "附近"):
            card(page).get_by_text(name, exact=True).click()
        expect(card(page).locator(".version").first).to_be_visible()
        assert page.evaluate(check) == []


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_edits_too(visit: Visit, server: Server, places: Iterator[Place], width: int) -> None:
    place = next(places)
    phone: dict[str, Any] = {"viewport": {"width": width, "height": 720}, "has_touch": True, "is_mobile": True}
    page = signed_in(visit, server, place.open(), **phone)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    card(page).get_by_role("button", name="编辑").tap()
    page.get_by_label("备注").fill("手机")
    card(page).get_by_role("button", name="保存").tap()
    expect(fact(page, "备注")).to_have_text("手机")
    wide = "[...document.querySelectorAll('.card *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)"
    assert page.evaluate(f"{wide}.length") == 0
