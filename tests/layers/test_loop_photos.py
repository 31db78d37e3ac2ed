"""Photos: only pictures come in, and nothing but their pixels is kept."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import ExifTags, Image

from layers.errors import BadUpload, Conflict
from layers.loop.photos import MOST_BYTES, MOST_SIDE, SMALL_SIDE, add_photo, photo_of, picture_of
from layers.loop.tables import PHOTO
from layers.refusals import CAUSES
from layers.store.engine import begin
from tests.conftest import Database

NOW = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)


def picture(kind: str = "JPEG", *, size: tuple[int, int] = (60, 40), orientation: int = 1, mode: str = "RGB") -> bytes:
    """A picture whose left half is red, with a position and a camera in it."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "SECRETCAMERA"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (31.0, 59.0, 7.0), 3: "E", 4: (120.0, 53.0, 9.0)})
    out = io.BytesIO()
    image.convert(mode).save(out, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_position_and_camera_are_gone_and_the_kind_stays(kind: str) -> None:
    given = picture(kind)
    assert b"SECRETCAMERA" in given
    kept = picture_of(given)
    assert kept.media_type == f"image/{kind.lower()}"
    for content in (kept.content, kept.small):
        assert b"SECRETCAMERA" not in content
        with Image.open(io.BytesIO(content)) as opened:
            assert not opened.getexif()
            assert not {"exif", "gps", "comment", "icc_profile", "xmp"} & set(opened.info)


def test_a_picture_is_turned_upright_before_it_forgets_how_it_lay() -> None:
    kept = picture_of(picture(size=(60, 40), orientation=6))
    assert (kept.width, kept.height) == (40, 60)
    with Image.open(io.BytesIO(kept.content)) as opened:
        top, bottom = opened.getpixel((20, 5)), opened.getpixel((20, 55))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[0] > 200 > bottom[0]


def test_what_follows_the_picture_in_the_file_is_not_kept() -> None:
    assert b"<script>" not in picture_of(picture() + b"PK\x03\x04<script>alert(1)</script>").content


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16"])
def test_every_mode_of_png_is_taken(mode: str) -> None:
    assert picture_of(picture("PNG", mode=mode)).width == 60


def test_a_large_one_is_made_smaller_and_the_small_one_is_small() -> None:
    kept = picture_of(picture(size=(MOST_SIDE + 400, 300)))
    assert (kept.width, kept.height) == (MOST_SIDE, 273)
    with Image.open(io.BytesIO(kept.small)) as small:
        assert small.size[0] == SMALL_SIDE
        assert small.format == "JPEG"


def bomb() -> bytes:
    """A PNG of 40,000 × 40,000 points in two kilobytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 40_000, 40_000, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


BAD = [
    ("photo_kind", b""),
    ("photo_kind", b"MZ\x90\x00 program.exe"),
    ("photo_kind", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
    ("photo_kind", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"),
    ("photo_kind", b"%PDF-1.7"),
    ("photo_broken", picture(size=(400, 300))[:900]),
    ("photo_broken", picture("PNG", size=(400, 300))[:400]),
    ("photo_large", b"\xff\xd8\xff" + bytes(MOST_BYTES)),
    ("photo_pixels", bomb()),
]


@pytest.mark.parametrize(("cause", "content"), BAD)
def test_disguised_broken_and_oversized_files_are_refused(cause: str, content: bytes) -> None:
    with pytest.raises(BadUpload) as refused:
        picture_of(content)
    assert refused.value.cause == cause
    assert cause in CAUSES


def test_a_picture_is_kept_once_and_a_case_has_twelve_at_most(database: Database, tmp_path: Path) -> None:
    kept = picture_of(picture())
    with begin(database.engine, actor="li") as connection:
        about: dict[str, Any] = {"actor": "li", "step": None, "now": NOW, "scenario": None}
        ids = [add_photo(connection, tmp_path, "20261123000001", kept, **about) for _ in range(12)]
        with pytest.raises(Conflict) as full:
            add_photo(connection, tmp_path, "20261123000001", kept, **about)
        assert full.value.cause == "photos_full"
        with pytest.raises(BadUpload):
            add_photo(connection, tmp_path, "20261123000002", kept, **{**about, "step": 77})
        found = photo_of(connection, ids[0])
        assert photo_of(connection, "A" * 16) is None
        assert connection.scalar(sa.select(sa.func.count()).select_from(PHOTO)) == 12
    assert found is not None
    assert found.path(tmp_path).read_bytes() == kept.content
    assert found.path(tmp_path, small=True).read_bytes() == kept.small
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2
