"""Who may be given a case: whoever has the right that its state asks for, and sees it once it is theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

import sqlalchemy as sa

from layers.errors import BadField
from layers.loop.offers import Case, sees
from layers.loop.states import State
from layers.people.access import Actor, has
from layers.people.accounts import Account, account_of
from layers.people.roles import Role, rights_of, roles_now
from layers.people.tables import ACCOUNT

MOST_OFFERED: Final = 30
MOST_TEXT: Final = 60
Near = Literal["grid", "town", "county", "city"]
# To look at it, to work on it, to check it.
_WANTED: Final[Mapping[State, str]] = {
    "reported": "incident.verify",
    "dispatched": "incident.dispose",
    "disposing": "incident.dispose",
    "disposed": "incident.check",
}
_NEAR: Final[tuple[tuple[int, Near], ...]] = ((15, "grid"), (9, "town"), (6, "county"))


@dataclass(frozen=True)
class Assignee:
    """Somebody who may be given a case, and how near it lies: in their grid, town, county, or the city."""

    login: str
    name: str
    near: Near


def assignees(connection: sa.Connection, case: Case, *, text: str = "") -> list[Assignee]:
    """Up to thirty people who answer for where a case lies, the nearest first; with `text` those whose names have it.

    Who said that it is done is not offered to check it.
    """
    roles = roles_now(connection)
    able = [name for name, role in roles.items() if _WANTED.get(case.state) in role.rights]
    here = _areas_of(case)
    table = ACCOUNT
    found = sa.select(*table.c).where(
        table.c.active,
        table.c.roles.overlap(able),
        sa.or_(table.c.areas.is_(None), table.c.areas.overlap(here)),
        table.c.login.is_distinct_from(case.disposed_by if case.state == "disposed" else None),
    )
    if _WANTED.get(case.state) == "incident.dispose":  # who is bound to other departments works for those
        unbound = sa.func.coalesce(sa.func.cardinality(table.c.departments), 0) == 0
        ours = [code for code in (case.lead, *case.co) if code is not None]
        found = found.where(sa.or_(unbound, table.c.departments.overlap(ours)))
    if text:
        found = found.where(
            table.c.login.contains(text.lower(), autoescape=True) | table.c.name.contains(text, autoescape=True)
        )
    nearest = (
        [sa.case(*((sa.literal(area) == sa.any_(table.c.areas), at) for at, area in enumerate(here)), else_=len(here))]
        if here
        else []
    )
    rows = connection.execute(found.order_by(*nearest, table.c.login).limit(MOST_OFFERED))
    people = [account_of(row) for row in rows]
    return [Assignee(one.login, one.name, _near(one, here)) for one in people if _fits(one, case, roles)]


def require_fit(connection: sa.Connection, case: Case, login: str) -> None:
    """BadField unless somebody has this account, and could do with the case what its state asks for."""
    table = ACCOUNT
    row = connection.execute(sa.select(*table.c).where(table.c.login == login, table.c.active)).first()
    if row is None:
        raise BadField({"assignee": f"nobody has the account {login!r}"}).because("assignee_unknown", login=login)
    if not _fits(account_of(row), case, roles_now(connection)):
        raise BadField({"assignee": f"{login!r} could not take it on"}).because("assignee_unfit", login=login)


def _fits(account: Account, case: Case, roles: Mapping[str, Role]) -> bool:
    """By the account's roles alone: who has yet to choose a password will have by then."""
    actor = Actor(
        account.login, account.roles, account.scope, scenario=case.scenario, rights=rights_of(account.roles, roles)
    )
    right = _WANTED.get(case.state)
    return right is not None and bool(has(actor, right)) and sees(actor, replace(case, assignee=account.login))


def _areas_of(case: Case) -> list[str]:
    """How a scope may name where the case lies, the narrowest first."""
    code = case.admin_code or ""
    return [*([case.grid_id] if case.grid_id else []), *(code[:n] for n in (9, 6, 4) if len(code) >= n)]


def _near(account: Account, here: list[str]) -> Near:
    held = [area for area in here if area in (account.scope.areas or ())]
    return next((near for area in held for digits, near in _NEAR if len(area) == digits), "city")
