"""Zip archives as people send them: folders in folders, leftovers of the operating system, and now and then a bomb."""

import zipfile
from pathlib import Path, PurePosixPath

from etl.errors import CorruptFile, EmptyFile, TooLarge, UnreadableFile
from etl.readers.table import Limits, Progress, unheard

_JUNK_FOLDERS = ("__MACOSX",)
_JUNK_FILES = ("Thumbs.db", "desktop.ini", ".DS_Store")
# Small files may well pack better than the bound on the ratio.
_RATIO_FROM = 100 * 2**20
_ENCRYPTED = 0x1


def check_archive(path: Path, limits: Limits) -> list[zipfile.ZipInfo]:
    """The entries that hold data; CorruptFile or TooLarge for an archive that must not be opened."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        told = f"it is not a zip archive that can be opened ({error})"
        raise CorruptFile(path, told).because("archive_broken") from error
    if len(entries) > limits.archive_entries:
        raise TooLarge(path, "entries of the archive", found=len(entries), limit=limits.archive_entries)
    unpacked = sum(entry.file_size for entry in entries)
    bound = limits.unpacked_bytes
    if unpacked > _RATIO_FROM:
        bound = min(bound, limits.unpacked_ratio * max(path.stat().st_size, 1))
    if unpacked > bound:
        raise TooLarge(path, "unpacked bytes", found=unpacked, limit=bound)
    return [entry for entry in entries if not entry.is_dir() and not _is_junk(entry.filename)]


def unpack(path: Path, into: Path, *, limits: Limits, progress: Progress = unheard) -> list[Path]:
    """The data files of an archive, unpacked below a folder, never outside it; names in GBK come out right."""
    entries = check_archive(path, limits)
    if not entries:
        raise EmptyFile(path, "the archive holds no data").because("archive_unknown")
    unpacked: list[Path] = []
    with zipfile.ZipFile(path) as archive:
        for entry in entries:
            target = into / _inside(path, _name(entry))
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                _write(archive, entry, target, progress)
            except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError) as error:
                told = f"{entry.filename} in the archive cannot be unpacked ({error})"
                cause = "archive_password" if entry.flag_bits & _ENCRYPTED else "archive_broken"
                raise CorruptFile(path, told).because(cause) from error
            unpacked.append(target)
    return unpacked


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, progress: Progress) -> None:
    """Copy one entry, but never more bytes than its header promised: that number was what the bound allowed."""
    left = entry.file_size
    with archive.open(entry) as packed, target.open("wb") as plain:
        while left and (chunk := packed.read(min(left, 1 << 20))):
            plain.write(chunk)
            progress(0, None)  # no row is read yet, but whoever listens may end it here
            left -= len(chunk)
        if packed.read(1):
            raise zipfile.BadZipFile("it is longer than its header says")


def _is_junk(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any(part in _JUNK_FOLDERS for part in parts) or parts[-1].startswith("._") or parts[-1] in _JUNK_FILES


def _name(entry: zipfile.ZipInfo) -> str:
    # Without the UTF-8 flag the standard says cp437; Chinese programs write GBK there.
    if entry.flag_bits & 0x800 or entry.filename.isascii():
        return entry.filename
    raw = entry.filename.encode("cp437", errors="replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def _inside(path: Path, name: str) -> PurePosixPath:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or any(part in ("..", "/") or ":" in part or "\x00" in part for part in parts):
        told = f"the archive has an entry that would leave its folder: {name!r}"
        raise UnreadableFile(path, told).because("archive_unsafe")
    return PurePosixPath(*parts)
