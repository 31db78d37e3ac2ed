"""An indicator's file (`layers/indicators/NAME.yaml`), read and held against the layers that there are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from layers.ask.clauses import Among, Clause, read_conditions
from layers.ask.filter import queryables
from layers.ask.indicator.indicator import AREAS, KINDS, Better, Holding, Indicator, Kind, Norm
from layers.ask.indicator.measure import COUNT, KM, KM2, Measure, keys_of
from layers.ask.indicator.rolling import Rolling
from layers.declared import Written, close_to, declaration_files, read_declaration
from layers.errors import BadDeclaration
from layers.spec import Layer

SHIPPED: Final = Path(__file__).parents[2] / "indicators"
FOLDER: Final = "indicators"
"""Below the data folder: the city's own."""
MOST_INDICATORS: Final = 200
MOST_PERIOD_DAYS: Final = 3_660
NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,60}")
_REQUIRED: Final = ("title", "about", "kind", "layer")
_OPTIONAL: Final = (
    *("where", "period", "of", "what", "times", "per", "with", "without"),
    *("by", "unit", "better", "norm", "decimals", "when_there"),
)
# Which of the optional parts say what is counted, kind by kind.
_PARTS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "count": ("with", "without"),
    "sum": ("what", "times"),
    "share": ("of", "with", "without"),
    "rate": ("what", "per"),
}
_BETTER: Final[tuple[Better, ...]] = ("up", "down")
_PERCENT: Final = 100.0
_MOST: Final = 1e12

Layers = Mapping[str, Layer]


def indicators_in(folders: Iterable[Path], known: Layers) -> dict[str, Indicator]:
    """The indicators of the folders by name, of two with one name the later; BadDeclaration for a file that is none."""
    found: dict[str, Indicator] = {}
    for folder in folders:
        for path in declaration_files(folder):
            if len(found) == MOST_INDICATORS:
                raise BadDeclaration(path, None, f"there are more than {MOST_INDICATORS} indicators")
            found[path.stem] = read_indicator(path, known)
    return found


def read_indicator(path: Path, known: Layers) -> Indicator:
    """The indicator of a file `NAME.yaml`; BadDeclaration names the line that cannot be used, and why.

    What it says of layers that are not known (which people bring later) is not checked.
    """
    if not NAME.fullmatch(path.stem):
        raise BadDeclaration(path, None, "an indicator is named in lower-case letters, digits and -, 61 at most")
    written = read_declaration(path)
    given = written.section(required=_REQUIRED, optional=_OPTIONAL)
    kind = given["kind"].one_of(KINDS, "kind")
    for part in {name for names in _PARTS.values() for name in names} & given.keys() - {*_PARTS[kind]}:
        raise given[part].error(f"an indicator of the kind {kind!r} has no {part!r}")
    counted = _counted(path.stem, kind, given, known)
    if "when_there" not in given or not given["when_there"].flag():
        for layer in counted.layers:
            if layer not in known:
                hint = close_to(layer, known) or "; say `when_there: true` if it is not one of Chengtu's own"
                raise written.error(f"there is no layer {layer!r}{hint}")
    return replace(
        counted,
        unit=given["unit"].title() if "unit" in given else None,
        better=given["better"].one_of(_BETTER, "way to be better") if "better" in given else None,
        norm=_norm(given["norm"]) if "norm" in given else Norm(),
        decimals=given["decimals"].whole(0, 6) if "decimals" in given else (1 if kind in ("share", "rate") else 0),
        by=_by(given["by"], counted, known) if "by" in given else (),
    )


def _counted(name: str, kind: Kind, given: Mapping[str, Written], known: Layers) -> Indicator:
    layer = given["layer"].text()
    where = _where(given.get("where"), layer, known)
    what = _what(given["what"], known.get(layer)) if "what" in given else COUNT
    plain = Indicator(name, given["title"].title(), given["about"].title(), kind, Measure(layer, what, where))
    if "period" in given:
        if {"with", "without"} & given.keys():
            raise given["period"].error("an indicator of what grids hold has no period")
        plain = replace(plain, period=_period(given["period"], plain.top, known.get(layer)))
    if "with" in given or "without" in given:
        plain = replace(plain, holding=_holding(given, layer, known))
    if kind == "sum":
        if "what" not in given:
            raise given["kind"].error("a sum needs 'what': km, km2 or the name of a numeric field")
        return replace(plain, each=given["times"].number(1e-9, 1e9) if "times" in given else 1.0)
    if kind == "share":
        return _share(plain, given, known)
    if kind == "rate":
        if "per" not in given:
            raise given["kind"].error("a rate needs 'per'")
        return _rate(plain, given["per"], known)
    return plain


def _share(plain: Indicator, given: Mapping[str, Written], known: Layers) -> Indicator:
    """Those that meet `where` among those that meet `of`."""
    if "where" not in given and plain.holding is None and plain.period is None:
        raise given["kind"].error("a share needs 'where' or 'period': which records are its part of the whole")
    of = dict(_where(given.get("of"), plain.layer, known))
    if plain.holding is not None:
        if of:
            raise given["of"].error("a share of grids that hold something is one of those that meet 'where'")
        return replace(plain, bottom=plain.top, each=_PERCENT)
    if plain.period is not None and plain.period.column in of:
        raise given["of"].error(f"the period says already which {plain.period.column!r} are meant")
    for column, clause in plain.top.clauses:
        if column in of and not _inside(clause, of[column]):
            raise given["of"].error(f"the part that 'where' takes of {column!r} is not a part of this")
    top = replace(plain.top, clauses=tuple(sorted({**of, **plain.top.conditions}.items())))
    return replace(plain, top=top, bottom=Measure(plain.layer, COUNT, tuple(sorted(of.items()))), each=_PERCENT)


def _inside(part: Clause, whole: Clause) -> bool:
    return isinstance(part, Among) and isinstance(whole, Among) and {*part.values} <= {*whole.values}


def _rate(plain: Indicator, written: Written, known: Layers) -> Indicator:
    given = written.section(optional=("area", "length_of", "count_of", "sum_of", "field", "where", "each"))
    kinds = [name for name in ("area", "length_of", "count_of", "sum_of") if name in given]
    if len(kinds) != 1:
        raise written.error("'per' is one of {area: km2}, {length_of: …}, {count_of: …} and {sum_of: …, field: …}")
    if ("field" in given) != (kinds == ["sum_of"]):
        raise written.error("'field' belongs to 'sum_of'")
    each = given["each"].number(1e-9, _MOST) if "each" in given else 1.0
    if kinds == ["area"]:
        given["area"].one_of(("km2",), "unit of area")
        if "where" in given:
            raise given["where"].error("an area has no conditions")
        return replace(plain, per_km2=True, each=each)
    layer = given[kinds[0]].text()
    what = {"length_of": KM, "count_of": COUNT}.get(kinds[0]) or _what(given["field"], known.get(layer))
    return replace(plain, bottom=Measure(layer, what, _where(given.get("where"), layer, known)), each=each)


def _holding(given: Mapping[str, Written], layer: str, known: Layers) -> Holding:
    if "with" in given and "without" in given:
        raise given["without"].error("there is 'with' already")
    if layer != "grid":
        raise given["layer"].error("'with' and 'without' are asked of the layer 'grid'")
    some = "with" in given
    inside = given["with" if some else "without"].section(required=("layer",), optional=("where",))
    held = inside["layer"].text()
    return Holding(Measure(held, COUNT, _where(inside.get("where"), held, known)), some)


def _period(written: Written, top: Measure, layer: Layer | None) -> Rolling:
    """The last days of a column of dates or times that filters may name."""
    given = written.section(required=("column", "days"))
    column = given["column"].text()
    if layer is not None:
        dated = [each.name for each in queryables(layer).values() if each.kind in ("date", "time")]
        if column not in dated:
            raise given["column"].error(f"layer {layer.name!r} has no dates {column!r}{close_to(column, dated)}")
    if column in top.conditions:
        raise given["column"].error(f"'where' says already which {column!r} are meant")
    return Rolling(column, given["days"].whole(1, MOST_PERIOD_DAYS))


def _where(written: Written | None, layer: str, known: Layers) -> tuple[tuple[str, Clause], ...]:
    if written is None:
        return ()
    return tuple(sorted(read_conditions(written, known.get(layer)).items()))


def _what(written: Written, layer: Layer | None) -> str:
    what = written.text()
    if layer is None:
        return what
    drawn = {"MultiLineString": [KM], "MultiPolygon": [KM2]}.get(layer.geometry, [])
    fit = [*drawn, *(f.name for f in layer.fields if f.kind in ("integer", "number"))]
    if what not in fit:
        raise written.error(f"layer {layer.name!r} has no numbers {what!r} to add up{close_to(what, fit)}")
    return what


def _norm(written: Written) -> Norm:
    given = written.section(optional=("low", "high"))
    low, high = (given[end].number(-_MOST, _MOST) if end in given else None for end in ("low", "high"))
    if low is not None and high is not None and low > high:
        raise written.error("'low' is above 'high'")
    return Norm(low, high)


def _by(written: Written, counted: Indicator, known: Layers) -> tuple[str, ...]:
    layer, found = known.get(counted.layer), []
    for entry in written.entries(most=12):
        name = entry.text()
        if name in found:
            raise entry.error(f"{name!r} is there already")
        if counted.kind == "share" and name in counted.top.conditions:
            raise entry.error(f"the share is of {name!r} itself")
        if layer is not None and name not in (fit := groups(counted, layer)):
            raise entry.error(f"it cannot be told apart by {name!r}{close_to(name, fit)}")
        found.append(name)
    return tuple(found)


def groups(counted: Indicator, layer: Layer) -> list[str]:
    """What an indicator over a layer can be told apart by: areas, and columns of codes or texts."""
    areas = list(AREAS) if keys_of(layer).grid else ["county"] if layer.name == "county" else ["county", "town"]
    if counted.holding is not None:
        return areas
    return [*areas, *(f.name for f in layer.fields if f.name in queryables(layer) and f.kind in ("code", "text"))]
