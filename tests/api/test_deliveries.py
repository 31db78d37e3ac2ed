"""A clerk's file over HTTP: brought, examined, corrected, loaded, looked at, taken back."""

from __future__ import annotations

import io
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import openpyxl
import pytest
import sqlalchemy as sa

from layers.catalog import built_in
from layers.store.core import DELIVERY
from layers.store.jobs import NotFiled, file_job
from layers.store.uploads import Uploads
from tests.conftest import Server
from tests.delivering import HEADER, Clerk, folder_of, lamp, sheet

COMPONENT = built_in()["component"].table


@pytest.fixture(scope="module")
def clerk(own_server: Server) -> Iterator[Clerk]:
    found = Clerk(own_server)
    yield found
    found.http.close()


def ids(clerk: Clerk, source: str) -> set[str]:
    with clerk.server.database.reader.connect() as connection:
        return set(connection.scalars(sa.select(COMPONENT.c.id).where(COMPONENT.c.source == source)))


def test_a_gbk_file_is_understood_without_a_word_from_the_clerk(clerk: Clerk) -> None:
    id = clerk.bring(("路灯台账.csv", sheet(lamp(1), lamp(2, state="破损"))))
    report = clerk.examine(id)
    assert report["layer"] == "component"
    assert report["guessed"]
    assert report["source"] == "路灯台账"
    assert report["outcome"] == {"inserted": 2, "updated": 0, "unchanged": 0, "retired": 0}
    assert {c["header"]: c["field"] or c["role"] for c in report["columns"]} == {
        "部件标识码": "id", "部件名称": "name", "部件状态": "state", "经度": "lon", "纬度": "lat",
        "初始日期": "first_date", "杆号": None,
    }  # fmt: skip
    assert [f["text"]["zh"] for f in report["findings"] if f["code"] == "encoding"] == ["文字编码为 GB18030"]
    assert ids(clerk, "路灯台账") == set(), "an examination changes nothing"


def test_the_preview_shows_what_would_be_added_and_where_refused_points_lie(clerk: Clerk) -> None:
    id = clerk.bring(("preview.csv", sheet(lamp(11), lamp(12, lon=116.397, lat=39.908))))
    clerk.examine(id)
    drawn = clerk.http.get(f"/uploads/{id}/preview").json()
    kinds = {f["properties"]["kind"]: f["geometry"]["coordinates"] for f in drawn["features"]}
    assert kinds == {"added": [120.8611, 32.01023], "refused": [116.397, 39.908]}
    assert not drawn["truncated"]


def test_a_reject_is_corrected_in_place_and_loaded(clerk: Clerk) -> None:
    id = clerk.bring(("mended.csv", sheet(lamp(21), lamp(22, lat="320.1023", state="好"))))
    report = clerk.examine(id)
    assert report["refused"] == 1
    page = clerk.http.get(f"/uploads/{id}/rejects").json()
    (reject,) = page["rejects"]
    assert (reject["row"], reject["code"], reject["whole"]) == (3, "unknown_code", True)
    assert reject["cells"] == [{"column": "部件状态", "value": "好"}]
    mended = [
        {"row": 3, "column": "部件状态", "value": "完好"},
        {"row": 3, "column": "纬度", "value": "32.0102"},
    ]
    report = clerk.examine(id, corrections=mended)
    assert report["refused"] == 0
    delivery = clerk.load(id)
    assert (delivery["inserted"], delivery["accepted"], delivery["refused"]) == (2, 1.0, 0)
    assert ids(clerk, "mended") == {"32061301037900021", "32061301037900022"}


def test_a_row_with_too_many_cells_is_corrected_in_place_or_sent_back(clerk: Clerk) -> None:
    row = lamp(26).replace("路灯", "路灯,高杆")
    id = clerk.bring(("ragged.csv", sheet(lamp(25), row)))
    report = clerk.examine(id)
    assert (report["refused"], report["outcome"]["inserted"]) == (1, 1)
    (reject,) = clerk.http.get(f"/uploads/{id}/rejects").json()["rejects"]
    assert [cell["value"] for cell in reject["cells"]] + reject["surplus"] == row.split(",")
    book = openpyxl.load_workbook(io.BytesIO(clerk.http.get(f"/uploads/{id}/refused.xlsx").content))
    assert [cell.value for cell in list(book.active.iter_rows())[1]][:3] == ["32061301037900026", "路灯", "高杆"]
    cells = zip(HEADER.split(","), lamp(26).split(","), strict=True)
    report = clerk.examine(id, corrections=[{"row": 3, "column": name, "value": value} for name, value in cells])
    assert (report["refused"], report["outcome"]["inserted"], report["findings"][1:]) == (0, 2, [])


def test_words_that_no_book_knows_are_translated_for_all_rows(clerk: Clerk) -> None:
    id = clerk.bring(("words.csv", sheet(lamp(31, state="还行"), lamp(32, state="还行"))))
    report = clerk.examine(id)
    assert report["refusal"]["text"]["zh"] == "没有一行可以入库"
    (kind,) = report["kinds"]
    assert (kind["field"], kind["words"], kind["count"]) == ("state", ["还行"], 2)
    meanings = report["meanings"] | {"values": {"state": {"还行": "intact"}}}
    assert clerk.examine(id, meanings=meanings)["outcome"]["inserted"] == 2


def test_columns_that_were_not_recognised_are_led_to_fields(clerk: Clerk) -> None:
    rows = ["a1,120.9,32.0,某处", "a2,120.91,32.0,别处"]
    id = clerk.bring(("odd.csv", sheet(*rows, header="甲,东,北,乙")))
    report = clerk.examine(id, layer="place", constants={"kind": "poi"})
    assert report["refusal"]["kind"] in ("NothingMapped", "Refused")
    meanings = {"fields": {"name": "乙"}, "roles": {"lon": "东", "lat": "北"}, "values": {}}
    report = clerk.examine(id, meanings=meanings, constants={})
    kinds = {kind["field"] for kind in report["kinds"]}
    assert report["outcome"] is not None or kinds <= {"kind"}, report.get("refusal")


def test_the_refused_rows_go_back_as_a_workbook_that_can_be_delivered_again(clerk: Clerk) -> None:
    first = clerk.bring(("往返.csv", sheet(lamp(41), lamp(42, state="好"), lamp(43))))
    clerk.examine(first)
    clerk.load(first)
    answer = clerk.http.get(f"/uploads/{first}/refused.xlsx")
    assert quote("往返-退回.xlsx") in answer.headers["content-disposition"]
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    header, row = list(book.active.iter_rows())
    assert [cell.value for cell in header] == [*HEADER.split(","), "退回原因", "原文件行号"]
    assert [cell.value for cell in row[-2:]] == ["部件状态：代码表中没有这个代码或名称", 3]
    assert [cell.fill.start_color.rgb for cell in row if cell.fill.fill_type] == ["FFF9D6CC"]
    row[2].value = "完好"
    mended = io.BytesIO()
    book.save(mended)
    again = clerk.bring(("往返-退回.xlsx", mended.getvalue()))
    report = clerk.examine(again)
    assert (report["source"], report["layer"], report["returned"], report["partial"]) == (
        "往返",
        "component",
        True,
        True,
    )
    assert report["outcome"] == {"inserted": 1, "updated": 0, "unchanged": 0, "retired": 0}
    clerk.load(again)
    assert len(ids(clerk, "往返")) == 3


def test_a_delivery_tells_what_it_added_changed_and_retired_and_is_taken_back(clerk: Clerk) -> None:
    clerk.delivered("series.csv", sheet(*(lamp(n) for n in range(51, 61))))
    second = clerk.delivered(
        "series.csv", sheet(*(lamp(n, state="破损" if n == 52 else "完好") for n in range(52, 62)))
    )
    assert [second[k] for k in ("inserted", "updated", "retired", "unchanged")] == [1, 1, 1, 8]
    drawn = clerk.http.get(f"/deliveries/{second['id']}/places").json()
    assert {f["properties"]["kind"]: f["id"][-2:] for f in drawn["features"]} == {
        "added": "61", "changed": "52", "retired": "51"
    }  # fmt: skip
    undone = clerk.undo(second["id"])
    assert undone["undone"] is not None
    assert undone["undoing"]["state"] == "done"
    assert {id[-2:] for id in ids(clerk, "series")} == {str(n) for n in range(51, 61)}
    again = clerk.http.post(f"/deliveries/{second['id']}/undo")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_an_undo_that_is_refused_says_why(clerk: Clerk) -> None:
    first = clerk.delivered("blocked.csv", sheet(lamp(71), lamp(72)))
    clerk.delivered("blocked.csv", sheet(lamp(71, state="破损"), lamp(72)))
    held = clerk.undo(first["id"])
    assert held["undone"] is None
    assert held["undoing"]["state"] == "failed"
    assert "又有改动" in held["undoing"]["why"]["zh"]


def test_retiring_much_of_a_source_needs_an_explicit_yes(clerk: Clerk) -> None:
    clerk.delivered("shrunk.csv", sheet(*(lamp(n) for n in range(81, 91))))
    id = clerk.bring(("shrunk.csv", sheet(lamp(81))))
    report = clerk.examine(id)
    assert (report["many_retired"], report["outcome"]["retired"], report["held"]) == (True, 9, 10)
    refused = clerk.http.post(f"/uploads/{id}/load", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert clerk.examine(id, partial=True)["outcome"]["retired"] == 0
    clerk.examine(id, partial=False)
    assert clerk.load(id, allow_retire=True)["retired"] == 9


def test_swapped_coordinates_are_refused_with_the_way_out(clerk: Clerk) -> None:
    rows = [lamp(n, lon=32.01, lat=120.8 + n / 1000) for n in range(91, 97)]
    id = clerk.bring(("swapped.csv", sheet(*rows)))
    report = clerk.examine(id)
    assert report["refusal"]["text"]["zh"] == "经纬度颠倒了"
    assert {"option": "swap", "value": None} in report["refusal"]["help"]
    assert report["columns"], "what was understood is told all the same"
    assert clerk.examine(id, swap=True)["outcome"]["inserted"] == 6


def test_of_a_workbook_with_two_sheets_one_is_chosen(clerk: Clerk) -> None:
    book = openpyxl.Workbook()
    book.active.title = "甲"
    for page in (book.active, book.create_sheet("乙")):
        page.append(HEADER.split(","))
        page.append(lamp(101 if page.title == "甲" else 102).split(","))
    file = io.BytesIO()
    book.save(file)
    id = clerk.bring(("two.xlsx", file.getvalue()))
    report = clerk.examine(id)
    assert (report["refusal"]["kind"], report["tables"]) == ("ChoiceNeeded", ["甲", "乙"])
    report = clerk.examine(id, table="乙")
    assert (report["table"], report["rows"], report["tables"]) == ("乙", 1, ["甲", "乙"])


def test_the_parts_of_a_shapefile_come_together(clerk: Clerk, shared: Path) -> None:
    folder = shared / "data" / "nasty" / "gbk"
    parts = [(f"counties_gbk_nocpg{end}", (folder / f"counties_gbk_nocpg{end}").read_bytes())
             for end in (".dbf", ".shp", ".shx", ".prj")]  # fmt: skip
    report = clerk.examine(clerk.bring(*parts))
    assert (report["file"], report["layer"], report["rows"]) == ("counties_gbk_nocpg.shp", "county", 7)


def test_real_cameras_of_another_country_get_a_layer_of_their_own(clerk: Clerk, shared: Path) -> None:
    content = (shared / "data" / "components" / "gyeonggi_cctv.csv").read_bytes()
    id = clerk.bring(("gyeonggi_cctv.csv", content))
    report = clerk.examine(id, layer=None, new_layer="gyeonggi", title="京畿摄像头", extent="126,36.5,128,38.5")
    assert report["outcome"]["inserted"] == report["rows"] == 6_877
    assert report["into"]["title"]["zh"] == "京畿摄像头"
    drawn = clerk.http.get(f"/uploads/{id}/preview").json()
    assert drawn["truncated"]
    assert 400 < len(drawn["features"]) <= 2_000
    assert clerk.load(id)["inserted"] == 6_877
    assert clerk.http.get("/layers/gyeonggi").status_code == 200


def test_a_load_that_was_done_before_its_worker_died_is_not_done_twice(clerk: Clerk) -> None:
    id = clerk.bring(("once.csv", sheet(lamp(111))))
    clerk.examine(id)
    first = clerk.load(id)
    (folder_of(clerk.server, id) / "loaded.json").unlink()  # as if the worker had died before it could say so
    file_job(clerk.server.database.url, "chengtu.load", lock=f"upload {id}", upload=id)
    clerk.work()
    assert clerk.upload(id)["loaded"]["delivery"] == first["id"]


def test_a_job_that_waits_is_cancelled(clerk: Clerk) -> None:
    id = clerk.bring(("waits.csv", sheet(lamp(121))))
    assert clerk.http.post(f"/uploads/{id}/examine", json={}).json()["work"]["state"] == "queued"
    busy = clerk.http.post(f"/uploads/{id}/examine", json={})
    assert busy.status_code == 409
    assert clerk.http.post(f"/uploads/{id}/cancel").json()["work"]["state"] == "cancelled"
    clerk.work()
    assert (clerk.upload(id)["work"]["state"], clerk.upload(id)["report"]) == ("cancelled", None)
    assert clerk.examine(id)["outcome"]["inserted"] == 1


def test_a_job_at_work_tells_its_rows_and_is_cancelled_within_two_seconds(clerk: Clerk) -> None:
    lamps = [lamp(n, lon=120.86 + n % 100 / 10_000) for n in range(10_000, 30_000)]
    id = clerk.bring(("long.csv", sheet(*lamps)))
    assert clerk.examine(id)["outcome"]["inserted"] == 20_000
    before = clerk.upload(id)
    clerk.http.post(f"/uploads/{id}/load", json={}).raise_for_status()
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(clerk.work)
        while (work := clerk.upload(id)["work"]).get("done") is None:
            assert work["state"] in ("queued", "running")
        assert 0 <= work["done"] <= work["amount"]
        asked = time.monotonic()
        clerk.http.post(f"/uploads/{id}/cancel").raise_for_status()
        while clerk.upload(id)["work"]["state"] != "cancelled":
            assert time.monotonic() - asked < 2
        working.result(60)
    after = clerk.upload(id)
    assert (after["work"]["state"], after["loaded"], after["report"]) == ("cancelled", None, before["report"])
    assert ids(clerk, "long") == set()
    assert clerk.http.get("/deliveries", params={"source": "long"}).json()["deliveries"] == []


def test_sources_tell_their_latest_delivery_and_its_quality(clerk: Clerk) -> None:
    clerk.delivered("quality.csv", sheet(lamp(131), lamp(132), lamp(133), lamp(134, state="好")))
    (source,) = [s for s in clerk.http.get("/deliveries/sources").json()["sources"] if s["source"] == "quality"]
    assert (source["deliveries"], source["freshness"], source["usual_s"]) == (1, None, None)
    assert (source["latest"]["accepted"], source["latest"]["refused"], source["latest"]["flagged"]) == (0.75, 1, 0)
    (latest,) = clerk.http.get("/deliveries", params={"source": "quality"}).json()["deliveries"]
    (reject,) = clerk.http.get(f"/deliveries/{latest['id']}/rejects").json()["rejects"]
    assert (reject["row"], reject["raw"], reject["title"]["zh"]) == (5, "好", "状态")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/uploads"),
        ("GET", "/uploads"),
        ("GET", f"/uploads/{'a' * 24}"),
        ("PUT", f"/uploads/{'a' * 24}/files/a.csv"),
        ("POST", f"/uploads/{'a' * 24}/load"),
        ("GET", "/deliveries"),
        ("GET", "/deliveries/1/rejects"),
        ("POST", "/deliveries/1/undo"),
    ],
)
def test_nothing_is_told_or_taken_without_the_right(clerk: Clerk, method: str, path: str) -> None:
    answer = httpx.request(method, clerk.server.url + path, content=b"x" if method == "PUT" else None)
    assert answer.status_code == 401
    assert answer.json()["code"] == "not_allowed"


@pytest.mark.parametrize(
    ("name", "content", "told", "cause"),
    [
        ("a.csv", b"%PDF-1.7 ...", "this is a PDF", "pdf"),
        ("a.xlsx", b"MZ\x90\x00", "this is a program", "program"),
        ("a.csv", b"", "the file is empty", "empty"),
        ("a.gpkg", b"\x00\x01\x02\x03", "not what the ending", "mismatch"),
        ("a.exe", b"plain text", "files ending in .exe", "unknown_ending"),
        ("a.xls", b"<html><table></table></html>", "web page", "web_page"),
        ("nothing", b"a,b", "ends in what it is", "no_ending"),
    ],
)
def test_files_are_known_by_what_is_in_them(clerk: Clerk, name: str, content: bytes, told: str, cause: str) -> None:
    id = clerk.bring()
    answer = clerk.http.put(f"/uploads/{id}/files/{name}", content=content)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_upload")
    assert told in answer.json()["detail"]
    assert answer.json()["cause"] == cause
    assert list((folder_of(clerk.server, id) / "files").iterdir()) == []
    assert [path.name for path in folder_of(clerk.server, id).iterdir() if path.name.startswith("new-")] == []


def test_names_do_not_lead_out_of_the_folder(clerk: Clerk) -> None:
    id = clerk.bring()
    name = quote("..\\..\\passwd.csv", safe="")
    answer = clerk.http.put(f"/uploads/{id}/files/{name}", content=b"a,b\n1,2\n")
    assert answer.json()["name"] == "passwd.csv"
    assert [path.parent for path in clerk.server.data.rglob("*passwd*")] == [folder_of(clerk.server, id) / "files"]
    slashed = quote("../../passwd.csv", safe="")
    assert clerk.http.put(f"/uploads/{id}/files/{slashed}", content=b"a,b\n1,2\n").status_code >= 400
    for extent in ("../../README.md", "/etc/passwd", "boundaries.geojson"):
        assert clerk.http.post(f"/uploads/{id}/examine", json={"extent": extent}).status_code == 422


def test_a_zip_that_would_unpack_to_too_much_is_refused(clerk: Clerk) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"0" * (110 * 2**20))
    report = clerk.examine(clerk.bring(("bomb.zip", bomb.getvalue())))
    assert report["refusal"]["kind"] == "TooLarge"


def test_a_file_that_is_larger_than_the_setting_is_refused_before_it_comes(clerk: Clerk) -> None:
    id = clerk.bring()
    where = urlsplit(clerk.server.url)
    with socket.create_connection((str(where.hostname), int(where.port or 80)), timeout=10) as raw:
        head = (
            f"PUT /uploads/{id}/files/a.csv HTTP/1.1\r\nHost: x\r\nAuthorization: {clerk.server.admin['Authorization']}"
        )
        raw.sendall(f"{head}\r\nContent-Length: {2**40}\r\n\r\n".encode())
        assert b" 413 " in raw.recv(200)


def test_an_upload_holds_one_table(clerk: Clerk) -> None:
    id = clerk.bring(("a.csv", sheet(lamp(141))))
    assert clerk.http.put(f"/uploads/{id}/files/b.csv", content=sheet(lamp(142))).status_code == 409


def test_an_upload_is_forgotten_on_demand(clerk: Clerk) -> None:
    id = clerk.bring(("gone.csv", sheet(lamp(151))))
    assert clerk.http.delete(f"/uploads/{id}").status_code == 204
    assert clerk.http.get(f"/uploads/{id}").status_code == 404
    assert not folder_of(clerk.server, id).exists()


def test_a_file_that_came_after_the_examination_is_not_loaded_unseen(clerk: Clerk) -> None:
    id = clerk.bring(("seen.csv", sheet(lamp(162))))
    clerk.examine(id)
    clerk.http.put(f"/uploads/{id}/files/seen.csv", content=sheet(lamp(163), lamp(164))).raise_for_status()
    assert clerk.http.post(f"/uploads/{id}/load", json={}).status_code == 409
    clerk.work()
    assert ids(clerk, "seen") == set()


def test_a_file_that_is_still_coming_when_a_job_begins_is_not_taken(clerk: Clerk) -> None:
    id = clerk.bring(("slow.csv", sheet(lamp(165))))
    begun = threading.Event()

    def slowly() -> Iterator[bytes]:
        yield sheet(lamp(166))
        assert clerk.http.post(f"/uploads/{id}/examine", json={}).status_code == 202
        begun.set()
        yield lamp(167).encode()

    with httpx.Client(base_url=clerk.server.url, headers=clerk.server.admin, timeout=60) as other:
        answer = other.put(f"/uploads/{id}/files/slow.csv", content=slowly())
    assert begun.is_set()
    assert answer.status_code == 409
    clerk.work()
    assert clerk.upload(id)["report"]["rows"] == 1


def test_of_two_examinations_asked_for_at_once_one_is_filed(clerk: Clerk) -> None:
    id = clerk.bring(("both.csv", sheet(lamp(168))))
    ask = partial(clerk.http.post, f"/uploads/{id}/examine")
    with ThreadPoolExecutor(8) as pool:
        codes = [answer.status_code for answer in pool.map(lambda n: ask(json={"source": f"s{n}"}), range(8))]
    assert sorted(codes) == [202, *[409] * 7]
    clerk.work()
    upload = clerk.upload(id)
    assert upload["report"]["choices"] == upload["choices"]


def test_what_was_guessed_differently_since_the_examination_is_not_loaded(clerk: Clerk) -> None:
    content = sheet("甲,120.9,32.0", header="名称,经度,纬度")
    id = clerk.bring(("guess.csv", content))
    guessed = clerk.examine(id)
    other = "hazard_site" if guessed["layer"] != "hazard_site" else "place"
    with clerk.server.database.engine.begin() as connection:
        taken = {"layer": other, "source": "guess", "title": "x", "digest": "x", "actor": "x"}
        connection.execute(sa.insert(DELIVERY).values(taken))
    clerk.http.post(f"/uploads/{id}/load", json={}).raise_for_status()
    clerk.work()
    work = clerk.upload(id)["work"]
    assert (work["state"], clerk.upload(id)["loaded"]) == ("failed", None)
    assert "重新检查" in work["why"]["zh"]


def test_a_file_over_which_the_worker_died_again_and_again_is_left_alone(clerk: Clerk) -> None:
    id = clerk.bring(("deadly.csv", sheet(lamp(169))))
    clerk.http.post(f"/uploads/{id}/examine", json={}).raise_for_status()
    with clerk.server.database.owner.begin() as connection:
        connection.execute(sa.text("update jobs.procrastinate_jobs set attempts = 3 where status = 'todo' and "
                                   "task_name = 'chengtu.examine'"))  # fmt: skip
    clerk.work()
    assert clerk.upload(id)["work"]["state"] == "failed"
    assert clerk.examine(id)["outcome"]["inserted"] == 1, "who asks again is heard"


def test_a_chinese_name_of_any_length_is_taken(clerk: Clerk) -> None:
    id = clerk.bring()
    long = "南通市崇川区城市管理部件普查路灯设施台账" * 6
    answer = clerk.http.put(f"/uploads/{id}/files/{quote(long)}.csv", content=sheet(lamp(170)))
    assert answer.status_code == 200
    assert answer.json()["name"].startswith("南通市崇川区")
    assert clerk.examine(id)["outcome"]["inserted"] == 1


def test_a_header_of_any_length_can_be_mapped_and_corrected(clerk: Clerk) -> None:
    long = "部件状态（" + "填完好、破损或丢失，不得留空；" * 20 + "）"
    id = clerk.bring(("long.csv", sheet(lamp(171), lamp(172, state="好"), header=HEADER.replace("部件状态", long))))
    report = clerk.examine(id)
    meanings = report["meanings"] | {"fields": {**report["meanings"]["fields"], "state": long}}
    report = clerk.examine(id, meanings=meanings, corrections=[{"row": 3, "column": long, "value": "完好"}])
    assert report["outcome"]["inserted"] == 2


def test_an_archive_of_countless_entries_is_refused_unopened(clerk: Clerk) -> None:
    id = clerk.bring()
    content = b"PK\x03\x04" + b"PK\x01\x02".ljust(46, b"\x00") * 100_001
    answer = clerk.http.put(f"/uploads/{id}/files/many.zip", content=content)
    assert answer.status_code == 422
    assert "entries" in answer.json()["detail"]


def test_half_an_upload_does_not_close_the_page_for_all(clerk: Clerk) -> None:
    (folder_of(clerk.server, "h" * 24) / "files").mkdir(parents=True)
    assert clerk.http.get("/uploads").status_code == 200


def test_what_comes_takes_room_before_it_is_there(clerk: Clerk) -> None:
    uploads = Uploads(clerk.server.data / "uploads")
    upload = uploads.find(clerk.bring())
    before = uploads.held_bytes()
    upload.scratch().write_bytes(b"x" * 1000)
    assert uploads.held_bytes() == before + 1000


def test_an_undo_that_could_not_be_filed_can_be_asked_for_again(clerk: Clerk) -> None:
    delivery = clerk.delivered("again.csv", sheet(lamp(173)))
    away, back = (
        sa.text(f"alter table jobs.{old} rename to {new}")
        for old, new in (("procrastinate_jobs", "elsewhere"), ("elsewhere", "procrastinate_jobs"))
    )
    with clerk.server.database.owner.begin() as connection:
        connection.execute(away)
    try:
        assert clerk.http.post(f"/deliveries/{delivery['id']}/undo").status_code >= 500
    finally:
        with clerk.server.database.owner.begin() as connection:
            connection.execute(back)
    assert clerk.undo(delivery["id"])["undone"] is not None


def test_a_load_needs_the_latest_examination(clerk: Clerk) -> None:
    id = clerk.bring(("early.csv", sheet(lamp(161))))
    assert clerk.http.post(f"/uploads/{id}/load", json={}).status_code == 409


def test_without_the_database_a_job_is_not_filed() -> None:
    with pytest.raises(NotFiled):
        file_job("postgresql://nobody@127.0.0.1:1/none", "chengtu.examine", lock="x", upload="x")
