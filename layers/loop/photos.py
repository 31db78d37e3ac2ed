"""Photos of a case: opened, turned upright and written anew, so that nothing hidden in a file is kept or served.

A picture lies once under the digest of its content, `photos/ab/abcd….jpg`, with a small one beside it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import secrets
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from PIL import Image, ImageOps, UnidentifiedImageError

from layers.errors import BadUpload, Conflict
from layers.loop.carried import MOST_PHOTOS
from layers.loop.tables import PHOTO, STEP

FOLDER: Final = "photos"
ID_PATTERN: Final = r"[A-Za-z0-9_-]{16}"
MOST_BYTES: Final = 10 * 2**20
MOST_PIXELS: Final = 50_000_000
MOST_SIDE: Final = 4_096
SMALL_SIDE: Final = 480
_SUFFIX: Final = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
_SAVED: Final[Mapping[str, dict[str, Any]]] = {
    "JPEG": {"quality": 88, "optimize": True},
    "PNG": {"optimize": True},
    "WEBP": {"quality": 86},
}
_MODES: Final = {"JPEG": ("RGB", "L"), "PNG": ("RGB", "RGBA", "L", "LA"), "WEBP": ("RGB", "RGBA")}


@dataclass(frozen=True)
class Picture:
    """A picture as it is kept: its bytes, those of the small one, its size in pixels."""

    content: bytes
    small: bytes
    media_type: str
    width: int
    height: int

    @property
    def digest(self) -> str:
        """Under which it is kept."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Photo:
    """A photo of a case, and where its picture lies."""

    id: str
    incident: str
    digest: str
    media_type: str

    def path(self, folder: Path, *, small: bool = False) -> Path:
        """The file of the picture in a data folder."""
        return _path(folder, self.digest, self.media_type, small=small)


def picture_of(content: bytes) -> Picture:
    """A picture without anything but its pixels; BadUpload for what is none, is broken, or is too large."""
    if len(content) > MOST_BYTES:
        most = MOST_BYTES // 2**20
        raise BadUpload("photo", f"is larger than {most} MB").because("photo_large", most=most)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=tuple(_SAVED)) as opened:
                return _written_anew(opened)
    except UnidentifiedImageError as error:
        raise BadUpload("photo", "is no JPEG, PNG or WebP picture").because("photo_kind") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadUpload("photo", "has too many pixels").because("photo_pixels") from error
    except (OSError, ValueError, SyntaxError, EOFError, OverflowError, MemoryError) as error:
        raise BadUpload("photo", "is broken or cut off").because("photo_broken") from error


def add_photo(
    connection: sa.Connection,
    folder: Path,
    incident: str,
    picture: Picture,
    *,
    actor: str,
    step: int | None,
    now: dt.datetime,
    scenario: str | None,
) -> str:
    """Keep a picture with a case that the caller has locked; returns its id. Conflict when there are twelve.

    BadUpload when `step` is none of the case's.
    """
    held = connection.scalar(sa.select(sa.func.count()).where(PHOTO.c.incident == incident)) or 0
    if held >= MOST_PHOTOS:
        raise Conflict(f"a case has at most {MOST_PHOTOS} photos").because("photos_full", most=MOST_PHOTOS)
    if step is not None and connection.scalar(sa.select(STEP.c.incident).where(STEP.c.id == step)) != incident:
        raise BadUpload("photo", "the step is none of this case").because("photo_unknown")
    id = secrets.token_urlsafe(12)
    row = {
        **{"id": id, "incident": incident, "step": step, "digest": picture.digest, "at": now, "actor": actor},
        **{"media_type": picture.media_type, "bytes": len(picture.content), "scenario": scenario},
        **{"width": picture.width, "height": picture.height},
    }
    connection.execute(sa.insert(PHOTO).values(row))
    # Last: what is refused leaves no file. One that is left when the commit fails is found again by its digest.
    for small, content in ((True, picture.small), (False, picture.content)):
        _keep(_path(folder, picture.digest, picture.media_type, small=small), content)
    return id


def told_added(id: str, picture: Picture, *, step: int | None, actor: str, at: dt.datetime) -> dict[str, Any]:
    """A photo that was just added, as `told.told_photo` tells it."""
    size = {"width": picture.width, "height": picture.height, "bytes": len(picture.content)}
    return {"id": id, "step": step, "media_type": picture.media_type, **size, "at": at, "actor": actor}


def photo_of(connection: sa.Connection, id: str) -> Photo | None:
    """The photo of this id; None when there is none."""
    columns = (PHOTO.c.id, PHOTO.c.incident, PHOTO.c.digest, PHOTO.c.media_type)
    row = connection.execute(sa.select(*columns).where(PHOTO.c.id == id)).first()
    return None if row is None else Photo(row.id, row.incident, row.digest, row.media_type)


def _written_anew(opened: Image.Image) -> Picture:
    kind = str(opened.format)
    if opened.width * opened.height > MOST_PIXELS:
        raise BadUpload("photo", "has too many pixels").because("photo_pixels")
    opened.load()
    upright = ImageOps.exif_transpose(opened)
    through = "RGBA" in _MODES[kind] and upright.has_transparency_data
    plain = upright if upright.mode in _MODES[kind] else upright.convert("RGBA" if through else "RGB")
    plain.thumbnail((MOST_SIDE, MOST_SIDE), Image.Resampling.LANCZOS)
    small = plain.convert("RGB")
    small.thumbnail((SMALL_SIDE, SMALL_SIDE), Image.Resampling.LANCZOS)
    return Picture(_saved(plain, kind), _saved(small, "JPEG"), f"image/{kind.lower()}", plain.width, plain.height)


def _saved(image: Image.Image, kind: str) -> bytes:
    """The pixels alone: a new image knows nothing of the old one's metadata."""
    bare = Image.new(image.mode, image.size)
    bare.paste(image)
    out = io.BytesIO()
    bare.save(out, kind, **_SAVED[kind])
    return out.getvalue()


def _path(folder: Path, digest: str, media_type: str, *, small: bool) -> Path:
    name = f"{digest}.small.jpg" if small else f"{digest}.{_SUFFIX[media_type]}"
    return folder / FOLDER / digest[:2] / name


def _keep(path: Path, content: bytes) -> None:
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"new-{secrets.token_hex(8)}")
    try:
        new.write_bytes(content)
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)
