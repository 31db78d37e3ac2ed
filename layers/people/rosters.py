"""Many people from one table: accounts made, or given roles and scopes; all of them or none, refused lines are told.

A city has thousands of grid workers. One file serves both: the administrator makes the accounts of its names, the
security administrator gives them the roles and the scopes that stand beside these.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from layers.errors import BadField, BadUpload, Conflict, LayersError, NotAllowed
from layers.people.access import Actor, Scope, has
from layers.people.accounts import check_grant, check_login, listed, room_for, until
from layers.people.passwords import hashed_random, one_time
from layers.people.roles import SEPARATE, Role, rights_of, roles_now
from layers.people.tables import ACCOUNT, ACCOUNT_EVENT

MOST_LINES: Final = 10_000
MOST_NAME: Final = 60
MOST_TOLD: Final = 100
_AT_ONCE: Final = 1_000
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "login": ("login", "登录名", "账号"),
    "name": ("name", "姓名", "名称"),
    "roles": ("roles", "role", "角色"),
    "areas": ("areas", "area", "区域", "网格"),
    "departments": ("departments", "department", "部门"),
}
_ALL: Final = frozenset({"*", "all", "全部"})
_PARTS: Final = re.compile(r"[;；、,，|/]")


@dataclass(frozen=True)
class Entry:
    """One line of a table: `number` is its line in the file, the rest what stands there."""

    number: int
    login: str
    name: str
    roles: tuple[str, ...]
    scope: Scope


@dataclass(frozen=True)
class Wrong:
    """A line that is not taken, and why: the code of a cause with its facts."""

    line: int
    login: str
    cause: str
    facts: Mapping[str, str | int]


class RosterRefused(LayersError):
    """Lines of the table cannot be taken, so none was; `lines` tells the first of them, `count` how many there are."""

    def __init__(self, lines: Sequence[Wrong]) -> None:
        super().__init__(f"{len(lines):,} lines cannot be taken; nothing was changed")
        self.lines, self.count = tuple(lines[:MOST_TOLD]), len(lines)
        self.because("roster_refused", count=len(lines))


@dataclass(frozen=True)
class Given:
    """An account with the one-time password that is told now."""

    login: str
    name: str
    password: str


def entries_of(content: bytes, roles: Mapping[str, Role]) -> list[Entry]:
    """The lines of a CSV in UTF-8 or GBK, its columns in any order; BadUpload for what is no such table.

    Roles stand there by name or title. Several of a kind have semicolons between them; `all` is no limit.
    """
    rows = _rows(_text(content))
    header = [cell.strip().lower() for cell in next(rows, (0, []))[1]]
    places = {name: _place(header, known) for name, known in _COLUMNS.items()}
    if places["login"] is None:
        raise BadUpload("table", "has no column of login names").because("roster_header")
    titles = {title: name for name, role in roles.items() for title in role.title}
    found: list[Entry] = []
    for number, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(found) >= MOST_LINES:
            raise BadUpload("table", f"has more than {MOST_LINES:,} lines").because("roster_long", most=MOST_LINES)
        cells = {name: row[at].strip() if at is not None and at < len(row) else "" for name, at in places.items()}
        given = tuple(titles.get(role, role) for role in _listed(cells["roles"]))
        scope = Scope(_part(cells["areas"]), _part(cells["departments"]))
        found.append(Entry(number, cells["login"].lower(), cells["name"], given, scope))
    if not found:
        raise BadUpload("table", "has no lines").because("roster_empty")
    return found


def make_all(
    connection: sa.Connection, entries: Sequence[Entry], actor: Actor, *, lasting: dt.timedelta, renew: bool
) -> list[Given]:
    """Make all these accounts, which may nothing yet; RosterRefused with the lines that cannot be, Conflict when full.

    With `renew` those that are there already, and have never been signed in to, get another one-time password.
    """
    known = _known(connection, [entry.login for entry in entries])
    roles = roles_now(connection)

    def check(entry: Entry) -> None:
        check_login(entry.login)
        if not entry.name or len(entry.name) > MOST_NAME or not entry.name.isprintable():
            raise BadField({"name": "is no name"}).because("name_unfit", most=MOST_NAME)
        if (held := known.get(entry.login)) is None:
            return
        if not renew:
            raise Conflict("is taken").because("login_taken", login=entry.login)
        _require_over(actor, entry.login, rights_of(held.roles, roles))
        if held.signed_in_at is not None or held.subject is not None or not held.active:
            raise Conflict("has been signed in to").because("login_used", login=entry.login)

    _require_all(entries, check)
    new = [entry for entry in entries if entry.login not in known]
    room_for(connection, *(entry.login for entry in new))
    given = {entry.login: Given(entry.login, entry.name, one_time()) for entry in entries}
    for some in _portions(entries):
        _put(connection, [given[entry.login] for entry in some], set(known), actor=actor.name, lasting=lasting)
    return list(given.values())


def grant_all(connection: sa.Connection, entries: Sequence[Entry], actor: Actor) -> int:
    """Give all these accounts the roles and scopes of their lines; RosterRefused with the lines that cannot be."""
    roles = roles_now(connection)
    known = _known(connection, [entry.login for entry in entries])

    def check(entry: Entry) -> None:
        if (held := known.get(entry.login)) is None:
            raise Conflict("is no account").because("unknown_account")
        _require_over(actor, entry.login, rights_of(held.roles, roles))
        check_grant(roles, entry.roles, entry.scope)

    _require_all(entries, check)
    change = sa.update(ACCOUNT).where(ACCOUNT.c.login == sa.bindparam("of"))
    for some in _portions(entries):
        granted = [{"of": entry.login, **_granted(entry)} for entry in some]
        connection.execute(change, granted)
        events = [_event("granted", entry.login, actor.name, _granted(entry)) for entry in some]
        connection.execute(sa.insert(ACCOUNT_EVENT), events)
    return len(entries)


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadUpload("table", "is no text in UTF-8 or GBK").because("roster_encoding")


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines of the table with their numbers; parted by commas, semicolons or tabs, as its first line is."""
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise BadUpload("table", f"line {reader.line_num}: {error}").because(
            "roster_broken", line=reader.line_num
        ) from error


def _place(header: Sequence[str], known: Iterable[str]) -> int | None:
    return next((header.index(name) for name in known if name in header), None)


def _listed(cell: str) -> list[str]:
    return [part.strip() for part in _PARTS.split(cell) if part.strip()]


def _part(cell: str) -> frozenset[str] | None:
    parts = frozenset(_listed(cell))
    return None if parts & _ALL else parts


def _known(connection: sa.Connection, logins: Collection[str]) -> dict[str, Any]:
    """The accounts that there are of these, locked, in one order, so that no two wait for each other."""
    columns = (ACCOUNT.c[name] for name in ("login", "roles", "active", "signed_in_at", "subject"))
    found = sa.select(*columns).where(ACCOUNT.c.login == sa.any_(sa.literal(sorted(logins), sa.ARRAY(sa.Text))))
    return {row.login: row for row in connection.execute(found.order_by(ACCOUNT.c.login).with_for_update())}


def _require_over(actor: Actor, login: str, held: Iterable[str]) -> None:
    if login == actor.name:
        raise NotAllowed("nobody changes their own account", known=True).because("own_account")
    if not SEPARATE.isdisjoint(held) and not has(actor, "role.edit"):
        told = "accounts of administrators and auditors are changed by the security administrator"
        raise NotAllowed(told, known=True).because("administrators_account")


def _require_all(entries: Sequence[Entry], check: Callable[[Entry], None]) -> None:
    """RosterRefused unless each line passes and stands there once."""
    times = Counter(entry.login for entry in entries)
    wrong = []
    for entry in entries:
        try:
            check(entry)
            if times[entry.login] > 1:
                raise Conflict("stands there twice").because("login_twice", login=entry.login[:64])
        except LayersError as error:
            cause = error.cause or "roster_line"
            wrong.append(Wrong(entry.number, entry.login[:64], cause, error.facts))
    if wrong:
        raise RosterRefused(wrong)


def _put(
    connection: sa.Connection, given: Sequence[Given], known: Collection[str], *, actor: str, lasting: dt.timedelta
) -> None:
    fixed = {"must_change": True, "one_time_until": until(lasting)}
    new = [one for one in given if one.login not in known]
    again = [one for one in given if one.login in known]
    if new:
        rows = [{"login": one.login, "name": one.name, "hash": hashed_random(one.password)} for one in new]
        connection.execute(sa.insert(ACCOUNT).values(fixed), rows)
        made = [_event("account_made", one.login, actor, {"name": one.name}) for one in new]
        connection.execute(sa.insert(ACCOUNT_EVENT), made)
    if again:
        change = sa.update(ACCOUNT).where(ACCOUNT.c.login == sa.bindparam("of")).values(fixed)
        hashes = [{"of": one.login, "hash": hashed_random(one.password)} for one in again]
        connection.execute(change.values(hash=sa.bindparam("hash")), hashes)
        connection.execute(sa.insert(ACCOUNT_EVENT), [_event("password_reset", one.login, actor, {}) for one in again])


def _portions(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """No statement carries ten thousand lines."""
    for start in range(0, len(entries), _AT_ONCE):
        yield entries[start : start + _AT_ONCE]


def _granted(entry: Entry) -> dict[str, Any]:
    return {
        "roles": sorted(set(entry.roles)),
        "areas": listed(entry.scope.areas),
        "departments": listed(entry.scope.departments),
    }


def _event(event: str, about: str, actor: str, facts: dict[str, Any]) -> dict[str, Any]:
    return {"event": event, "about": about, "actor": actor, "facts": facts}
