"""The history of another dispatch system: every call a case that the table of states allows, with its own times."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from etl.dispatches.history import DERIVED, life_of
from etl.dispatches.reading import STAGES, read_calls
from etl.dispatches.writing import Imported, import_calls
from etl.errors import UnreadableFile
from layers.catalog.incident import TABLE
from layers.errors import BadDeclaration, BadParameter, Conflict
from layers.loop.call_types import ANY, call_types_in
from layers.loop.elsewhere_tables import ELSEWHERE
from layers.loop.rules import shipped_rules
from layers.loop.stages import Asked, spans
from layers.loop.states import STATES, rules_of
from layers.loop.tables import STEP
from layers.store.engine import begin
from tests.conftest import Database

NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
ALWAYS = (dt.datetime(1990, 1, 1, tzinfo=dt.UTC), NOW)
HEAD = "call_number,unit_id,call_type,latitude,longitude,address,call_final_disposition," + ",".join(
    f"{stage}_timestamp" for stage in STAGES
)
KINDS = call_types_in(None, shipped_rules().departments)


def row(number: str = "1", unit: str = "E1", kind: str = "Alarms", lat: Any = 37.78, **at: str) -> str:
    times = {"received": "10:00:00", "entry": "10:01:00", "dispatch": "10:02:00", "response": "10:03:00",
             "on_scene": "10:08:00", "available": "10:30:00", **at}  # fmt: skip
    told = [f"2006-01-10 {times[s]}+00:00" if times.get(s) else "" for s in STAGES]
    return ",".join([number, unit, kind, f"{lat}", "-122.48", "400 Block of 20TH AVE", "Other", *told])


def file_of(folder: Path, *rows: str) -> Path:
    path = folder / "calls.csv"
    path.write_text("\n".join([HEAD, *rows]))
    return path


def bring(database: Database, path: Path, *, source: str = "fire") -> Imported:
    calls = read_calls(path)
    with begin(database.engine, actor="test") as connection:
        return import_calls(connection, calls, KINDS, shipped_rules(), source=source, title=path.name, now=NOW)


def steps(database: Database) -> pd.DataFrame:
    with database.engine.connect() as connection:
        wanted = sa.select(STEP.c.incident, STEP.c.step, STEP.c.before, STEP.c.after, STEP.c.at, STEP.c.carries)
        return pd.DataFrame(connection.execute(wanted.order_by(STEP.c.id)).mappings().all())


def test_a_call_is_a_case_whose_steps_have_the_times_of_its_units(database: Database, tmp_path: Path) -> None:
    later = row(unit="T2", dispatch="10:02:30", response="10:04:00", on_scene="10:07:00", available="10:20:00")
    made = bring(database, file_of(tmp_path, row(), later))
    assert (made.new, made.there, len(made.rejects)) == (1, 0, 0)
    told = [(step.step, f"{step.at:%H:%M:%S}") for step in steps(database).itertuples()]
    local = {"report": "18:00:00", "accept": "18:01:00", "register": "18:01:00", "dispatch": "18:02:00"}
    assert told == [
        *local.items(), ("sign", "18:03:00"), ("arrive", "18:07:00"), ("arrive", "18:08:00"),
        ("feedback", "18:30:00"), ("check", "18:30:00"), ("close", "18:30:00"),
    ]  # fmt: skip
    with database.engine.connect() as connection:
        case = connection.execute(sa.select(TABLE)).mappings().one()
        named = connection.execute(sa.select(ELSEWHERE.c.system, ELSEWHERE.c.number, ELSEWHERE.c.incident)).one()
    assert case["id"] == "20060110000001"
    assert (case["state"], case["source"], case["light"], case["lead"]) == ("closed", "fire", "none", "xfzd")
    assert tuple(named) == ("fire", "1", case["id"])


@pytest.mark.parametrize(
    ("given", "state", "derived"),
    [
        ({"on_scene": ""}, "closed", {"dispose", "check", "close"}),
        ({"response": "", "on_scene": ""}, "closed", {"dispose", "check", "close"}),
        ({"available": ""}, "disposing", set()),
        ({"available": "", "on_scene": ""}, "disposing", {"dispose"}),
        ({"available": "", "on_scene": "", "response": ""}, "dispatched", set()),
        ({"transport": "10:15:00", "hospital": "10:25:00"}, "closed", {"check", "close"}),
        ({"transport": "10:05:00", "on_scene": ""}, "closed", {"dispose", "check", "close"}),
    ],
)
def test_what_a_unit_did_not_tell_is_left_out_or_marked_and_the_steps_stay_legal(
    tmp_path: Path, given: dict[str, str], state: str, derived: set[str]
) -> None:
    units: list[dict[str, Any]] = [
        {
            str(name): None if pd.isna(v) else v.to_pydatetime() if isinstance(v, pd.Timestamp) else v
            for name, v in u.items()
        }
        for u in read_calls(file_of(tmp_path, row(**given))).rows.to_dict("records")
    ]
    life = life_of(units, KINDS["Alarms"], shipped_rules(), now=NOW)
    assert life.record["state"] == state
    assert {step.step for step, _ in life.steps if step.carries.get(DERIVED)} == derived
    for (before, _), (step, _) in zip(life.steps, life.steps[1:], strict=False):
        assert step.at >= before.at
        fitting = [rule for rule in rules_of(step.step) if before.after in rule.before]
        assert step.after in {rule.after or before.after for rule in fitting}, step


def test_rows_that_cannot_be_used_are_told_and_the_others_are_taken(database: Database, tmp_path: Path) -> None:
    path = file_of(
        tmp_path, row("1"), row("1"), row("2", entry="09:00:00"), row("3", received=""), row("4", lat=99.0),
        row("5", kind=""), row("6", dispatch="25:00:00"), row("7", unit="E 7"), row("8", kind="Meteor"),
    )  # fmt: skip
    made = bring(database, path)
    assert dict(zip(made.rejects["row"], made.rejects["code"], strict=True)) == {
        3: "unit_twice", 4: "time_order", 5: "time_missing", 6: "place_wrong", 7: "type_missing", 8: "time_wrong",
        9: "unit_wrong",
    }  # fmt: skip
    assert (made.new, made.other_kind, made.coincident) == (2, 1, 2)


def test_the_same_file_twice_changes_nothing_and_a_longer_one_adds_what_is_new(
    database: Database, tmp_path: Path
) -> None:
    bring(database, file_of(tmp_path, row("1"), row("2")))
    before = steps(database)
    again = bring(database, file_of(tmp_path, row("1"), row("2")))
    assert (again.new, again.there) == (0, 2)
    pd.testing.assert_frame_equal(steps(database), before)
    more = bring(database, file_of(tmp_path, row("1"), row("2"), row("3")))
    assert (more.new, more.there) == (1, 2)
    other = bring(database, file_of(tmp_path, row("1")), source="police")
    assert other.new == 1
    with database.engine.connect() as connection:
        assert sorted(connection.scalars(sa.select(TABLE.c.id))) == [f"2006011000000{n}" for n in (1, 2, 3, 4)]


def test_places_outside_of_a_city_with_borders_are_refused(city: Database, tmp_path: Path) -> None:
    made = bring(city, file_of(tmp_path, row("1"), row("2")))
    assert made.new == 0
    assert set(made.rejects["code"]) == {"outside_city"}


def test_a_source_of_the_citys_own_and_files_that_are_none_are_refused(database: Database, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="the city's own"):
        bring(database, file_of(tmp_path, row()), source="loop")
    for text in ("", "a,b\n1,2\n", HEAD):
        (tmp_path / "bad.csv").write_text(text)
        with pytest.raises(UnreadableFile):
            read_calls(tmp_path / "bad.csv")


def test_the_table_of_kinds_may_be_replaced_and_a_wrong_line_is_named(tmp_path: Path) -> None:
    own = tmp_path / "loop" / "call_types.csv"
    own.parent.mkdir()
    head = "call_type,matter,level,lead,note\n"
    departments = shipped_rules().departments
    own.write_text(head + "*,01013,urgent,xfzd,\n")
    assert set(call_types_in(tmp_path, departments)) == {ANY}
    for line in ("*,99999,urgent,xfzd,", "*,01013,soon,xfzd,", "*,01013,urgent,nobody,", "Fire,01013,urgent,xfzd,"):
        own.write_text(head + line + "\n")
        with pytest.raises(BadDeclaration):
            call_types_in(tmp_path, departments)


@pytest.fixture(scope="module")
def fire_calls(shared: Path) -> Path:
    return shared / "data" / "service_requests" / "sf_fire_calls.csv"


def test_ten_thousand_real_dispatches_and_what_their_stages_took_as_reckoned_from_the_file(
    database: Database, fire_calls: Path
) -> None:
    made = bring(database, fire_calls, source="sf_fire")
    raw = _reckoned(fire_calls)
    assert made.new == raw["call_number"].nunique()
    assert set(made.rejects["code"]) == {"time_order"}
    assert made.new + made.there == raw["call_number"].nunique()
    with database.engine.connect() as connection:
        states = set(connection.scalars(sa.select(TABLE.c.state).distinct()))
        got = {
            pair: {one.key: one for one in spans(connection, Asked(*pair, "kind", *ALWAYS), seen=sa.true())}
            for pair in (("report", "dispatch"), ("dispatch", "arrive"), ("report", "close"))
        }
    assert states <= set(STATES)
    calls = raw.groupby("call_number").agg(
        kind=("call_type", "first"), received=("received", "min"), dispatch=("dispatch", "min"),
        on_scene=("on_scene", "min"),
    )  # fmt: skip
    for pair, took in (
        (("report", "dispatch"), calls["dispatch"] - calls["received"]),
        (("dispatch", "arrive"), calls["on_scene"] - calls["dispatch"]),
    ):
        seconds = took.dt.total_seconds().dropna()
        seconds = seconds[seconds >= 0]
        for kind, values in seconds.groupby(calls["kind"]):
            one = got[pair][str(kind)]
            assert one.count == len(values)
            assert one.half_s == pytest.approx(np.percentile(values, 50), abs=1e-3)
            assert one.most_s == pytest.approx(np.percentile(values, 90), abs=1e-3)
    assert sum(one.count for one in got["report", "close"].values()) > 8_000


def _reckoned(path: Path) -> pd.DataFrame:
    """The file by itself: rows whose stages stand in order."""
    raw: pd.DataFrame = pd.read_csv(path, dtype=str)
    times: dict[str, Any] = {s: pd.to_datetime(raw[f"{s}_timestamp"], utc=True) for s in STAGES}
    wrong = pd.Series(False, index=raw.index)
    for i, earlier in enumerate(STAGES):
        for later in STAGES[i + 1 :]:
            wrong |= times[earlier] > times[later]
    return raw.assign(**times)[~wrong]


def test_a_step_that_there_is_none_of_is_refused(database: Database) -> None:
    with database.engine.connect() as connection, pytest.raises(BadParameter):
        spans(connection, Asked("report", "vanish", "all", *ALWAYS), seen=sa.true())
