"""Live events, with real clients on a real server."""

from __future__ import annotations

import itertools
import json
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from api.follow import Batch
from api.live import Live, Stream, heard
from api.news import news
from api.service import Service
from api.settings import Settings
from layers.ask.touched import touched
from layers.catalog import built_in
from layers.people.access import ANYONE
from layers.store import changes
from layers.store.engine import begin
from tests.api.streams import Event, Events, listening
from tests.conftest import Database, Server, serving

_numbers = itertools.count()


@pytest.fixture
def own(own_server: Server) -> Server:
    return own_server


def rename(server: Server, layer: str, place: int, name: str) -> str:
    with begin(server.database.engine, actor="test") as connection:
        chosen = f"(select id from city.{layer} order by id offset {place} limit 1)"
        statement = sa.text(f"update city.{layer} set name = :name where id = {chosen} returning id")
        return str(connection.scalar(statement, {"name": name}))


def test_an_edit_is_told_with_its_tiles_and_its_place(own: Server) -> None:
    with listening(f"{own.url}/live?layers=pollution") as events:
        assert events.next().kind == "hello"
        id = rename(own, "pollution", 3, "新名")
        tiles, record = events.next(), events.next()
    assert tiles.kind == "tiles"
    assert tiles.data["layer"] == "pollution"
    zooms = {int(address.split("/")[0]) for address in tiles.data["tiles"]}
    assert zooms == set(range(8, 17))
    assert record.kind == "record"
    assert record.data["id"] == id
    assert record.data["op"] == "update"
    assert 120 < record.data["lon"] < 122


def test_only_the_layers_that_were_asked_for_are_told(own: Server) -> None:
    with listening(f"{own.url}/live?layers=road,video") as events:
        events.next()
        rename(own, "pollution", 1, "x")
        id = rename(own, "video", 1, "y")
        assert events.until("record").data["id"] == id


def test_an_unknown_layer_is_refused(server: Server) -> None:
    assert httpx.get(f"{server.url}/live?layers=nowhere").status_code == 404


MADE_UP = (
    *("x", '["1:2:3",null,0]', '["9:5:",null,0]', '["1;drop",null,0]', "[" * 3000),
    *('["3:3:",null,0,"x"]', '["3:3:",null,0,7]', '["3:3:",null,0,"00000000",1]', '["3:3:",null]', "7"),
)


@pytest.mark.parametrize("last", MADE_UP)
def test_a_made_up_position_is_refused(server: Server, last: str) -> None:
    answer = httpx.get(f"{server.url}/live", headers={"Last-Event-ID": last})
    assert answer.status_code == 422
    assert answer.json()["code"] == "bad_field"


def test_a_bulk_change_names_the_whole_layer(own: Server) -> None:
    with listening(f"{own.url}/live?layers=component") as events:
        events.next()
        with begin(own.database.engine, actor="test") as connection:
            connection.execute(
                sa.text("update city.component set note = 'x' where id in (select id from city.component limit 2001)")
            )
        assert events.until("tiles").data == {"layer": "component", "all": True}
        told = events.until("record")
    assert told.data["id"] is None
    assert told.data["records"] == 2001


def test_who_comes_back_is_told_exactly_what_it_missed(own: Server) -> None:
    url = f"{own.url}/live?layers=pollution"
    with listening(url) as events:
        events.next()
        for place in range(3):
            rename(own, "pollution", place, "a")
        seen = [events.until("record") for _ in range(3)]
    missed = [rename(own, "pollution", place, "b") for place in range(3, 9)]
    with listening(url, last=seen[1].id) as events:  # broke off before the third
        events.next()
        told = [events.until("record").data["id"] for _ in range(7)]
        later = rename(own, "pollution", 20, "c")
        assert told == [seen[2].data["id"], *missed]
        assert events.until("record").data["id"] == later


def test_a_transaction_that_ends_late_is_neither_skipped_nor_told_twice(own: Server) -> None:
    url = f"{own.url}/live?layers=pollution"
    slow = own.database.engine.connect()
    with listening(url) as events:
        events.next()
        # A serial number is taken, but nothing is committed yet.
        slow.execute(sa.text("update city.pollution set name = 'slow' where id = (select min(id) from city.pollution)"))
        quick = rename(own, "pollution", 5, "quick")
        first = events.until("record")
        assert first.data["id"] == quick
    slow.commit()
    slow.close()
    last = rename(own, "pollution", 6, "last")
    with listening(url, last=first.id) as events:
        told = [events.until("record").data["id"] for _ in range(2)]
    assert told[1] == last
    assert told[0] != quick


def test_one_statement_over_many_records_can_be_left_and_taken_up_in_its_middle(own: Server) -> None:
    url = f"{own.url}/live?layers=component"
    with listening(url) as events:
        events.next()
        with begin(own.database.engine, actor="test") as connection:
            connection.execute(
                sa.text("update city.component set note = 'x' where id in (select id from city.component limit 1500)")
            )
        some = [events.until("record") for _ in range(700)]
    with listening(url, last=some[-1].id) as events:
        rest = [events.until("record") for _ in range(800)]
    ids = [event.data["id"] for event in [*some, *rest]]
    assert len(set(ids)) == 1500


def test_who_comes_from_another_database_that_has_come_as_far_is_told_so_too(own: Server) -> None:
    url = f"{own.url}/live?layers=pollution"
    with listening(url) as events:
        events.next()
        rename(own, "pollution", 7, "a")
        here = events.until("record").id
    missed = rename(own, "pollution", 8, "b")
    assert here is not None
    *position, mark = json.loads(here)
    another = json.dumps([*position, "00000000"])
    assert mark not in ("", "00000000")
    # One that a restore made beside it has counted as far, and would answer with whatever happened there.
    with listening(url, last=another) as events:
        events.next()
        assert events.next().kind == "reset"
    # An id from before databases were told apart is taken as one of ours.
    with listening(url, last=json.dumps(position)) as events:
        events.next()
        told = events.until("record")
        assert told.data["id"] == missed
        assert json.loads(told.id or "")[3] == mark


def test_who_missed_very_much_is_told_to_read_everything_anew(own: Server) -> None:
    url = f"{own.url}/live?layers=component"
    with listening(url) as events:
        start = events.next()
        for turn in range(3):
            chosen = "(select id from city.component order by id limit 1900)"
            with begin(own.database.engine, actor="test") as connection:
                connection.execute(sa.text(f"update city.component set note = '{turn}' where id in {chosen}"))
        for _ in range(3 * 1900):  # until the server has heard of all
            events.until("record")
    with listening(url, last=start.id) as events:
        events.next()
        assert events.next().kind == "reset"
        id = rename(own, "component", 1, "after")
        assert events.until("record").data["id"] == id


def test_who_comes_from_another_database_is_told_to_read_everything_anew(own: Server) -> None:
    far = '["999999999:999999999:",null,0]'  # this one has not come so far
    with listening(f"{own.url}/live?layers=pollution", last=far) as events:
        events.next()
        assert events.next().kind == "reset"
        id = rename(own, "pollution", 4, "after")
        assert events.until("record").data["id"] == id


def test_who_catches_up_takes_no_connection_from_those_who_look_up_layers(city: Database, tmp_path: Path) -> None:
    service = Service.open(Settings(data_dir=tmp_path, database_url=city.url), city.url)
    live = Live(service)
    service.registry.all()
    with city.reader.connect() as connection:
        start = changes.now(connection)
    with service.lookups.connect():
        assert live._missed(Stream(ANYONE, None), start, start.seen) == []
    service.close()


def test_a_batch_is_put_into_words_once_for_all_streams(city: Database) -> None:
    layers = built_in()
    with city.reader.connect() as connection:
        start = changes.now(connection)
    with begin(city.engine, actor="test") as connection:
        connection.execute(sa.text("update city.component set note = 'x' where id in (select id from city.component limit 900)"))  # fmt: skip # noqa: E501
    with city.reader.connect() as connection:
        page = changes.since(connection, start)
    said = news(Batch(start, page.position, page.rows, touched(page.rows, layers), layers))
    everyone, of_roads = Stream(ANYONE, None), Stream(ANYONE, frozenset({"road"}))
    assert heard(said, everyone, known=()).count(b"event: record") == 900
    assert heard(said, of_roads, known=()) == b""
    assert heard(said, everyone, known=(page.position.seen,)).count(b"event: record") == 0
    started = time.perf_counter()
    for _ in range(100):
        heard(said, everyone, known=())
    assert time.perf_counter() - started < 0.5


def test_a_lost_listener_loses_nothing(own: Server) -> None:
    with listening(f"{own.url}/live?layers=pollution") as events:
        events.next()
        plain = sa.create_engine(own.database.url, poolclass=sa.NullPool)  # the login itself, which may end others
        with plain.connect() as connection:
            ended = sa.text(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name = 'chengtu follow' and datname = current_database()"
            )
            assert connection.execute(ended).all()
        id = rename(own, "pollution", 2, "z")
        assert events.until("record").data["id"] == id


def test_an_internal_layer_is_told_to_those_who_may_see_it_only(own: Server) -> None:
    from sqlalchemy import MetaData

    from layers.look import Look
    from layers.spec import Access, Layer, Load, Title, field, layer_table
    from layers.store.schema import add_layer

    name = f"secret_{next(_numbers)}"
    table = layer_table(name, "Point", field("name", "text", zh="名", en="Name", tile=True), metadata=MetaData("city"))
    titles = Title("秘", "Secret")
    layer = Layer(table, titles, titles, "facility", "Point", Look("circle"), "name", access=Access(), load=Load())
    with begin(own.database.owner, actor="test") as connection:
        add_layer(connection, layer)
    assert httpx.get(f"{own.url}/live?layers={name}").status_code == 404
    with (
        listening(f"{own.url}/live") as anyone,
        listening(f"{own.url}/live", **own.admin) as admin,
    ):
        anyone.next(), admin.next()
        with begin(own.database.engine, actor="test") as connection:
            connection.execute(
                sa.text(
                    f"insert into city.{name} (id, name, geom, cell, source) values "
                    "('1', 'x', st_setsrid(st_makepoint(120.9, 32), 4326), 622236721348804607, 'test')"
                )
            )
        rename(own, "pollution", 2, "z")
        assert admin.until("record").data["layer"] == name
        assert anyone.until("record").data["layer"] == "pollution"


def test_many_open_streams_do_not_hinder_a_clean_stop(city: Database, tmp_path: Path) -> None:
    ended: list[Event] = []
    with ExitStack() as open_streams:
        with serving(city, tmp_path) as running:
            clients = [open_streams.enter_context(listening(f"{running.url}/live")) for _ in range(500)]
            assert {client.next().kind for client in clients} == {"hello"}
            started = time.monotonic()
        took = time.monotonic() - started
        for client in clients:
            ended += client.rest()  # an orderly end, not a broken connection
    assert ended == []
    assert took < 5, "the workers were killed instead of ending by themselves"


def test_a_client_that_does_not_read_is_left_behind_alone(own: Server) -> None:
    stop = threading.Event()
    seen: list[str] = []

    def read(events: Events) -> None:
        while not stop.is_set():
            event = events.next()
            if event.kind == "record" and event.data.get("id"):
                seen.append(event.data["id"])
            if event.kind == "record" and event.data["layer"] == "road":
                return

    with listening(f"{own.url}/live") as idle, listening(f"{own.url}/live?layers=component,road") as busy:
        idle.next()
        reader = threading.Thread(target=read, args=(busy,))
        reader.start()
        for turn in range(12):
            chosen = "(select id from city.component order by id limit 1900)"
            with begin(own.database.engine, actor="test") as connection:
                connection.execute(sa.text(f"update city.component set note = '{turn}' where id in {chosen}"))
        rename(own, "road", 1, "end")
        reader.join(30)
        stop.set()
    assert len(seen) == 12 * 1900 + 1
