"""`python -m layers`: keys, audit chain, backup and restore from the command line, and the worker that seals."""

from __future__ import annotations

import datetime as dt
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from layers.__main__ import main
from layers.people.privacy import keyring_in
from layers.store.engine import begin
from layers.store.sealer import seal_once
from layers.store.seals import SEAL
from tests.conftest import ROOT, Database

TODAY = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()


@pytest.fixture
def here(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder, and the commands pointed to it and to this test's database."""
    folder = tmp_path / "var"
    monkeypatch.setenv("CHENGTU_DATABASE_URL", database.url)
    monkeypatch.setenv("CHENGTU_DATA_DIR", str(folder))
    return folder


def put(database: Database, actor: str = "clerk") -> None:
    with begin(database.owner, actor=actor) as connection:
        row = "insert into core.change (actor, layer, op, id, records) values (:actor, 'place', 'update', '7', 1)"
        connection.execute(sa.text(row), {"actor": actor})


def seal_all(database: Database) -> None:
    for _ in range(3):
        seal_once(database.owner, now=dt.datetime.now(dt.UTC))


def test_a_chain_that_holds_ends_with_0_and_one_that_does_not_with_1(
    database: Database, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(database)
    seal_all(database)
    assert main(["audit", "verify"]) == 0
    said = capsys.readouterr().out
    assert "the audit chain holds: 2 batches, 1 records" in said
    with begin(database.owner, actor="thief") as connection:
        connection.execute(sa.text("update core.change set actor = 'nobody'"))
    assert main(["audit", "verify"]) == 1
    assert "changed: core.change 1 (batch 2): it is not what was sealed" in capsys.readouterr().err
    assert main(["audit", "verify", "--from", "3"]) == 0
    assert main(["audit", "verify", "--from", f"{TODAY}"]) == 1
    assert here.name == "var"


def test_a_day_is_exported_and_a_cut_is_found_by_its_root(
    database: Database, here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(database)
    seal_all(database)
    assert main(["audit", "export", "--day", f"{TODAY}", "--to", str(tmp_path / "out")]) == 0
    root = tmp_path / "out" / f"{TODAY}.root.json"
    assert main(["audit", "verify", "--root", str(root)]) == 0
    with begin(database.owner, actor="thief") as connection:
        connection.execute(sa.delete(SEAL).where(SEAL.c.number == 2))
        connection.execute(sa.text("delete from core.change"))
    assert main(["audit", "verify"]) == 0
    assert main(["audit", "verify", "--root", str(root)]) == 1
    assert "truncated: core.seal 2 (batch 2)" in capsys.readouterr().err
    (here / "audit").mkdir(parents=True)
    root.rename(here / "audit" / root.name)
    assert main(["audit", "verify"]) == 1, "the roots of the data folder are held against it by themselves"
    assert main(["audit", "verify", "--root", str(tmp_path / "none.json")]) == 1


def test_months_that_are_to_be_kept_are_not_pruned(
    database: Database, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(database)
    seal_all(database)
    assert main(["audit", "prune", "--before", f"{TODAY:%Y-%m}"]) == 1
    assert "36 months" in capsys.readouterr().err
    assert main(["audit", "prune", "--before", "July"]) == 1
    assert main(["audit", "prune", "--before", "2020-01"]) == 0
    assert "nothing" in capsys.readouterr().out
    assert not here.exists()


def test_keys_are_listed_and_turned(database: Database, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "list"]) == 0
    assert "no keys yet" in capsys.readouterr().out
    sealed = keyring_in(here).seal("13812340000", about="caller.phone")
    with begin(database.engine, actor="x") as connection:
        row = "insert into core.caller (incident, channel, phone) values ('1', 'hotline', :phone)"
        connection.execute(sa.text(row), {"phone": sealed})
    assert main(["keys", "rotate"]) == 0
    assert re.search(r"1 values sealed with the new key \S+; back the keys up now", capsys.readouterr().out)
    assert main(["keys", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-2] for line in lines] == ["0", "1"]
    assert "current" in lines[1]
    with begin(database.owner, actor="thief") as connection:
        connection.execute(sa.text("update core.caller set phone = phone || 'A'"))
    assert main(["keys", "rotate"]) == 1
    assert "do not open" in capsys.readouterr().err


def test_backup_and_restore_by_command(
    database: Database, here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(database)
    seal_all(database)
    keyring_in(here).seal("x", about="caller.name")
    assert main(["backup", "--to", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "EVERYBODY READS NAMES" in told
    path = next(path for path in (tmp_path / "out").glob("*.tar") if ".keys" not in path.name)
    database.close()
    assert main(["restore", str(path)]) == 1
    assert "the database is not empty" in capsys.readouterr().err
    assert main(["restore", str(path), "--replace", "--keys", str(path.with_suffix(".keys.tar"))]) == 0
    assert "restored: " in capsys.readouterr().out
    assert main(["audit", "verify"]) == 0


def test_bad_usage_ends_with_2(here: Path) -> None:
    for words in ([], ["audit"], ["audit", "export"], ["audit", "verify", "--from", "soon"], ["keys", "burn"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
    assert not here.exists()


def test_the_worker_seals_and_goes_on_after_it_was_killed(database: Database, here: Path) -> None:
    def count(wanted: int) -> None:
        with database.owner.connect() as connection:
            for _ in range(600):
                if connection.scalar(sa.select(sa.func.sum(SEAL.c.records))) == wanted:
                    return
                connection.rollback()
                connection.execute(sa.text("select pg_sleep(0.05)"))
        raise AssertionError(f"{wanted} records were not sealed")

    environment = {**os.environ, "CHENGTU_DATABASE_URL": database.url, "CHENGTU_DATA_DIR": str(here)}
    for number, end in ((1, signal.SIGKILL), (2, signal.SIGTERM)):
        with subprocess.Popen([sys.executable, "-m", "etl", "worker"], cwd=ROOT, env=environment) as worker:
            put(database)
            count(number)
            worker.send_signal(end)
            assert worker.wait(15) in (0, -signal.SIGKILL)
    assert main(["audit", "verify"]) == 0
