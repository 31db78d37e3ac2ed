"""The limits: which line decides, what ships, what is refused."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from layers.codes.books import shipped_books
from layers.errors import BadDeclaration
from layers.loop.clocks import Limit
from layers.loop.limits import STAGES, Stage, limits_in
from tests.conftest import Server

LIMITS = limits_in()
HEADER = "matter,level,stage,amount,unit,source\n"
ANY = "".join(f"*,*,{stage},1,work_days,x\n" for stage in STAGES if stage != "safe")


@pytest.mark.parametrize(
    ("matter", "level", "stage", "limit"),
    [
        ("06010", "general", "dispose", Limit(4, "work_hours")),
        ("06012", "general", "dispose", Limit(2, "work_hours")),
        ("06012", "urgent", "dispose", Limit(2, "hours24")),
        ("06001", "general", "dispose", Limit(15, "work_days")),
        ("06010", "critical", "dispose", Limit(12, "hours24")),
        ("07003", "general", "dispose", Limit(1, "work_days")),
        ("08001", "general", "dispose", Limit(5, "work_days")),
        ("08001", "general", "sign", Limit(1, "work_days")),
    ],
)
def test_the_published_limits_are_what_ships(matter: str, level: str, stage: Stage, limit: Limit) -> None:
    assert LIMITS.find(matter=matter, level=level, stage=stage) == limit


def test_every_cover_must_be_made_safe_within_two_hours_round_the_clock() -> None:
    covers = [entry.code for entry in shipped_books().book("matter").entries if "井盖" in entry.zh]
    assert len(covers) >= 19
    for code in covers:
        for level in shipped_books().book("incident_level").codes:
            assert LIMITS.safe(matter=code, level=level) == Limit(2, "hours24")
    assert LIMITS.safe(matter="06010", level="general") is None


def test_every_matter_of_every_urgency_has_a_limit_for_every_stage() -> None:
    for matter in shipped_books().book("matter").codes:
        for level in shipped_books().book("incident_level").codes:
            for stage in STAGES:
                if stage != "safe":
                    assert LIMITS.find(matter=matter, level=level, stage=stage).amount > 0


def test_the_urgency_counts_before_the_matter_and_the_class_before_its_major(tmp_path: Path) -> None:
    lines = "06010,*,dispose,2,work_days,\n06,*,dispose,3,work_days,\n06,urgent,dispose,4,work_hours,\n"
    own = limits_in(_written(tmp_path, ANY + lines))
    assert own.find(matter="06010", level="general", stage="dispose") == Limit(2, "work_days")
    assert own.find(matter="06011", level="general", stage="dispose") == Limit(3, "work_days")
    assert own.find(matter="06010", level="urgent", stage="dispose") == Limit(4, "work_hours")
    assert own.find(matter="07001", level="urgent", stage="dispose") == Limit(1, "work_days")


@pytest.mark.parametrize(
    ("lines", "line", "reason"),
    [
        ("", None, "verify"),
        (ANY + "99999,*,dispose,1,work_days,\n", 9, "no matter"),
        (ANY + "6010,*,dispose,1,work_days,\n", 9, "no matter"),
        (ANY + "06010,high,dispose,1,work_days,\n", 9, "incident_level"),
        (ANY + "06010,*,mend,1,work_days,\n", 9, "none of"),
        (ANY + "06010,*,dispose,1,days,\n", 9, "none of"),
        (ANY + "06010,*,dispose,0,work_days,\n", 9, "no number"),
        (ANY + "06010,*,dispose,nan,work_days,\n", 9, "no number"),
        (ANY + "06010,*,dispose,soon,work_days,\n", 9, "no number"),
        (ANY + "*,*,dispose,1,work_days,\n", 9, "already"),
        (ANY + "06010,*,dispose,1\n", 9, "cells"),
    ],
)
def test_a_bad_table_is_refused_with_its_line(tmp_path: Path, lines: str, line: int | None, reason: str) -> None:
    with pytest.raises(BadDeclaration, match=reason) as caught:
        limits_in(_written(tmp_path, lines))
    assert caught.value.line == line


def test_a_due_time_is_told_with_the_line_that_decides(server: Server) -> None:
    asked = {"matter": "06010", "stage": "dispose", "begun": "2026-09-30T16:30:00"}
    told = httpx.get(f"{server.url}/limits/due", params=asked).json()
    assert told["due"] == "2026-10-08T11:30:00+08:00"
    assert (told["limit"]["matter"], told["limit"]["unit"], told["unannounced"]) == ("06010", "work_hours", [])
    later = httpx.get(f"{server.url}/limits/due", params={**asked, "begun": "2099-01-01T09:00:00"}).json()
    assert later["unannounced"] == [2099]
    safe = httpx.get(f"{server.url}/limits/due", params={**asked, "stage": "safe"}).json()
    assert (safe["limit"], safe["due"]) == (None, None)
    for wrong in ({"stage": "mend"}, {"matter": "6010"}, {"begun": "soon"}):
        assert httpx.get(f"{server.url}/limits/due", params={**asked, **wrong}).status_code == 422
    assert httpx.get(f"{server.url}/limits/due", params={**asked, "begun": "0001-01-01T00:00:00"}).status_code == 400


def _written(folder: Path, lines: str) -> Path:
    (folder / "loop").mkdir()
    (folder / "loop" / "limits.csv").write_text(HEADER + lines, encoding="utf-8")
    return folder
