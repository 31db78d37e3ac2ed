"""What can go wrong in geometry and maths: one tree, each error with its facts as attributes.

GisError
├── UnknownFrame      a frame name that nobody knows
├── OutsideFrame      a longitude that no metre frame measures
├── BadCoordinate     not a number, or off the globe
├── BadCell           text or number that is no H3 cell
├── BadResolution     a resolution outside what the cells allow
├── BadTile           a tile address outside its zoom
├── BadBox            a box with no extent to speak of
├── WrongGeometry     a geometry of another type than asked for
├── BadArchive        a file that is no tile archive that can be served
└── UnusableRaster    a file that is no raster of values on the globe
"""

from collections.abc import Sequence
from pathlib import Path


class GisError(ValueError):
    """The root of all errors of `gis`; `facts` repeats the attributes for logs and answers."""

    @property
    def facts(self) -> dict[str, object]:
        """Return the named facts of this error."""
        return dict(vars(self))


class UnknownFrame(GisError):
    """A name that is none of the known frames nor a usual spelling of one."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name, known)
        self.name, self.known = name, tuple(known)

    def __str__(self) -> str:
        return f"unknown coordinate frame {self.name!r}; known: {', '.join(self.known)}"


class OutsideFrame(GisError):
    """A longitude (degrees) that none of the named frames covers."""

    def __init__(self, lon: float, frames: Sequence[str]) -> None:
        super().__init__(lon, frames)
        self.lon, self.frames = lon, tuple(frames)

    def __str__(self) -> str:
        return f"longitude {self.lon} is outside the area of use of {', '.join(self.frames)}"


class BadCoordinate(GisError):
    """A lon, lat pair that is not a number or not on the globe, with its position in the input."""

    def __init__(self, index: int, point: tuple[float, float]) -> None:
        super().__init__(index, point)
        self.index, self.point = index, point

    def __str__(self) -> str:
        return f"coordinate {self.index} is not a lon, lat in degrees: {self.point[0]}, {self.point[1]}"


class BadCell(GisError):
    """Text or a number that is not a valid H3 cell."""

    def __init__(self, cell: str | int) -> None:
        super().__init__(cell)
        self.cell = cell

    def __str__(self) -> str:
        return f"{self.cell!r} is not an H3 cell"


class BadResolution(GisError):
    """An H3 resolution outside what is allowed here (lowest and highest, both included)."""

    def __init__(self, res: int, allowed: tuple[int, int]) -> None:
        super().__init__(res, allowed)
        self.res, self.allowed = res, allowed

    def __str__(self) -> str:
        return f"H3 resolution {self.res} is not between {self.allowed[0]} and {self.allowed[1]}"


class BadTile(GisError):
    """A tile address (z, x, y), or a tile id, that does not exist."""

    def __init__(self, tile: tuple[int, int, int] | int, max_zoom: int) -> None:
        super().__init__(tile, max_zoom)
        self.tile, self.max_zoom = tile, max_zoom

    def __str__(self) -> str:
        if isinstance(self.tile, int):
            return f"tile id {self.tile} is outside zoom 0 to {self.max_zoom}"
        z, x, y = self.tile
        return f"tile {z}/{x}/{y} does not exist; zoom goes from 0 to {self.max_zoom}, x and y from 0 to 2^z - 1"


class BadBox(GisError):
    """A box (west, south, east, north in degrees) whose sides are not numbers or stand in the wrong order."""

    def __init__(self, box: tuple[float, float, float, float]) -> None:
        super().__init__(box)
        self.box = box

    def __str__(self) -> str:
        return f"not a box of west, south, east, north in degrees: {self.box}"


class WrongGeometry(GisError):
    """A geometry type that does not fit, with the types that would."""

    def __init__(self, found: str, wanted: Sequence[str]) -> None:
        super().__init__(found, wanted)
        self.found, self.wanted = found, tuple(wanted)

    def __str__(self) -> str:
        return f"geometry is {self.found}; wanted: {', '.join(self.wanted)}"


class UnusableRaster(GisError):
    """A file that cannot serve as a raster; `reason` is a clause for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class BadArchive(GisError):
    """A file that is no PMTiles archive, a damaged one, or one of a kind that is not served; `reason` is a clause."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"{self.path.name}: {self.reason}"
