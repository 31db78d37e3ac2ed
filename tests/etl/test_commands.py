"""The command line: exit statuses, one clear line, what a person sees."""

import io
import re
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from etl.__main__ import main
from etl.findings import rejects
from etl.report import Screen, write_rejects
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


def test_a_recipe_is_kept_after_a_load_and_a_dry_run_but_not_after_a_refusal(
    terminal: Terminal, tmp_path: Path
) -> None:
    words = ("load", lamps(tmp_path / "lamps.csv"), "--layer", "component", "--save-recipe")
    for name, more in (("dry.yaml", ["--dry-run"]), ("real.yaml", [])):
        assert terminal.run(*words, tmp_path / name, *more) == 0
        assert f"recipe: {tmp_path / name}" in terminal.said
        assert (tmp_path / name).exists()
    for refused in (["--extent", "126,36,128,38"], ["--extent", "126,36,128,38", "--dry-run"]):
        assert terminal.run(*words, tmp_path / "refused.yaml", *refused) == 1
        assert not (tmp_path / "refused.yaml").exists()
    assert terminal.run(*words, tmp_path / "no" / "folder.yaml") == 1
    assert terminal.complaint.startswith("--save-recipe")


def test_progress_counts_the_stages_and_never_stands_still() -> None:
    shown = io.StringIO()
    screen = Screen(Console(file=io.StringIO()), Console(file=shown, force_terminal=True, width=100))
    with screen.shown(2):
        screen.stage("records (1,200,000)")
    assert "1/2 records (1,200,000)" in shown.getvalue()


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
    "words",
    [["nothing"], ["load"], ["undo", "x"], ["demo", "--scale", "-1"], ["demo", "--scale", "x"], ["load", "a", "--x"]],
)
def test_wrong_usage_has_status_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


@pytest.mark.parametrize("scale", ["50", "0.001", "nan"])
def test_a_scale_that_cannot_be_built_says_what_can(scale: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["demo", "--scale", scale])
    assert f"{scale} is not between 0.005 and 20" in capsys.readouterr().err


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
