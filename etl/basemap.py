"""A city's own base map, brought as a tile archive."""

from __future__ import annotations

import warnings
from pathlib import Path

from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import MemoryFile

from etl.errors import CorruptFile, EmptyFile
from gis.archive import Archive
from gis.errors import BadArchive
from layers.spec import Title
from layers.store.basemap import Basemap, decompressed, keep

_VECTOR_SIZE = 512  # what renderers take the side of a vector tile for
_IMAGE_SIZE = 256


def add(file: Path, folder: Path, *, name: str | None, attribution: Title | None, approval: str | None) -> Basemap:
    """Put a PMTiles archive under everything; CorruptFile or EmptyFile, with the reason, if it cannot be served."""
    try:
        archive = Archive.open(file)
        size = _tile_size(archive)
        return keep(archive, folder, name=name, attribution=attribution, approval=approval, tile_size=size)
    except BadArchive as error:
        raise CorruptFile(file, error.reason) from None


def _tile_size(archive: Archive) -> int:
    """The side of the tiles in pixels; and the first tile is what the archive says that it is."""
    first = next(archive.tiles(), None)
    if first is None:
        raise EmptyFile(archive.path, "it holds no tiles")
    data = decompressed(archive, first[1])
    if archive.header.kind == "mvt":
        return _VECTOR_SIZE
    if archive.header.kind == "avif":  # rasterio reads none
        return _IMAGE_SIZE
    try:
        with warnings.catch_warnings(), MemoryFile(data) as memory:
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # a tile's place is its number
            with memory.open() as image:
                return int(image.width)
    except RasterioError:
        raise BadArchive(archive.path, "its first tile is no image") from None
