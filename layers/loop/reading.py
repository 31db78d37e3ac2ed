"""The tables that a city may replace: each is a CSV that ships, and one of the same name in the data folder wins."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeVar

from layers.codes.errors import BadBook
from layers.codes.tables import Line, parse_table, read_table
from layers.errors import BadDeclaration

SHIPPED: Final = Path(__file__).parent / "data"
FOLDER: Final = "loop"
MOST_LINES: Final = 20_000
Row = TypeVar("Row")


def path_of(name: str, data: Path | None) -> Path:
    """The file of this name in the folder `loop` of the city's data folder, or the one that ships."""
    own = None if data is None else data / FOLDER / name
    return own if own is not None and own.is_file() else SHIPPED / name


def rows_of(path: Path, columns: tuple[str, ...], make: Callable[[Line], Row]) -> list[Row]:
    """What `make` makes of every line of a file; BadDeclaration names the line that cannot be used."""
    return _made(lambda: read_table(path, columns), make)


def rows_in(text: str, name: str, columns: tuple[str, ...], make: Callable[[Line], Row]) -> list[Row]:
    """The same of a text that was sent; `name` is what a refusal calls it."""
    return _made(lambda: parse_table(Path(name), text.removeprefix("\ufeff"), columns), make)


def _made(read: Callable[[], Iterable[Line]], make: Callable[[Line], Row]) -> list[Row]:
    try:
        rows: list[Row] = []
        for line in read():
            if len(rows) >= MOST_LINES:
                raise line.error(f"there are more than {MOST_LINES:,} lines")
            rows.append(make(line))
    except BadBook as error:
        raise BadDeclaration(error.path, error.line, error.reason) from error
    return rows
