"""E-mail by the city's own SMTP server: how it is reached, one message, and what became of it."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Final, Literal, cast, get_args

from layers.loop.outbox import Outcome

Security = Literal["starttls", "tls", "none"]
SECURITIES: Final[tuple[Security, ...]] = get_args(Security)
PORTS: Final[Mapping[Security, int]] = {"starttls": 587, "tls": 465, "none": 25}
TIMEOUT_S: Final = 10.0
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_MOST_ADDRESS: Final = 254


@dataclass(frozen=True)
class Mailbox:
    """The server that takes our messages, and as whom we send; with a user it asks for the password."""

    host: str
    port: int
    sender: str
    security: Security = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def is_address(text: str) -> bool:
    """Is this the address of a mailbox, in plain letters?"""
    return len(text) <= _MOST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def mailbox_from(environment: Mapping[str, str]) -> Mailbox | None:
    """The mailbox that `CHENGTU_SMTP_…` tell of (the server has checked them); None where there is no host."""
    told = {name: environment.get(f"CHENGTU_SMTP_{name}") or None for name in ("HOST", "PORT", "USER", "PASSWORD")}
    if told["HOST"] is None:
        return None
    security = cast(Security, environment.get("CHENGTU_SMTP_SECURITY") or "starttls")
    return Mailbox(
        told["HOST"],
        int(told["PORT"] or PORTS[security]),
        environment.get("CHENGTU_SMTP_FROM", ""),
        security,
        told["USER"],
        told["PASSWORD"],
    )


def send(mailbox: Mailbox, message: EmailMessage, *, timeout_s: float = TIMEOUT_S) -> Outcome:
    """Hand one message over; no failure is raised, and no address is told in the outcome."""
    try:
        with _open(mailbox, timeout_s) as server:
            server.send_message(message)
        return Outcome(250)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        return Outcome(codes[0], f"answered {codes[0]}")
    except smtplib.SMTPResponseException as error:
        return Outcome(error.smtp_code, f"answered {error.smtp_code}")
    except (smtplib.SMTPException, OSError) as error:
        return Outcome(None, type(error).__name__)


def unreachable(mailbox: Mailbox, *, timeout_s: float) -> str | None:
    """Why the server does not take us; None when it greets, and lets us in. Nothing is sent."""
    try:
        with _open(mailbox, timeout_s) as server:
            server.noop()
    except (smtplib.SMTPException, OSError) as error:
        code = getattr(error, "smtp_code", None)
        return type(error).__name__ if code is None else f"{type(error).__name__} {code}"
    return None


@contextmanager
def _open(mailbox: Mailbox, timeout_s: float) -> Iterator[smtplib.SMTP]:
    where = (mailbox.host, mailbox.port)
    if mailbox.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=timeout_s, context=ssl.create_default_context())
    else:
        server = smtplib.SMTP(*where, timeout=timeout_s)
    with server:
        server.ehlo_or_helo_if_needed()
        if mailbox.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if mailbox.user is not None:
            server.login(mailbox.user, mailbox.password or "")
        yield server
