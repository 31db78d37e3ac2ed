"""Figures for panels, reports and exports: indicators now and day by day, and the facets of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response

from api.answers import Match, answered
from api.deps import ActorDep, LayerDep, ReadDep, ServiceDep
from layers.ask import clauses
from layers.ask.catalogue import summaries
from layers.ask.facets import Facet, facets
from layers.ask.filter import parse, queryables
from layers.ask.indicator.figures import Figures, area_of, figures, key_of, offered, plain, told
from layers.ask.indicator.indicator import CITY, Indicator
from layers.ask.indicator.past import MOST_DAYS, Point, past, remembered
from layers.ask.indicator.plan import there
from layers.ask.indicator.rolling import today
from layers.errors import BadParameter, UnknownIndicator
from layers.people.scope import sees_all
from layers.spec import Layer

router = APIRouter(tags=["indicators"])
MOST_VALUES = 10_000
By = Annotated[str, Query(pattern=r"^[a-z][a-z0-9_]{0,62}$", description="city, county, town, grid, or a column")]
Code = Annotated[
    str | None,
    Query(pattern=r"^[^\x00-\x1f]+$", max_length=64, description="code of a county, a town or a grid"),
]

Seen = Mapping[str, Layer]


def seen_by(service: ServiceDep, actor: ActorDep) -> Seen:
    """The layers that the caller may know of, by name."""
    return {layer.name: layer for layer in service.registry.visible(actor)}


SeenDep = Annotated[Seen, Depends(seen_by)]


def _indicator(
    name: Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,60}$", description="see /indicators")],
    service: ServiceDep,
    seen: SeenDep,
) -> Indicator:
    found = service.indicators.get(name)
    if found is None or not known([found], seen):
        raise UnknownIndicator(name)
    return found


IndicatorDep = Annotated[Indicator, Depends(_indicator)]


def known(indicators: list[Indicator], seen: Seen) -> list[Indicator]:
    """Those of which every layer may be known; the areas of a `by` that may not be known are left out elsewhere."""
    return there([each for each in indicators if all(layer in seen for layer in each.layers)], seen)


@router.get("/indicators")
def indicators(service: ServiceDep, seen: SeenDep, if_none_match: Match = None) -> Response:
    """The indicators whose layers exist and the caller may see."""
    found = [_declared(each, seen) for each in known(list(service.indicators.values()), seen)]
    return answered({"indicators": found}, if_none_match)


@router.get("/indicators/{name}")
def indicator(
    indicator: IndicatorDep,
    service: ServiceDep,
    seen: SeenDep,
    connection: ReadDep,
    by: By = CITY,
    area: Code = None,
    limit: Annotated[int, Query(ge=1, le=MOST_VALUES)] = 1_000,
    if_none_match: Match = None,
) -> Response:
    """One indicator now: in all, by area, or by the values of a column; worst first."""
    at = service.counter.fresh(connection, indicator, service.registry.all())
    within = None if area is None else area_of(connection, area, seen)
    found: Figures = figures(connection, indicator, seen, by=by, area=within, limit=limit)
    body = {**_headed(connection, indicator, seen, by), "at": at, **told(found, indicator.layer)}
    return answered(body, if_none_match)


@router.get("/indicators/{name}/history")
def history(
    indicator: IndicatorDep,
    service: ServiceDep,
    seen: SeenDep,
    connection: ReadDep,
    by: By = CITY,
    key: Annotated[str | None, Query(max_length=200)] = None,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = 30,
    if_none_match: Match = None,
) -> Response:
    """What an indicator was day by day, and is today; `key` is the county, town or value that is meant."""
    if by not in (fit := [CITY, *(each for each in offered(indicator, seen) if each in remembered(indicator))]):
        raise BadParameter("by", f"must be one of {', '.join(fit)}")
    at = service.counter.fresh(connection, indicator, service.registry.all())
    # What was kept of a day is of all records.
    all_seen = sees_all(connection, [seen[name] for name in indicator.layers])
    points = past(connection, indicator, by=by, key=key, days=days) if all_seen else []
    now = key_of(connection, indicator, seen, by=by, key=key)
    if now is None and not points:
        raise BadParameter("key", f"{indicator.name} has no figures of {str(key)[:40]!r}")
    if now is not None:
        points.append(Point(at, now.value, now.numerator, now.denominator, synthetic=False, door=now.door))
    body = {**_headed(connection, indicator, seen, by), "key": key, "at": at}
    synthetic = any(point.synthetic for point in points)
    return answered(
        {**body, "points": [_point(point, indicator.layer) for point in points], "synthetic": synthetic}, if_none_match
    )


@router.get("/layers/{name}/facets")
def layer_facets(
    layer: LayerDep,
    connection: ReadDep,
    filter: Annotated[str | None, Query(max_length=8_192, description="CQL2 text")] = None,
    if_none_match: Match = None,
) -> Response:
    """The values of a layer's codes, classes and short texts under a filter, with their counts."""
    found = facets(connection, layer, parse(filter) if filter else None)
    return answered({"facets": [_facet(each) for each in found.facets], "total": found.total}, if_none_match)


def _declared(indicator: Indicator, seen: Seen) -> dict[str, Any]:
    return {
        "name": indicator.name,
        "title": indicator.title._asdict(),
        "about": indicator.about._asdict(),
        **_measured(indicator, seen),
        "layer": indicator.layer,
        "by": offered(indicator, seen),
    }


def _measured(indicator: Indicator, seen: Seen) -> dict[str, Any]:
    return {
        "unit": None if indicator.unit is None else indicator.unit._asdict(),
        "kind": indicator.kind,
        "period": _period(indicator, seen),
        "better": indicator.better,
        "norm": None if indicator.norm.empty else {"low": indicator.norm.low, "high": indicator.norm.high},
        "decimals": indicator.decimals,
    }


def _period(indicator: Indicator, seen: Seen) -> dict[str, Any] | None:
    """The last days of which a figure is, and of which date."""
    if (rolling := indicator.period) is None:
        return None
    title = queryables(seen[indicator.layer])[rolling.column].title
    since = rolling.since(today()).isoformat()
    return {"column": rolling.column, "title": title._asdict(), "days": rolling.days, "since": since}


def _headed(connection: sa.Connection, indicator: Indicator, seen: Seen, by: str) -> dict[str, Any]:
    """What every answer about an indicator begins with: what it is, and where it comes from."""
    used = summaries(connection, [seen[name] for name in indicator.layers])
    updated = [summary.updated for summary in used if summary.updated is not None]
    source = {
        "layers": list(indicator.layers),
        "synthetic": any(summary.synthetic for summary in used),
        "updated": max(updated, default=None),
    }
    titles = {"name": indicator.name, "title": indicator.title._asdict(), "about": indicator.about._asdict()}
    return {**titles, **_measured(indicator, seen), "by": by, "source": source}


def _point(point: Point, layer: str) -> dict[str, Any]:
    numbers = {name: plain(getattr(point, name)) for name in ("value", "numerator", "denominator")}
    door = None if point.door is None else {"layer": layer, "conditions": clauses.told(point.door)}
    return {"at": point.at, **numbers, "synthetic": point.synthetic, "door": door}


def _facet(facet: Facet) -> dict[str, Any]:
    return {
        "column": facet.field.name,
        "title": facet.field.title._asdict(),
        "values": [
            {"value": v.value, "title": None if v.title is None else v.title._asdict(), "count": v.count}
            for v in facet.values
        ],
        "truncated": facet.truncated,
    }
