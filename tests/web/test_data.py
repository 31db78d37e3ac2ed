"""The data clerk's page in a real browser: a spreadsheet of an office dropped, set right, loaded, seen, taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.conftest import ROOT, Server
from tests.delivering import Clerk, lamp, sheet, worker
from tests.web import pages
from tests.web.pages import Visit, visiting

AXE = ROOT / "webmap" / "node_modules" / "axe-core" / "axe.min.js"
DRAWN = """() => {
  const drawn = window.__chengtu.map.queryRenderedFeatures({ layers: ["delivered-point"] });
  return drawn.map((each) => each.properties.kind).sort();
}"""
KINDS = """(kinds) => {
  const { map } = window.__chengtu;
  if (!map.getLayer("delivered-point")) return false;
  const drawn = map.queryRenderedFeatures({ layers: ["delivered-point"] }).map((each) => each.properties.kind).sort();
  return JSON.stringify(drawn) === JSON.stringify(kinds);
}"""
browser = pages.browser


@pytest.fixture(scope="module")
def working(own_server: Server) -> Iterator[Server]:
    with worker(own_server):
        yield own_server


@pytest.fixture
def visit(browser: Browser, working: Server) -> Iterator[Visit]:
    with visiting(browser, working.url) as open_page:
        yield open_page


def clerks_page(visit: Visit, server: Server, fragment: str = "", **options: Any) -> Page:
    """The page of somebody who has signed in."""
    page = visit(ready=False, **options)
    page.add_init_script(f"sessionStorage.setItem('chengtu.token', '{server.token}')")
    page.goto(f"{server.url}/data{fragment}")
    pages.await_map(page)
    return page


def bring(page: Page, name: str, content: bytes) -> None:
    file: FilePayload = {"name": name, "mimeType": "text/csv", "buffer": content}
    page.locator("#files").set_input_files(file)
    expect(page.locator(".tile[data-kind=added]")).to_be_visible(timeout=pages.PATIENCE_MS)


def count(page: Page, kind: str) -> str:
    return page.locator(f".tile[data-kind={kind}] b").inner_text()


def test_a_gbk_file_is_brought_corrected_loaded_seen_and_taken_back(visit: Visit, working: Server) -> None:
    page = clerks_page(visit, working)
    bring(page, "路灯台账.csv", sheet(lamp(1), lamp(2), lamp(3, state="好"), lamp(4, lon=116.397, lat=39.908)))
    assert [count(page, kind) for kind in ("added", "refused")] == ["2", "2"]
    expect(page.get_by_text("文字编码为 GB18030")).to_be_visible()
    expect(page.get_by_label("图层")).to_have_value("component")
    page.wait_for_function(KINDS, arg=["added", "added"])

    page.get_by_label("第 4 行 部件状态").fill("完好")
    page.get_by_label("第 4 行 部件状态").press("Tab")
    expect(page.get_by_text("重新检查后才能入库")).to_be_visible()
    page.get_by_role("button", name="重新检查").click()
    expect(page.get_by_text("已更正 1 个单元格")).to_be_visible(timeout=pages.PATIENCE_MS)
    assert [count(page, kind) for kind in ("added", "refused")] == ["3", "1"]

    page.get_by_role("button", name="入库").click()
    expect(page.get_by_role("button", name="撤销此批次")).to_be_visible(timeout=pages.PATIENCE_MS)
    assert page.url.split("#")[1].startswith("delivery=")
    page.wait_for_function(KINDS, arg=["added"] * 3)
    expect(page.get_by_text("合格率 75%")).to_be_visible()
    card = page.get_by_role("link", name="32061301037900003")
    expect(card).to_have_attribute("href", re.compile("layers=.*component.*open=component/32061301037900003$"))

    page.get_by_role("button", name="撤销此批次").click()
    page.get_by_role("dialog").get_by_role("button", name="撤销此批次").click()
    expect(page.get_by_text("记录恢复原样")).to_be_visible(timeout=pages.PATIENCE_MS)
    page.wait_for_function(KINDS, arg=[])
    page.get_by_role("button", name="返回").click()
    expect(page.get_by_role("heading", name="数据来源")).to_be_visible()


def test_what_is_wrong_with_a_whole_file_is_set_right_by_a_button(visit: Visit, working: Server) -> None:
    page = clerks_page(visit, working)
    rows = [lamp(n, lon=32.01, lat=120.8 + n / 1000) for n in range(11, 17)]
    page.locator("#files").set_input_files({"name": "颠倒.csv", "mimeType": "text/csv", "buffer": sheet(*rows)})
    expect(page.get_by_role("alert").get_by_text("经纬度颠倒了")).to_be_visible(timeout=pages.PATIENCE_MS)
    expect(page.get_by_role("alert").get_by_text("对调后 100% 的点落在范围内")).to_be_visible()
    said = page.get_by_text("latitude and longitude are swapped")
    expect(said).to_be_hidden()
    page.get_by_role("alert").get_by_text("程序原话").click()
    expect(said).to_be_visible()
    page.get_by_role("alert").get_by_role("button", name="经纬度对调").click()
    expect(page.locator(".tile[data-kind=added] b")).to_have_text("6", timeout=pages.PATIENCE_MS)


def test_a_ragged_row_is_set_right_and_a_column_is_given_another_meaning(visit: Visit, working: Server) -> None:
    page = clerks_page(visit, working)
    bring(page, "对应.csv", sheet(lamp(21), lamp(22), lamp(23).replace("路灯", "路灯,高杆")))
    expect(page.get_by_text("多出：A-23")).to_be_visible()
    page.get_by_role("button", name="第 4 行“部件名称”并入下一格").click()
    expect(page.get_by_label("第 4 行 部件名称", exact=True)).to_have_value("路灯,高杆")
    expect(page.get_by_label("第 4 行 杆号", exact=True)).to_have_value("A-23")
    page.get_by_role("button", name="重新检查").click()
    expect(page.locator(".tile[data-kind=added] b")).to_have_text("3", timeout=pages.PATIENCE_MS)
    page.get_by_label("“杆号”列对应什么").select_option(label="备注")
    page.get_by_role("button", name="重新检查").click()
    expect(page.get_by_label("“杆号”列对应什么")).to_have_value("field note", timeout=pages.PATIENCE_MS)
    expect(page.locator(".changed")).to_be_hidden()


def test_the_refused_rows_are_downloaded_as_a_workbook(visit: Visit, working: Server, tmp_path: Path) -> None:
    page = clerks_page(visit, working)
    bring(page, "退.csv", sheet(lamp(31), lamp(32, state="好")))
    with page.expect_download() as download:
        page.get_by_role("button", name="下载退回表").click()
    download.value.save_as(tmp_path / "back.xlsx")
    assert download.value.suggested_filename == "退-退回.xlsx"
    assert [row[-1] for row in openpyxl.load_workbook(tmp_path / "back.xlsx").active.values] == ["原文件行号", 3]


def test_several_files_wait_in_a_list(visit: Visit, working: Server) -> None:
    page = clerks_page(visit, working)
    names = ("甲.csv", "乙.csv", "丙.dwg")
    page.locator("#files").set_input_files(
        [{"name": name, "mimeType": "text/csv", "buffer": sheet(lamp(41))} for name in names]
    )
    waiting = page.get_by_role("region", name="等待入库")
    expect(page.get_by_text("丙.dwg：不支持这种文件")).to_be_visible()
    expect(page.get_by_text("请在 CAD 中导出为 Shapefile")).to_be_visible()
    for name in names[:2]:
        expect(waiting.get_by_role("button", name=name, exact=True)).to_be_visible(timeout=pages.PATIENCE_MS)
    waiting.get_by_role("button", name="移除 甲.csv").click()
    expect(waiting.get_by_role("button", name="甲.csv", exact=True)).to_be_hidden(timeout=pages.PATIENCE_MS)


def test_each_of_several_files_that_is_not_taken_says_why(visit: Visit, working: Server) -> None:
    page = clerks_page(visit, working, errors_with="status of 4")
    brought = (("a.csv", b"%PDF-1.7 ..."), ("b.csv", b""), ("c.csv", sheet(lamp(42))))
    page.locator("#files").set_input_files(
        [{"name": name, "mimeType": "text/csv", "buffer": content} for name, content in brought]
    )
    waiting = page.get_by_role("region", name="等待入库")
    expect(waiting.get_by_role("button", name="c.csv", exact=True)).to_be_visible(timeout=pages.PATIENCE_MS)
    expect(page.get_by_text("a.csv：这不是表格，也不是图形文件")).to_be_visible()
    expect(page.get_by_text("b.csv：文件是空的")).to_be_visible()


def test_what_was_typed_and_not_yet_checked_is_kept(visit: Visit, working: Server) -> None:
    page = clerks_page(visit, working)
    bring(page, "kept.csv", sheet(lamp(43), lamp(44, state="好")))
    page.get_by_label("第 3 行 部件状态").fill("完好")
    page.get_by_label("第 3 行 部件状态").press("Tab")
    page.get_by_role("button", name="Switch to English").click()
    expect(page.get_by_role("button", name="Load", exact=True)).to_be_visible()
    expect(page.get_by_label("row 3, 部件状态")).to_have_value("完好", timeout=pages.PATIENCE_MS)
    page.get_by_role("button", name="切换到中文").click()
    page.get_by_role("button", name="重新检查").click()
    expect(page.get_by_text("已更正 1 个单元格")).to_be_visible(timeout=pages.PATIENCE_MS)


def test_a_file_dropped_beside_the_zone_does_not_replace_the_page(visit: Visit, working: Server) -> None:
    page = clerks_page(visit, working)
    drop = """() => {
      const event = new DragEvent("drop", { bubbles: true, cancelable: true });
      document.querySelector("h1").dispatchEvent(event);
      return event.defaultPrevented;
    }"""
    assert page.evaluate(drop)


def test_who_has_not_signed_in_is_told_so_and_offered_to(visit: Visit, working: Server) -> None:
    page = visit("data")
    expect(page.get_by_role("heading", name="接收数据需要登录")).to_be_visible()
    assert page.locator("#files").count() == 0
    page.get_by_role("main").get_by_role("button", name="登录").click()
    page.get_by_role("button", name="用令牌登录").click()
    page.get_by_label("管理员令牌").fill(working.token)
    page.get_by_role("dialog").get_by_role("button", name="登录").click()
    expect(page.get_by_text("把文件拖到这里")).to_be_visible()


@pytest.mark.parametrize("palette", ["dark", "light"])
def test_the_page_is_accessible(visit: Visit, working: Server, palette: str) -> None:
    clerk = Clerk(working)
    id = clerk.bring((f"axe-{palette}.csv", sheet(lamp(51), lamp(52, state="好"))))
    clerk.http.post(f"/uploads/{id}/examine", json={}).raise_for_status()
    clerk.http.close()
    for fragment in (f"#palette={palette}", f"#upload={id}&palette={palette}"):
        page = clerks_page(visit, working, fragment)
        expect(page.locator("table").first).to_be_visible(timeout=pages.PATIENCE_MS)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        rules = "() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] })"
        violations = page.evaluate(rules)["violations"]
        assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in violations] == []


def test_everything_fits_on_a_narrow_phone(visit: Visit, working: Server) -> None:
    phone = {"viewport": {"width": 320, "height": 720}, "has_touch": True, "is_mobile": True}
    page = clerks_page(visit, working, **phone)
    bring(page, "窄.csv", sheet(lamp(61), lamp(62, state="好"), lamp(63).replace("路灯", "路灯,高杆")))
    assert page.evaluate("() => document.documentElement.scrollWidth") == 320
    assert page.evaluate("() => document.querySelector('.desk').scrollWidth") <= 320
    heights = [(each.inner_text(), box["height"]) for each in page.locator(".desk button:visible").all()
               if (box := each.bounding_box())]  # fmt: skip
    assert [one for one in heights if one[1] < 44] == []


def test_english_has_all_the_words(visit: Visit, working: Server) -> None:
    page = clerks_page(visit, working, "#lang=en")
    bring(page, "english.csv", sheet(lamp(71), lamp(72, state="好")))
    expect(page.get_by_role("button", name="Load", exact=True)).to_be_visible()
    expect(page.get_by_role("columnheader", name="Reason")).to_be_visible()
