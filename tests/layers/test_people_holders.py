"""What tells that a holder may be another: whatever changes who holds a session or a key changes its version, too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pytest
import sqlalchemy as sa

from layers.people.exercise_tables import EXERCISE
from layers.people.holders import Holder, Presented, holders, versions
from layers.people.signin import Policy
from layers.people.tables import ACCOUNT, API_KEY, ROLE, SESSION
from layers.store.engine import begin
from tests.conftest import Database

NOW = dt.datetime(2026, 6, 1, 8, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=8)
SESSION_OF_LI, KEY_OF_LI, KEY_OF_NOBODY = Presented("session", "s"), Presented("token", "k"), Presented("token", "n")
EVERYONE = {SESSION_OF_LI, KEY_OF_LI, KEY_OF_NOBODY, Presented("token", "never given out")}
OF_LI = ACCOUNT.c.login == "li"
WRITES: Mapping[str, tuple[sa.Executable, ...]] = {
    "the account is closed": (sa.update(ACCOUNT).where(OF_LI).values(active=False),),
    "the account has other roles": (sa.update(ACCOUNT).where(OF_LI).values(roles=["analyst"]),),
    "the account has another area": (sa.update(ACCOUNT).where(OF_LI).values(areas=["320602"]),),
    "the session is revoked": (sa.delete(SESSION),),
    "the session joins an exercise": (sa.update(SESSION).values(exercise="fire"),),
    "the key is revoked": (sa.update(API_KEY).where(API_KEY.c.digest == "k").values(revoked_at=NOW),),
    "the key has other roles": (sa.update(API_KEY).where(API_KEY.c.digest == "n").values(roles=["analyst"]),),
    "a role is changed": (
        sa.insert(ROLE).values(name="dispatcher", zh="受理员", en="Dispatcher", rights=["layer.view"]),
    ),
    "a role is changed and taken back": (
        sa.insert(ROLE).values(name="dispatcher", zh="受理员", en="Dispatcher", rights=["layer.view"]),
        sa.delete(ROLE),
    ),
    "an exercise that was joined is over": (
        sa.update(SESSION).values(exercise="fire"),
        sa.update(EXERCISE).values(closed_at=NOW, closed_by="li"),
    ),
}


@pytest.fixture
def people(database: Database) -> Database:
    until = NOW + dt.timedelta(days=1)
    with begin(database.engine, actor="test") as connection:
        account = {"login": "li", "name": "李", "roles": ["dispatcher"], "areas": None, "departments": None}
        connection.execute(sa.insert(ACCOUNT).values(account))
        connection.execute(sa.insert(EXERCISE).values(id="fire", title="消防演练", opened_by="li"))
        session = {"digest": "s", "id": "s", "login": "li", "seen_at": NOW, "ends_at": until, "by": "password"}
        connection.execute(sa.insert(SESSION).values(session))
        key = {"title": "t", "roles": ["dispatcher"], "ends_at": until}
        connection.execute(
            sa.insert(API_KEY), [{**key, "digest": "k", "login": "li"}, {**key, "digest": "n", "login": None}]
        )
    return database


def _asked(database: Database, *, now: dt.datetime) -> tuple[dict[Presented, Holder], dict[Presented, str]]:
    with database.engine.connect() as connection:
        told = versions(connection, EVERYONE, now=now, policy=Policy())
        return holders(connection, EVERYONE, now=now, policy=Policy()), told


def _is_same(before: Holder | None, after: Holder | None) -> bool:
    if before is None or after is None:
        return before is after
    return before == after and before.same(after.actor)


@pytest.mark.parametrize("writes", WRITES.values(), ids=list(WRITES))
def test_whoever_is_another_holder_has_another_version(people: Database, writes: tuple[sa.Executable, ...]) -> None:
    changed = set()
    for write in writes:
        before, known = _asked(people, now=NOW)
        assert before.keys() == known.keys()
        assert _asked(people, now=NOW)[1] == known, "what is not written has the version that it had"
        with begin(people.engine, actor="test") as connection:
            connection.execute(write)
        after, told = _asked(people, now=NOW)
        assert after.keys() == told.keys()
        other = {one for one in EVERYONE if not _is_same(before.get(one), after.get(one))}
        assert other <= {one for one in EVERYONE if known.get(one) != told.get(one)}
        changed |= other
    assert changed, "nobody became another"


def test_what_is_over_by_its_time_alone_has_no_version_any_more(people: Database) -> None:
    held, told = _asked(people, now=NOW)
    assert held.keys() == told.keys() == {SESSION_OF_LI, KEY_OF_LI, KEY_OF_NOBODY}
    held, told = _asked(people, now=LATER)  # idle for too long
    assert held.keys() == told.keys() == {KEY_OF_LI, KEY_OF_NOBODY}
    held, told = _asked(people, now=NOW + dt.timedelta(days=2))
    assert held.keys() == told.keys() == set()
