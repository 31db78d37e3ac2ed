"""The doctor says what an installation lacks, how grave that is, and what to do."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from api.doctor import Finding, examine, status
from api.settings import Settings
from layers.loop.notice_tables import CHANNEL, NOTICE_SENDING
from layers.loop.tables import CALLER
from layers.people.accounts import first_accounts
from layers.people.keys import file_in, turn_keys
from layers.people.privacy import keyring_in
from layers.store.audit import seal
from layers.store.backup import back_up
from layers.store.engine import begin
from tests.api.test_tls import make
from tests.conftest import ROOT, Database

NOW = dt.datetime.now(dt.UTC)


def found(database: Database, folder: Path, *, now: dt.datetime = NOW, **settings: object) -> dict[str, Finding]:
    """The gravest finding of each kind."""
    given = Settings(data_dir=folder, map_approval="GS(2026)1号", **settings)  # type: ignore[arg-type]
    findings = sorted(examine(given, database.url, now=now), key=lambda one: status([one]))
    return {one.about: one for one in findings}


def make_well(database: Database, folder: Path) -> None:
    """Everything that an installation needs."""
    keyring = keyring_in(folder)
    with begin(database.owner, actor="test") as connection:
        sealed = keyring.seal("张三", about="caller.name")
        connection.execute(sa.insert(CALLER).values(incident="1", channel="hotline", name=sealed))
        connection.execute(sa.text("insert into jobs.procrastinate_workers default values"))
    for _ in range(2):
        with begin(database.owner, actor="sealer") as connection:
            seal(connection, now=NOW)
    back_up(database.url, folder, folder.parent / f"{folder.name}-backups", now=NOW)


def test_an_installation_that_lacks_nothing_is_told_so(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    make_well(database, folder)
    good = make(tmp_path, "good")
    told = found(database, folder, host="0.0.0.0", tls_certificate=good.certificate, tls_key=good.key)  # noqa: S104
    unwell = [one for one in told.values() if one.severity in ("should", "must") and one.about not in _OF_THE_MACHINE]
    assert unwell == []
    assert status(unwell) == 0


_OF_THE_MACHINE = ("disk", "typeface")


def test_what_is_new_lacks_worker_seals_and_backup(database: Database, tmp_path: Path) -> None:
    told = found(database, tmp_path)
    assert {name: told[name].severity for name in ("worker", "audit chain", "backup")} == {
        "worker": "must", "audit chain": "must", "backup": "should",
    }  # fmt: skip
    assert status(list(told.values())) == 2
    assert all(one.remedy for one in told.values() if one.severity in ("should", "must"))


def test_what_went_wrong_since_is_told(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    make_well(database, folder)
    later = NOW + dt.timedelta(days=9)
    old = found(database, folder, now=later)
    assert "9 days old" in old["backup"].says
    assert old["worker"].severity == "must"
    with begin(database.owner, actor="test") as connection:
        connection.execute(sa.text("insert into core.change (actor, layer, op, records) values ('x', 'y', 'z', 1)"))
        connection.execute(sa.text("update core.change set at = :at"), {"at": NOW + dt.timedelta(hours=5)})
    told = found(database, folder, now=NOW)
    assert "yet to come" in told["clock"].says
    waits = found(database, folder, now=NOW + dt.timedelta(hours=6))["audit chain"]
    assert (waits.severity, "to be sealed" in waits.says) == ("must", True)

    turn_keys(file_in(folder), now=NOW)
    assert "never backed up" in found(database, folder)["keys"].says
    file_in(folder).chmod(0o644)
    assert "open to others" in found(database, folder)["keys"].says
    file_in(folder).unlink()
    assert "the keys are not here" in found(database, folder)["keys"].says
    with begin(database.owner, actor="test") as connection:
        connection.execute(sa.text("set local role none"))
        connection.execute(sa.text("drop extension btree_gin cascade"))
    assert found(database, folder)["extensions"].remedy == "create extension btree_gin"


@pytest.mark.parametrize(
    ("days", "severity", "said"), [(90, "good", "in order"), (20, "should", "ends on"), (-1, "must", "has ended")]
)
def test_a_certificate_that_ends_soon_is_told(
    database: Database, tmp_path: Path, days: int, severity: str, said: str
) -> None:
    pair = make(tmp_path, "made", days=days)
    told = found(database, tmp_path, tls_certificate=pair.certificate, tls_key=pair.key)["https"]
    assert told.severity == severity
    assert said in told.says


def test_administrators_without_a_second_factor_are_told(database: Database, tmp_path: Path) -> None:
    assert found(database, tmp_path)["second factor"].severity == "good"
    with begin(database.engine, actor="system") as connection:
        first_accounts(connection)
    told = found(database, tmp_path)["second factor"]
    assert (told.severity, "password alone" in told.says) == ("should", True)
    assert found(database, tmp_path, second_factor="required")["second factor"].severity == "good"


def test_an_address_that_nobody_said_is_told(database: Database, tmp_path: Path) -> None:
    assert found(database, tmp_path, host="10.0.0.5")["address"].severity == "note"
    assert found(database, tmp_path, host="10.0.0.5", public_url="https://map.city")["address"].severity == "good"


def test_a_server_for_others_without_https_and_an_open_key_are_told(database: Database, tmp_path: Path) -> None:
    assert found(database, tmp_path)["https"].severity == "note"
    assert found(database, tmp_path, host="10.0.0.5")["https"].severity == "should"
    pair = make(tmp_path, "made")
    pair.key.chmod(0o644)
    told = found(database, tmp_path, tls_certificate=pair.certificate, tls_key=pair.key)["https"]
    assert (told.severity, told.remedy) == ("must", f"chmod 600 {pair.key}")


def run(database_url: str, folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHENGTU_")}
    environment = {**kept, "CHENGTU_DATABASE_URL": database_url, "CHENGTU_DATA_DIR": str(folder), **more}
    command = [sys.executable, "-m", "api", "doctor", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_command_tells_lines_or_json_and_how_grave_it_is(database: Database, tmp_path: Path) -> None:
    lines = run(database.url, tmp_path, CHENGTU_BACKUPS="x")
    assert lines.returncode == 2
    assert "× worker: no worker does the jobs" in lines.stdout
    assert "→ start it" in lines.stdout
    assert "× settings: there is no setting CHENGTU_BACKUPS" in lines.stdout
    told = json.loads(run(database.url, tmp_path, "--json").stdout)
    assert told["status"] == 2
    assert {"about": "worker", "severity": "must"}.items() <= next(
        one for one in told["findings"] if one["about"] == "worker"
    ).items()


def test_a_database_that_does_not_answer_is_a_finding_and_no_failure(tmp_path: Path) -> None:
    told = run("postgresql://nobody@127.0.0.1:9/none", tmp_path)
    assert told.returncode == 2
    assert "× database: does not answer as it should" in told.stdout
    assert "Traceback" not in told.stderr


def test_a_mail_server_that_does_not_answer_and_notices_that_were_given_up_are_told(
    database: Database, tmp_path: Path
) -> None:
    with begin(database.owner, actor="test") as connection:
        made = sa.insert(CHANNEL).values(kind="wecom", title="值班群", address="sealed", actor="test")
        channel = connection.execute(made.returning(CHANNEL.c.id)).scalar_one()
        dead = {"channel": channel, "body": {}}
        hours = [{**dead, "dead_at": NOW - dt.timedelta(hours=ago)} for ago in (1, 2, 30)]
        connection.execute(sa.insert(NOTICE_SENDING), hours)
    told = found(database, tmp_path, smtp_host="127.0.0.1", smtp_port=9, smtp_from="a@b.example")
    assert "127.0.0.1:9 does not take us (ConnectionRefusedError)" in told["mail"].says
    assert told["mail"].severity == "should"
    assert "(值班群): 2 notices of the last day were given up" in told["notices"].says
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / "sms.yaml").write_text("url: nowhere", encoding="utf-8")
    assert any("sms.yaml, line 1" in one.says for one in examine(Settings(data_dir=tmp_path), database.url, now=NOW))


@pytest.mark.parametrize(
    "given",
    [
        {"smtp_host": "mail.city"},
        {"smtp_host": "mail.city", "smtp_from": "no address"},
        {"smtp_host": "mail.city", "smtp_from": "a@b.example", "smtp_user": "city"},
        {"smtp_host": "mail.city:25", "smtp_from": "a@b.example"},
        {"smtp_host": "mail.city", "smtp_from": "a@b.example", "smtp_security": "maybe"},
    ],
)
def test_a_mail_server_that_is_set_halfway_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="smtp_"):
        Settings(**given)  # type: ignore[arg-type]


def test_the_port_of_a_mail_server_follows_from_how_it_is_secured() -> None:
    ports = {}
    for security in ("starttls", "tls", "none"):
        box = Settings(smtp_host="mail.city", smtp_from="a@b.example", smtp_security=security).mailbox
        assert box is not None
        ports[security] = box.port
    assert ports == {"starttls": 587, "tls": 465, "none": 25}
