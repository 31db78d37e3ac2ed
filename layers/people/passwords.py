"""Passwords: what is taken as one, its argon2id hash, and one-time passwords that have to be changed at once."""

from __future__ import annotations

import secrets
import threading
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from layers.errors import BadField

LEAST: Final = 10
MOST: Final = 200
_LEAST_DIFFERENT: Final = 5
# Without letters and digits that are taken for one another when they are read from a slip of paper.
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_ONE_TIME: Final = 16
# 46 MiB, one pass, one lane: the first set of the OWASP Password Storage Cheat Sheet for argon2id.
_HASHER: Final = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
# What is random and long nobody guesses, however quick it is: thousands are made at once (`layers.people.rosters`).
_LIGHT: Final = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
_LIGHTLY: Final = "$argon2id$v=19$m=64,"


def check_password(password: str, *, login: str) -> None:
    """BadField unless this can be the password of `login`."""
    if not LEAST <= len(password) <= MOST:
        told = f"a password has {LEAST} to {MOST} characters"
        raise BadField({"new": told}).because("password_length", least=LEAST, most=MOST)
    if len(set(password)) < _LEAST_DIFFERENT or login in password.lower():
        told = f"a password has {_LEAST_DIFFERENT} different characters at least, and not the login name in it"
        raise BadField({"new": told}).because("password_weak", least=_LEAST_DIFFERENT)


def hashed(password: str) -> str:
    """Its argon2id hash, with salt and cost in it; takes some 40 ms and 48 MB."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def hashed_random(password: str) -> str:
    """The hash of a password of `one_time`; takes less than a millisecond."""
    return _LIGHT.hash(password)


def fits(hash: str | None, password: str) -> bool:
    """Is this the password of the hash? Where there is none, or a quick one, it takes as long to say no."""
    quick = hash is not None and hash.startswith(_LIGHTLY)
    with _AT_ONCE:
        right = _verified(_nobodys() if hash is None or quick else hash, password)
    return _verified(str(hash), password) if quick else right and hash is not None


def _verified(hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def one_time() -> str:
    """A new random password of 16 characters (93 bits)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_ONE_TIME))


# Each takes 48 MB while it lasts.
_AT_ONCE: Final = threading.BoundedSemaphore(4)


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_urlsafe(16))
