"""How often somebody may try to sign in, from one address and to one account, however many processes count."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from layers.errors import TooManyAttempts
from layers.people.attempts import Limits, account_key, address_key, count, forget, take_back
from layers.people.tables import ATTEMPT
from layers.store.engine import begin
from tests.conftest import Database

NOW = dt.datetime(2026, 7, 1, 9, tzinfo=dt.UTC)
FEW = Limits(account=3, address=5)


def tried(database: Database, login: str, address: str = "10.0.0.1", *, after_s: int = 0) -> int | None:
    """The seconds to wait; None when the attempt may be made."""
    now = NOW + dt.timedelta(seconds=after_s)
    try:
        with begin(database.engine, actor="anyone") as connection:
            count(connection, login=login, address=address, now=now, limits=FEW)
    except TooManyAttempts as refused:
        return refused.wait_s
    return None


def test_an_account_is_locked_for_a_while_and_no_longer(database: Database) -> None:
    assert [tried(database, "a", f"10.0.0.{n}") for n in range(3)] == [None] * 3
    assert tried(database, "a", "10.0.1.1", after_s=60) == 841
    assert tried(database, "b", "10.0.1.1", after_s=60) is None
    assert tried(database, "a", "10.0.1.2", after_s=899) == 2, "attempts while it is locked make it no longer"
    assert tried(database, "a", "10.0.1.2", after_s=900) is None


def test_an_address_is_stopped_whichever_accounts_it_tries(database: Database) -> None:
    assert [tried(database, f"login-{n}") for n in range(6)] == [None] * 5 + [901]
    assert tried(database, "login-0", "10.0.0.2") is None
    with database.owner.connect() as connection:
        kept = connection.scalars(sa.select(ATTEMPT.c.key)).all()
    assert account_key("login-5") not in kept, "a refused attempt locks nobody else's account"
    assert not any("login" in key for key in kept)


def test_what_was_no_failure_is_taken_back_and_a_lock_can_be_lifted(database: Database) -> None:
    for _ in range(10):
        assert tried(database, "a") is None
        with begin(database.engine, actor="anyone") as connection:
            take_back(connection, login="a", address="10.0.0.1")
    assert [tried(database, "a", f"10.9.0.{n}") for n in range(4)] == [None] * 3 + [901]
    with begin(database.engine, actor="security") as connection:
        forget(connection, "a")
    assert tried(database, "a", "10.9.1.1") is None


def test_as_many_as_there_may_be_and_not_one_more_at_the_same_moment(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda n: tried(database, "a", f"10.1.0.{n}"), range(12)))
    assert told.count(None) == 3


def test_old_attempts_are_forgotten(database: Database) -> None:
    for n in range(3):
        tried(database, f"old-{n}")
    tried(database, "new", after_s=901)
    with database.owner.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(ATTEMPT)) == 2


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("10.0.0.1", "address:10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "address:2001:db8:1:2::/64"),
        ("nonsense", "address:unknown"),
    ],
)
def test_an_address_of_ipv6_counts_with_its_neighbours(address: str, key: str) -> None:
    assert address_key(address) == key
