"""The table of states: no dead end, nothing unknown, every refusal in words, and the same record when told again."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.codes.books import book
from layers.errors import BadField
from layers.loop.carried import Carried, checked
from layers.loop.effects import Taken, changes, replayed
from layers.loop.offers import HOLDS, NEAREST, RELATED, Case, next_steps, rule_for, sees
from layers.loop.states import (
    CONDITIONS,
    FINAL,
    FINDINGS,
    NEEDS,
    OPEN,
    REASONS,
    RELATIONS,
    RULES,
    STATES,
    STEPS,
    Need,
    State,
    as_markdown,
)
from layers.loop.told import told_offer, told_table
from layers.people.access import ANYONE, Actor, Scope
from layers.people.roles import RIGHTS
from layers.refusals import CAUSES
from tests.conftest import ROOT

NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
HERE, GRID = "320602001", "320602001001001"
DISPATCHER = Actor("wang", frozenset({"dispatcher"}), Scope(frozenset({"320602"}), None))
COMMANDER = Actor("chen", frozenset({"commander"}), Scope(None, None))
CITY_DISPATCHER = Actor("gao", frozenset({"dispatcher"}), Scope(None, None))
OFFICER = Actor("zhou", frozenset({"officer"}), Scope(None, frozenset({"cgj"})))
WORKER = Actor("li", frozenset({"worker"}), Scope(frozenset({GRID}), None))
OTHER_WORKER = Actor("sun", frozenset({"worker"}), Scope(frozenset({HERE}), None))
EVERYBODY = (DISPATCHER, COMMANDER, CITY_DISPATCHER, OFFICER, WORKER, OTHER_WORKER)
CASE = Case("20261123000001", "06010", "reported", "general", "worker", admin_code=HERE, grid_id=GRID, reporter="li")
RECORD: dict[str, Any] = {
    **{"state": "reported", "suspended": False, "command": 0, "returns": 0, "reworks": 0, "urges": 0, "deferrals": 0},
    **{"lead": None, "co": [], "assignee": None, "merged_into": None, "light": "green"},
    **dict.fromkeys(
        (
            *("accepted_at", "registered_at", "dispatched_at", "signed_at", "disposed_at", "checked_at", "closed_at"),
            *("due_at", "stage_due_at"),
        )
    ),
}


def case(state: State = "reported", **more: Any) -> Case:
    return replace(CASE, state=state, **more)


def allowed(actor: Actor, of: Case) -> set[str]:
    return {offer.rule.step for offer in next_steps(actor, of) if offer.allowed}


def why(actor: Actor, of: Case, step: str) -> str | None:
    _, refusal = rule_for(actor, of, step)
    return None if refusal is None else refusal.cause


def fitting(needs: tuple[Need, ...]) -> Carried:
    """What a rule asks, carried."""
    values: dict[Need, dict[str, Any]] = {
        "note": {"note": "看过了"},
        "proof": {"note": "看过了"},
        "photo": {"photos": ("p1",)},
        "finding": {"finding": "as_told"},
        "until": {"until": NOW + dt.timedelta(days=3)},
        "assignee": {"assignee": "li"},
        "into": {"into": "20261122000001"},
    }
    return Carried(**{name: value for need in needs if need in values for name, value in values[need].items()})


def carried_on(of: Case, actor: Actor, step: str) -> Case:
    """The case after a step, as the rules see it."""
    rule, refusal = rule_for(actor, of, step)
    assert rule is not None, refusal
    clean = replace(fitting(rule.needs), reason=rule.reasons[0] if rule.reasons else None)
    carries = checked(rule, clean, now=NOW).as_json()
    carries |= {"lead": "cgj"} if step == "dispatch" else {}
    carries |= {"by": of.assignee} if step == "feedback" else {}
    record = {**RECORD, **{name: getattr(of, name) for name in vars(of) if name in RECORD}}
    record["signed_at"] = NOW if of.signed else None
    made = {**record, **changes(record, Taken(step, rule.after or of.state, NOW, carries))}
    asking = {"ask_defer": NOW + dt.timedelta(days=3)}.get(step)
    settled = step in ("defer", "refuse_defer", "dispatch", "send_back", "feedback")
    return replace(
        of,
        **{name: made[name] for name in ("state", "suspended", "command", "returns", "reworks", "lead", "assignee")},
        co=tuple(made["co"]),
        signed=made["signed_at"] is not None,
        asked_until=asking or (None if settled else of.asked_until),
        disposed_by=actor.name if step == "feedback" else of.disposed_by,
    )


def test_the_table_uses_the_books_and_the_rights_that_there_are() -> None:
    assert set(STATES) == set(book("incident_state").codes)
    assert {right for rule in RULES for right in rule.rights} <= set(RIGHTS)
    assert {reason for rule in RULES for reason in rule.reasons} <= set(REASONS)
    assert set(NEEDS) == set(get_args(Need))
    assert set(RELATIONS) == set(RELATED)
    assert set(CONDITIONS) == set(HOLDS)
    assert all(("reason" in rule.needs) == bool(rule.reasons) for rule in RULES)
    assert len({(rule.step, state, rule.who, rule.condition) for rule in RULES for state in rule.before}) == sum(
        len(rule.before) for rule in RULES
    )


def test_every_refusal_of_the_table_has_its_words_in_both_languages() -> None:
    for cause in (*NEAREST, "step_unknown", "step_state"):
        assert CAUSES[cause].what.zh, cause
        assert CAUSES[cause].what.en, cause
    for offer in next_steps(ANYONE, CASE):
        told = told_offer(offer)
        assert not told["allowed"]
        assert told["why"]["zh"]
    assert {one["code"] for one in told_table()["states"]} == set(STATES)


def test_every_state_is_reached_and_only_the_last_ones_end() -> None:
    reached, edge = {"reported"}, ["reported"]
    while edge:
        state = edge.pop()
        for rule in RULES:
            if state in rule.before and rule.after is not None and rule.after not in reached:
                reached.add(rule.after)
                edge.append(rule.after)
    assert reached == set(STATES)
    for state in OPEN:
        assert any(rule.after in FINAL or rule.after not in (None, state) for rule in RULES if state in rule.before)
    for state in FINAL:
        assert {rule.step for rule in RULES if state in rule.before} == {"note"}


@settings(max_examples=40)
@given(st.data(), st.sampled_from(["worker", "public", "hotline", "media", "order", "sensor"]))
def test_no_sequence_of_offered_steps_leads_into_a_dead_end(data: st.DataObject, channel: str) -> None:
    of = case(channel=channel)
    for _ in range(data.draw(st.integers(1, 25))):
        offered = sorted((actor.name, step) for actor in EVERYBODY for step in allowed(actor, of))
        if of.state in FINAL:
            assert {step for _, step in offered} <= {"note"}
            break
        ahead = {step for _, step in offered} - {"note", "urge", "supervise", "escalate", "assign"}
        assert ahead, of
        name, step = data.draw(st.sampled_from(offered))
        of = carried_on(of, next(actor for actor in EVERYBODY if actor.name == name), step)
        assert of.state in STATES
        assert 0 <= of.command <= 2


@settings(max_examples=30)
@given(st.data())
def test_from_wherever_a_case_stands_it_can_be_closed(data: st.DataObject) -> None:
    of = case()
    for _ in range(data.draw(st.integers(0, 15))):
        offered = sorted((a.name, s) for a in EVERYBODY for s in allowed(a, of) - {"cancel", "reject", "merge"})
        name, step = data.draw(st.sampled_from(offered))
        of = carried_on(of, next(actor for actor in EVERYBODY if actor.name == name), step)
    way = ("resume", "register", "dispatch", "dispose", "feedback", "check", "close")
    for _ in range(len(way) + 1):
        if of.state in FINAL:
            return
        taken = next(
            (a, s)
            for s in way
            for a in EVERYBODY
            if s in allowed(a, of) and not (s == "dispose" and of.state == "disposing")
        )
        of = carried_on(of, *taken)
    assert of.state == "closed"


@given(st.lists(st.sampled_from(sorted(STEPS - {"report"})), max_size=12))
def test_told_again_the_steps_give_the_same_record_as_one_by_one(names: list[str]) -> None:
    steps = []
    record = dict(RECORD)
    for number, name in enumerate(names):
        after = next(rule.after for rule in RULES if rule.step == name) or record["state"]
        carries = {"lead": "cgj", "co": ["slj"], "assignee": "li", "into": "1", "due_at": NOW.isoformat()}
        taken = Taken(name, after, NOW + dt.timedelta(minutes=number), carries)
        steps.append(taken)
        record |= changes(record, taken)
    assert replayed(RECORD, steps) == record
    assert replayed(RECORD, steps) == replayed(replayed(RECORD, steps[:4]), steps[4:])


@pytest.mark.parametrize(
    ("actor", "of", "step", "cause"),
    [
        (DISPATCHER, case(channel="public"), "accept", "step_verify_first"),
        (DISPATCHER, case(channel="media"), "register", "step_accept_first"),
        (DISPATCHER, case(channel="hotline"), "accept", None),
        (DISPATCHER, case(channel="worker"), "register", None),
        (DISPATCHER, case(channel="order"), "register", None),
        (WORKER, case(channel="public"), "verify", None),
        (WORKER, case(channel="public", grid_id="320602001001002"), "verify", "step_area"),
        (WORKER, case(channel="public", grid_id="320602001001002", assignee="li"), "verify", None),
        (WORKER, case(channel="public"), "self_handle", "step_worker_only"),
        (WORKER, case(), "self_handle", None),
        (OTHER_WORKER, case(), "self_handle", "step_reporter"),
        (WORKER, case(), "register", "step_right"),
        (replace(DISPATCHER, scope=Scope(frozenset({"320681"}), None)), case(), "register", "step_area"),
        (DISPATCHER, case("registered", command=1), "dispatch", None),
        (DISPATCHER, case("registered", command=2), "dispatch", "step_level"),
        (CITY_DISPATCHER, case("registered", command=2), "dispatch", None),
        (OFFICER, case("dispatched", lead="cgj"), "sign", None),
        (OFFICER, case("dispatched", lead="cgj", signed=True), "sign", "step_signed"),
        (OFFICER, case("dispatched", lead="slj"), "sign", "step_lead"),
        (OFFICER, case("dispatched", lead="slj", co=("cgj",)), "arrive", None),
        (OFFICER, case("disposing", lead="slj", co=("cgj",)), "feedback", "step_lead"),
        (WORKER, case("dispatched", lead="slj"), "sign", "step_lead"),
        (WORKER, case("dispatched", lead="slj", assignee="li"), "sign", None),
        (OFFICER, case("disposing", lead="cgj", suspended=True), "feedback", "step_suspended"),
        (DISPATCHER, case("disposing", suspended=True), "resume", None),
        (DISPATCHER, case("disposing"), "resume", "step_not_suspended"),
        (WORKER, case("disposed", disposed_by="li"), "check", "step_own_work"),
        (OTHER_WORKER, case("disposed", disposed_by="li"), "check", None),
        (DISPATCHER, case("disposing"), "defer", "step_not_asked"),
        (DISPATCHER, case("disposing", asked_until=NOW), "defer", None),
        (OFFICER, case("disposing", lead="cgj", asked_until=NOW), "ask_defer", "step_asked"),
        (COMMANDER, case("disposing", command=2), "escalate", "step_top"),
        (DISPATCHER, case("closed"), "cancel", "step_state"),
        (DISPATCHER, case(), "explode", "step_unknown"),
        (replace(COMMANDER, due="password"), case("disposing"), "supervise", "step_right"),
    ],
)
def test_who_may_take_which_step(actor: Actor, of: Case, step: str, cause: str | None) -> None:
    assert why(actor, of, step) == cause


def test_after_three_refusals_a_case_goes_up_and_only_that_level_dispatches() -> None:
    town = Actor("he", frozenset({"dispatcher"}), Scope(frozenset({HERE}), None))
    of = case("registered")
    for times in range(1, 4):
        assert why(town, of, "dispatch") is None
        of = carried_on(carried_on(of, town, "dispatch"), OFFICER, "send_back")
        assert (of.state, of.returns, of.lead) == ("registered", times, None)
    assert of.command == 1
    assert why(town, of, "dispatch") == "step_level"
    assert why(DISPATCHER, of, "dispatch") is None


def test_a_level_of_command_is_one_of_the_place_and_not_of_anywhere() -> None:
    areas = frozenset({"320681", HERE})  # a county's dispatcher who also stands in for a town of another county
    both = Actor("yu", frozenset({"dispatcher"}), Scope(areas, None))
    assert why(both, case("registered"), "dispatch") is None
    assert why(both, case("registered", command=1), "dispatch") == "step_level"
    assert why(both, case("registered", command=1, admin_code="320681002", grid_id=None), "dispatch") is None


def test_who_disposed_of_it_does_it_again() -> None:
    of = carried_on(case("disposing", lead="cgj", assignee="li"), WORKER, "feedback")
    assert (of.state, of.assignee, of.disposed_by) == ("disposed", None, "li")
    record = {**RECORD, "state": "disposed", "reworks": 2}
    made = changes(record, Taken("rework", "disposing", NOW, {"again": "li"}))
    assert (made["assignee"], made["reworks"], made["command"], made["disposed_at"]) == ("li", 3, 1, None)


def test_what_lies_elsewhere_or_concerns_others_or_is_an_exercise_is_not_seen() -> None:
    assert sees(DISPATCHER, CASE)
    assert not sees(DISPATCHER, replace(CASE, admin_code="320681001", grid_id=None))
    assert not sees(OFFICER, CASE)
    assert sees(OFFICER, case("dispatched", lead="slj", co=("cgj",)))
    assert not sees(ANYONE, CASE)
    assert not sees(COMMANDER, replace(CASE, scenario="drill-1"))


@pytest.mark.parametrize(
    ("step", "carried", "cause"),
    [
        ("send_back", Carried(note="不归我们"), "step_lacks"),
        ("send_back", Carried(note="不归我们", reason="awaits_weather"), "reason_unknown"),
        ("verify", Carried(finding="as_told"), "step_lacks"),
        ("verify", Carried(finding="perhaps", note="x"), "finding_unknown"),
        ("close", Carried(assignee="li"), "step_strange"),
        ("close", Carried(photos=("a",)), "step_strange"),
        ("feedback", Carried(note="  \n"), "step_lacks"),
        ("feedback", Carried(note="a\x00b"), "text_control"),
        ("feedback", Carried(note="a\u202eb"), "text_control"),
        ("feedback", Carried(note="好" * 2001), "text_long"),
        ("feedback", Carried(note="好", photos=("a", "a")), "photos_many"),
        ("feedback", Carried(note="好", place=(200.0, 0.0)), "no_place"),
        ("suspend", Carried(note="好", reason="awaits_weather", until=NOW), "until_wrong"),
        ("suspend", Carried(note="好", reason="awaits_weather", until=NOW.replace(tzinfo=None)), "until_wrong"),
        ("suspend", Carried(note="好", reason="awaits_weather", until=NOW + dt.timedelta(days=400)), "until_wrong"),
        ("assign", Carried(assignee="li; drop table"), "no_code"),
        ("dispatch", Carried(co=tuple("abcdefghi")), "co_many"),
    ],
)
def test_what_a_step_carries_is_checked(step: str, carried: Carried, cause: str) -> None:
    rule = next(rule for rule in RULES if rule.step == step)
    with pytest.raises(BadField) as refused:
        checked(rule, carried, now=NOW)
    assert refused.value.cause == cause
    assert cause in CAUSES


def test_a_text_is_kept_as_it_was_given() -> None:
    rule = next(rule for rule in RULES if rule.step == "note")
    note = "<script>alert(1)</script>\n\tA & B"
    assert checked(rule, Carried(note=f"  {note} "), now=NOW).note == note


def test_the_documentation_shows_the_table_as_it_is() -> None:
    assert as_markdown() in (ROOT / "docs" / "incidents.md").read_text(encoding="utf-8")
    assert set(FINDINGS)
