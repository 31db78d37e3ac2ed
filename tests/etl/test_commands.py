"""The command line: exit statuses, one clear line, what a person sees."""

import re
from pathlib import Path

import pandas as pd
import pytest

from etl.__main__ import main
from etl.findings import rejects
from etl.report import write_rejects
from tests.conftest import Database
from tests.etl.loading import Terminal


@pytest.fixture
def terminal(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("CHENGTU_DATABASE_URL", database.url)
    monkeypatch.setenv("CHENGTU_DATA_DIR", str(tmp_path / "var"))
    return Terminal()


def lamps(path: Path) -> Path:
    path.write_text("部件标识码,部件状态,经度,纬度\n32061301037000001,完好,120.86,32.01\n2,完好,120.86,32.01\n")
    return path


def test_a_load_shows_the_mapping_the_counts_and_where_the_rejects_are(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal.run("load", lamps(tmp_path / "lamps.csv"), "--layer", "component") == 0
    assert re.search(r"部件标识码 +│ id", terminal.said)
    assert "2 rows read, 1 rejected" in terminal.said
    assert "1 new, 0 changed, 0 unchanged, 0 retired (delivery 1)" in terminal.said
    written = pd.read_csv(tmp_path / "var" / "rejects" / "1.csv", dtype="str")
    assert written.loc[0, ["row", "field", "code", "raw", "rejected"]].tolist() == ["3", "id", "bad_id", "2", "row"]
    assert terminal.complaint == ""


def test_a_dry_run_shows_the_same_and_leaves_no_file(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal.run("load", lamps(tmp_path / "lamps.csv"), "--layer", "component", "--dry-run") == 0
    assert "1 new, 0 changed" in terminal.said
    assert "nothing was changed" in terminal.said
    assert not (tmp_path / "var" / "rejects").exists()


def test_deliveries_are_listed_and_undone(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run("load", lamps(tmp_path / "lamps.csv"), "--layer", "component")
    assert terminal.run("deliveries") == 0
    assert "lamps.csv" in terminal.said
    assert terminal.run("undo", 1) == 0
    assert "1 records removed" in terminal.said
    assert terminal.run("undo", 1) == 1
    assert terminal.complaint.count("\n") == 1
    assert terminal.run("undo", 99) == 1


@pytest.mark.parametrize(
    ("name", "content"), [("a.shp", b""), ("a.shp", b"garbage"), ("a.zip", b"PK"), ("a.csv", b""), ("a.dwg", b"x")]
)
def test_a_file_that_is_no_use_gives_one_line_and_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
) -> None:
    # No database is needed to say so.
    monkeypatch.setenv("CHENGTU_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    (tmp_path / name).write_bytes(content)
    terminal = Terminal()
    assert terminal.run("load", tmp_path / name, "--layer", "component") == 1
    assert terminal.complaint.startswith(name)
    assert terminal.complaint.count("\n") == 1


def test_a_database_that_does_not_answer_gives_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHENGTU_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    terminal = Terminal()
    assert terminal.run("load", lamps(tmp_path / "a.csv"), "--layer", "component") == 1
    assert terminal.complaint.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--layer", "component", "--set", "class"],
        ["--layer", "component", "--set", "nonsense=1"],
        ["--layer", "nothing"],
        ["--layer", "component", "--frame", "nonsense"],
        ["--layer", "component", "--extent", "nonsense"],
        ["--layer", "component", "--source", "a b"],
        ["--layer", "component", "--recipe", "/nonexistent"],
        [],
    ],
)
def test_a_wrong_option_gives_one_line_and_status_1(terminal: Terminal, tmp_path: Path, words: list[str]) -> None:
    assert terminal.run("load", lamps(tmp_path / "a.csv"), *words) == 1
    assert terminal.complaint.count("\n") == 1


@pytest.mark.parametrize(
    "words", [["nothing"], ["load"], ["undo", "x"], ["demo", "--scale", "-1"], ["load", "a", "--x"]]
)
def test_wrong_usage_has_status_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


def test_a_box_in_the_west_is_no_option(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,lon,lat\na,-122.4,37.7\n")
    words = ("load", tmp_path / "a.csv", "--layer", "place", "--set", "kind=park")
    assert terminal.run(*words, "--extent", "-123,37,-122,38") == 0


def test_nothing_left_shows_why_and_has_status_1(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,lon,lat\na,-122.4,37.7\n")
    assert terminal.run("load", tmp_path / "a.csv", "--layer", "place", "--set", "kind=park") == 1
    assert "outside" in terminal.said
    assert "--extent" in terminal.complaint
    assert (tmp_path / "var" / "rejects" / "refused-a.csv").exists()


def test_markup_in_a_file_is_only_text(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,[bold]x[/bold],lon,lat\n[red]a[/],[/],120.86,32.01\n")
    assert terminal.run("load", tmp_path / "a.csv", "--layer", "place", "--set", "kind=park") == 0
    assert "[bold]x[/bold]" in terminal.said


def test_rejects_are_no_formulas_in_a_spreadsheet(tmp_path: Path) -> None:
    told = rejects([2, 3], code="bad", reason="r", field="f", raw=["=1+1", "-76.1"])
    text = write_rejects(tmp_path / "r.csv", told).read_text(encoding="utf-8-sig")
    assert "'=1+1" in text
    assert ",-76.1," in text
