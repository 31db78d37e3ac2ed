"""`python -m api doctor`: what an installation lacks, one line each, with what to do about it.

The exit status is 0 when all is well, 1 when something should be done, 2 when something must be.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import sqlalchemy as sa

from api.settings import Settings
from api.tls import BadCertificate, certificate_of
from layers.errors import BadDeclaration, LayersError
from layers.loop.mail import unreachable
from layers.loop.notice_tables import CHANNEL, NOTICE_SENDING
from layers.loop.sms import gateway_in
from layers.people.keys import KeysUnfit, file_in, read_keys
from layers.people.rotation import uses
from layers.people.tables import ACCOUNT
from layers.store.audit import lag_s, last_seal
from layers.store.backup import LAST
from layers.store.engine import engine_for
from layers.store.programs import BackupFailed, program
from layers.store.row_security import leakproof
from layers.store.schema import EXTENSIONS
from webmap.printing.errors import CannotPrint
from webmap.printing.face import system_face

Severity = Literal["good", "note", "should", "must"]
STATUS: Final[dict[Severity, int]] = {"good": 0, "note": 0, "should": 1, "must": 2}
_MARKS: Final[dict[Severity, str]] = {"good": "✓", "note": "·", "should": "!", "must": "×"}
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_POWERFUL: Final = ("admin", "security")
_CERTIFICATE_DAYS: Final = 30
_BACKUP_DAYS: Final = 2
_GIB: Final = 2**30
_LEAST_POSTGRES, _LEAST_POSTGIS = 15, (3, 3)
_HEARTBEAT_S, _LAG_S, _CLOCK_S, _MAIL_S = 60.0, 30.0, 2.0, 5.0


@dataclass(frozen=True)
class Finding:
    """What was looked at, how grave it is, what was found, and what to do."""

    about: str
    severity: Severity
    says: str
    remedy: str = ""


@dataclass(frozen=True)
class Patient:
    """The installation that is looked at: its settings, its database as its owner, and the time."""

    settings: Settings
    connection: sa.Connection
    now: dt.datetime

    @property
    def folder(self) -> Path:
        """The data folder."""
        return self.settings.data_dir


Check = Callable[[Patient], Iterator[Finding]]


def examine(settings: Settings, url: str, *, now: dt.datetime) -> list[Finding]:
    """Every finding about an installation whose database answers at `url`."""
    engine = engine_for(url, "owner", pool_size=0)
    found = []
    try:
        with engine.connect() as connection:
            connection.execute(sa.text("set transaction read only"))
            patient = Patient(settings, connection, now)
            for check in CHECKS:
                found += list(check(patient)) or [Finding(_about(check), "good", "in order")]
    except (sa.exc.DBAPIError, LayersError) as error:
        told = str(getattr(error, "orig", None) or error).splitlines()[0]
        found.append(Finding("database", "must", f"does not answer as it should: {told}", "start Chengtu once"))
    return found


def status(findings: list[Finding]) -> int:
    """The exit status that the gravest finding makes."""
    return max((STATUS[one.severity] for one in findings), default=0)


def tell(findings: list[Finding], *, as_json: bool) -> None:
    """Write the findings to the output, as lines for people or as JSON."""
    if as_json:
        told: dict[str, Any] = {"status": status(findings), "findings": [asdict(one) for one in findings]}
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
        return
    for one in findings:
        remedy = f" → {one.remedy}" if one.remedy else ""
        sys.stdout.write(f"{_MARKS[one.severity]} {one.about}: {one.says}{remedy}\n")


def _https(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    try:
        certificate = certificate_of(settings)
    except BadCertificate as error:
        yield Finding("https", "must", str(error), "see docs/operating.md")
        return
    if certificate is None:
        grave: Severity = "note" if settings.host in _LOOPBACK else "should"
        yield Finding("https", grave, "this server answers without HTTPS, which the phone page needs",
                      "set CHENGTU_TLS_CERTIFICATE and CHENGTU_TLS_KEY, or put a proxy before it")  # fmt: skip
        return
    days = (certificate.ends_at - patient.now).days
    if days < _CERTIFICATE_DAYS:
        told = f"the certificate ends on {certificate.ends_at:%Y-%m-%d}" if days >= 0 else "the certificate has ended"
        yield Finding("https", "must" if days < 0 else "should", told, "have it renewed, then restart")
    if certificate.key_mode & 0o077:
        yield Finding("https", "must", f"others may read {settings.tls_key}", f"chmod 600 {settings.tls_key}")


def _address(patient: Patient) -> Iterator[Finding]:
    if patient.settings.public_url is None and patient.settings.host not in _LOOPBACK:
        yield Finding("address", "note", "nobody said where people reach the city; notices and QR codes guess it",
                      "set CHENGTU_PUBLIC_URL, such as https://map.city")  # fmt: skip


def _second_factor(patient: Patient) -> Iterator[Finding]:
    if patient.settings.second_factor == "required":
        return
    powerful = sa.and_(ACCOUNT.c.active, ACCOUNT.c.roles.overlap(list(_POWERFUL)), ACCOUNT.c.totp_since.is_(None))
    bare = patient.connection.scalar(sa.select(sa.func.count()).select_from(ACCOUNT).where(powerful)) or 0
    if bare:
        told = f"{bare} accounts of administrators sign in with a password alone"
        yield Finding("second factor", "should", told, "let them enrol one, or set CHENGTU_SECOND_FACTOR=required")


def _keys(patient: Patient) -> Iterator[Finding]:
    path = file_in(patient.folder)
    sealed = uses(patient.connection)
    if not path.exists():
        if sealed:
            told = f"{sum(sealed.values()):,} values are sealed, and the keys are not here"
            yield Finding("keys", "must", told, f"put {path} back from the backup of the keys")
        return
    try:
        held = set(read_keys(path).by_id)
    except KeysUnfit as error:
        yield Finding("keys", "must", str(error))
        return
    if gone := sorted(sealed.keys() - held):
        yield Finding("keys", "must", f"values are sealed with {', '.join(gone)}, which is not here",
                      "put it back from the backup of the keys")  # fmt: skip
    if held - set(_last_backup(patient.folder).get("keys", [])):
        yield Finding("keys", "should", "a key was never backed up: without it nobody reads what it sealed",
                      "make backup, and keep the file of the keys apart")  # fmt: skip


def _backups(patient: Patient) -> Iterator[Finding]:
    last = _last_backup(patient.folder)
    if not last:
        yield Finding("backup", "should", "there was never a backup", "make backup, every day by cron or a timer")
        return
    days = (patient.now - dt.datetime.fromisoformat(last["at"])).days
    if days >= _BACKUP_DAYS:
        yield Finding("backup", "should", f"the last one is {days} days old", "make backup, every day by a timer")
    beside = Path(last["path"]).resolve().is_relative_to(patient.folder.resolve())
    if beside:
        yield Finding("backup", "note", "the last one lies in the data folder itself",
                      "make backup TO=another disk, or copy it there")  # fmt: skip


def _dump_program(patient: Patient) -> Iterator[Finding]:
    try:
        program("pg_dump", _server_major(patient.connection))
    except BackupFailed as error:
        yield Finding("backup program", "should", "pg_dump of this server's version is missing", str(error))


def _disk(patient: Patient) -> Iterator[Finding]:
    room = shutil.disk_usage(patient.folder if patient.folder.exists() else patient.folder.parent)
    share = room.free / room.total
    if room.free < _GIB or share < 0.02:
        yield Finding("disk", "must", f"{room.free / _GIB:.1f} GiB are free", "make room: at none, nothing is accepted")
    elif room.free < 5 * _GIB or share < 0.1:
        yield Finding("disk", "should", f"{room.free / _GIB:.1f} GiB are free ({share:.0%})", "make room")


def _versions(patient: Patient) -> Iterator[Finding]:
    major = _server_major(patient.connection)
    if major < _LEAST_POSTGRES:
        told = f"PostgreSQL {major} is older than {_LEAST_POSTGRES}"
        yield Finding("postgresql", "must", told, f"move to PostgreSQL {_LEAST_POSTGRES} or newer")
    rows = patient.connection.execute(sa.text("select extname, extversion from pg_extension"))
    have: dict[str, str] = {row.extname: row.extversion for row in rows}
    for name in EXTENSIONS:
        if name not in have:
            yield Finding("extensions", "must", f"{name} is missing", f"create extension {name}")
    postgis = tuple(int(part) for part in have.get("postgis", "0.0").split(".")[:2])
    if "postgis" in have and postgis < _LEAST_POSTGIS:
        yield Finding(
            "extensions", "should", f"PostGIS {have['postgis']} is older than 3.3", "alter extension postgis update"
        )


def _leakproof(patient: Patient) -> Iterator[Finding]:
    if not leakproof(patient.connection):
        remedy = "let a superuser run once: alter function geometry_overlaps(geometry, geometry) leakproof"
        told = "tiles of scoped layers are slow: && of PostGIS is not leakproof"
        yield Finding("row security", "should", told, remedy)


def _clock(patient: Patient) -> Iterator[Finding]:
    there: dt.datetime = patient.connection.execute(sa.text("select clock_timestamp()")).scalar_one()
    apart = abs((there - dt.datetime.now(dt.UTC)).total_seconds())
    if apart > _CLOCK_S:
        yield Finding(
            "clock", "must", f"database and server are {apart:,.0f} s apart", "let both follow one time server"
        )
    newest = patient.connection.scalar(
        sa.text("select max(at) from (select at from core.change order by seq desc limit 100) c")
    )
    if newest is not None and newest > patient.now + dt.timedelta(seconds=_CLOCK_S):
        told = f"records are from {newest:%Y-%m-%d %H:%M}, which is yet to come"
        yield Finding("clock", "must", told, "the clock was put back: set it right")


def _worker(patient: Patient) -> Iterator[Finding]:
    beat = patient.connection.scalar(sa.text("select max(last_heartbeat) from jobs.procrastinate_workers"))
    if beat is None or (patient.now - beat).total_seconds() > _HEARTBEAT_S:
        since = "" if beat is None else f" since {beat:%Y-%m-%d %H:%M}"
        yield Finding("worker", "must", f"no worker does the jobs{since}: no seals, no timers, no notices",
                      "start it: python -m api starts all, python -m etl worker the worker alone")  # fmt: skip


def _sealer(patient: Patient) -> Iterator[Finding]:
    if last_seal(patient.connection) is None:
        yield Finding("audit chain", "must", "nothing was sealed yet", "start the worker")
        return
    lag = lag_s(patient.connection, now=patient.now)
    if lag > _LAG_S:
        yield Finding("audit chain", "must", f"records wait for {lag:,.0f} s to be sealed", "see the log of the worker")


def _mail(patient: Patient) -> Iterator[Finding]:
    mailbox = patient.settings.mailbox
    if mailbox is None:
        return
    if why := unreachable(mailbox, timeout_s=_MAIL_S):
        told = f"{mailbox.host}:{mailbox.port} does not take us ({why})"
        yield Finding("mail", "should", told, "see CHENGTU_SMTP_… in docs/operating.md")


def _notices(patient: Patient) -> Iterator[Finding]:
    try:
        gateway_in(patient.folder)
    except BadDeclaration as error:
        yield Finding("notices", "must", str(error), "see docs/notices.md")
    lately = patient.now - dt.timedelta(days=1)
    dead = sa.select(CHANNEL.c.id, CHANNEL.c.title, sa.func.count()).join(
        NOTICE_SENDING, NOTICE_SENDING.c.channel == CHANNEL.c.id
    )
    given_up = sa.and_(NOTICE_SENDING.c.dead_at > lately, CHANNEL.c.ended_at.is_(None))
    for id, title, count in patient.connection.execute(dead.where(given_up).group_by(CHANNEL.c.id).limit(20)):
        told = f"channel {id} ({title}): {count:,} notices of the last day were given up"
        yield Finding("notices", "should", told, f"GET /channels/{id}/sendings says why")


def _typeface(_: Patient) -> Iterator[Finding]:
    try:
        system_face()
    except CannotPrint as error:
        yield Finding("typeface", "should", "printed maps have no Chinese typeface", str(error))


def _approval(patient: Patient) -> Iterator[Finding]:
    if patient.settings.map_approval is None:
        yield Finding("map approval", "note", "no review number (审图号) is shown",
                      "a map for the public needs one: CHENGTU_MAP_APPROVAL")  # fmt: skip


def _last_backup(folder: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads((folder / LAST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told


def _server_major(connection: sa.Connection) -> int:
    return int(connection.scalar(sa.text("show server_version_num")) or 0) // 10_000


CHECKS: Final[tuple[Check, ...]] = (
    *(_versions, _https, _address, _second_factor, _keys, _backups, _dump_program, _disk, _clock),
    *(_worker, _mail, _notices, _sealer, _leakproof, _typeface, _approval),
)


def _about(check: Check) -> str:
    return check.__name__.strip("_").replace("_", " ")
