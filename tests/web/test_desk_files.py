"""The desk's exchange of files: a queue is saved as it is filtered; lines of another system come in or are told why."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, FilePayload, expect

from tests.api.people import person
from tests.conftest import Server
from tests.web import pages
from tests.web.desk import LAMPS, Open, desks, violations

browser = pages.browser


@pytest.fixture
def desk(browser: Browser, server: Server) -> Iterator[Open]:
    with desks(browser, server, person(server, "dispatcher")) as open_page:
        yield open_page


def test_lines_of_another_system_come_in_and_the_queue_goes_out_as_it_is_filtered(desk: Open) -> None:
    number = uuid4().hex[:8]
    title = f"外系统报来的路灯 {number}"
    page = desk(f"#tab=area&text={number}")
    page.get_by_role("button", name="案卷文件交换").click()
    dialog = page.get_by_role("dialog")
    told = dialog.get_by_role("status")
    dialog.get_by_role("button", name="导入", exact=True).click()
    expect(told).to_have_text("请填写对方系统代号并选择文件")
    lines = [
        "对方编号,步骤,来源,事项类别,经度,纬度,标题",
        f"{number},report,hotline,{LAMPS},120.8644,32.0116,{title}",
        f"{number},close,,,,,",
    ]
    written: FilePayload = {
        "name": "案卷.csv", "mimeType": "text/csv", "buffer": "\r\n".join(lines).encode("gb18030")
    }  # fmt: skip
    dialog.get_by_label("对方系统代号").fill("lamps")
    dialog.locator("#exchange-file").set_input_files(written)
    dialog.get_by_role("button", name="导入", exact=True).click()
    expect(told).to_contain_text("共 2 行：收下 1 行，此前已有 0 行，未收 1 行")
    expect(told.get_by_role("listitem")).to_contain_text("第 3 行")
    expect(page.locator(".news .fresh")).to_contain_text("1 件新案卷")
    assert violations(page) == []
    with page.expect_download() as saving:
        dialog.locator("[data-lines=cases]").get_by_role("button", name="CSV").click()
    text = saving.value.path().read_bytes().decode("utf-8-sig")
    assert [row["title"] for row in csv.DictReader(io.StringIO(text))] == [title]
