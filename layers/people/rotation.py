"""Sealing with a new key what older ones sealed, batch by batch, while everybody works on."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from layers.people.keys import forget_keys, turn_keys
from layers.people.privacy import Keyring, SealBroken, key_of
from layers.people.sealed import EVERY, Sealed

AT_ONCE: Final = 500
MOST_TOLD: Final = 20


@dataclass
class Rotated:
    """What a rotation did: values sealed anew, the first that do not open, keys forgotten as nothing uses them."""

    key: str
    values: int = 0
    broken: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)


def rotate(
    engine: sa.Engine,
    keyring: Keyring,
    *,
    now: dt.datetime,
    sealed: Iterable[Sealed] = EVERY,
    progress: Callable[[int], None] = lambda _: None,
) -> Rotated:
    """Make a new key current and seal everything with it, a bounded number of rows to a transaction.

    A run that was cut short is taken up by the next. The key before stays for a day: transactions under way may
    still seal with it; a later rotation seals those anew, too, and forgets it then.
    """
    _ = keyring.keys  # made, when this is the first need of them
    turned = Rotated(turn_keys(keyring.path, now=now).id)
    tables = list(sealed)
    for one in tables:
        last: int | str | None = None
        while (last := _reseal(engine, keyring, one, last, turned)) is not None:
            progress(turned.values)
    with engine.connect() as connection:
        turned.forgotten = forget_keys(keyring.path, set(uses(connection, tables)), now=now)
    return turned


def uses(connection: sa.Connection, sealed: Iterable[Sealed] = EVERY) -> dict[str, int]:
    """How many values each key holds, by the key's id."""
    counted: Counter[str] = Counter()
    for one in sealed:
        rows = one.rows
        for name in one.about:
            key = sa.func.split_part(rows.c[name], ".", 2)
            held = sa.select(key, sa.func.count()).where(rows.c[name].is_not(None)).group_by(sa.text("1"))
            for id, values in connection.execute(held):
                counted[id] += values
    return dict(counted)


def _reseal(
    engine: sa.Engine, keyring: Keyring, one: Sealed, last: int | str | None, turned: Rotated
) -> int | str | None:
    """Seal the next rows after `last` anew; the last of them, or None when there are no more."""
    current, rows = keyring.keys.current, one.rows
    key = rows.c[one.key]
    stale = sa.or_(*(sa.func.split_part(rows.c[name], ".", 2) != current for name in one.about))
    wanted = sa.select(rows).where(stale).order_by(key).limit(AT_ONCE).with_for_update()
    with engine.begin() as connection:
        batch = connection.execute(wanted if last is None else wanted.where(key > last)).mappings().all()
        for row in batch:
            new = _sealed_anew(keyring, one, row, turned.broken)
            if new:
                connection.execute(sa.update(rows).where(key == row[one.key]).values(new))
            turned.values += len(new)
    return batch[-1][one.key] if batch else None


def _sealed_anew(keyring: Keyring, one: Sealed, row: sa.RowMapping, broken: list[str]) -> dict[str, str]:
    new = {}
    for name, about in one.about.items():
        if row[name] is None or key_of(row[name]) == keyring.keys.current:
            continue
        try:
            new[name] = keyring.seal(keyring.unseal(row[name], about=about), about=about)
        except SealBroken:  # it stays as it is, and so does its key: the others are not kept waiting for it
            if len(broken) < MOST_TOLD:
                broken.append(f"{one.table} {row[one.key]} {name}")
    return new
