"""Reading files as they are: one function takes every format and gives a `Table`."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from zipfile import is_zipfile

from etl.errors import ChoiceNeeded, EmptyFile, TooLarge, UnknownFormat, UnreadableFile
from etl.readers.archive import check_archive, unpack
from etl.readers.kml import read_kml
from etl.readers.sheet import read_sheet
from etl.readers.table import LIMITS, Limits, Progress, Table, unheard
from etl.readers.text import read_text
from etl.readers.vector import SUFFIXES, Shape, read_parquet, read_vector

__all__ = ["FORMATS", "LIMITS", "Limits", "Progress", "Table", "read", "unheard"]

_TEXT = (".csv", ".tsv", ".tab", ".txt")
_SHEETS = (".xlsx", ".xlsm", ".xls")
_PARQUET = (".parquet", ".geoparquet")
FORMATS = (*SUFFIXES, ".kml", *_TEXT, *_SHEETS, ".zip", ".kmz")
# Companions of a main file inside an archive.
_DATA = tuple(suffix for suffix in FORMATS if suffix not in (".zip", ".txt"))


def read(
    path: Path,
    *,
    table: str | None = None,
    shape: Shape | None = None,
    encoding: str | None = None,
    limits: Limits = LIMITS,
    progress: Progress = unheard,
) -> Table:
    """One table of a file, whatever its format; `table` names a sheet or table where there are several.

    `progress` hears how many rows were read. Raises an `UnreadableFile` or `ChoiceNeeded` whose text is one line for
    the person who brought the file.
    """
    if not path.exists():
        raise UnreadableFile(path, "there is no such file").because("file_gone")
    try:
        _check_bytes(path, limits)
        with tempfile.TemporaryDirectory(prefix="chengtu-load-", ignore_cleanup_errors=True) as scratch:
            return _read(path, table, shape, encoding, Path(scratch), limits, progress)
    except OSError as error:
        told = f"the file cannot be read ({error.strerror or error})"
        raise UnreadableFile(path, told).because("unreadable") from error


def _check_bytes(path: Path, limits: Limits) -> None:
    files = [path] if path.is_file() else [part for part in path.rglob("*") if part.is_file()]
    size = sum(part.stat().st_size for part in files)
    if size > limits.file_bytes:
        raise TooLarge(path, "bytes", found=size, limit=limits.file_bytes)
    if size == 0:
        raise EmptyFile(path, "the file has no bytes").because("empty")


def _read(
    path: Path,
    table: str | None,
    shape: Shape | None,
    encoding: str | None,
    scratch: Path,
    limits: Limits,
    progress: Progress,
) -> Table:
    suffix = path.suffix.lower()
    if path.is_dir() and suffix != ".gdb":
        raise UnknownFormat(path, "this is a folder; name a file in it (or a FileGDB folder ending in .gdb)")
    if suffix in (".zip", ".kmz"):
        return _read_archive(path, table, shape, encoding, scratch, limits, progress)
    readers: dict[tuple[str, ...], Callable[[], Table]] = {
        _TEXT: lambda: read_text(path, encoding=encoding, limits=limits, progress=progress),
        _SHEETS: lambda: read_sheet(path, sheet=table, limits=limits, progress=progress),
        _PARQUET: lambda: read_parquet(path, limits=limits, progress=progress),
        (".kml",): lambda: read_kml(path, limits=limits, progress=progress),
        SUFFIXES: lambda: read_vector(
            path, table=table, shape=shape, encoding=encoding, scratch=scratch, limits=limits, progress=progress
        ),
    }
    for suffixes, reader in readers.items():
        if suffix in suffixes:
            return reader()
    told = f"files ending in {suffix or 'nothing'} are not read; known: {' '.join(FORMATS)}"
    raise UnknownFormat(path, told).because("unknown_ending", ending=suffix)


def _read_archive(
    path: Path,
    table: str | None,
    shape: Shape | None,
    encoding: str | None,
    scratch: Path,
    limits: Limits,
    progress: Progress,
) -> Table:
    """The one table of an archive; of several, the one whose file has the name that --table gives."""
    if not is_zipfile(path):
        check_archive(path, limits)
    unpacked = unpack(path, scratch / "unpacked", limits=limits, progress=progress)
    geodatabases = sorted({p for file in unpacked for p in file.parents if p.suffix.lower() == ".gdb"})
    inside = tuple(geodatabases)
    files = [f for f in unpacked if f.suffix.lower() in _DATA and not any(g in f.parents for g in inside)]
    found = sorted([*inside, *files])
    stems = [file.stem for file in found]
    same = len(set(stems)) < len(stems)
    choices = {str(file.relative_to(scratch / "unpacked")) if same else file.stem: file for file in found}
    if not choices:
        raise EmptyFile(path, "the archive holds no file of a known format").because("archive_unknown")
    if table in choices:
        chosen, table = choices[table], None
    elif len(choices) == 1:
        chosen = next(iter(choices.values()))
    else:
        raise ChoiceNeeded(path, "files", option="--table", choices=list(choices)).because("choose_file")
    return _read(chosen, table, shape, encoding, scratch, limits, progress)
