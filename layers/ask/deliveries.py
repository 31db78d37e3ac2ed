"""What was delivered: the latest deliveries, how well and how freshly each source delivers, what each changed where."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from layers.errors import UnknownDelivery
from layers.spec import Layer
from layers.store.core import DELIVERY, HISTORY, REJECT

Kind = Literal["added", "changed", "retired", "unchanged"]
MOST_SOURCES: Final = 500
MOST_PLACES: Final = 2_000
_SIMPLER_DEG: Final = 0.00002
_LATE, _VERY_LATE = 1.5, 3.0
_ENOUGH: Final = 3  # deliveries, before anything is said about an interval
_SAMPLES: Final = 3
_SHORTEST: Final = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Source:
    """One source of one layer: its latest delivery, how many there were, and how regularly they come."""

    layer: str
    source: str
    deliveries: int
    latest: sa.RowMapping
    usual: dt.timedelta | None
    freshness: Literal["ok", "warn", "bad"] | None


def delivery(connection: sa.Connection, number: int, layers: Collection[str]) -> sa.RowMapping:
    """One delivery with its count of rejected rows; UnknownDelivery when it is of none of these layers."""
    found = connection.execute(_with_rejects(DELIVERY.c.id == number, DELIVERY.c.layer.in_(layers))).mappings().first()
    if found is None:
        raise UnknownDelivery(number)
    return found


def latest(
    connection: sa.Connection,
    layers: Collection[str],
    *,
    limit: int,
    before: int | None = None,
    layer: str | None = None,
    source: str | None = None,
) -> list[sa.RowMapping]:
    """Deliveries into these layers, the newest first, each with `refused` (rows) and `flagged` (values)."""
    wanted: list[sa.ColumnElement[bool]] = [DELIVERY.c.layer.in_(layers)]
    wanted += [] if before is None else [DELIVERY.c.id < before]
    wanted += [] if layer is None else [DELIVERY.c.layer == layer]
    wanted += [] if source is None else [DELIVERY.c.source == source]
    found = _with_rejects(*wanted).order_by(DELIVERY.c.id.desc()).limit(limit)
    return list(connection.execute(found).mappings().all())


def sources(connection: sa.Connection, layers: Collection[str], *, now: dt.datetime) -> list[Source]:
    """Every source with its latest delivery that was not undone; the most worrying ones first."""
    earlier = sa.func.lag(DELIVERY.c.at).over(
        partition_by=(DELIVERY.c.layer, DELIVERY.c.source), order_by=DELIVERY.c.id
    )
    standing = (
        sa.select(
            DELIVERY.c.id, DELIVERY.c.layer, DELIVERY.c.source,
            (DELIVERY.c.at - earlier).label("gap"),
        )
        .where(DELIVERY.c.layer.in_(layers), DELIVERY.c.undone_at.is_(None))
        .subquery()
    )  # fmt: skip
    median = sa.func.percentile_cont(0.5).within_group(standing.c.gap)
    grouped = (
        sa.select(sa.func.max(standing.c.id).label("last"), sa.func.count().label("n"), median.label("usual"))
        .group_by(standing.c.layer, standing.c.source)
        .order_by(sa.func.max(standing.c.id).desc())
        .limit(MOST_SOURCES)
    )
    groups = connection.execute(grouped).all()
    rows = {
        row["id"]: row
        for row in connection.execute(_with_rejects(DELIVERY.c.id.in_([g.last for g in groups]))).mappings()
    }
    found = [_source(rows[g.last], int(g.n), g.usual, now) for g in groups]
    order = ("bad", "warn", None, "ok")
    return sorted(found, key=lambda one: (order.index(one.freshness), one.layer, one.source))


def _source(row: sa.RowMapping, deliveries: int, usual: dt.timedelta | None, now: dt.datetime) -> Source:
    known = max(usual, _SHORTEST) if usual is not None and deliveries >= _ENOUGH else None
    return Source(row["layer"], row["source"], deliveries, row, known, _freshness(now - row["at"], known))


def _freshness(age: dt.timedelta, usual: dt.timedelta | None) -> Literal["ok", "warn", "bad"] | None:
    """How an age compares with the usual interval; None where there is no usual one yet."""
    if usual is None:
        return None
    times = age / usual
    return "ok" if times <= _LATE else "warn" if times <= _VERY_LATE else "bad"


def reject_kinds(connection: sa.Connection, number: int) -> list[sa.RowMapping]:
    """What a delivery could not use, by code and field: how many, if whole rows, and the first reason."""
    kinds = (
        sa.select(
            REJECT.c.code, REJECT.c.field, REJECT.c.whole, sa.func.count().label("count"),
            sa.func.min(REJECT.c.reason).label("reason"),
        )
        .where(REJECT.c.delivery == number)
        .group_by(REJECT.c.code, REJECT.c.field, REJECT.c.whole)
        .order_by(REJECT.c.whole.desc(), sa.func.count().desc(), REJECT.c.code)
        .limit(100)
    )  # fmt: skip
    return list(connection.execute(kinds).mappings().all())


def rejects(
    connection: sa.Connection, number: int, *, offset: int, limit: int, code: str | None = None
) -> list[sa.RowMapping]:
    """Rejects of a delivery in the order of their rows."""
    wanted = [REJECT.c.delivery == number] + ([] if code is None else [REJECT.c.code == code])
    columns = (REJECT.c.row, REJECT.c.field, REJECT.c.code, REJECT.c.reason, REJECT.c.raw, REJECT.c.whole)
    found = sa.select(*columns).where(*wanted).order_by(REJECT.c.row, REJECT.c.field, REJECT.c.code)
    return list(connection.execute(found.offset(offset).limit(limit)).mappings().all())


def _with_rejects(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    refused = sa.func.count(sa.distinct(REJECT.c.row)).filter(REJECT.c.whole)
    flagged = sa.func.count().filter(~REJECT.c.whole)
    counted = sa.select(refused.label("refused"), flagged.label("flagged"))
    counts = counted.where(REJECT.c.delivery == DELIVERY.c.id).lateral()
    return sa.select(DELIVERY, counts.c.refused, counts.c.flagged).join(counts, sa.true()).where(*conditions)


def places(
    connection: sa.Connection, layer: Layer, number: int, *, limit: int = MOST_PLACES, unchanged: str | None = None
) -> dict[str, Any]:
    """A GeoJSON sample of what a delivery added, changed and retired, an equal share of each where there are many.

    `unchanged` names the source whose other records are to be shown, too. `truncated` tells that there is more. Records
    that were changed again since are not among them.
    """
    table = layer.table
    was = sa.select(HISTORY.c.id).where(HISTORY.c.layer == layer.name, HISTORY.c.ended_by == number)
    mine = table.c.delivery == number
    parts: dict[Kind, sa.Select[Any]] = {
        "added": _drawn(layer).where(mine, table.c.id.not_in(was)),
        "changed": _drawn(layer).where(mine, table.c.id.in_(was)),
        "retired": _gone(layer, number),
    }
    if unchanged is not None:
        other = table.c.delivery.is_distinct_from(number)
        parts["unchanged"] = _drawn(layer).where(table.c.source == unchanged, other)
    share = max(1, limit // len(parts))
    features: list[dict[str, Any]] = []
    truncated = False
    for kind, statement in parts.items():
        # In the order of a digest: the sample is spread, and the same each time.
        spread = statement.order_by(sa.func.hashtext(statement.selected_columns.id)).limit(share + 1)
        rows = connection.execute(spread).all()
        truncated |= len(rows) > share
        features += [_feature(row, kind) for row in rows[:share]]
    return {"type": "FeatureCollection", "features": features, "truncated": truncated}


def _shape(geometry: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.func.st_asgeojson(sa.func.st_simplifypreservetopology(geometry, _SIMPLER_DEG), 6)


def _drawn(layer: Layer) -> sa.Select[Any]:
    table = layer.table
    return sa.select(table.c.id, table.c[layer.label].label("label"), _shape(table.c.geom).label("shape"))


def _gone(layer: Layer, number: int) -> sa.Select[Any]:
    table = layer.table
    geometry = sa.cast(HISTORY.c.row["geom"].astext, table.c.geom.type)
    ended = sa.and_(HISTORY.c.layer == layer.name, HISTORY.c.ended_by == number)
    columns = (HISTORY.c.id, HISTORY.c.row[layer.label].astext.label("label"), _shape(geometry).label("shape"))
    return sa.select(*columns).where(ended, HISTORY.c.id.not_in(sa.select(table.c.id)))


def _feature(row: sa.Row[Any], kind: Kind) -> dict[str, Any]:
    about = {"id": row.id, "label": None if row.label is None else str(row.label), "kind": kind}
    return {"type": "Feature", "id": row.id, "properties": about, "geometry": json.loads(row.shape)}
