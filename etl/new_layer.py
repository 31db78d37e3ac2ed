"""A layer made from the data themselves, for files that no layer of the catalogue knows."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pypinyin import lazy_pinyin

from etl.clean.dates import impossible, read_times
from etl.clean.values import plain_text
from etl.errors import BadOption, NothingMapped
from etl.headers import fold
from etl.mapping import Mapping, guess_mapping
from etl.readers.table import Table
from layers.errors import BadField
from layers.spec import Field, FieldKind, GeometryKind, Layer, Title
from layers.store.definitions import layer_from_parts

# What every record has besides its declared fields.
_RESERVED = frozenset(
    (
        *(
            "id",
            "geom",
            "geometry",
            "geom3857",
            "cell",
            "grid_id",
            "admin_code",
            "place_method",
            "place_precision",
            "source",
        ),
        *(
            "delivery",
            "changed_at",
            "changed_by",
            "extra",
            "tableoid",
            "xmin",
            "xmax",
            "cmin",
            "cmax",
            "ctid",
            "n",
            "d",
        ),
    )
)
_SAMPLE = 20_000
_CLUES = frozenset(("grid", "component", "admin", "place", "address"))
_MOST_FIELDS = 80
_FEW = 50
_IN_TILE = 8
_NAMES = ("name", "title", "名称", "名字", "标题", "이름", "명칭")
_CLASSES = ("type", "kind", "class", "category", "status", "state", "类", "状态", "등급", "종류")
_SHOWN_LENGTH = 80
_BOOLEANS = (frozenset(("true", "false")), frozenset(("yes", "no")), frozenset(("是", "否")), frozenset(("y", "n")))
_SHAPES: dict[int, GeometryKind] = {0: "Point", 1: "MultiLineString", 2: "MultiPolygon"}


def infer_layer(
    table: Table, name: str, *, title: Title | None = None, public: bool = False, today: date
) -> tuple[Layer, Mapping]:
    """A layer with a field for every column of the file, and the mapping that fills it.

    Raises BadOption for a name that cannot be one, NothingMapped for a file that says of no row where it is.
    """
    blank = _layer(name, "Point", (), title, public=public)
    guessed = guess_mapping(table, blank)
    spatial = [guessed.roles[r] for r in ("lon", "lat", "x", "y", "pair", "wkt") if r in guessed.roles]
    if table.geometry is None and not spatial and not _CLUES & set(guessed.roles):
        raise NothingMapped(name, table.headers)
    headers = [h for h in table.headers if h not in spatial and h != guessed.roles.get("id")][:_MOST_FIELDS]
    names = dict(zip(_field_names(headers), headers, strict=True))
    fields = [_field(field, header, table.columns[header], today=today) for field, header in names.items()]
    label, classes = _label(fields, table, names), _classes(fields, table, names)
    shown = [field.name for field in fields if field.name in (label, classes)]
    shown += [f.name for f in fields if f.name not in shown and f.max_length <= _SHOWN_LENGTH]
    tile, searched = shown[:_IN_TILE], (label, *(f.name for f in fields if "address" in f.name))
    fields = [_shown(f, tile=f.name in tile, search=f.name in searched) for f in fields]
    layer = _layer(name, _geometry_kind(table), fields, title, public=public, label=label, classes=classes)
    return layer, Mapping(fields=names, roles=guessed.roles, frame=guessed.frame, own_id=False)


def mapping_for(table: Table, layer: Layer) -> Mapping:
    """The mapping of a further file to a layer made from one like it, whose fields bear the headers as titles."""
    return replace(guess_mapping(table, layer), own_id=False)


def _layer(
    name: str,
    geometry: GeometryKind,
    fields: Sequence[Field],
    title: Title | None,
    *,
    public: bool,
    label: str | None = None,
    classes: str | None = None,
) -> Layer:
    try:
        return layer_from_parts(
            name, title or Title(name, name), geometry, fields, label=label, classes=classes, public=public
        )
    except BadField as error:
        raise BadOption("--new-layer", name, str(error)).because("bad_layer_name", layer=name) from error


def _geometry_kind(table: Table) -> GeometryKind:
    """The kind that most shapes of the file have; points where coordinates stand in columns."""
    if table.geometry is None:
        return "Point"
    dimensions = shapely.get_dimensions(table.geometry)
    present, counts = np.unique(dimensions[dimensions >= 0], return_counts=True)
    return _SHAPES[int(present[counts.argmax()])] if len(present) else "Point"


def _field_names(headers: list[str]) -> list[str]:
    """A column name for each header: Latin letters and digits, Chinese by its sound, none twice and none reserved."""
    taken: set[str] = set()
    names: list[str] = []
    for position, header in enumerate(headers, start=1):
        plain = unicodedata.normalize("NFKC", header)
        spoken = "_".join(lazy_pinyin(plain)) if re.search(r"[\u4e00-\u9fff]", plain) else plain
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", spoken)
        stem = re.sub(r"[^a-z0-9]+", "_", snake.lower()).strip("_")[:40].strip("_")
        stem = f"column_{position}" if not stem else f"c_{stem}" if stem[0].isdigit() else stem
        if stem in _RESERVED:
            stem += "_given"
        name, k = stem, 2
        while name in taken:
            name, k = f"{stem}_{k}", k + 1
        taken.add(name)
        names.append(name)
    return names


def _field(name: str, header: str, column: "pd.Series[Any]", *, today: date) -> Field:
    sample = column.dropna().head(_SAMPLE)
    kind = _kind(sample, today=today)
    text = plain_text(column) if kind == "text" else None
    longest = 1 if text is None else int(text.str.len().max() or 1) if text.notna().any() else 1
    few = sample.nunique() <= _FEW
    limit = next(bound for bound in (80, 250, 1000, 4000, 100_000) if longest <= bound or bound == 100_000)
    return Field(name, Title(header, header), kind, filter=few or kind != "text", edit=True, max_length=limit)


def _kind(sample: "pd.Series[Any]", *, today: date) -> FieldKind:
    """The kind that all values of a sample fit."""
    if pd.api.types.is_datetime64_any_dtype(sample.dtype):
        return "date" if bool((sample == sample.dt.normalize()).all()) else "time"
    if pd.api.types.is_bool_dtype(sample.dtype):
        return "boolean"
    if pd.api.types.is_numeric_dtype(sample.dtype):
        return "integer" if bool((sample % 1 == 0).all()) and bool((sample.abs() < 2**53).all()) else "number"
    text = plain_text(sample).dropna()
    if len(text) == 0:
        return "text"
    words = frozenset(text.str.lower().unique()) if text.nunique() <= 4 else frozenset[str]()
    if any(words and words <= pair and len(words) > 1 for pair in _BOOLEANS):
        return "boolean"
    # A leading zero or many digits make a code, not a number.
    if bool(text.str.fullmatch(r"-?(?:0|[1-9]\d{0,14})(?:\.\d+)?").all()):
        return "integer" if not bool(text.str.contains(".", regex=False).any()) else "number"
    return _time_kind(text, today=today)


def _time_kind(text: "pd.Series[Any]", *, today: date) -> FieldKind:
    if not bool(text.str.contains(r"^\d{1,4}[-/.年]\d{1,2}[-/.月]", regex=True).all()):
        return "text"
    read = read_times(text)
    odd = read.bad | impossible(read.times, today=today)
    if odd.mean() > 0.01:
        return "text"
    return "time" if bool(text.str.contains(":").any()) else "date"


def _label(fields: Sequence[Field], table: Table, names: dict[str, str]) -> str | None:
    short = [f.name for f in fields if f.kind == "text" and f.max_length <= 250]
    texts = [name for name in short if table.columns[names[name]].notna().any()]
    called = [n for n in texts if any(word in fold(names[n]) or word in fold(n) for word in _NAMES)]
    return next(iter(called or texts), None)


def _classes(fields: Sequence[Field], table: Table, names: dict[str, str]) -> str | None:
    """A field of few values whose header says that it is a class or a state."""
    for field in fields:
        if field.kind == "text" and any(word in fold(names[field.name]) for word in _CLASSES):
            distinct = plain_text(table.columns[names[field.name]].head(_SAMPLE)).nunique()
            if 2 <= distinct <= 24:
                return field.name
    return None


def _shown(field: Field, *, tile: bool, search: bool) -> Field:
    searched = search and field.kind == "text"
    return Field(**{**vars(field), "tile": tile, "search": searched})
