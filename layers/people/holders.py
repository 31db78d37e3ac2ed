"""Who holds what was presented: a session's cookie, a key of a machine, the administrator's or the walls' token."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from layers.people.access import Actor, Scope, token_holders
from layers.people.accounts import Account, account_of, actor_for, scope_of
from layers.people.exercise_tables import EXERCISE
from layers.people.exercises import Exercise, exercise_of
from layers.people.roles import INTERNAL, Role, rights_of, roles_now
from layers.people.sessions import valid
from layers.people.signin import Policy
from layers.people.tables import ACCOUNT, API_KEY, ROLE, SESSION
from layers.spec import Title

Kind = Literal["token", "session"]


@dataclass(frozen=True)
class Presented:
    """What came with a request: the digest of a token or of a session's secret."""

    kind: Kind
    digest: str


@dataclass(frozen=True)
class Holder:
    """Who holds it: as whom they act, with which roles, in which exercise; of a session its account and last use."""

    actor: Actor
    account: Account | None = None
    seen_at: dt.datetime | None = None
    titles: Mapping[str, Title] = field(default_factory=dict, compare=False)
    exercise: Exercise | None = None

    def same(self, actor: Actor) -> bool:
        """Does this actor still act with the same rights in the same places?"""
        now = self.actor
        return now == actor and (now.rights, now.due, now.over) == (actor.rights, actor.due, actor.over)


def holders(
    connection: sa.Connection, presented: Collection[Presented], *, now: dt.datetime, policy: Policy
) -> dict[Presented, Holder]:
    """Who holds each of these, as it is now; those that open nothing (any more) are left out."""
    roles = roles_now(connection)
    tokens = {one.digest for one in presented if one.kind == "token"}
    sessions = {one.digest for one in presented if one.kind == "session"}
    found: dict[Presented, Holder] = {}
    if tokens:
        found |= _with_keys(connection, tokens, now, roles)
        fixed = {digest: actor for digest, actor in token_holders(connection).items() if digest in tokens}
        for digest, actor in fixed.items():
            acting = Actor(actor.name, actor.roles, actor.scope, rights=rights_of(actor.roles, roles))
            found[Presented("token", digest)] = Holder(acting, titles=_titles(actor, roles))
    if sessions:
        found |= _with_sessions(connection, sessions, now, roles, policy)
    return found


def versions(
    connection: sa.Connection, presented: Collection[Presented], *, now: dt.datetime, policy: Policy
) -> dict[Presented, str]:
    """A text for each of these that still opens something, by `holders`' rules; another one once its holder may differ.

    It is made of the transactions that last wrote the rows that a holder is made of: hundreds of streams that are
    looked after every second cost one short answer, and only those that something happened to are looked up whole.
    """
    roles = " ".join(connection.scalars(sa.select(_written(ROLE)).select_from(ROLE).order_by(ROLE.c.name)))
    found: dict[Presented, str] = {}
    of_key = API_KEY.outerjoin(ACCOUNT).outerjoin(EXERCISE, EXERCISE.c.id == API_KEY.c.exercise)
    of_session = SESSION.join(ACCOUNT).outerjoin(EXERCISE, EXERCISE.c.id == SESSION.c.exercise)
    sides: Sequence[tuple[Kind, sa.Table, sa.Join, sa.ColumnElement[bool]]] = (
        ("token", API_KEY, of_key, living(now)),
        ("session", SESSION, of_session, valid(now, policy.lasting)),
    )
    for kind, table, joined, lasting in sides:
        digests = [one.digest for one in presented if one.kind == kind]
        written = sa.func.concat_ws(" ", _written(table), _written(ACCOUNT), _written(EXERCISE))
        asked = sa.select(table.c.digest, written).select_from(joined).where(lasting)
        rows = connection.execute(asked.where(table.c.digest == sa.any_(sa.literal(digests, ARRAY(sa.Text))))).all()
        found |= {Presented(kind, digest): f"{text} {roles}" for digest, text in rows}
    fixed = {Presented("token", digest) for digest in token_holders(connection)}
    return found | dict.fromkeys(fixed & set(presented), roles)


def living(now: dt.datetime) -> sa.ColumnElement[bool]:
    """The condition of a key (joined with the account that answers for it) that is not over."""
    return sa.and_(API_KEY.c.revoked_at.is_(None), API_KEY.c.ends_at > now, ACCOUNT.c.active.is_not(False))


def _written(table: sa.Table) -> sa.ColumnElement[str]:
    """The number of the transaction that wrote a row as it is."""
    return sa.cast(sa.literal_column(f"{table.fullname}.xmin"), sa.Text)


def _with_sessions(
    connection: sa.Connection, digests: Collection[str], now: dt.datetime, roles: Mapping[str, Role], policy: Policy
) -> dict[Presented, Holder]:
    columns = [*ACCOUNT.c, SESSION.c.digest, SESSION.c.seen_at, SESSION.c.exercise]
    found = sa.select(*columns).select_from(SESSION.join(ACCOUNT))
    rows = connection.execute(found.where(SESSION.c.digest.in_(digests), valid(now, policy.lasting))).all()
    held = {}
    for row in rows:
        account = account_of(row)
        actor = actor_for(account, roles, needs_second=policy.second_factor)
        held[Presented("session", row.digest)] = Holder(actor, account, row.seen_at, _titles(actor, roles))
    return _within(connection, held, {Presented("session", row.digest): row.exercise for row in rows})


def _with_keys(
    connection: sa.Connection, digests: Collection[str], now: dt.datetime, roles: Mapping[str, Role]
) -> dict[Presented, Holder]:
    """A key may what its roles may, as long as the account that answers for it is open and may as much itself."""
    makers = [ACCOUNT.c[name].label(f"makers_{name}") for name in ("roles", "areas", "departments")]
    found = sa.select(*API_KEY.c, *makers).select_from(API_KEY.outerjoin(ACCOUNT))
    rows = connection.execute(found.where(API_KEY.c.digest.in_(digests), living(now))).all()
    held = {Presented("token", row.digest): _of_key(row, roles) for row in rows}
    return _within(connection, held, {Presented("token", row.digest): row.exercise for row in rows})


def _within(
    connection: sa.Connection, held: Mapping[Presented, Holder], ids: Mapping[Presented, str | None]
) -> dict[Presented, Holder]:
    """The same holders, each in the exercise that their session or key is in."""
    wanted = {id for id in ids.values() if id is not None}
    if not wanted:
        return dict(held)
    rows = connection.execute(sa.select(*EXERCISE.c).where(EXERCISE.c.id.in_(wanted)))
    known = {row.id: exercise_of(row) for row in rows}
    return {one: _rehearsing(holder, known.get(ids[one] or "")) for one, holder in held.items()}


def _rehearsing(holder: Holder, exercise: Exercise | None) -> Holder:
    if exercise is None:
        return holder
    return replace(holder, actor=replace(holder.actor, scenario=exercise.id, over=exercise.over), exercise=exercise)


def _of_key(row: Any, roles: Mapping[str, Role]) -> Holder:
    scope, held = scope_of(row), frozenset(row.roles)
    # What a wall sees is the exercise that it shows, whatever else its maker may.
    if row.login is not None and held != INTERNAL:
        held &= frozenset(row.makers_roles)
        own = Scope(*(None if part is None else frozenset(part) for part in (row.makers_areas, row.makers_departments)))
        if not own.holds(scope):
            held = frozenset()
    actor = Actor(f"key:{row.id}", held, scope, rights=rights_of(held, roles))
    return Holder(actor, titles=_titles(actor, roles))


def _titles(actor: Actor, roles: Mapping[str, Role]) -> dict[str, Title]:
    return {name: roles[name].title for name in actor.roles if name in roles}
