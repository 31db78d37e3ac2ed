"""Webhooks: each step told once and signed, tried again ever later, never to where it should not go."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import BadField, Conflict
from layers.loop import webhooks as hooks
from layers.loop.departments import shipped_departments
from layers.loop.outbox import WAITS_S
from layers.loop.tables import STEP
from layers.loop.webhook_address import NotCalled, address_for, check_url, networks_of
from layers.loop.webhook_sending import tell, tell_all
from layers.loop.webhook_tables import SENDING, WEBHOOK
from layers.loop.webhooks import SIGNATURE, Sending, claim, end, queue_steps, register
from layers.people.privacy import Keyring, keyring_in
from layers.store.engine import begin
from tests.conftest import Database
from tests.incidents import OURS, REHEARSED, THEIRS, report

NOW = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
HERE = networks_of("127.0.0.0/8")


class Receiver:
    """A department's own system: keeps what it is told, and answers as it is bidden."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers.items()), body))
                self.send_response(receiver.status)
                if 300 <= receiver.status < 400:
                    self.send_header("Location", f"{receiver.url}/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/cases"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return keyring_in(tmp_path)


def registered(database: Database, keyring: Keyring, url: str, department: str = "cgj") -> tuple[int, str]:
    with begin(database.engine, actor="test") as connection:
        hook, secret = register(
            *(connection, keyring, department, url), departments=shipped_departments(), networks=HERE, actor="test"
        )
    return hook.id, secret


def stepped(database: Database, incident: str, step: str = "dispatch", scenario: str | None = None) -> None:
    values = {"incident": incident, "step": step, "after": "dispatched", "actor": "test", "scenario": scenario}
    with begin(database.engine, actor="test") as connection:
        connection.execute(sa.insert(STEP).values(values))


def told(database: Database, keyring: Keyring, *, after_s: float = 0) -> int:
    return tell_all(database.engine, keyring, HERE, now=lambda: NOW + dt.timedelta(seconds=after_s))


def states(database: Database) -> list[tuple[int, bool, bool, int | None]]:
    """Of every telling: how often tried, whether taken, whether given up, the last status."""
    with database.engine.connect() as connection:
        rows = connection.execute(sa.select(SENDING).order_by(SENDING.c.id))
        return [(row.tries, row.sent_at is not None, row.dead_at is not None, row.status) for row in rows]


def test_a_step_of_ones_own_case_is_told_once_and_signed(
    database: Database, keyring: Keyring, receiver: Receiver
) -> None:
    report(
        database,
        replace(OURS, address="人民路 1 号"),
        THEIRS,
        replace(OURS, id="20260101000009", lead="zjj", co=("cgj",)),
        REHEARSED,
    )
    stepped(database, OURS.id, "register")
    _, secret = registered(database, keyring, receiver.url)
    for id in (OURS.id, THEIRS.id, "20260101000009"):
        stepped(database, id)
    stepped(database, REHEARSED.id, scenario="drill-1")
    assert told(database, keyring) == 2
    assert told(database, keyring) == 0
    bodies = [json.loads(body) for _, body in receiver.got]
    assert [body["incident"]["id"] for body in bodies] == [OURS.id, "20260101000009"]
    first = bodies[0]
    assert first["step"]["step"] == "dispatch", "what was before it was registered is not told"
    assert first["incident"]["matter"] == "01001"
    assert (first["incident"]["lon"], first["incident"]["lat"]) == (OURS.lon, OURS.lat)
    headers, body = receiver.got[0]
    seconds, _, digest = headers[SIGNATURE].removeprefix("t=").partition(",v1=")
    assert int(seconds) == int(NOW.timestamp())
    assert digest == hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    with database.engine.connect() as connection:
        kept = connection.execute(sa.text("select webhook::text from core.webhook")).scalar_one()
    assert secret not in kept, "the database does not hold the secret"


def test_what_is_not_taken_is_tried_ever_later_and_then_given_up(
    database: Database, keyring: Keyring, receiver: Receiver
) -> None:
    report(database, OURS)
    registered(database, keyring, receiver.url)
    stepped(database, OURS.id)
    receiver.status = 503
    at = 0.0
    for number, wait_s in enumerate(WAITS_S, start=1):
        assert told(database, keyring, after_s=at) == 0
        assert told(database, keyring, after_s=at + wait_s - 1) == 0, "not before its time"
        assert states(database) == [(number, False, False, 503)]
        at += wait_s
    told(database, keyring, after_s=at)
    assert states(database) == [(len(WAITS_S) + 1, False, True, 503)]
    told(database, keyring, after_s=at + 10**6)
    assert len(receiver.got) == len(WAITS_S) + 1
    assert len({body for _, body in receiver.got}) == 1, "each time the same, so that the other side knows it again"


def test_what_is_taken_at_the_second_try_is_taken(database: Database, keyring: Keyring, receiver: Receiver) -> None:
    report(database, OURS)
    registered(database, keyring, receiver.url)
    stepped(database, OURS.id)
    receiver.status = 302
    assert told(database, keyring) == 0
    assert len(receiver.got) == 1, "no redirect is followed"
    receiver.status = 204
    assert told(database, keyring, after_s=WAITS_S[0]) == 1
    assert states(database) == [(2, True, False, 204)]


def test_a_worker_that_dies_while_it_tells_leaves_it_to_be_told(
    database: Database, keyring: Keyring, receiver: Receiver
) -> None:
    report(database, OURS)
    registered(database, keyring, receiver.url)
    stepped(database, OURS.id)
    with begin(database.engine, actor="test") as connection:
        assert queue_steps(connection, now=NOW) == 1
    with begin(database.engine, actor="test") as connection:
        assert len(claim(connection, now=NOW)) == 1  # and it dies here
    assert told(database, keyring, after_s=30) == 0, "it may still be at it"
    assert told(database, keyring, after_s=61) == 1


def test_two_workers_never_tell_the_same(database: Database, keyring: Keyring, receiver: Receiver) -> None:
    report(database, OURS)
    registered(database, keyring, receiver.url)
    for _ in range(3):
        stepped(database, OURS.id)
    with begin(database.engine, actor="test") as connection:
        queue_steps(connection, now=NOW)
    with begin(database.engine, actor="one") as one, begin(database.engine, actor="two") as two:
        first = {sending.id for sending in claim(one, now=NOW, most=2)}
        second = {sending.id for sending in claim(two, now=NOW, most=2)}
    assert (len(first), len(second), first & second) == (2, 1, set())


def test_a_step_that_is_committed_late_is_told_too(database: Database, keyring: Keyring, receiver: Receiver) -> None:
    report(database, OURS)
    registered(database, keyring, receiver.url)
    with database.engine.connect() as slow, slow.begin():
        slow.execute(sa.insert(STEP).values(incident=OURS.id, step="sign", after="disposing", actor="slow"))
        stepped(database, OURS.id, "urge")
        assert told(database, keyring) == 0, "an earlier one is still open"
    assert told(database, keyring) == 2
    assert [json.loads(body)["step"]["step"] for _, body in receiver.got] == ["sign", "urge"]


def test_a_webhook_says_since_when_it_fails_and_why_until_something_is_taken(
    database: Database, keyring: Keyring, receiver: Receiver
) -> None:
    report(database, OURS)
    number, _ = registered(database, keyring, receiver.url)
    stepped(database, OURS.id)
    receiver.status = 503
    told(database, keyring)
    with database.engine.connect() as connection:
        failing = hooks.webhook(connection, number)
        assert hooks.waiting(connection) == {number: 1}
        assert [one["name"] for one in hooks.sendings(connection, number)] == ["dispatch"]
    assert (failing.error, failing.sent_at) == ("answered 503", None)
    assert failing.failing_since == failing.tried_at
    receiver.status = 204
    told(database, keyring, after_s=WAITS_S[0])
    with database.engine.connect() as connection:
        well = hooks.webhook(connection, number)
        assert hooks.waiting(connection) == {}
    assert (well.failing_since, well.error) == (None, None)
    assert well.sent_at == well.tried_at != failing.tried_at


def test_an_ended_webhook_tells_nothing_more(database: Database, keyring: Keyring, receiver: Receiver) -> None:
    report(database, OURS)
    id, _ = registered(database, keyring, receiver.url)
    stepped(database, OURS.id)
    with begin(database.engine, actor="test") as connection:
        queue_steps(connection, now=NOW)
        end(connection, id, now=NOW)
        assert hooks.webhooks(connection, departments=None) == []
        assert [one["error"] for one in hooks.sendings(connection, id)] == ["ended"]
    stepped(database, OURS.id)
    assert told(database, keyring) == 0
    assert receiver.got == []


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/x", "ftp://example.com", "https://", "https://user:pw@example.com/", "https://a.b/#x"),
        *("https://127.0.0.1/", "https://10.0.0.7/", "https://169.254.169.254/latest", "https://[::1]/"),
        *("https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://224.0.0.1/", "https://0.0.0.0/"),
        *("https://example.com:99999/", "https://exa mple.com/", "javascript:alert(1)", "https://例子.公司/"),
    ],
)
def test_a_url_that_is_not_to_be_called_is_refused(database: Database, keyring: Keyring, url: str) -> None:
    with begin(database.engine, actor="test") as connection:
        with pytest.raises(BadField) as refused:
            register(connection, keyring, "cgj", url, departments=shipped_departments(), networks=(), actor="test")
        assert connection.scalar(sa.select(sa.func.count()).select_from(WEBHOOK)) == 0
    assert refused.value.cause in ("webhook_url", "webhook_address")


@pytest.mark.parametrize(
    ("found", "networks", "allowed"),
    [
        (["93.184.216.34"], "", True),
        (["2606:2800:220:1::1"], "", True),
        (["93.184.216.34", "127.0.0.1"], "", False),
        (["10.1.2.3"], "", False),
        (["10.1.2.3"], "10.0.0.0/8", True),
        (["192.168.1.1"], "10.0.0.0/8", False),
        (["::1"], "", False),
        (["fe80::1%eth0"], "", False),
        (["::ffff:10.0.0.1"], "", False),
        (["2002:7f00:1::"], "", False),
        ([], "", False),
    ],
)
def test_where_a_name_leads_is_looked_at_before_each_call(found: list[str], networks: str, allowed: bool) -> None:
    parts = urlsplit("https://hooks.example.org/x")
    if allowed:
        assert str(address_for(parts, networks_of(networks), lookup=lambda *_: found)) in found
        return
    with pytest.raises(NotCalled):
        address_for(parts, networks_of(networks), lookup=lambda *_: found)


def test_without_leave_nothing_of_this_machine_is_called(receiver: Receiver) -> None:
    for url in (receiver.url, receiver.url.replace("127.0.0.1", "localhost"), receiver.url.replace("http:", "https:")):
        outcome = tell(Sending(1, url, "", {}, 1), "s", (), now=NOW)
        assert not outcome.taken
    assert receiver.got == []


def test_what_cannot_be_reached_is_an_outcome_and_no_failure() -> None:
    outcome = tell(Sending(1, "http://127.0.0.1:9/", "", {}, 1), "s", HERE, now=NOW)
    assert (outcome.taken, outcome.status, outcome.error) == (False, None, "ConnectError")


def test_there_are_not_ever_more_webhooks(database: Database, keyring: Keyring) -> None:
    with begin(database.engine, actor="test") as connection:
        many = [{"department": "cgj", "url": "https://a.example/", "salt": "0", "actor": "test"}] * hooks.MOST_WEBHOOKS
        connection.execute(sa.insert(WEBHOOK), many)
        with pytest.raises(Conflict):
            register(
                *(connection, keyring, "cgj", "https://a.example/"),
                departments=shipped_departments(), networks=(), actor="test",
            )  # fmt: skip


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_refused(text: str) -> None:
    with suppress(BadField):  # and nothing else
        check_url(f"https://{text}", ())


@pytest.mark.parametrize("text", ["10.0.0.0/33", "here", "10.0.0.1/8"])
def test_networks_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="network|host bits"):
        networks_of(text)
