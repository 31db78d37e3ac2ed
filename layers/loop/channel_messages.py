"""What goes out by each kind of channel: pure, from the waiting notices of one channel to the message as it is sent."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final, Literal, get_args
from urllib.parse import quote

Kind = Literal["email", "webhook", "sms", "wecom", "dingtalk"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
ROBOTS: Final[frozenset[Kind]] = frozenset({"wecom", "dingtalk"})
BUNDLE: Final = 8
"""So many notices go in one message of a robot, which takes twenty messages a minute."""
MOST_CONTENT: Final = 2_048
"""So many bytes has the text of a robot's message."""
_CUT: Final = "…"


@dataclass(frozen=True)
class Waiting:
    """One notice in the outbox of a channel: its number there, the try that is made now, and what is told."""

    id: int
    tries: int
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Message:
    """What one channel is sent at once, its address and secret in the clear."""

    channel: int
    kind: Kind
    address: str = field(repr=False)
    secret: str | None = field(repr=False)
    waiting: tuple[Waiting, ...]
    broken: bool = False
    """Whether its address or secret does not open."""


def webhook_body(message: Message) -> bytes:
    """The JSON for another system: the number of the sending, by which it is known again, and the notice."""
    (one,) = message.waiting
    return json.dumps({"id": one.id, "notice": one.body}, ensure_ascii=False, separators=(",", ":")).encode()


def robot_body(message: Message) -> bytes:
    """The JSON that robots of 政务微信 (企业微信) and 钉钉 take: a text with a line for each notice."""
    told = {"msgtype": "text", "text": {"content": content(message)}}
    return json.dumps(told, ensure_ascii=False).encode()


def content(message: Message) -> str:
    """The lines of a robot's message, 2,048 bytes at most."""
    most = MOST_CONTENT // len(message.waiting) - 1
    return "\n".join(_cut(one.body["text"]["zh"], most) for one in message.waiting)


def dingtalk_url(message: Message, *, now: dt.datetime) -> str:
    """The address of a 钉钉 robot, signed: HMAC-SHA256, by the secret, of milliseconds, line feed and secret."""
    if message.secret is None:
        return message.address
    at_ms = int(now.timestamp() * 1000)
    digest = hmac.new(message.secret.encode(), f"{at_ms}\n{message.secret}".encode(), hashlib.sha256).digest()
    sign = quote(base64.b64encode(digest).decode(), safe="")
    joint = "&" if "?" in message.address else "?"
    return f"{message.address}{joint}timestamp={at_ms}&sign={sign}"


def email(message: Message, *, sender: str, now: dt.datetime) -> EmailMessage:
    """The message; its Message-ID is the same at every try, so that a second delivery is known for one."""
    (one,) = message.waiting
    told = one.body
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, message.address
    mail["Subject"] = f"[城图] {told['title']['zh']} {told['incident'] or ''}".strip()
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<chengtu.{message.channel}.{one.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{told['text']['zh']}\n\n{told['text']['en']}\n")
    return mail


def _cut(text: str, most_bytes: int) -> str:
    raw = text.encode()
    if len(raw) <= most_bytes:
        return text
    return raw[: most_bytes - len(_CUT.encode())].decode(errors="ignore") + _CUT
