"""`python -m layers audit …`, `backup` and `restore`: the audit chain, and what must not be lost."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from pathlib import Path
from typing import Any

from layers.store.backup import back_up
from layers.store.engine import begin, engine_for
from layers.store.home import database, engine_of, home_from
from layers.store.restore import restore
from layers.store.roots import FOLDER as AUDIT
from layers.store.roots import ZONE, export_day, prune, read_roots, roots_in
from layers.store.verdict import AuditBroken, moment, number_at, verify


def add_audit(commands: Any) -> None:
    """The command `audit`."""
    kinds = commands.add_parser("audit", help="the audit chain").add_subparsers(required=True, metavar="COMMAND")
    check = kinds.add_parser("verify", help="recompute the chain and name the first record that is wrong")
    check.add_argument("--from", dest="start", type=_start, metavar="BATCH|DAY", help="from this batch or day on")
    check.add_argument("--root", type=Path, action="append", default=[], metavar="FILE",
                       help="an exported root to hold it against, besides those in the data folder")  # fmt: skip
    check.set_defaults(command=verify_audit)
    export = kinds.add_parser("export", help="write a day's root and what a third party needs to check it")
    export.add_argument("--day", type=_day, required=True, help="such as 2026-07-01, in Beijing time")
    export.add_argument("--to", type=Path, default=Path("."), metavar="FOLDER")
    export.set_defaults(command=export_audit)
    old = kinds.add_parser("prune", help="take whole months away that are older than 36 months; their roots stay")
    old.add_argument("--before", required=True, metavar="MONTH", help="such as 2026-07")
    old.set_defaults(command=prune_audit)


def add_backup(commands: Any) -> None:
    """The commands `backup` and `restore`."""
    made = commands.add_parser("backup", help="write the database and the data folder into one file")
    made.add_argument(
        "--to", type=Path, metavar="FOLDER", help="default: backups/ in the data folder; better elsewhere"
    )
    made.add_argument("--basemap", action="store_true", help="with the base map of the city's own")
    made.set_defaults(command=make_backup)
    brought = commands.add_parser("restore", help="bring a backup back; Chengtu must be stopped")
    brought.add_argument("file", type=Path, metavar="FILE")
    brought.add_argument("--keys", type=Path, metavar="FILE", help="the backup of the keys that belongs to it")
    brought.add_argument("--replace", action="store_true", help="in the place of the city that is there")
    brought.set_defaults(command=bring_back)


def verify_audit(arguments: argparse.Namespace) -> str:
    """Recompute the chain; AuditBroken with the first record that is wrong."""
    home = home_from(os.environ)
    roots = read_roots([*roots_in(home.folder / AUDIT), *arguments.root])
    with engine_of(home, "owner") as engine, moment(engine) as connection:
        start = arguments.start
        if isinstance(start, dt.date):
            start = number_at(connection, dt.datetime.combine(start, dt.time(), ZONE))
        found = verify(connection, start=start, roots=roots)
    if found.fault is not None:
        raise AuditBroken(found.fault)
    return (
        f"the audit chain holds: {found.seals:,} batches, {found.records:,} records, {len(roots)} roots\n"
        f"it ends with batch {found.last}, digest {found.digest}"
    )


def export_audit(arguments: argparse.Namespace) -> str:
    """Write a day's root and records."""
    with engine_of(home_from(os.environ), "owner") as engine, moment(engine) as connection:
        root, records = export_day(connection, arguments.day, arguments.to, now=_now())
    return f"{root}: keep it where nobody of this installation can change it\n{records}: for docs/verify_audit.py"


def prune_audit(arguments: argparse.Namespace) -> str:
    """Take old months away."""
    with engine_of(home_from(os.environ), "owner") as engine, begin(engine, actor="audit prune") as connection:
        gone = prune(connection, before=arguments.before, now=_now())
    return f"taken away: {', '.join(gone) or 'nothing'}"


def make_backup(arguments: argparse.Namespace) -> str:
    """Back up; the keys go into a file of their own."""
    home = home_from(os.environ)
    with database(home) as running:
        to = (arguments.to or home.folder / "backups").resolve()
        made = back_up(running.url, home.folder, to, now=_now(), basemap=arguments.basemap, progress=_progress)
    rows, files = sum(made.manifest["rows"].values()), len(made.manifest["files"])
    told = f"{made.path}: {rows:,} rows, {files:,} files, {made.path.stat().st_size / 1e6:,.1f} MB"
    if made.keys is None:
        return told
    return f"{told}\n{made.keys}: WITH THIS FILE EVERYBODY READS NAMES AND NUMBERS; keep it apart from the backup"


def bring_back(arguments: argparse.Namespace) -> str:
    """Restore, then recompute the audit chain of what is there now; AuditBroken when that does not hold."""
    home = home_from(os.environ)
    with database(home) as running:
        done = restore(
            arguments.file, running.url, home.folder, keys=arguments.keys, replace=arguments.replace, progress=_progress
        )
        with moment(engine_for(running.url, "owner", pool_size=0)) as connection:
            found = verify(connection, roots=read_roots(roots_in(home.folder / AUDIT)))
    if found.fault is not None:
        raise AuditBroken(found.fault)
    rows, files = sum(done.manifest["rows"].values()), len(done.manifest["files"])
    told = f"restored: {rows:,} rows, {files:,} files, as of {done.manifest['made_at']}; the audit chain holds"
    if not done.keys_missing:
        return told
    missing = ", ".join(done.keys_missing)
    return f"{told}\nthe keys {missing} are not here: sealed values stay closed until they are put back"


def _progress(stage: str) -> None:
    sys.stderr.write(f"{stage} …\n")


def _start(text: str) -> int | dt.date:
    return int(text) if text.isdecimal() else _day(text)


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
