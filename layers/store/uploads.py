"""Files that people bring through the page: each upload is a folder with its files and what was said about them.

`about.json` says what was brought and what the person chose, `work.json` how the job on it goes, `report.json` and its
companions what an examination found, `loaded.json` which delivery it became. Server and worker share the folder; every
document is replaced as a whole.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from layers.errors import BadUpload, Conflict, UnknownUpload
from layers.store.choices import Choices
from layers.store.file_kinds import COMPANIONS, MAIN, fitting_name, safe_name

FOLDER: Final = "uploads"
ID_PATTERN: Final = r"[A-Za-z0-9_-]{24}"
KEPT_S: Final = 7 * 24 * 3600
MOST_UPLOADS: Final = 100
MOST_FILES: Final = 20
_UNDONE: Final = "undo"


@dataclass(frozen=True)
class Upload:
    """One upload; `folder` holds everything that is known of it."""

    id: str
    folder: Path

    @property
    def files(self) -> Path:
        """The folder of what was brought."""
        return self.folder / "files"

    @property
    def about(self) -> dict[str, Any]:
        """Who brought it and when (`actor`, `at`), the names and sizes of its files, and the person's choices."""
        return read_json(self.folder / "about.json") or {}

    @property
    def choices(self) -> Choices:
        """What the person chose until now."""
        return Choices.model_validate(self.about.get("choices", {}))

    @property
    def work(self) -> dict[str, Any] | None:
        """How the latest job goes; None before the first."""
        return read_json(self.folder / "work.json")

    @property
    def report(self) -> dict[str, Any] | None:
        """What the latest examination found; None before the first."""
        return read_json(self.folder / "report.json")

    @property
    def loaded(self) -> dict[str, Any] | None:
        """The delivery that it became; None before that."""
        return read_json(self.folder / "loaded.json")

    def main(self) -> Path:
        """The file that a reader opens; its companions lie beside it. BadUpload when there is none."""
        found = [path for path in sorted(self.files.iterdir()) if path.suffix.lower() in MAIN]
        if not found:
            told = "no file that could be read: of a Shapefile the .shp is missing"
            raise BadUpload("upload", told).because("no_shp")
        return found[0]

    def choose(self, choices: Choices) -> None:
        """Keep what the person chose."""
        self.amend(choices=choices.model_dump(mode="json"))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else decides about this upload meanwhile, in whichever process; UnknownUpload when it is gone."""
        try:
            file = (self.folder / "lock").open("a")
        except FileNotFoundError:
            raise UnknownUpload(self.id) from None
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not (self.folder / "about.json").is_file():
                raise UnknownUpload(self.id)
            yield

    def amend(self, **facts: Any) -> None:
        """Put further facts into `about`; only the server does, so that no two write it at once for long."""
        write_json(self.folder / "about.json", {**self.about, **facts})

    def say(self, name: str, document: Any) -> None:
        """Replace one of the documents: `work`, `report`, `rejects`, `preview`, `loaded`."""
        write_json(self.folder / f"{name}.json", document)

    def scratch(self) -> Path:
        """A path for a file that is still coming."""
        return self.folder / f"new-{secrets.token_hex(8)}"

    def keep(self, scratch: Path, name: str) -> str:
        """Take a file that has come in, under a safe name whose ending fits its content; returns that name.

        What an earlier examination found does not hold any more. BadUpload for a kind that is not taken, Conflict for a
        second table or too many files.
        """
        kept = fitting_name(scratch, safe_name(name))
        held = [path.name for path in self.files.iterdir()]
        suffix = Path(kept).suffix.lower()
        if kept not in held and len(held) >= MOST_FILES:
            raise Conflict(f"an upload has at most {MOST_FILES} files").because("too_many_files", limit=MOST_FILES)
        if suffix in MAIN and any(Path(one).suffix.lower() in MAIN and one != kept for one in held):
            raise Conflict("an upload holds one table; bring the next file by itself").because("two_tables")
        if suffix in COMPANIONS:
            kept = self._beside(kept)
        (self.folder / "report.json").unlink(missing_ok=True)
        os.replace(scratch, self.files / kept)
        files = {path.name: path.stat().st_size for path in sorted(self.files.iterdir())}
        self.amend(files=files)
        return kept

    def _beside(self, name: str) -> str:
        """The name of a companion as its Shapefile needs it."""
        shapes = next((path for path in self.files.iterdir() if path.suffix.lower() == ".shp"), None)
        return name if shapes is None else shapes.stem + Path(name).suffix


class Uploads:
    """The folder of all uploads."""

    def __init__(self, folder: Path, *, most: int = MOST_UPLOADS) -> None:
        self.folder, self._most = folder, most

    def new(self, actor: str) -> Upload:
        """An empty upload; Conflict when there are too many already."""
        if len(self.every()) >= self._most:
            told = f"{self._most} uploads wait already: remove some that are not needed any more"
            raise Conflict(told).because("too_many_uploads", limit=self._most)
        upload = Upload(id := secrets.token_urlsafe(18), self.folder / id)
        upload.files.mkdir(parents=True)
        write_json(upload.folder / "about.json", {"actor": actor, "at": time.time(), "files": {}})
        return upload

    def find(self, id: str) -> Upload:
        """The upload of this id; UnknownUpload when there is none (any more)."""
        upload = Upload(id, self.folder / id)
        if not re.fullmatch(ID_PATTERN, id) or not (upload.folder / "about.json").is_file():
            raise UnknownUpload(id)
        return upload

    def every(self) -> list[Upload]:
        """All uploads, the newest first."""
        folders = self.folder.iterdir() if self.folder.is_dir() else iter(())
        found = [Upload(path.name, path) for path in folders if (path / "about.json").is_file()]
        return sorted(found, key=lambda upload: -float(upload.about.get("at", 0)))

    def held_bytes(self) -> int:
        """The bytes of all files that were brought or are coming."""
        return sum(_size(path) for pattern in ("*/files/*", "*/new-*") for path in self.folder.glob(pattern))

    def remove(self, id: str) -> None:
        """Forget an upload with all of its files; the delivery that it became stays."""
        shutil.rmtree(self.find(id).folder, ignore_errors=True)

    def prune(self, *, older_s: float = KEPT_S, now: float | None = None) -> int:
        """Remove uploads that nobody touched for so long; returns how many."""
        limit = (time.time() if now is None else now) - older_s
        gone = 0
        folders = self.folder.iterdir() if self.folder.is_dir() else iter(())
        for folder in [path for path in folders if re.fullmatch(ID_PATTERN, path.name)]:
            touched = [path.stat().st_mtime for path in (folder, *folder.iterdir())]
            if max(touched) < limit:
                shutil.rmtree(folder, ignore_errors=True)
                gone += 1
        return gone

    def undoing(self, delivery: int) -> dict[str, Any] | None:
        """How taking back a delivery goes; None when nobody asked for it."""
        return read_json(self.folder / _UNDONE / f"{delivery}.json")

    def say_undoing(self, delivery: int, document: Mapping[str, Any] | None) -> None:
        """Put down how taking back a delivery goes."""
        (self.folder / _UNDONE).mkdir(parents=True, exist_ok=True)
        write_json(self.folder / _UNDONE / f"{delivery}.json", document)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def read_json(path: Path) -> dict[str, Any] | None:
    """A document; None when it is not there."""
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return document


def write_json(path: Path, document: Any) -> None:
    """Put a document in the place of the earlier one, never half of it."""
    new = path.with_name(f"new-{secrets.token_hex(8)}")
    try:
        new.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        os.replace(new, path)
    finally:
        with suppress(FileNotFoundError):
            new.unlink()
