"""Incidents as tests file them: a row of the layer, without the steps that led to it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from layers.catalog.incident import TABLE

# Chongchuan, with its grid of a made-up number.
GRID = "320613001001001"


def file_incident(connection: sa.Connection, id: str, *, reported_at: datetime, **more: object) -> None:
    """One incident in Chongchuan, dispatched to the county's sanitation office unless `more` says otherwise."""
    values = {
        "id": id, "title": "暴露垃圾", "matter": "06010", "state": "dispatched", "level": "general", "light": "green",
        "channel": "worker", "reported_at": reported_at, "suspended": False, "command": 0, "returns": 0, "reworks": 0,
        "urges": 0, "deferrals": 0, "lead": "320613-hwc", "co": [], "geom": "SRID=4326;POINT(120.9 32.0)",
        "cell": 622201234567, "grid_id": GRID, "admin_code": GRID[:9], "source": "loop",
    }  # fmt: skip
    connection.execute(sa.insert(TABLE).values({**values, **more}))
