"""A flat sheet around one place: geometries in metres, for buffers, unions and cuts that lon, lat cannot do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pyproj
import shapely
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Shapes = NDArray[np.object_]


@dataclass(frozen=True)
class Plane:
    """A transverse Mercator sheet whose middle is at `lon`, `lat`.

    Lengths are true to 0.02 % within 120 km east and west of the middle (x²/2R²), at any distance north and south.
    """

    lon: float
    lat: float

    @classmethod
    def around(cls, shapes: Shapes) -> Self:
        """The sheet around the middle of the box of lon, lat geometries; around 0, 0 where there are none."""
        if shapely.is_empty(shapes).all():
            return cls(0.0, 0.0)
        west, south, east, north = shapely.total_bounds(shapes).tolist()
        return cls((west + east) / 2, (south + north) / 2)

    def metres(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Array, Array]:
        """The metres east and north of the middle."""
        x, y = self._projection.transform(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
        return np.asarray(x), np.asarray(y)

    def degrees(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """The lon, lat of metres east and north of the middle."""
        lon, lat = self._projection.transform(
            np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64), direction="INVERSE"
        )
        return np.asarray(lon), np.asarray(lat)

    def flat(self, shapes: Shapes) -> Shapes:
        """Lon, lat geometries on the sheet."""
        moved: Shapes = shapely.transform(shapes, lambda at: np.column_stack(self.metres(at[:, 0], at[:, 1])))
        return moved

    def round(self, shapes: Shapes) -> Shapes:
        """Geometries of the sheet in lon, lat."""
        moved: Shapes = shapely.transform(shapes, lambda at: np.column_stack(self.degrees(at[:, 0], at[:, 1])))
        return moved

    @cached_property
    def _projection(self) -> pyproj.Transformer:
        text = f"+proj=tmerc +lat_0={self.lat!r} +lon_0={self.lon!r} +k=1 +x_0=0 +y_0=0 +ellps=GRS80 +units=m"
        return pyproj.Transformer.from_crs("EPSG:4490", text, always_xy=True)
