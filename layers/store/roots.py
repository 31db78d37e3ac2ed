"""Roots of the audit chain: a day's digest to keep outside, all that a third party needs to check it, and old months.

Whoever may do anything in the database could make the whole chain anew. A root that lies elsewhere by then shows it.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TextIO
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from layers.errors import BadParameter, Conflict
from layers.store.audit import last_seal, seal_of
from layers.store.chain import CHAINED, GENESIS, Chained, Seal, chained
from layers.store.seals import SEAL, SEAL_ROOT
from layers.store.verdict import check_records, check_seal, groups, lines

FOLDER: Final = "audit"
ZONE: Final = ZoneInfo("Asia/Shanghai")
KEPT_MONTHS: Final = 36
_SUFFIX: Final = ".root.json"
_MOST_DAYS: Final = 31
_SETTLED: Final = dt.timedelta(minutes=5)  # a round that began before midnight has ended by then
_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)


class NotPruned(Conflict):
    """The months may not be taken away."""


def day_root(connection: sa.Connection, day: dt.date, *, now: dt.datetime) -> dict[str, Any]:
    """The root of a day (Beijing time): its first and last batch (null without any), how many records, the digest."""
    begin, end = _bounds(day)
    within = sa.and_(SEAL.c.at >= begin, SEAL.c.at < end)
    asked = sa.select(sa.func.min(SEAL.c.number), sa.func.max(SEAL.c.number), sa.func.sum(SEAL.c.records))
    first, last, records = connection.execute(asked.where(within)).one()
    head = {"chengtu_audit_root": 1, "day": day.isoformat(), "made_at": now.astimezone(ZONE).isoformat("T", "seconds")}
    if first is None:
        digest = _digest_before(connection, begin)
        return {**head, "first": None, "last": None, "records": 0, "previous": digest, "digest": digest}
    ends = {
        row.number: row
        for row in connection.execute(
            sa.select(SEAL.c.number, SEAL.c.previous, SEAL.c.digest).where(SEAL.c.number.in_([first, last]))
        )
    }
    told = {"first": first, "last": last, "records": int(records)}
    return {**head, **told, "previous": ends[first].previous, "digest": ends[last].digest}


def export_day(
    connection: sa.Connection,
    day: dt.date,
    folder: Path,
    *,
    now: dt.datetime,
    tables: Sequence[Chained] = CHAINED,
) -> tuple[Path, Path]:
    """Write the root of a day and its seals with their records; AuditBroken when they do not fit.

    The records file is lines of JSON: a seal, then as many lines as it has records, each exactly as it was hashed.
    """
    root = day_root(connection, day, now=now)
    folder.mkdir(parents=True, exist_ok=True)
    records = folder / f"{day}.records.jsonl"
    with _replacing(records) as file:
        if root["first"] is not None:
            for group in groups(connection, after=root["first"] - 1, until=root["last"], tables=tables):
                for seal, leaves in group:
                    check_seal(seal)
                    check_records(seal, leaves)
                    _write_seal(connection, file, seal, tables)
    path = _write_root(folder, root)
    return path, records


def keep_roots(connection: sa.Connection, folder: Path, *, now: dt.datetime) -> list[Path]:
    """Write the roots of past days that have none yet in `folder`, at most the last 31; returns the new ones."""
    today = (now - _SETTLED).astimezone(ZONE).date()
    begun = connection.scalar(sa.select(sa.func.min(SEAL.c.at)))
    if begun is None:
        return []
    first = max(begun.astimezone(ZONE).date(), today - dt.timedelta(days=_MOST_DAYS))
    days = (first + dt.timedelta(days=n) for n in range((today - first).days))
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    missing = [day for day in days if not (folder / f"{day}{_SUFFIX}").exists()]
    return [_write_root(folder, day_root(connection, day, now=now)) for day in missing]


def read_roots(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Exported roots; BadParameter for a file that is none."""
    return [_read_root(path) for path in paths]


def roots_in(folder: Path) -> list[Path]:
    """The root files of a folder, the oldest first."""
    return sorted(folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else []


def prune(
    connection: sa.Connection,
    *,
    before: str,
    now: dt.datetime,
    tables: Sequence[Chained] = CHAINED,
    progress: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Take away whole months before the month `before` (`2026-07`), records and seals, in the caller's transaction.

    Their roots stay, and the chain goes on from them. Raises NotPruned for months that are to be kept, AuditBroken when
    what would go does not hold: evidence is not cleared away.
    """
    limit = _month_begin(before)
    if limit > _months_ago(now, KEPT_MONTHS):
        raise NotPruned(f"records are kept for {KEPT_MONTHS} months; {before} is younger")
    gone = []
    while (month := _oldest_month(connection, limit)) is not None:
        progress(month)
        _prune_month(connection, month, tables, now=now)
        gone.append(month)
    return gone


def _prune_month(connection: sa.Connection, month: str, tables: Sequence[Chained], *, now: dt.datetime) -> None:
    end = _month_begin(month, following=True)
    ends = sa.select(sa.func.min(SEAL.c.number), sa.func.max(SEAL.c.number), sa.func.sum(SEAL.c.records))
    first, last, records = connection.execute(ends.where(SEAL.c.at < end)).one()
    if (newest := last_seal(connection)) is not None and newest.number <= last:
        raise NotPruned("the newest batch stays: the chain goes on from it")
    rows = sa.select(SEAL).where(SEAL.c.number.in_([first, last])).order_by(SEAL.c.number)
    kept = [seal_of(row) for row in connection.execute(rows).mappings()]
    for group in groups(connection, after=first - 1, until=last, tables=tables):
        for seal, leaves in group:
            check_seal(seal)
            check_records(seal, leaves)
            _forget_records(connection, seal, tables)
    connection.execute(sa.delete(SEAL).where(SEAL.c.number.between(first, last)))
    values = {
        "month": month, "first": first, "last": last, "records": int(records), "previous": kept[0].previous,
        "digest": kept[-1].digest, "pruned_at": now,
    }  # fmt: skip
    connection.execute(sa.insert(SEAL_ROOT).values(values))


def _forget_records(connection: sa.Connection, seal: Seal, tables: Sequence[Chained]) -> None:
    for table, covered in seal.covers.items():
        one = chained(table, tables)
        assert one is not None, "its records were checked a moment ago"
        rows = one.rows
        for low, high in covered["ids"]:
            connection.execute(sa.delete(rows).where(rows.c[one.key].between(low, high)))


def _write_seal(connection: sa.Connection, file: TextIO, seal: Seal, tables: Sequence[Chained]) -> None:
    file.write(json.dumps({"header": seal.header, "digest": seal.digest}) + "\n")
    for table in sorted(seal.covers):
        one, covered = chained(table, tables), seal.covers[table]
        assert one is not None, "its records were checked a moment ago"
        for _, line in lines(connection, one, covered["form"], covered["ids"]):
            file.write(line + "\n")


def _digest_before(connection: sa.Connection, moment: dt.datetime) -> str:
    before = sa.select(SEAL.c.digest).where(SEAL.c.at < moment).order_by(SEAL.c.number.desc()).limit(1)
    found = connection.scalar(before)
    if found is None:
        found = connection.scalar(sa.select(SEAL_ROOT.c.digest).order_by(SEAL_ROOT.c.last.desc()).limit(1))
    return str(found) if found is not None else GENESIS


def _oldest_month(connection: sa.Connection, limit: dt.datetime) -> str | None:
    at = connection.scalar(sa.select(sa.func.min(SEAL.c.at)))
    return None if at is None or at >= limit else f"{at.astimezone(ZONE):%Y-%m}"


def _month_begin(month: str, *, following: bool = False) -> dt.datetime:
    if not _MONTH.fullmatch(month):
        raise BadParameter("before", "write a month as 2026-07")
    year, number = int(month[:4]), int(month[5:])
    if following:
        year, number = (year + 1, 1) if number == 12 else (year, number + 1)
    return dt.datetime(max(year, 1), number, 1, tzinfo=ZONE)


def _months_ago(now: dt.datetime, months: int) -> dt.datetime:
    here = now.astimezone(ZONE)
    count = here.year * 12 + here.month - 1 - months
    return dt.datetime(count // 12, count % 12 + 1, 1, tzinfo=ZONE)


def _bounds(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    begin = dt.datetime.combine(day, dt.time(), ZONE)
    return begin, begin + dt.timedelta(days=1)


def _write_root(folder: Path, root: dict[str, Any]) -> Path:
    path = folder / f"{root['day']}{_SUFFIX}"
    with _replacing(path) as file:
        json.dump(root, file, indent=1)
        file.write("\n")
    return path


def _read_root(path: Path) -> dict[str, Any]:
    try:
        root = json.loads(path.read_text(encoding="utf-8"))
        whole = root["chengtu_audit_root"] == 1 and re.fullmatch(r"[0-9a-f]{64}", root["digest"])
        if not whole or not (root["last"] is None or isinstance(root["last"], int)):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadParameter("root", f"{path.name} is no exported root") from error
    found: dict[str, Any] = root
    return found


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    new = path.with_name(f"new-{secrets.token_hex(8)}")
    try:
        with new.open("w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)
