"""The second factor: codes of six digits that change every 30 s (RFC 6238), and recovery codes; each is taken once."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import secrets
from typing import Final
from urllib.parse import quote

import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from layers.errors import BadField, Conflict
from layers.people.accounts import record
from layers.people.privacy import Keyring
from layers.people.sessions import digest_of
from layers.people.tables import ACCOUNT, RECOVERY_CODE

_STEP_S: Final = 30
_DIGITS: Final = 6
_SECRET_BYTES: Final = 20
_CODES: Final = 10
ISSUER: Final = "Chengtu"
ABOUT: Final = "account.totp"
"""What the sealed secret is about."""


def enrol(connection: sa.Connection, login: str, *, keyring: Keyring) -> str:
    """A new secret for an account that has no second factor yet, in base 32; it counts once a code has proved it."""
    secret = base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    free = sa.update(ACCOUNT).where(ACCOUNT.c.login == login, ACCOUNT.c.totp_since.is_(None))
    if connection.execute(free.values(totp=keyring.seal(secret, about=ABOUT), totp_step=None)).rowcount == 0:
        raise Conflict("this account has a second factor already").because("second_factor_held")
    return secret


def address_of(secret: str, login: str) -> str:
    """The otpauth:// address that an authenticator takes from a picture of it."""
    return f"otpauth://totp/{quote(f'{ISSUER}:{login}')}?secret={secret}&issuer={ISSUER}&digits={_DIGITS}"


def prove(connection: sa.Connection, login: str, code: str, *, keyring: Keyring, now: dt.datetime) -> list[str]:
    """Begin to ask for the second factor, which a first code proves; returns the recovery codes, told only this once.

    BadField for a wrong code, Conflict when nothing was enrolled or it counts already.
    """
    row = connection.execute(sa.select(ACCOUNT.c.totp, ACCOUNT.c.totp_since).where(ACCOUNT.c.login == login)).one()
    if row.totp is None or row.totp_since is not None:
        raise Conflict("there is no second factor that waits for its first code").because("second_factor_not_begun")
    if not take(connection, login, code, keyring=keyring, now=now):
        raise BadField({"code": "the code is wrong, or was used already"}).because("code_wrong")
    codes = [f"{secrets.token_hex(5)}-{secrets.token_hex(5)}" for _ in range(_CODES)]
    connection.execute(sa.update(ACCOUNT).where(ACCOUNT.c.login == login).values(totp_since=now))
    connection.execute(sa.delete(RECOVERY_CODE).where(RECOVERY_CODE.c.login == login))
    connection.execute(sa.insert(RECOVERY_CODE), [{"login": login, "digest": digest_of(one)} for one in codes])
    record(connection, "second_factor_added", login, actor=login)
    return codes


def take(connection: sa.Connection, login: str, code: str, *, keyring: Keyring, now: dt.datetime) -> bool:
    """Is this a code of the account that was not taken before? A code of 30 s ago or ahead counts, too."""
    plain = code.replace(" ", "").lower()
    if len(plain) != _DIGITS or not plain.isascii() or not plain.isdigit():
        return _take_recovery(connection, login, plain)
    sealed = connection.scalar(sa.select(ACCOUNT.c.totp).where(ACCOUNT.c.login == login))
    if sealed is None:
        return False
    secret = keyring.unseal(sealed, about=ABOUT)
    step = int(now.timestamp()) // _STEP_S
    found = [one for one in (step - 1, step, step + 1) if hmac.compare_digest(_code(secret, one), plain)]
    if not found:
        return False
    newer = ACCOUNT.c.totp_step.is_(None) | (ACCOUNT.c.totp_step < found[0])
    used = sa.update(ACCOUNT).where(ACCOUNT.c.login == login, newer).values(totp_step=found[0])
    return connection.execute(used).rowcount == 1


def remove(connection: sa.Connection, login: str, *, actor: str) -> None:
    """Ask for no second factor any more."""
    nothing = {"totp": None, "totp_since": None, "totp_step": None}
    connection.execute(sa.update(ACCOUNT).where(ACCOUNT.c.login == login).values(nothing))
    connection.execute(sa.delete(RECOVERY_CODE).where(RECOVERY_CODE.c.login == login))
    record(connection, "second_factor_removed", login, actor=actor)


def code_at(secret: str, now: dt.datetime) -> str:
    """The code that an authenticator shows at a time."""
    return _code(secret, int(now.timestamp()) // _STEP_S)


def _code(secret: str, step: int) -> str:
    # SHA-1 is what every authenticator knows; as an HMAC it is sound, RFC 6238 §1.2.
    made = TOTP(base64.b32decode(secret), _DIGITS, SHA1(), _STEP_S)
    return made.generate(step * _STEP_S).decode()


def _take_recovery(connection: sa.Connection, login: str, code: str) -> bool:
    table = RECOVERY_CODE
    used = sa.delete(table).where(table.c.login == login, table.c.digest == digest_of(code))
    return connection.execute(used).rowcount == 1
