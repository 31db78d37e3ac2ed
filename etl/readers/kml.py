"""KML: placemarks of all folders with their data under the names that people gave them (GDAL spoils Chinese ones)."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from etl.errors import CorruptFile, EmptyFile, TooLarge, UnknownFormat
from etl.readers.table import HEARD_EVERY, Limits, Progress, Table, unheard, unique_headers

_HEAD = 1 << 16
_SPACE = re.compile(r"\s*,\s*")

Element = ElementTree.Element
Points = NDArray[np.float64]


def read_kml(path: Path, *, limits: Limits, progress: Progress = unheard) -> Table:
    """The placemarks of a KML file: name, description, folder and extended data, always in WGS-84 by its standard."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    # An honest KML declares nothing; entities are how an XML file grows beyond its size.
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise UnknownFormat(path, "a KML file with a document type is not read").because("kml_broken")
    if b"<kml" not in head and b":kml" not in head:
        raise CorruptFile(path, "this is no KML file: it does not begin as one").because("kml_broken")
    records: list[dict[str, str]] = []
    shapes: list[shapely.Geometry | None] = []
    try:
        for folder, placemark in _placemarks(path):
            records.append(_values(placemark, folder))
            shapes.append(_shape(placemark))
            if len(records) % HEARD_EVERY == 0:
                progress(len(records), None)
            if len(records) > limits.rows:
                raise TooLarge(path, "rows", found=len(records), limit=limits.rows)
    except (ElementTree.ParseError, ValueError, shapely.GEOSException) as error:
        raise CorruptFile(path, f"the KML file cannot be read ({error})").because("kml_broken") from error
    if not records:
        raise EmptyFile(path, "the KML file has no placemarks")
    columns = pd.DataFrame(records, dtype="str")
    if len(columns.columns) > limits.columns:
        raise TooLarge(path, "columns", found=len(columns.columns), limit=limits.columns)
    columns.columns = pd.Index(unique_headers([str(name) for name in columns.columns]))
    rows = np.arange(1, len(records) + 1, dtype=np.int64)
    return Table(path, path.stem, columns, rows, geometry=np.array(shapes, dtype=object), frame="EPSG:4326")


def _placemarks(path: Path) -> Iterator[tuple[str, Element]]:
    """Each placemark with the name of the folder it is in; memory stays small however long the file is."""
    folders: list[str] = []
    open_elements: list[str] = []
    for event, element in ElementTree.iterparse(path, events=("start", "end")):
        tag = _tag(element)
        if event == "start":
            open_elements.append(tag)
            if tag == "Folder":
                folders.append("")
            continue
        open_elements.pop()
        if tag == "name" and open_elements[-1:] == ["Folder"]:
            folders[-1] = (element.text or "").strip()
        elif tag == "Folder":
            folders.pop()
        elif tag == "Placemark":
            yield " / ".join(name for name in folders if name), element
            element.clear()


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _values(placemark: Element, folder: str) -> dict[str, str]:
    found = {"folder": folder} if folder else {}
    for child in placemark:
        if _tag(child) in ("name", "description", "address") and child.text and child.text.strip():
            found[_tag(child)] = child.text.strip()
    for data in placemark.iter():
        name = data.get("name")
        if name and _tag(data) == "SimpleData":
            found[name] = (data.text or "").strip()
        elif name and _tag(data) == "Data":
            found[name] = next(((v.text or "").strip() for v in data if _tag(v) == "value"), "")
    return found


def _shape(parent: Element) -> shapely.Geometry | None:
    shapes = [shape for child in parent if (shape := _one_shape(child)) is not None]
    if not shapes:
        return None
    return shapes[0] if len(shapes) == 1 else _gathered(shapes)


def _gathered(shapes: list[shapely.Geometry]) -> shapely.Geometry:
    builders: dict[str, Callable[[list[shapely.Geometry]], shapely.Geometry]] = {
        "Point": shapely.MultiPoint,
        "LineString": shapely.MultiLineString,
        "Polygon": shapely.MultiPolygon,
    }
    kinds = {shape.geom_type for shape in shapes}
    build = builders.get(kinds.pop()) if len(kinds) == 1 else None
    return build(shapes) if build else shapely.GeometryCollection(shapes)


def _one_shape(element: Element) -> shapely.Geometry | None:
    tag = _tag(element)
    if tag == "MultiGeometry":
        return _shape(element)
    if tag in ("Point", "LineString", "LinearRing"):
        points = _points(element)
        if len(points) == 0:
            return None
        return shapely.Point(points[0]) if tag == "Point" else shapely.LineString(points)
    if tag != "Polygon":
        return None
    rings: dict[str, list[Points]] = {"outerBoundaryIs": [], "innerBoundaryIs": []}
    for boundary in element:
        if _tag(boundary) in rings:
            rings[_tag(boundary)] += [_points(ring) for ring in boundary if _tag(ring) == "LinearRing"]
    outer = rings["outerBoundaryIs"]
    return shapely.Polygon(outer[0], rings["innerBoundaryIs"]) if outer and len(outer[0]) else None


def _points(element: Element) -> Points:
    """The lon, lat pairs of an element's coordinates; heights are left out."""
    text = next((child.text or "" for child in element if _tag(child) == "coordinates"), "")
    tuples = [part.split(",") for part in _SPACE.sub(",", text).split()]
    return np.array([[float(part[0]), float(part[1])] for part in tuples if len(part) > 1]).reshape(-1, 2)
