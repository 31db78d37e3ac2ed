"""Recipes: the mapping of a delivery as a small YAML file, so that the next delivery needs no questions."""

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from etl.errors import BadRecipe
from etl.headers import is_layer_id
from etl.mapping import Mapping
from etl.readers.table import Table
from layers.spec import Layer

_KEYS = ("layer", "source", "table", "encoding", "extent", "coordinates", "id", "fields", "set", "values", "places")
_COORDINATES = ("lon", "lat", "x", "y", "pair", "wkt", "frame", "swap")
_PLACES = ("grid", "component", "admin", "unit", "place", "address")
_MOST_BYTES = 256 * 1024


@dataclass(frozen=True)
class Recipe:
    """A mapping and the options that go with it; None where the recipe says nothing."""

    mapping: Mapping
    layer: str | None = None
    source: str | None = None
    table: str | None = None
    encoding: str | None = None
    extent: str | None = None


def save_recipe(path: Path, recipe: Recipe) -> None:
    """Write a recipe, with every key that has something to say, in the order a person would look for it."""
    mapping = recipe.mapping
    coordinates: dict[str, Any] = {role: mapping.roles[role] for role in _COORDINATES if role in mapping.roles}
    if mapping.frame:
        coordinates["frame"] = mapping.frame
    if mapping.swap:
        coordinates["swap"] = True
    options = {key: getattr(recipe, key) for key in ("layer", "source", "table", "encoding", "extent")}
    written: dict[str, Any] = {
        **options,
        "coordinates": coordinates,
        "id": mapping.roles.get("id"),
        "fields": dict(mapping.fields),
        "set": dict(mapping.constants),
        "values": {name: dict(words) for name, words in mapping.values.items()},
        "places": {role: mapping.roles[role] for role in _PLACES if role in mapping.roles},
    }
    kept = {key: value for key, value in written.items() if value}
    path.write_text(yaml.safe_dump(kept, allow_unicode=True, sort_keys=False), encoding="utf-8")


def load_recipe(path: Path) -> Recipe:
    """Read a recipe; BadRecipe for a file that is none, or for a key that nobody knows."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BadRecipe(path.name, "it is too long for a recipe")
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadRecipe(path.name, f"it cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadRecipe(path.name, f"it is not YAML ({error})") from error
    keys = _section(path.name, found, "the recipe", _KEYS)
    coordinates = _section(path.name, keys.get("coordinates"), "coordinates", _COORDINATES)
    places = _section(path.name, keys.get("places"), "places", _PLACES)
    roles = {key: value for key, value in {**coordinates, **places}.items() if key not in ("frame", "swap")}
    if keys.get("id"):
        roles["id"] = keys["id"]
    mapping = Mapping(
        fields=_texts(path.name, keys.get("fields"), "fields"),
        roles=_texts(path.name, roles, "coordinates"),
        constants=_texts(path.name, keys.get("set"), "set"),
        values={n: _texts(path.name, w, n) for n, w in _section(path.name, keys.get("values"), "values", None).items()},
        frame=coordinates.get("frame"),
        swap=bool(coordinates.get("swap", False)),
    )
    options = {key: _text(path.name, keys.get(key)) for key in ("layer", "source", "table", "encoding", "extent")}
    return Recipe(mapping, **options)


def checked(recipe: Recipe, table: Table, *, layer: Layer, name: str) -> Mapping:
    """The mapping of a recipe for this file and layer; BadRecipe for a field or a column that does not exist."""
    mapping = recipe.mapping
    for field in (*mapping.fields, *mapping.constants, *mapping.values):
        if field not in layer.written:
            told = f"layer {layer.name} has no field {field!r}{_meant(field, layer.written)}"
            raise BadRecipe(name, told).because("meaning_gone", field=field)
    for header in (*mapping.fields.values(), *mapping.roles.values()):
        if header not in table.headers:
            told = f"the file has no column {header!r}{_meant(header, table.headers)}"
            raise BadRecipe(name, told).because("column_gone", column=header)
    known = mapping.roles.get("id")
    own = known is not None and layer.load.identifier == "text" and not is_layer_id(known, layer)
    roles = mapping.roles
    if table.geometry is not None:
        roles = {r: h for r, h in roles.items() if r not in _COORDINATES}
    return replace(mapping, roles=roles, own_id=own)


def _meant(text: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(text, known, n=1)
    return f"; is {close[0]!r} meant?" if close else ""


def _section(name: str, found: Any, what: str, known: tuple[str, ...] | None) -> dict[str, Any]:
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise BadRecipe(name, f"{what} must be a list of keys with values")
    for key in found:
        if known is not None and key not in known:
            raise BadRecipe(name, f"{what} has a key {key!r} that nobody knows{_meant(key, known)}")
    return found


def _texts(name: str, found: Any, what: str) -> AnyMapping[str, str]:
    section = _section(name, found, what, None)
    return {key: _text(name, value) or "" for key, value in section.items()}


def _text(name: str, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRecipe(name, f"{value!r} must be a text; put it in quotes")
    # 01037 without quotes would have lost its zero before it came here.
    raise BadRecipe(name, f"{value!r} is a number; put codes and numbers in quotes")
