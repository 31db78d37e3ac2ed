"""Incidents for tests, put straight into the table: two counties, two departments, and whatever a test adds."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from gis.cells import cells_of
from layers.catalog import built_in
from layers.store.engine import begin
from layers.store.writer import ensure_cells, ensure_terms
from tests.conftest import Database

LAYER = built_in()["incident"]
_REPORTED_AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Incident:
    """What a test wants to say of one; the rest is always the same."""

    id: str
    lon: float
    lat: float
    title: str = "井盖破损"
    address: str | None = None
    matter: str = "01001"
    level: str = "general"
    light: str = "green"
    admin_code: str | None = None
    grid_id: str | None = None
    lead: str | None = None
    co: tuple[str, ...] = ()
    assignee: str | None = None
    scenario: str | None = None


OURS = Incident(
    "20260101000001", 120.8644, 32.0116, "路灯不亮的一处", "我们的路 1 号", "01001", "general", "green",
    "320613002", "320613002200002", "cgj",
)  # fmt: skip
THEIRS = Incident(
    "20260101000002", 121.6571, 31.8081, "暗沟堵塞的一处", "他们的巷 2 号", "02003", "urgent", "red",
    "320681100", "320681100200003", "zjj",
)  # fmt: skip
REHEARSED = replace(OURS, id="20260101000003", title="演练中的一处", scenario="drill-1")


def report(database: Database, *incidents: Incident) -> None:
    """Put incidents into the table, as the program would: with their cells and the texts that they are found by."""
    rows = [_row(each) for each in incidents]
    with begin(database.engine, actor="test") as connection:
        ensure_cells(connection, np.array([row["cell"] for row in rows]))
        ensure_terms(connection, LAYER, pd.DataFrame({name: [row[name] for row in rows] for name in LAYER.searched}))
        connection.execute(sa.insert(LAYER.table), rows)


def change(database: Database, id: str, **values: object) -> None:
    """Change one, as a step would."""
    with begin(database.engine, actor="test") as connection:
        connection.execute(sa.update(LAYER.table).where(LAYER.table.c.id == id).values(values))


def _row(incident: Incident) -> dict[str, Any]:
    said = asdict(incident)
    lon, lat = said.pop("lon"), said.pop("lat")
    return {
        **said, "co": list(incident.co), "state": "reported", "channel": "worker", "reported_at": _REPORTED_AT,
        "suspended": False, "command": 0, "returns": 0, "reworks": 0, "urges": 0, "deferrals": 0, "source": "loop",
        "cell": int(cells_of([lon], [lat])[0]), "geom": f"SRID=4326;POINT({lon} {lat})",
    }  # fmt: skip
