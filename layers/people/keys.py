"""The keys of sealed personal fields: one file beside the database, never in it, open to its owner alone.

The file holds several keys by their ids; one is current and seals, the others still open what they sealed. A key of its
own makes marks. Every process reads the file anew when it was replaced, so a rotation needs no restart.
"""

from __future__ import annotations

import base64
import datetime as dt
import fcntl
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from layers.errors import StoreError

FOLDER: Final = "keys"
FILE: Final = "personal.json"
KEPT_AFTER: Final = dt.timedelta(days=1)
"""So long a key that was replaced stays, though nothing uses it: a slow transaction may still seal with it."""
_BYTES: Final = 32


class KeysUnfit(StoreError):
    """The file of the keys cannot be used; the text says what to do."""


@dataclass(frozen=True)
class Key:
    """One key; `retired_at` is when another took its place."""

    id: str
    secret: bytes
    made_at: dt.datetime
    retired_at: dt.datetime | None = None

    def __repr__(self) -> str:
        return f"Key({self.id})"


@dataclass(frozen=True)
class Keys:
    """All keys of one file: those that seal by id, the current one's id, and the one that makes marks."""

    current: str
    by_id: Mapping[str, Key]
    mark: bytes

    def __repr__(self) -> str:
        return f"Keys({', '.join(self.by_id)})"


def file_in(folder: Path) -> Path:
    """Where the keys of a data folder are."""
    return folder / FOLDER / FILE


def read_keys(path: Path) -> Keys:
    """The keys of a file; KeysUnfit when it is missing, broken, or open to others than its owner."""
    try:
        for place in (path.parent, path):
            _require_closed(place)
        document = json.loads(path.read_text(encoding="utf-8"))
        keys = {id: _key(id, told) for id, told in document["keys"].items()}
        found = Keys(document["current"], keys, _decoded(document["mark"]))
    except FileNotFoundError:
        raise KeysUnfit(f"{path} is not there: put it back from the backup of the keys") from None
    except OSError as error:
        raise KeysUnfit(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeysUnfit(f"{path} is damaged: put it back from the backup of the keys") from error
    if found.current not in keys:
        raise KeysUnfit(f"{path} is damaged: put it back from the backup of the keys")
    return found


def make_keys(path: Path, *, now: dt.datetime) -> None:
    """Make a first key unless the file is there; of two processes that do so at once one wins and both go on."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        return
    first = _new_key(now)
    _put(path, Keys(first.id, {first.id: first}, secrets.token_bytes(_BYTES)), replacing=False)


def turn_keys(path: Path, *, now: dt.datetime) -> Key:
    """Make a new key the current one; those before it stay."""
    with _alone(path):
        keys = read_keys(path)
        new = _new_key(now)
        old = {id: key if key.retired_at else replace(key, retired_at=now) for id, key in keys.by_id.items()}
        _put(path, Keys(new.id, {**old, new.id: new}, keys.mark), replacing=True)
    return new


def forget_keys(path: Path, used: set[str], *, now: dt.datetime) -> list[str]:
    """Forget keys that nothing uses and that were replaced over a day ago; returns their ids."""
    with _alone(path):
        keys = read_keys(path)
        gone = [
            key.id
            for key in keys.by_id.values()
            if key.id not in used and key.retired_at is not None and now - key.retired_at > KEPT_AFTER
        ]
        if gone:
            kept = {id: key for id, key in keys.by_id.items() if id not in gone}
            _put(path, Keys(keys.current, kept, keys.mark), replacing=True)
    return gone


def _require_closed(place: Path) -> None:
    held = place.stat()
    wide = stat.S_IMODE(held.st_mode) & 0o077
    if wide:
        want = "700" if place.is_dir() else "600"
        raise KeysUnfit(f"{place} is open to others (mode {stat.S_IMODE(held.st_mode):04o}): chmod {want} {place}")


def _new_key(now: dt.datetime) -> Key:
    return Key(f"{now:%Y%m%d}-{secrets.token_hex(3)}", secrets.token_bytes(_BYTES), now)


def _key(id: str, told: Mapping[str, Any]) -> Key:
    retired = told.get("retired_at")
    made = dt.datetime.fromisoformat(told["made_at"])
    return Key(id, _decoded(told["secret"]), made, dt.datetime.fromisoformat(retired) if retired else None)


def _decoded(text: str) -> bytes:
    secret = base64.b64decode(text, validate=True)
    if len(secret) != _BYTES:
        raise ValueError("a key is 32 bytes long")
    return secret


def _put(path: Path, keys: Keys, *, replacing: bool) -> None:
    document = {
        "current": keys.current,
        "keys": {id: _told(key) for id, key in keys.by_id.items()},
        "mark": base64.b64encode(keys.mark).decode(),
    }
    new = path.with_name(f"new-{secrets.token_hex(8)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        if replacing:
            os.replace(new, path)
        else:
            with suppress(FileExistsError):  # someone else was first, and theirs is in use already
                os.link(new, path)
    finally:
        new.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _told(key: Key) -> dict[str, str | None]:
    retired = None if key.retired_at is None else key.retired_at.isoformat()
    return {
        "secret": base64.b64encode(key.secret).decode(),
        "made_at": key.made_at.isoformat(),
        "retired_at": retired,
    }


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
