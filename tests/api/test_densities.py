"""How densely records lie in grids, towns and counties."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from layers.spec import Field, Title
from layers.store.definitions import layer_from_parts
from layers.store.engine import begin
from layers.store.schema import add_layer
from tests.conftest import Server


def densities(server: Server, layer: str, **asked: str) -> dict[str, Any]:
    answer = httpx.get(f"{server.url}/layers/{layer}/densities", params=asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def counted(server: Server, key: str, where: str = "true") -> dict[str, int]:
    with server.database.reader.connect() as connection:
        rows = connection.execute(sa.text(f"select {key}, count(*) from city.component where {where} group by 1"))
        return {row[0]: row[1] for row in rows if row[0] is not None}


@pytest.mark.parametrize(
    ("by", "key"), [("county", "left(admin_code, 6)"), ("town", "left(admin_code, 9)"), ("grid", "grid_id")]
)
def test_every_area_is_told_with_its_count_and_its_size(server: Server, by: str, key: str) -> None:
    told = densities(server, "component", by=by)
    with server.database.reader.connect() as connection:
        sizes = connection.execute(sa.text(f"select id, st_area(geom::geography) / 1e6 from city.{by} order by id"))
        expected = {row[0]: row[1] for row in sizes}
    counts = counted(server, key)
    assert [area["id"] for area in told["areas"]] == list(expected)
    for area in told["areas"]:
        assert area["km2"] == pytest.approx(expected[area["id"]], abs=1e-4)
        assert area["n"] == counts.get(area["id"], 0)
    assert told["outside"] == sum(n for id, n in counts.items() if id not in expected)
    assert told["truncated"] is False


def test_a_filter_says_which_records_are_counted(server: Server) -> None:
    told = densities(server, "component", by="county", filter="state = 'broken'")
    expected = counted(server, "left(admin_code, 6)", "state = 'broken'")
    assert {area["id"]: area["n"] for area in told["areas"] if area["n"]} == expected


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("component/densities?by=county&filter=nothing%20%3D%201", 400),
        ("component/densities?by=county&filter=state%20%3D", 400),
        ("component/densities?by=street", 422),
        ("component/densities", 422),
        ("no_such/densities?by=county", 404),
    ],
)
def test_what_cannot_be_counted_is_refused_with_the_reason(server: Server, path: str, status: int) -> None:
    answer = httpx.get(f"{server.url}/layers/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_densities_of_an_internal_layer_are_not_there(server: Server) -> None:
    fields = [Field("name", Title("名称", "Name"), "text")]
    layer = layer_from_parts("hidden_valves", Title("阀门", "Valves"), "Point", fields, label="name")
    with begin(server.database.engine, actor="test") as connection:
        add_layer(connection, layer)
    url = f"{server.url}/layers/{{}}/densities?by=county"
    hidden, missing = (httpx.get(url.format(name)) for name in ("hidden_valves", "absent_valves"))
    assert hidden.status_code == missing.status_code == 404
    assert hidden.json() == {**missing.json(), "detail": missing.json()["detail"].replace("absent", "hidden")}
