"""Channels: every notice goes out once by each that takes it, is tried again when it fails, and is recorded."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from layers.errors import BadDeclaration, BadField, Conflict
from layers.loop import channels
from layers.loop.audiences import reaches
from layers.loop.channel_messages import BUNDLE, MOST_CONTENT, Kind, Message, Waiting, content
from layers.loop.channels import Change, Ground, Order, claim, open_channel
from layers.loop.departments import shipped_departments
from layers.loop.mail import Mailbox, mailbox_from, unreachable
from layers.loop.notice_sending import Ways, deliver, kinds_of, send_all, sending
from layers.loop.notice_tables import CHANNEL, NOTICE_SENDING
from layers.loop.notices import write_notice
from layers.loop.outbox import WAITS_S
from layers.loop.reading import FOLDER
from layers.loop.sms import FILE, Gateway, gateway_in
from layers.loop.webhook_address import networks_of
from layers.people.privacy import Keyring, keyring_in
from layers.people.rotation import rotate
from layers.store.cluster import Cluster
from layers.store.engine import begin
from layers.store.jobs import job_app
from tests.api.test_tls import make
from tests.conftest import Database, cloned, free_port
from tests.incidents import OURS, REHEARSED, report

NOW = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
HERE = networks_of("127.0.0.0/8")
PHONE, HOME = "13912348765", "人民路77号3幢502室"


class Receiver:
    """Another system: keeps what it is told, and answers as it is bidden."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.status, self.answer = 200, b'{"errcode": 0, "errmsg": "ok"}'
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, dict(self.headers.items()), body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", str(len(receiver.answer)))
                self.end_headers()
                self.wfile.write(receiver.answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/robot/send?key=K-E-Y"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def texts(self) -> list[str]:
        """What a robot was told."""
        return [json.loads(body)["text"]["content"] for _, _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.server.shutdown()
    one.server.server_close()


class Letterbox:
    """A mail server: takes what comes, after so many refusals."""

    def __init__(self) -> None:
        self.got: list[Envelope] = []
        self.refuse = 0
        self.tries = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.tries += 1
        if self.tries <= self.refuse:
            return "451 come back later"
        self.got.append(envelope)
        return "250 taken"


@pytest.fixture
def letterbox() -> Iterator[tuple[Letterbox, Mailbox]]:
    box = Letterbox()
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, Mailbox("127.0.0.1", port, "chengtu@city.example", "none")
    controller.stop()


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return keyring_in(tmp_path)


@pytest.fixture(scope="module")
def empty(cluster: Cluster, template: str) -> Iterator[Database]:
    """An empty database for the tests that change nothing."""
    with cloned(cluster, template) as fresh:
        yield fresh


GATEWAY = Gateway("", "json", {}, {"mobile": "{phone}", "content": "{text}"}, ("code", "0"))


def opened(database: Database, keyring: Keyring, kind: Kind, address: str, **more: Any) -> int:
    order = Order(kind, more.pop("title", "测试渠道"), address, **{"department": "cgj", **more})
    ground = Ground(shipped_departments(), HERE, kinds_of(Mailbox("", 1, ""), GATEWAY))
    with begin(database.engine, actor="test") as connection:
        return open_channel(connection, keyring, order, ground=ground, actor="test")[0]


def noticed(database: Database, *, times: int = 1, case: str = OURS.id, **more: Any) -> None:
    told = {"kind": "urged", "audience": {"departments": ["cgj"]}, "carries": {"due_at": NOW.isoformat()}, **more}
    scenario = REHEARSED.scenario if case == REHEARSED.id else None
    with begin(database.engine, actor="test") as connection:
        for _ in range(times):
            write_notice(connection, incident=case, scenario=scenario, at=NOW, **told)


def sent(database: Database, ways: Ways, *, after_s: float = 0) -> int:
    return send_all(database.engine, ways, now=lambda: NOW + dt.timedelta(seconds=after_s))


def states(database: Database) -> list[tuple[int, bool, bool, int | None, str | None]]:
    """Of every sending: how often tried, whether taken, whether given up, the last status and error."""
    with database.engine.connect() as connection:
        rows = connection.execute(sa.select(NOTICE_SENDING).order_by(NOTICE_SENDING.c.id))
        return [(row.tries, row.sent_at is not None, row.dead_at is not None, row.status, row.error) for row in rows]


@pytest.fixture
def cases(database: Database) -> Database:
    """A database with a case, at somebody's home, and one of an exercise."""
    report(database, replace(OURS, address=HOME, title=f"张三 {PHONE}"), replace(REHEARSED, address=HOME))
    return database


def test_an_email_is_tried_again_and_delivered_once(
    cases: Database, keyring: Keyring, letterbox: tuple[Letterbox, Mailbox]
) -> None:
    box, mailbox = letterbox
    box.refuse, ways = 1, Ways(keyring, HERE, mailbox)
    opened(cases, keyring, "email", "duty@cgj.example")
    noticed(cases)
    assert sent(cases, ways) == 0
    assert states(cases) == [(1, False, False, 451, "answered 451")]
    assert sent(cases, ways, after_s=WAITS_S[0] - 1) == 0
    assert sent(cases, ways, after_s=WAITS_S[0]) == 1
    assert sent(cases, ways, after_s=10**6) == 0
    assert (box.tries, len(box.got), states(cases)) == (2, 1, [(2, True, False, 250, None)])
    (envelope,) = box.got
    assert envelope.rcpt_tos == ["duty@cgj.example"]
    mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
    assert mail["Subject"] == f"[城图] 催办 {OURS.id}"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].startswith("<chengtu.")
    text = mail.get_content()
    assert "时限 11-22 16:00" in text
    assert "人民路一带" in text
    assert f"Urged: {OURS.id}" in text
    assert not any(hidden in text + mail["Subject"] for hidden in (PHONE, "张三", "77号", "502"))


def test_a_mail_has_the_same_id_at_every_try(
    cases: Database, keyring: Keyring, letterbox: tuple[Letterbox, Mailbox]
) -> None:
    box, mailbox = letterbox
    opened(cases, keyring, "email", "duty@cgj.example")
    noticed(cases)
    for after_s in (0, 61):  # the first worker dies when the server has taken it
        with begin(cases.engine, actor="test") as connection:
            message = claim(connection, keyring, now=NOW + dt.timedelta(seconds=after_s), but=())
        assert message is not None
        assert deliver(message, Ways(keyring, HERE, mailbox), now=NOW).taken
    ids = {message_from_bytes(one.original_content or b"")["Message-ID"] for one in box.got}
    assert (len(box.got), len(ids)) == (2, 1)


def test_a_webhook_is_signed_with_the_secret_that_was_told_once(
    cases: Database, keyring: Keyring, receiver: Receiver
) -> None:
    order = Order("webhook", "城管局", receiver.url, department="cgj")
    with begin(cases.engine, actor="test") as connection:
        ground = Ground(shipped_departments(), HERE, kinds_of(None, None))
        number, secret = open_channel(connection, keyring, order, ground=ground, actor="test")
        shown = channels.channel(connection, keyring, number)
        row = connection.execute(sa.select(CHANNEL)).mappings().one()
    assert secret is not None
    noticed(cases)
    assert sent(cases, Ways(keyring, HERE)) == 1
    ((_, headers, body),) = receiver.got
    seconds, _, digest = headers["Chengtu-Signature"].removeprefix("t=").partition(",v1=")
    assert digest == hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    told = json.loads(body)
    assert (told["notice"]["kind"], told["notice"]["incident"]) == ("urged", OURS.id)
    assert "K-E-Y" not in shown["address"]
    assert not any(text in str(row["address"]) + str(row["secret"]) for text in ("K-E-Y", secret))


def test_a_robot_that_answers_200_and_an_error_is_asked_again(
    cases: Database, keyring: Keyring, receiver: Receiver
) -> None:
    opened(cases, keyring, "wecom", receiver.url)
    noticed(cases)
    receiver.answer = b'{"errcode": 45009, "errmsg": "api freq out of limit"}'
    assert sent(cases, Ways(keyring, HERE)) == 0
    assert states(cases) == [(1, False, False, 200, "errcode 45009")]
    receiver.answer = b"no json"
    assert sent(cases, Ways(keyring, HERE), after_s=WAITS_S[0]) == 0
    receiver.answer = b'{"errcode":0,"errmsg":"ok"}'
    assert sent(cases, Ways(keyring, HERE), after_s=WAITS_S[0] + WAITS_S[1]) == 1
    assert states(cases) == [(3, True, False, 200, None)]
    path, _, body = receiver.got[-1]
    assert path == "/robot/send?key=K-E-Y"
    assert json.loads(body)["msgtype"] == "text"
    assert receiver.texts()[-1].startswith(f"催办：{OURS.id}")


def test_what_waits_for_a_robot_goes_in_few_messages(cases: Database, keyring: Keyring, receiver: Receiver) -> None:
    opened(cases, keyring, "wecom", receiver.url)
    noticed(cases, times=BUNDLE + 3)
    ways = Ways(keyring, HERE)
    assert [sent(cases, ways), sent(cases, ways), sent(cases, ways)] == [1, 1, 0]
    lines = [text.split("\n") for text in receiver.texts()]
    assert [len(each) for each in lines] == [BUNDLE, 3]
    assert all(taken for _, taken, _, _, _ in states(cases))


def test_a_robots_text_is_never_too_long() -> None:
    for number in (1, BUNDLE):
        body = {"text": {"zh": "很长" * 2000}}
        message = Message(1, "wecom", "", None, tuple(Waiting(id, 1, body) for id in range(number)))
        assert len(content(message).encode()) <= MOST_CONTENT
        assert len(content(message).split("\n")) == number


def test_a_dingtalk_robot_is_called_with_time_and_sign(cases: Database, keyring: Keyring, receiver: Receiver) -> None:
    opened(cases, keyring, "dingtalk", receiver.url, secret="SEC-of-the-robot")
    noticed(cases)
    assert sent(cases, Ways(keyring, HERE)) == 1
    query = parse_qs(urlsplit(receiver.got[0][0]).query)
    (at_ms,), (sign,) = query["timestamp"], query["sign"]
    assert int(at_ms) == int(NOW.timestamp() * 1000)
    wanted = hmac.digest(b"SEC-of-the-robot", at_ms.encode() + b"\n" + b"SEC-of-the-robot", "sha256")
    assert base64.b64decode(sign) == wanted
    assert query["key"] == ["K-E-Y"]


def test_a_text_message_goes_to_the_gateway_as_it_wants_it(
    cases: Database, keyring: Keyring, receiver: Receiver
) -> None:
    opened(cases, keyring, "sms", "139-1234-8765")
    noticed(cases, times=2)
    receiver.answer = b'{"code": 7}'
    gateway = replace(GATEWAY, url=receiver.url, headers={"X-App": "city"})
    assert sent(cases, Ways(keyring, HERE, gateway=gateway)) == 0
    assert [(tries, error) for tries, _, _, _, error in states(cases)] == [(1, "code 7"), (0, None)]
    receiver.answer = b'{"code": 0}'
    assert sent(cases, Ways(keyring, HERE, gateway=gateway), after_s=WAITS_S[0]) == 2
    _, headers, body = receiver.got[-1]
    told = json.loads(body)
    assert (told["mobile"], headers["X-App"]) == (PHONE, "city")
    assert len(told["content"]) <= 70
    assert told["content"].startswith(f"催办：{OURS.id}")
    with cases.engine.connect() as connection:
        assert channels.channels(connection, keyring)[0]["address"] == "139****8765"
        held = connection.execute(sa.text("select c::text, s::text from core.channel c, core.notice_sending s")).all()
    assert not any(PHONE in str(row) for row in held)


def test_a_gateway_that_takes_forms_gets_one() -> None:
    gateway = Gateway("", "form", {}, {"m": "86{phone}", "c": "【城运】{text}"})
    body, headers = gateway.request(phone=PHONE, text="{phone} 你好 & 再见")
    assert parse_qs(body.decode()) == {"m": [f"86{PHONE}"], "c": ["【城运】{phone} 你好 & 再见"]}
    assert headers["Content-Type"].startswith("application/x-www-form-urlencoded")


def test_a_worker_that_dies_while_it_sends_leaves_it_to_be_sent(
    cases: Database, keyring: Keyring, receiver: Receiver
) -> None:
    opened(cases, keyring, "wecom", receiver.url)
    noticed(cases)
    with begin(cases.engine, actor="test") as connection:
        assert claim(connection, keyring, now=NOW, but=()) is not None  # and it dies here
    ways = Ways(keyring, HERE)
    assert sent(cases, ways, after_s=30) == 0, "it may still be at it"
    assert sent(cases, ways, after_s=61) == 1


def test_one_that_fails_does_not_keep_the_others_waiting(cases: Database, keyring: Keyring, receiver: Receiver) -> None:
    opened(cases, keyring, "wecom", "http://127.0.0.1:9/")
    opened(cases, keyring, "wecom", receiver.url)
    noticed(cases)
    assert sent(cases, Ways(keyring, HERE)) == 1
    assert [error for _, _, _, _, error in states(cases)] == ["ConnectError", None]


def test_of_an_exercise_nothing_leaves_and_all_is_recorded(
    cases: Database, keyring: Keyring, receiver: Receiver
) -> None:
    number = opened(cases, keyring, "wecom", receiver.url)
    noticed(cases, case=REHEARSED.id)
    assert sent(cases, Ways(keyring, HERE), after_s=10**6) == 0
    assert receiver.got == []
    with cases.engine.connect() as connection:
        (one,) = channels.sendings(connection, number)
        assert (one["tries"], one["next_at"], one["sent_at"], one["recorded_at"]) == (0, None, None, NOW)
        assert one["text"]["zh"].startswith("【演练】催办")
        ((told,),) = channels.recorded(connection, keyring, [one["notice"]]).values()
    assert (told["kind"], told["recorded_at"]) == ("wecom", NOW)
    assert "K-E-Y" not in told["address"]


@dataclass(frozen=True)
class Bound:
    department: str | None = None
    area: str | None = None


@pytest.mark.parametrize(
    ("channel", "audience", "wanted"),
    [
        (Bound("cgj"), {"departments": ["cgj"]}, True),
        (Bound("zjj"), {"departments": ["cgj"]}, False),
        (Bound(area="320613"), {"departments": ["cgj"]}, False),
        (Bound(area="320613"), {"command": 1, "area": "320613"}, True),
        (Bound(area="3206"), {"command": 1, "area": "320613"}, False),
        (Bound(area="320681"), {"desk": True}, False),
        (Bound(area="3206"), {"desk": True}, True),
        (Bound(), {"departments": ["cgj"]}, True),
        (Bound(), {"command": 0, "area": None}, True),
        (Bound(), {"people": ["li"]}, False),
    ],
)
def test_a_channel_takes_what_is_for_its_department_or_area(
    channel: Bound, audience: dict[str, Any], wanted: bool
) -> None:
    assert reaches(channel, audience, OURS.grid_id) is wanted


def test_a_channel_takes_the_kinds_that_it_is_for(cases: Database, keyring: Keyring) -> None:
    for kinds in (("due",), ("due", "urged"), ()):
        opened(cases, keyring, "wecom", "http://127.0.0.1:9/", kinds=kinds)
    noticed(cases)
    assert len(states(cases)) == 2


def test_an_ended_channel_sends_nothing_more(cases: Database, keyring: Keyring, receiver: Receiver) -> None:
    number = opened(cases, keyring, "wecom", receiver.url)
    noticed(cases)
    with begin(cases.engine, actor="test") as connection:
        channels.end(connection, number, now=NOW)
        assert channels.channels(connection, keyring) == []
        with pytest.raises(channels.UnknownChannel):
            channels.end(connection, number, now=NOW)
    noticed(cases)
    assert sent(cases, Ways(keyring, HERE)) == 0
    assert [(dead, error) for _, _, dead, _, error in states(cases)] == [(True, "ended")]


def test_a_channel_says_since_when_it_fails_and_why_until_something_is_taken(
    cases: Database, keyring: Keyring, receiver: Receiver
) -> None:
    opened(cases, keyring, "wecom", receiver.url)

    def standing() -> tuple[Any, ...]:
        with cases.engine.connect() as connection:
            (one,) = channels.channels(connection, keyring)
        return tuple(one[name] for name in ("tried_at", "sent_at", "failing_since", "error", "waiting"))

    assert standing() == (None, None, None, None, 0)
    noticed(cases)
    receiver.status, first = 502, NOW + dt.timedelta(seconds=WAITS_S[0])
    sent(cases, Ways(keyring, HERE))
    assert standing() == (NOW, None, NOW, "answered 502", 1)
    receiver.status, receiver.answer = 200, b'{"errcode": 93000}'
    sent(cases, Ways(keyring, HERE), after_s=WAITS_S[0])
    assert standing() == (first, None, NOW, "errcode 93000", 1)
    receiver.answer, second = b'{"errcode": 0}', first + dt.timedelta(seconds=WAITS_S[1])
    sent(cases, Ways(keyring, HERE), after_s=WAITS_S[0] + WAITS_S[1])
    assert standing() == (second, second, None, None, 0)


def test_what_comes_while_a_channel_is_paused_is_recorded_and_never_sent(
    cases: Database, keyring: Keyring, receiver: Receiver
) -> None:
    number = opened(cases, keyring, "wecom", receiver.url)
    noticed(cases)
    with begin(cases.engine, actor="test") as connection:
        channels.pause(connection, number, now=NOW)
    noticed(cases)
    assert sent(cases, Ways(keyring, HERE), after_s=60) == 0
    with begin(cases.engine, actor="test") as connection:
        recorded = [one["recorded_at"] for one in channels.sendings(connection, number)]
        channels.resume(connection, number)
    assert recorded == [NOW, NOW]
    noticed(cases)
    assert sent(cases, Ways(keyring, HERE), after_s=10**6) == 1
    assert [taken for _, taken, _, _, _ in states(cases)] == [False, False, True]


def test_another_address_is_called_and_what_was_known_of_the_old_one_forgotten(
    cases: Database, keyring: Keyring, receiver: Receiver
) -> None:
    number = opened(cases, keyring, "dingtalk", "http://127.0.0.1:9/", secret="SEC-of-the-robot")
    noticed(cases)
    assert sent(cases, Ways(keyring, HERE)) == 0
    ground = Ground(shipped_departments(), HERE, kinds_of(None, None))
    with begin(cases.engine, actor="test") as connection:
        channels.change(connection, keyring, number, Change("值班", "cgj", address=receiver.url), ground=ground)
        shown = channels.channel(connection, keyring, number)
    assert (shown["failing_since"], shown["error"]) == (None, None)
    assert sent(cases, Ways(keyring, HERE), after_s=WAITS_S[0]) == 1
    assert "sign" in parse_qs(urlsplit(receiver.got[0][0]).query), "the secret is still the one that it had"


def test_without_its_key_a_channel_is_listed_all_the_same(cases: Database, keyring: Keyring, tmp_path: Path) -> None:
    opened(cases, keyring, "wecom", "http://127.0.0.1:9/")
    (tmp_path / "other").mkdir()
    with cases.engine.connect() as connection:
        (one,) = channels.channels(connection, keyring_in(tmp_path / "other"))
    assert (one["title"], one["address"]) == ("测试渠道", None)


def test_addresses_stay_readable_when_the_keys_are_changed(
    cases: Database, keyring: Keyring, receiver: Receiver
) -> None:
    opened(cases, keyring, "dingtalk", receiver.url, secret="SEC-of-the-robot")
    assert rotate(cases.engine, keyring, now=NOW).values == 2
    noticed(cases)
    assert sent(cases, Ways(keyring, HERE)) == 1


def test_without_its_key_a_channel_fails_and_says_why(cases: Database, keyring: Keyring, tmp_path: Path) -> None:
    opened(cases, keyring, "wecom", "http://127.0.0.1:9/")
    noticed(cases)
    (tmp_path / "other").mkdir()
    assert sent(cases, Ways(keyring_in(tmp_path / "other"), HERE)) == 0
    assert states(cases) == [(1, False, False, None, "its address does not open: the key is missing")]


@pytest.mark.parametrize(
    ("order", "cause"),
    [
        (Order("email", "x", "no address"), "no_email"),
        (Order("email", "x", "a@b.example\r\nBcc: c@d.example"), "no_email"),
        (Order("wecom", "x", "http://10.0.0.1/"), "webhook_address"),
        (Order("wecom", "x", "https://user:pw@host.example/"), "webhook_url"),
        (Order("wecom", "x", "https://host.example/", secret="s"), "channel_secret"),
        (Order("wecom", "x", "https://host.example/", department="none"), "department_unknown"),
        (Order("wecom", "x", "https://host.example/", department="cgj", area="3206"), "channel_of_both"),
        (Order("wecom", "x", "https://host.example/", area="32"), "channel_area"),
        (Order("wecom", "x", "https://host.example/", kinds=("gossip",)), "notice_kind_unknown"),
        (Order("wecom", " ", "https://host.example/"), "text_empty"),
        (Order("sms", "x", "call me"), "phone_wrong"),
    ],
)
def test_what_cannot_be_a_channel_is_refused_and_nothing_is_kept(
    empty: Database, keyring: Keyring, order: Order, cause: str | None
) -> None:
    ground = Ground(shipped_departments(), HERE, kinds_of(Mailbox("", 1, ""), GATEWAY))
    with begin(empty.engine, actor="test") as connection:
        with pytest.raises(BadField) as refused:
            open_channel(connection, keyring, order, ground=ground, actor="test")
        assert connection.scalar(sa.select(sa.func.count()).select_from(CHANNEL)) == 0
    assert refused.value.cause == cause


def test_a_kind_that_is_not_set_up_is_refused_and_so_is_one_too_many(database: Database, keyring: Keyring) -> None:
    ground = Ground(shipped_departments(), HERE, kinds_of(None, None))
    with begin(database.engine, actor="test") as connection:
        with pytest.raises(BadField) as refused:
            open_channel(connection, keyring, Order("email", "x", "a@b.example"), ground=ground, actor="test")
        assert refused.value.cause == "channel_not_set_up"
        many = [{"kind": "wecom", "title": "x", "address": "x", "actor": "test"}] * channels.MOST_CHANNELS
        connection.execute(sa.insert(CHANNEL), many)
        with pytest.raises(Conflict):
            open_channel(connection, keyring, Order("wecom", "x", "https://a.example/"), ground=ground, actor="test")


GOOD = 'url: https://sms.example/send\nformat: json\nbody: {m: "{phone}", c: "{text}"}\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (GOOD.replace("https", "ftp"), 1),
        (GOOD.replace("json", "xml"), 2),
        (GOOD.replace("{text}", "text"), 3),
        (GOOD.replace("{text}", "{text} {name}"), 3),
        (GOOD + 'headers: {"X Y": "1"}\n', 4),
        (GOOD + "retries: 3\n", 4),
    ],
)
def test_a_gateway_that_cannot_be_is_refused_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(BadDeclaration) as refused:
        gateway_in(tmp_path)
    assert refused.value.line == line


def test_a_gateway_is_read_from_the_data_folder(tmp_path: Path) -> None:
    assert gateway_in(tmp_path) is None
    (tmp_path / FOLDER).mkdir()
    more = 'headers: {X-App: "city"}\nsuccess: {field: code, value: 0}\n'
    (tmp_path / FOLDER / FILE).write_text(GOOD + more, encoding="utf-8")
    read = gateway_in(tmp_path)
    assert read == Gateway(
        "https://sms.example/send", "json", {"X-App": "city"}, {"m": "{phone}", "c": "{text}"}, ("code", "0")
    )


def test_the_mail_server_of_the_settings_is_looked_at_without_sending(letterbox: tuple[Letterbox, Mailbox]) -> None:
    box, mailbox = letterbox
    told = {
        "CHENGTU_SMTP_HOST": mailbox.host, "CHENGTU_SMTP_PORT": str(mailbox.port),
        "CHENGTU_SMTP_FROM": mailbox.sender, "CHENGTU_SMTP_SECURITY": "none",
    }  # fmt: skip
    assert mailbox_from(told) == mailbox
    assert mailbox_from({}) is None
    assert unreachable(mailbox, timeout_s=5) is None
    assert unreachable(replace(mailbox, security="starttls"), timeout_s=5) == "SMTPNotSupportedError"
    assert unreachable(replace(mailbox, port=9), timeout_s=5) == "ConnectionRefusedError"
    assert box.got == []


def test_the_job_of_the_worker_sends_what_is_due(cases: Database, keyring: Keyring, receiver: Receiver) -> None:
    opened(cases, keyring, "wecom", receiver.url)
    noticed(cases)

    async def once() -> None:
        app = job_app(cases.url, list, more=[sending(cases.url, Ways(keyring, HERE))])
        async with app.open_async():
            await app.configure_task("chengtu.send_notices").defer_async(timestamp=61)
            await app.run_worker_async(wait=False, install_signal_handlers=False)

    asyncio.run(once())
    assert len(receiver.got) == 1
    assert [taken for _, taken, _, _, _ in states(cases)] == [True]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_out_by_an_encrypted_line_to_whom_the_certificate_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: Literal["starttls", "tls"]
) -> None:
    made, box, port = make(tmp_path, "mail"), Letterbox(), free_port()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    by: dict[str, Any] = {"ssl_context": context} if security == "tls" else {"tls_context": context}
    controller = Controller(box, hostname="127.0.0.1", port=port, **by)
    controller.start()
    try:
        body = {"title": {"zh": "催办"}, "incident": OURS.id, "text": {"zh": "催办", "en": "Urged"}}
        message = Message(1, "email", "duty@cgj.example", None, (Waiting(1, 1, body),))
        ways = Ways(keyring_in(tmp_path), HERE, Mailbox("127.0.0.1", port, "a@city.example", security))
        assert deliver(message, ways, now=NOW).error == "SSLCertVerificationError", "nobody vouches for it"
        monkeypatch.setenv("SSL_CERT_FILE", str(made.certificate))
        assert deliver(message, ways, now=NOW).taken
    finally:
        controller.stop()
    assert len(box.got) == 1
