"""Which column of a file is which field of a layer: guessed from headers and values, or written in a recipe."""

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import Any

import pandas as pd
import shapely

from etl.clean.values import plain_text
from etl.errors import BadOption
from etl.headers import ROLES, field_called, fold, is_layer_id, is_plain_id, names_of, role_of
from etl.readers.table import Table
from layers.spec import ID_PATTERN, Field, Layer

_ALIKE = 0.86
_PAIR = r"^\s*[(\[]?\s*[-+]?\d{1,3}(?:\.\d+)?\s*[,，;\s]\s*[-+]?\d{1,3}(?:\.\d+)?\s*[)\]]?\s*$"
_SHAPES = ("POINT", "LINESTRING", "POLYGON", "MULTI", "GEOMETRYCOLLECTION", "SRID=", '{"TYPE"', '{"COORD')
_SAMPLE = 200
COORDINATES = ("lon", "lat", "x", "y", "pair", "wkt")
_GROUPS = (("lon", "lat"), ("x", "y"), ("pair",), ("wkt",))
ROLES_OF_RECORDS = ("id", *COORDINATES)
_CLUES = ("grid", "component", "admin", "unit", "place", "address")
# Columns that help to find a place and say something besides.
_TEXTS = _CLUES[1:]


@dataclass(frozen=True)
class Mapping:
    """What each column means.

    `fields` leads from a field's name to a header, `roles` from a role (`id`, `lon`, `lat`, `x`, `y`, `pair`, `wkt`,
    and for geocoding `grid`, `component`, `admin`, `unit`, `place`, `address`) to a header. `constants` are fields
    that have one value for the whole file, `values` translate words of the file for a field. `frame` is what headers
    or a recipe say about the coordinates; `approximate` are fields whose header is only alike; `own_id` says that ids
    are unique in this file only.
    """

    fields: AnyMapping[str, str] = field(default_factory=dict)
    roles: AnyMapping[str, str] = field(default_factory=dict)
    constants: AnyMapping[str, str] = field(default_factory=dict)
    values: AnyMapping[str, AnyMapping[str, str]] = field(default_factory=dict)
    frame: str | None = None
    swap: bool = False
    approximate: frozenset[str] = frozenset()
    own_id: bool = False

    def unused(self, table: Table) -> tuple[str, ...]:
        """The headers that are neither a field nor a place; they are kept in the record's `extra`."""
        used = {*self.fields.values(), *(h for role, h in self.roles.items() if role not in _TEXTS)}
        return tuple(header for header in table.headers if header not in used)


def guess_mapping(table: Table, layer: Layer) -> Mapping:
    """The likeliest meaning of every column of a file: exact names, then alike ones where no other can be meant."""
    fields = _exact_fields(table, layer)
    roles, frame = _roles(table)
    taken = {*fields.values(), *(roles[r] for r in roles if r in COORDINATES)}
    identifier = _id_header(table, layer, taken)
    if identifier is not None:
        roles["id"] = identifier
        fields = {name: header for name, header in fields.items() if header != identifier}
        taken.add(identifier)
    open_headers = [h for h in table.headers if h not in taken and h not in roles.values()]
    alike = _alike_fields(open_headers, [f for f in layer.fields if f.name not in fields])
    own = identifier is not None and not is_layer_id(identifier, layer)
    every = _ordered({**fields, **alike}, layer)
    return Mapping(fields=every, roles=roles, frame=frame, approximate=frozenset(alike), own_id=own)


def with_constants(mapping: Mapping, layer: Layer, settings: AnyMapping[str, str]) -> Mapping:
    """The mapping with fields that are given one value for the whole file; BadOption for a name that is no field."""
    constants = dict(mapping.constants)
    for text, value in settings.items():
        found = field_called(layer, text)
        if found is None or found.name not in layer.written:
            names = ", ".join(layer.written)
            told = BadOption("--set", text, f"layer {layer.name} has no such field; it has {names}")
            raise told.because("meaning_gone", field=text)
        constants[found.name] = value
    fields = {name: header for name, header in mapping.fields.items() if name not in constants}
    return replace(mapping, fields=fields, constants=constants)


def with_field(mapping: Mapping, layer: Layer, pairs: AnyMapping[str, str], table: Table) -> Mapping:
    """The mapping with fields, the id, coordinates or clues led to headers by a person.

    BadOption for what is neither a field nor a role, for an unknown header, and for half a pair of coordinates.
    """
    fields, roles = dict(mapping.fields), dict[str, str]()
    for text, header in pairs.items():
        if header not in table.headers:
            raise BadOption("--map", header, f"the file has no such column; it has {', '.join(table.headers)}")
        found = field_called(layer, text)
        if text in ROLES_OF_RECORDS or found is None or found.name not in layer.written:
            roles[_role_called(text, layer)] = header
        else:
            fields[found.name] = header
    led = replace(mapping, fields=_ordered(fields, layer), approximate=mapping.approximate - frozenset(fields))
    return _with_roles(led, layer, roles, table) if roles else led


def _role_called(text: str, layer: Layer) -> str:
    """The role that a person means by its name or by a usual header (`lon`, `经度`, `编号`)."""
    if text in ROLES_OF_RECORDS or text in ROLES:
        return text
    if is_plain_id(text) or is_layer_id(text, layer):
        return "id"
    found = role_of(text)
    if found is None:
        roles = ", ".join((*ROLES_OF_RECORDS, *_CLUES))
        raise BadOption("--map", text, f"layer {layer.name} has no such field, nor is it one of {roles}")
    return found[0]


def _with_roles(mapping: Mapping, layer: Layer, given: AnyMapping[str, str], table: Table) -> Mapping:
    """The mapping with roles as a person gives them; other ways of giving coordinates fall away."""
    roles, frame, own = {**mapping.roles, **given}, mapping.frame, mapping.own_id
    if where := [role for role in given if role in COORDINATES]:
        if table.geometry is not None:
            raise BadOption("--map", where[0], "the file has shapes, which say where its records are")
        group = next(group for group in _GROUPS if where[0] in group)
        for role in where:
            if role not in group:
                raise BadOption("--map", role, f"it does not go together with {where[0]}")
        missing = {role: _header_of(role, table) for role in group if role not in roles}
        roles.update({role: header for role, header in missing.items() if header is not None})
        if lone := [role for role in group if role not in roles]:
            raise BadOption("--map", where[0], f"{lone[0]} is needed too; name its column with --map {lone[0]}=…")
        roles = {role: header for role, header in roles.items() if role in group or role not in COORDINATES}
        frame = next((named[1] for role in where if (named := role_of(roles[role])) and named[1]), None)
    if "id" in given:
        own = layer.load.identifier == "text" and not is_layer_id(given["id"], layer)
    taken = {header for role, header in given.items() if role not in _CLUES}
    fields = {name: header for name, header in mapping.fields.items() if header not in taken}
    return replace(mapping, fields=fields, roles=roles, frame=frame, own_id=own)


def _header_of(role: str, table: Table) -> str | None:
    return next((h for h in table.headers if (found := role_of(h)) is not None and found[0] == role), None)


def _ordered(fields: dict[str, str], layer: Layer) -> dict[str, str]:
    return {name: fields[name] for name in layer.written if name in fields}


def _exact_fields(table: Table, layer: Layer) -> dict[str, str]:
    """For each field the header with its surest name; a header serves one field only."""
    found: list[tuple[int, int, str, str]] = []
    for position, header in enumerate(table.headers):
        key = fold(header)
        for f in layer.fields:
            if f.name in layer.written and key in names_of(f):
                found.append((names_of(f).index(key), position, f.name, header))
    fields: dict[str, str] = {}
    for _, _, name, header in sorted(found):
        if name not in fields and header not in fields.values():
            fields[name] = header
    return fields


def _alike_fields(headers: list[str], fields: list[Field]) -> dict[str, str]:
    """Fields whose name is alike one header's, where neither has another candidate."""
    pairs = [(f.name, header) for header in headers for f in fields if _alike(fold(header), f)]
    names, used = [name for name, _ in pairs], [header for _, header in pairs]
    return {name: header for name, header in pairs if names.count(name) == 1 and used.count(header) == 1}


def _alike(key: str, appears: Field) -> bool:
    for name in names_of(appears):
        enough = len(name) >= (3 if not name.isascii() else 6)
        if enough and (name in key or SequenceMatcher(None, name, key).ratio() >= _ALIKE):
            return True
    return False


def _roles(table: Table) -> tuple[dict[str, str], str | None]:
    """The column of each role, and the frame that the coordinates' headers name; true frames win over shifted ones."""
    order = {None: 0, "EPSG:4326": 0, "EPSG:4490": 0, "GCJ-02": 1, "BD-09": 2}
    candidates: dict[str, list[tuple[int, int, str, str | None]]] = {}
    for position, header in enumerate(table.headers):
        found = role_of(header)
        if found is not None and _fits(table.columns[header], found[0]):
            rank = order.get(found[1], 0)
            candidates.setdefault(found[0], []).append((rank, position, header, found[1]))
    best = {role: min(options) for role, options in candidates.items()}
    roles = {role: option[2] for role, option in best.items()}
    for one, other in (("lon", "lat"), ("lat", "lon"), ("x", "y"), ("y", "x")):
        if one in roles and other not in roles:
            roles.pop(one)
    if table.geometry is not None:
        return {r: h for r, h in roles.items() if r not in COORDINATES}, None
    used = next((group for group in (("lon", "lat"), ("wkt",), ("x", "y"), ("pair",)) if group[0] in roles), ())
    drop = set(COORDINATES) - set(used)
    frame = next((best[role][3] for role in used if best[role][3]), None)
    return {r: h for r, h in roles.items() if r not in drop}, frame


def _fits(column: "pd.Series[Any]", role: str) -> bool:
    """Tell whether the first values of a column can be what its header says."""
    values = column.dropna().head(_SAMPLE)
    if len(values) == 0:
        return role not in ("pair", "wkt")
    if role == "pair":
        return bool(values.astype(str).str.match(_PAIR).mean() > 0.5)
    if role == "wkt":
        texts = values.astype(str).str.lstrip().str.upper()
        return bool(texts.str.startswith(_SHAPES).mean() > 0.5 or _is_hex_wkb(str(values.iloc[0])))
    return True


def _is_hex_wkb(text: str) -> bool:
    if len(text) < 42 or not text.startswith(("00", "01")):
        return False
    try:
        shapely.from_wkb(text)
    except (shapely.GEOSException, ValueError):
        return False
    return True


def _id_header(table: Table, layer: Layer, taken: set[str]) -> str | None:
    """The column of ids: one that the layer declares, else for layers with free ids one that is unique in the file."""
    declared = [header for header in table.headers if is_layer_id(header, layer) and header not in taken]
    if declared:
        return next((header for header in declared if _looks_national(table.columns[header], layer)), declared[0])
    if layer.load.identifier != "text":
        plain = [h for h in table.headers if is_plain_id(h) and h not in taken]
        return next((h for h in plain if _looks_national(table.columns[h], layer)), None)
    for header in table.headers:
        if is_plain_id(header) and header not in taken and _is_unique(table.columns[header]):
            return header
    return None


def _looks_national(column: "pd.Series[Any]", layer: Layer) -> bool:
    if layer.load.identifier == "text":
        return True
    admin = (9,) if layer.name == "town" else (6,)
    lengths = {"component": (16, 17), "grid": (15,), "camera": (20,), "admin": admin}[layer.load.identifier]
    texts = column.dropna().head(_SAMPLE).astype(str).str.strip()
    return bool(len(texts) and texts.str.len().isin(lengths).mean() > 0.5)


def _is_unique(column: "pd.Series[Any]") -> bool:
    """Tell whether a column has an id in every row, none twice."""
    if not bool(column.notna().all() and column.is_unique):
        return False
    return bool(plain_text(column.head(_SAMPLE)).str.fullmatch(ID_PATTERN).fillna(False).all())
