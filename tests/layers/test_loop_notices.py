"""Notices: written with the step that is their reason, meant for those who have the case in hand and nobody else."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.loop.audiences import condition, meant
from layers.loop.notice_steps import TELLINGS, notices_of
from layers.loop.notice_words import KINDS, MOST_BRIEF, Facts, brief, outside, sentence
from layers.loop.notices import write_notice
from layers.loop.routing_tables import NOTICE
from layers.loop.states import STEPS
from layers.people.access import Actor, Scope
from layers.store.engine import begin
from tests.conftest import Database
from tests.incidents import OURS, REHEARSED, report

NOW = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
CASE: dict[str, Any] = {
    "id": OURS.id, "lead": "cgj", "co": ["zjj"], "assignee": "li", "command": 0, "admin_code": OURS.admin_code,
    "grid_id": OURS.grid_id, "due_at": NOW, "stage_due_at": NOW, "scenario": None,
}  # fmt: skip


@dataclass(frozen=True)
class Notice:
    audience: dict[str, Any]
    place: str | None = OURS.grid_id
    scenario: str | None = None


def test_each_step_is_told_to_whom_it_concerns() -> None:
    told = {
        step: [(draft.kind, {k: v for k, v in draft.audience.items() if k != "but"}) for draft in drafts]
        for step in sorted(STEPS)
        if (drafts := notices_of(step, CASE, CASE, by="wang"))
    }
    in_hand = {"departments": ["cgj", "zjj"], "people": ["li"]}
    assert told == {
        "ask_defer": [("defer_asked", {"desk": True})],
        "assign": [("assigned", {"people": ["li"]})],
        "defer": [("deferred", in_hand)],
        "dispatch": [("dispatched", {"departments": ["cgj", "zjj"]})],
        "refuse_defer": [("defer_refused", in_hand)],
        "rework": [("rework", in_hand)],
        "send_back": [("sent_back", {"desk": True})],
        "supervise": [("supervised", in_hand)],
        "urge": [("urged", in_hand)],
    }
    assert {telling.step for telling in TELLINGS} <= STEPS
    assert {telling.kind for telling in TELLINGS} <= KINDS.keys()


def test_what_nobody_has_in_hand_is_urged_at_the_desk() -> None:
    early = {**CASE, "lead": None, "co": [], "assignee": None}
    (draft,) = notices_of("urge", early, early, by="wang")
    assert draft.audience == {"desk": True, "but": "wang"}


@pytest.mark.parametrize(("command", "digits"), [(1, 6), (2, 4)])
def test_a_case_that_goes_up_is_told_to_the_level_that_takes_over(command: int, digits: int) -> None:
    after = {**CASE, "command": command, "lead": None, "co": [], "assignee": None}
    kinds = {draft.kind: draft.audience for draft in notices_of("send_back", CASE, after, by="wang")}
    assert kinds["lifted"] == {"command": command, "area": str(OURS.grid_id)[:digits], "but": "wang"}
    assert "sent_back" in kinds


def actor(name: str, role: str, *, areas: tuple[str, ...] | None = None, of: tuple[str, ...] | None = None) -> Actor:
    scope = Scope(None if areas is None else frozenset(areas), None if of is None else frozenset(of))
    return Actor(name, frozenset({role}), scope)


@pytest.mark.parametrize(
    ("who", "audience", "wanted"),
    [
        (actor("a", "officer", of=("cgj",)), {"departments": ["cgj"]}, True),
        (actor("a", "officer", of=("zjj",)), {"departments": ["cgj"]}, False),
        (actor("a", "officer", areas=("320681",), of=("cgj",)), {"departments": ["cgj"]}, False),
        (actor("a", "officer", areas=("320613",), of=("cgj",)), {"departments": ["cgj"]}, True),
        (actor("a", "dispatcher"), {"departments": ["cgj"]}, False),
        (actor("a", "volunteer", of=("cgj",)), {"departments": ["cgj"]}, False),
        (actor("a", "officer", of=("cgj",)), {"departments": ["cgj"], "but": "a"}, False),
        (actor("li", "worker", areas=()), {"people": ["li"]}, True),
        (actor("lin", "worker"), {"people": ["li"]}, False),
        (actor("a", "dispatcher", areas=("320613",)), {"desk": True}, True),
        (actor("a", "dispatcher", areas=("320681",)), {"desk": True}, False),
        (actor("a", "officer", of=("cgj",)), {"desk": True}, False),
        (actor("a", "commander"), {"command": 2, "area": "3206"}, True),
        (actor("a", "commander"), {"command": 1, "area": "320613"}, False),
        (actor("a", "commander", areas=("320613",)), {"command": 1, "area": "320613"}, True),
        (actor("a", "commander", areas=("320681",)), {"command": 1, "area": "320613"}, False),
        (actor("a", "commander", areas=("320613002",)), {"command": 0, "area": "320613002"}, True),
        (actor("a", "analyst"), {"command": 2, "area": "3206"}, False),
        (replace(actor("a", "officer", of=("cgj",)), scenario="drill-1"), {"departments": ["cgj"]}, False),
    ],
)
def test_who_is_meant(who: Actor, audience: dict[str, Any], wanted: bool) -> None:
    assert meant(who, Notice(audience)) is wanted


def test_of_an_exercise_those_in_it_are_told() -> None:
    notice = Notice({"departments": ["cgj"]}, scenario="drill-1")
    officer = actor("a", "officer", of=("cgj",))
    assert not meant(officer, notice)
    assert meant(replace(officer, scenario="drill-1"), notice)
    assert not meant(replace(officer, scenario="drill-2"), notice)


def written(database: Database, audience: dict[str, Any], *, incident: str = OURS.id, kind: str = "urged") -> int:
    scenario = REHEARSED.scenario if incident == REHEARSED.id else None
    with begin(database.engine, actor="test") as connection:
        return write_notice(
            connection, kind=kind, incident=incident, audience=audience, carries={}, scenario=scenario, at=NOW
        )


AREAS = st.one_of(
    st.none(), st.frozensets(st.sampled_from(["3206", "320613", "320613002", "320613002200002", "320681"]), max_size=2)
)
CODES = st.one_of(st.none(), st.frozensets(st.sampled_from(["cgj", "zjj", "hbj"]), max_size=2))
ACTORS = st.builds(
    lambda name, role, areas, codes, scenario: Actor(name, frozenset({role}), Scope(areas, codes), scenario),
    st.sampled_from(["li", "wang"]),
    st.sampled_from(["officer", "worker", "dispatcher", "commander", "analyst", "volunteer"]),
    AREAS,
    CODES,
    st.sampled_from([None, "drill-1"]),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(who=st.lists(ACTORS, min_size=6, max_size=12))
def test_the_database_finds_for_everybody_the_notices_that_are_meant_for_them(
    who: list[Actor], every_audience: Database
) -> None:
    with every_audience.reader.connect() as connection:
        rows = connection.execute(sa.select(NOTICE.c.id, NOTICE.c.audience, NOTICE.c.place, NOTICE.c.scenario)).all()
        for one in who:
            found = set(connection.scalars(sa.select(NOTICE.c.id).where(condition(one))))
            assert found == {row.id for row in rows if meant(one, row)}


@pytest.fixture
def every_audience(database: Database) -> Database:
    """A database with notices for everybody, of reality and of an exercise."""
    report(database, OURS, REHEARSED)
    for incident in (OURS.id, REHEARSED.id):
        audiences: list[dict[str, Any]] = [
            {"departments": ["cgj"]},
            {"departments": ["zjj", "cgj"], "people": ["li"], "but": "wang"},
            {"people": ["wang"]},
            {"people": ["li"], "but": "li"},
            {"desk": True},
            {"desk": True, "but": "wang"},
            {"command": 0, "area": "320613002"},
            {"command": 1, "area": "320613", "departments": ["cgj"]},
            {"command": 2, "area": "3206"},
            {"command": 2, "area": None},
            {"departments": []},
        ]
        for audience in audiences:
            written(database, audience, incident=incident)
    return database


def test_a_notice_holds_where_its_case_lies_and_goes_with_its_transaction(database: Database) -> None:
    report(database, OURS)
    number = written(database, {"desk": True})
    with database.engine.connect() as connection:
        write_notice(
            connection, kind="urged", incident=OURS.id, audience={"desk": True}, carries={}, scenario=None, at=NOW
        )
        connection.rollback()
    with database.reader.connect() as connection:
        assert connection.execute(sa.select(NOTICE.c.id, NOTICE.c.place)).all() == [(number, OURS.grid_id)]


@pytest.mark.parametrize(("kind", "audience"), [("gossip", {"desk": True}), ("urged", {"everybody": True})])
def test_a_notice_of_no_kind_or_for_no_known_audience_is_a_mistake(
    database: Database, kind: str, audience: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="a notice of the kind"):
        written(database, audience, kind=kind)


def test_the_words_name_the_case_the_matter_the_place_and_the_time() -> None:
    facts = Facts("urged", OURS.id, "06010", "人民路一带", NOW)
    assert sentence(facts).zh == f"催办：{OURS.id}，暴露垃圾，人民路一带，时限 11-22 16:00"
    assert sentence(facts).en.startswith(f"Urged: {OURS.id}, ")
    assert sentence(replace(facts, scenario="drill-1")).zh.startswith("【演练】催办：")
    assert sentence(replace(facts, scenario="drill-1")).en.startswith("[Exercise] Urged: ")


@given(
    st.sampled_from(sorted(KINDS)),
    st.text("区县路街道人民一二三", max_size=90),
    st.booleans(),
    st.sampled_from([None, "x"]),
)
def test_a_text_message_has_seventy_characters_at_most_and_the_number_of_the_case(
    kind: str, address: str, due: bool, scenario: str | None
) -> None:
    told = brief(Facts(kind, OURS.id, "06010", address or None, NOW if due else None, scenario))
    assert len(told) <= MOST_BRIEF
    assert OURS.id in told
    assert not due or told.endswith("16:00")


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("南通市崇川区人民路77号3幢502室", "南通市崇川区人民路一带"),
        ("崇川区和平桥街道人民路", "崇川区和平桥街道人民路一带"),
        ("张三家", None),
        (None, None),
    ],
)
def test_an_address_leaves_the_city_as_far_as_its_road(address: str | None, told: str | None) -> None:
    assert outside(address) == told
