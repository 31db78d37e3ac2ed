"""Where a private database is kept: a folder, the account that runs it, its socket, and the lock of its owner."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import pwd
import stat
import subprocess
import tempfile
import weakref
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layers.errors import ClusterUnavailable

PORT = 5432  # only a part of the socket's file name: nothing listens on a network
SPARE = Path("/var/lib/chengtu")

_SOCKET_PATH_BYTES = 107  # sun_path of unix(7) without its final zero
_log = logging.getLogger("chengtu.store")


@dataclass(frozen=True)
class Account:
    """The unprivileged account that runs the server when the program itself is root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Place:
    """Where one cluster is kept, and the account that runs it (None: the program's own)."""

    folder: Path
    account: Account | None

    @property
    def data(self) -> Path:
        """The data folder of PostgreSQL."""
        return self.folder / "pg" / "data"

    @property
    def log(self) -> Path:
        """What the server says; outside the account's folder, because root opens it."""
        return self.folder / "postgres.log"

    @property
    def uid(self) -> int:
        """The user id that the server runs under."""
        return self.account.uid if self.account else os.geteuid()

    def give(self, file: int | Path) -> None:
        """Hand a file that root made to the account, so that the account can use it without root."""
        if self.account:
            os.chown(file, self.account.uid, self.account.gid)


def choose_place(home: Path, *, spare: Path = SPARE) -> Place:
    """Return a usable place for the cluster of `home`, made ready: in it or, for root only, under `spare`.

    Root needs the spare one when no other account can enter `home`. Raises ClusterUnavailable with the reasons.
    """
    folders = [home]
    if os.geteuid() == 0 and not (home / "pg" / "data").exists():  # never an empty database in place of a closed one
        folders.append(spare / _digest(home))
        if (folders[1] / "pg" / "data").exists():
            folders.reverse()  # the home was opened later: the data stays where it is
    reasons: list[str] = []
    for folder in folders:
        place = Place(folder, _account_for(folder / "pg"))
        reason = _obstacle(place)
        if reason is None:
            if folder != home:
                _log.warning("the database of %s is kept in %s: %s", home, folder, "; ".join(reasons) or "as before")
            return place
        reasons.append(f"{folder}: {reason}")
    raise ClusterUnavailable("no place for the database: " + "; ".join(reasons))


def _account_for(pg: Path) -> Account | None:
    if os.geteuid() != 0:
        return None
    with suppress(OSError):
        if (owner := pg.stat()).st_uid != 0:  # an ordinary user's cluster stays that user's
            return Account(_name_of(owner.st_uid), owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise ClusterUnavailable("PostgreSQL does not run as root, and there is no account postgres or nobody: make one")


def _name_of(uid: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def _obstacle(place: Place) -> str | None:
    """Make the folders; return why the place cannot be used, or None."""
    pg = place.data.parent
    try:
        for folder in reversed([pg, *pg.parents]):
            if not folder.exists():
                folder.mkdir()
                if place.account:
                    folder.chmod(0o711)  # whatever the umask: the account must get through
        owner = pg.stat().st_uid
        if owner != place.uid:
            if place.account is None:
                return f"{pg} belongs to account {_name_of(owner)}: run as that account, or move the folder away"
            if any(pg.iterdir()):  # never take over a folder that holds something else
                return f"{pg} is not empty and belongs to root: move it away, or chown -R {place.account.name} it"
            place.give(pg)
    except OSError as error:
        return f"{error.strerror} ({error.filename})"
    if subprocess.run(["test", "-w", pg, "-a", "-x", pg], check=False, **child_options(place.account)).returncode:
        name = place.account.name if place.account else _name_of(place.uid)
        return f"account {name} cannot write here: a parent folder is closed to it (it lacks o+x)"
    return None


def child_options(account: Account | None) -> dict[str, Any]:
    """Return the options of `subprocess` for a program that runs as the account, cut off from terminal and folder."""
    options: dict[str, Any] = {
        "cwd": "/",  # the account may not be able to enter ours
        "stdin": subprocess.DEVNULL,
        "start_new_session": True,  # Ctrl-C is for the program, which then stops the server in order
        "umask": 0o077,
        "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
    }
    if account:
        options |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    return options


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def socket_folder(place: Place) -> Path:
    """Return a new or checked folder (0700, the account's) whose path is short enough for a socket."""
    bases = ["/run"] if place.account else [os.environ.get("XDG_RUNTIME_DIR", "")]
    for base in filter(None, [*bases, tempfile.gettempdir(), "/tmp"]):
        folder = Path(base) / f"chengtu-{place.uid}-{_digest(place.data)}"
        length = len(os.fsencode(folder / f".s.PGSQL.{PORT}"))
        if length <= _SOCKET_PATH_BYTES and os.access(base, os.W_OK | os.X_OK):
            break
    else:
        raise ClusterUnavailable("no folder for the socket: /tmp cannot be written")
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    planted = folder.lstat()  # the name can be foreseen by whoever else writes to a shared /tmp
    if not stat.S_ISDIR(planted.st_mode) or planted.st_uid not in {os.geteuid(), place.uid}:
        raise ClusterUnavailable(f"{folder} was made by someone else: remove it")
    folder.chmod(0o700)
    place.give(folder)
    return folder


class Held(ClusterUnavailable):
    """Another living program holds the folder; `socket` is set once its server answers."""

    def __init__(self, folder: Path, pid: int | None, socket: Path | None) -> None:
        super().__init__(f"the database in {folder} is in use by process {pid or 'unknown'}: stop that one first")
        self.pid, self.socket = pid, socket


class Lock:
    """The lock on a place, let go by the kernel when its process ends; the file says who holds it."""

    def __init__(self, place: Place) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd: int | None = os.open(place.folder / "cluster.lock", flags, 0o644)
        place.give(self._fd)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, socket = self._note()
            self.forget()
            raise Held(place.folder, pid, socket) from None
        _locks.add(self)
        self.write(None)

    @property
    def held(self) -> bool:
        """Does this very process hold it?"""
        return self._fd is not None

    def write(self, socket: Path | None) -> None:
        """Tell others who holds the lock and where the server answers (None: not yet, or no more)."""
        if self._fd is not None:
            text = json.dumps({"pid": os.getpid(), "socket": socket and str(socket)}).encode()
            os.pwrite(self._fd, text.ljust(1024), 0)  # one write of one length: nobody reads half a note

    def _note(self) -> tuple[int | None, Path | None]:
        assert self._fd is not None
        try:
            note = json.loads(os.pread(self._fd, 4096, 0))
        except ValueError:  # taken, but not written yet
            return None, None
        return note["pid"], Path(note["socket"]) if note["socket"] else None

    def release(self) -> None:
        """Let the lock go."""
        if self._fd is not None:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            self.forget()

    def forget(self) -> None:
        """Close the file only: a forked child must neither keep the lock of its parent nor undo it."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


_locks: weakref.WeakSet[Lock] = weakref.WeakSet()


def _forget_locks() -> None:
    for lock in list(_locks):
        lock.forget()


os.register_at_fork(after_in_child=_forget_locks)
