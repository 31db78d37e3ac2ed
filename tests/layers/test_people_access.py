"""One question for everything: what roles may do, where a scope reaches, and duties that lie in different hands."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.catalog import built_in
from layers.errors import BadField, NotAllowed
from layers.people.access import ADMIN, ANYONE, EVERYWHERE, KIOSK, NOWHERE, Actor, Scope, has, may, require_right
from layers.people.accounts import Account, actor_for
from layers.people.roles import RIGHTS, Role, check_separation, is_right, put_role, rights_of, roles_now, shipped_roles
from layers.spec import Field, Title
from layers.store.definitions import layer_from_parts
from layers.store.engine import begin
from tests.conftest import Database

ROLES = shipped_roles()
NAMED = {
    *("commander", "dispatcher", "officer", "worker", "volunteer", "planner", "analyst", "director", "auditor"),
    *("admin", "security", "kiosk", "device"),
}
DIGITS = st.text("0123456789", min_size=15, max_size=15)


@dataclass(frozen=True)
class Thing:
    admin_code: str | None = "320602001"
    grid_id: str | None = "320602001002003"
    departments: tuple[str, ...] = ("cgj",)


def test_every_role_ships_and_every_right_is_held_by_somebody() -> None:
    assert set(ROLES) == NAMED
    held = rights_of(ROLES)
    assert set(RIGHTS) <= held
    assert all(is_right(right) for right in held)
    assert not is_right("layer.edit:")
    assert not is_right("everything")


def test_three_administrators_have_separate_duties() -> None:
    for role in ROLES.values():
        check_separation(role.rights, "rights")
    assert not has(ADMIN, "role.edit")
    assert not has(ADMIN, "audit.read")
    assert rights_of(["security"]) == {"role.edit"}
    assert rights_of(["auditor"]) == {"layer.view", "incident.view", "audit.read"}
    for rights in ({"role.edit", "account.edit"}, {"role.edit", "audit.read"}, {"audit.read", "layer.edit"}):
        with pytest.raises(BadField):
            check_separation(rights, "rights")


def test_a_right_counts_for_whoever_has_a_role_with_it() -> None:
    dispatcher = Actor("d", frozenset({"dispatcher"}), EVERYWHERE)
    assert has(dispatcher, "incident.dispatch")
    assert not has(dispatcher, "incident.dispose")
    assert "incident.dispose" in has(dispatcher, "incident.dispose").why
    assert not has(Actor("x", frozenset({"nobody_knows_it"}), EVERYWHERE), "layer.view")
    for right in RIGHTS:
        assert not has(ANYONE, right)


def test_what_is_due_comes_before_every_right() -> None:
    for due, said in (("password", "password"), ("enrolment", "second factor")):
        waiting = replace(ADMIN, due=due)
        assert all(not has(waiting, right) for right in RIGHTS)
        with pytest.raises(NotAllowed, match=said) as caught:
            require_right(waiting, "layer.edit")
        assert caught.value.cause == f"{due}_due"


_INTERNAL = layer_from_parts("valves", Title("阀门", "Valves"), "Point", [Field("name", Title("名", "N"), "text")])


def test_the_layers_that_a_role_edits() -> None:
    layers = built_in()
    worker = Actor("w", frozenset({"worker"}), EVERYWHERE)
    assert may(worker, "edit", layers["component"])
    assert not may(worker, "edit", layers["shelter"])
    assert may(Actor("p", frozenset({"planner"})), "edit", layers["shelter"])
    for name, role in ROLES.items():
        actor = Actor(name, frozenset({name}), EVERYWHERE)
        assert not may(actor, "edit", layers["county"]), "only deliveries change it"
        assert bool(may(actor, "view", layers["incident"])) == ("incident.view" in role.rights)
        assert bool(may(actor, "view", _INTERNAL)) == ("layer.view" in role.rights)
    assert may(KIOSK, "view", layers["incident"])


@pytest.mark.parametrize(
    ("areas", "departments", "allowed"),
    [
        (None, None, True),
        ({"3206"}, None, True),
        ({"320602"}, {"cgj"}, True),
        ({"320602001"}, {"cgj", "gaj"}, True),
        ({"320602001002003"}, None, True),
        ({"320602001002004"}, None, False),
        ({"320612", "320602"}, None, True),
        ({"320612"}, None, False),
        ({"320602"}, {"gaj"}, False),
        (None, set(), False),
        (set(), None, False),
    ],
)
def test_a_right_reaches_as_far_as_the_scope(
    areas: set[str] | None, departments: set[str] | None, allowed: bool
) -> None:
    scope = Scope(None if areas is None else frozenset(areas), None if departments is None else frozenset(departments))
    decision = may(Actor("o", frozenset({"officer"}), scope), "incident.dispose", Thing())
    assert bool(decision) == allowed
    assert decision.why


def test_a_scope_does_not_replace_a_right() -> None:
    assert not may(Actor("o", frozenset({"analyst"}), EVERYWHERE), "incident.dispose", Thing())
    assert not may(Actor("o", frozenset({"officer"}), NOWHERE), "incident.dispose", Thing())


def test_what_lies_nowhere_is_only_for_those_who_answer_for_all() -> None:
    lost = Thing(admin_code=None, grid_id=None)
    assert EVERYWHERE.covers(admin_code=None, grid_id=None)
    assert not Scope(frozenset({"3206"}), None).covers(admin_code=lost.admin_code, grid_id=lost.grid_id)


areas = st.none() | st.frozensets(st.sampled_from(["3206", "320602", "320612", "320602001", "320602001002003"]))
departments = st.none() | st.frozensets(st.sampled_from(["cgj", "gaj", "zjj"]))
scopes = st.builds(Scope, areas, departments)


@given(outer=scopes, inner=scopes, grid=st.sampled_from(["320602001002003", "320612001002003"]), about=departments)
def test_whoever_holds_a_scope_sees_all_that_it_covers(
    outer: Scope, inner: Scope, grid: str, about: frozenset[str] | None
) -> None:
    if outer.holds(inner) and inner.covers(admin_code=grid[:9], grid_id=grid, departments=about or ()):
        assert outer.covers(admin_code=grid[:9], grid_id=grid, departments=about or ())


def test_a_city_changes_what_a_role_may(database: Database) -> None:
    more = Role("analyst", Title("分析", "Analyst"), frozenset({"layer.view", "data.deliver"}))
    with begin(database.engine, actor="test") as connection:
        put_role(connection, more)
        now = roles_now(connection)
    assert rights_of(["analyst"], now) == {"layer.view", "data.deliver"}
    assert now["analyst"].own
    assert rights_of(["dispatcher"], now) == rights_of(["dispatcher"])


@pytest.mark.parametrize(
    ("rights", "cause"),
    [
        ({"layer.view", "all"}, "right_unknown"),
        ({"role.edit", "account.edit"}, "duties_separate"),
        ({"audit.read", "incident.close"}, "auditor_changes"),
    ],
)
def test_a_role_that_cannot_be_is_refused(database: Database, rights: set[str], cause: str) -> None:
    with begin(database.engine, actor="test") as connection:
        with pytest.raises(BadField) as caught:
            put_role(connection, Role("mine", Title("我的", "Mine"), frozenset(rights)))
        assert caught.value.cause == cause
        assert "mine" not in roles_now(connection)


@pytest.mark.parametrize(
    ("held", "outside", "needed", "due"),
    [
        (False, False, True, "enrolment"),
        (False, False, False, None),
        (True, False, True, None),
        (False, True, True, None),
    ],
)
def test_where_a_city_requires_a_second_factor_no_right_counts_without(
    held: bool, outside: bool, needed: bool, due: str | None
) -> None:
    account = Account(
        login="d", name="D", roles=frozenset({"dispatcher"}), scope=EVERYWHERE, active=True, must_change=False,
        made_at=dt.datetime(2026, 7, 1, tzinfo=dt.UTC), password_at=None, signed_in_at=None, second_factor=held,
        outside=outside,
    )  # fmt: skip
    actor = actor_for(account, ROLES, needs_second=needed)
    assert actor.due == due
    assert bool(has(actor, "incident.dispatch")) == (due is None)
    changing = actor_for(replace(account, must_change=True), ROLES, needs_second=needed)
    assert changing.due == "password"
