"""`GET /topics` on a real server, and what happens to a topic that cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from etl.__main__ import main
from layers.catalog import built_in
from layers.store.definitions import layer_from_parts, save_definition
from layers.store.engine import begin
from layers.store.schema import add_layer
from layers.topics import FOLDER
from tests.conftest import ROOT, Database, Server, serving

WELLS = """\
title: {zh: 水井, en: Wells}
about: {zh: 水井与内部水井, en: Wells and hidden wells}
access: public
layers:
  - layer: secret_wells
  - layer: dry_wells
  - layer: wells
    when_there: true
panels:
  - {kind: figures, indicators: [dry]}
  - {kind: statuses, layer: dry_wells, column: kind}
  - {kind: statuses, layer: secret_wells, column: kind}
  - {kind: legend}
"""
DRY = """\
title: {zh: 枯井, en: Dry wells}
about: {zh: 枯井数, en: Number of dry wells}
kind: count
layer: dry_wells
when_there: true
"""
STAFF = """\
title: {zh: 内部, en: Staff}
about: {zh: 只给内部, en: For staff}
access: internal
layers: [{layer: county}]
"""


def add_wells(database: Database) -> None:
    """A layer that only staff may see, and a public one that nobody has filled."""
    pollution = built_in()["pollution"]
    fields = [field for field in pollution.fields if field.name in ("name", "kind")]
    for name in ("secret_wells", "dry_wells"):
        layer = layer_from_parts(name, pollution.title, "Point", fields, classes="kind", public=name == "dry_wells")
        with begin(database.owner, actor="test") as connection:
            add_layer(connection, layer)
            save_definition(connection, layer)
    with begin(database.engine, actor="test") as connection:
        connection.exec_driver_sql(
            "insert into city.secret_wells (id, name, kind, geom, cell, source)"
            " select id, name, kind, geom, cell, source from city.pollution limit 3"
        )


def names(server: Server, headers: dict[str, str] | None = None) -> list[str]:
    return [topic["name"] for topic in httpx.get(f"{server.url}/topics", headers=headers).json()["topics"]]


def test_the_first_two_topics_are_served_with_what_is_there(server: Server) -> None:
    answer = httpx.get(f"{server.url}/topics")
    assert answer.headers["cache-control"] == "no-cache"
    topics = {topic["name"]: topic for topic in answer.json()["topics"]}
    assert list(topics) == ["city-management", "emergency"]
    shown = [entry["layer"] for entry in topics["emergency"]["layers"]]
    assert shown == ["county", "road", "video", "pollution", "supply", "shelter", "hazard_site"]
    assert topics["city-management"]["density"] == "component"
    assert topics["city-management"]["title"] == {"zh": "城市管理一览图", "en": "City management"}


def test_layers_and_panels_of_a_topic_are_there_in_the_catalogue(server: Server) -> None:
    layers = {layer["name"] for layer in httpx.get(f"{server.url}/layers").json()["layers"]}
    for topic in httpx.get(f"{server.url}/topics").json()["topics"]:
        assert {entry["layer"] for entry in topic["layers"]} <= layers
        for panel in topic["panels"]:
            assert panel.get("layer") is None or panel["layer"] in layers


def test_topics_of_the_citys_own_are_files_in_its_data_folder_and_hide_with_their_layers(
    city: Database, tmp_path: Path
) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "wells.yaml").write_text(WELLS, encoding="utf-8")
    (tmp_path / FOLDER / "staff.yaml").write_text(STAFF, encoding="utf-8")
    (tmp_path / "indicators").mkdir()
    (tmp_path / "indicators" / "dry.yaml").write_text(DRY, encoding="utf-8")
    add_wells(city)
    with serving(city, tmp_path) as own:
        assert names(own) == ["city-management", "emergency"]
        assert names(own, own.admin) == ["city-management", "emergency", "staff", "wells"]
        wells = httpx.get(f"{own.url}/topics", headers=own.admin).json()["topics"][-1]
        exported = httpx.get(f"{own.url}/indicators.csv?topic=wells", headers=own.admin).text
    # Nobody filled the dry ones: they are not there yet.
    assert wells["layers"] == [{"layer": "secret_wells"}]
    assert [panel["kind"] for panel in wells["panels"]] == ["statuses", "legend"]
    assert "secret_wells.kind" in exported
    assert "dry" not in exported


def test_a_wrong_token_is_refused(server: Server) -> None:
    assert httpx.get(f"{server.url}/topics", headers={"Authorization": "Bearer x"}).status_code == 401


@pytest.mark.parametrize("module", ["api", "api.serve"])
def test_chengtu_does_not_start_with_a_bad_topic_and_says_which_line(
    city: Database, tmp_path: Path, module: str
) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "wells.yaml").write_text(STAFF.replace("county", "conty"), encoding="utf-8")
    environment = {**os.environ, "CHENGTU_DATABASE_URL": city.url, "CHENGTU_DATA_DIR": str(tmp_path), "PORT": "1"}
    ended = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "chengtu: wells.yaml, line 4: there is no layer 'conty'; was 'county' meant?\n" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_topic_can_be_checked_before_it_is_put_in(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHENGTU_DATABASE_URL", city.url)
    monkeypatch.setenv("CHENGTU_DATA_DIR", str(tmp_path))
    topic = tmp_path / "staff.yaml"
    topic.write_text(STAFF, encoding="utf-8")
    assert main(["check-topics", str(topic)]) == 0
    assert capsys.readouterr().out.strip() == "staff.yaml: 内部 Staff, 1 layers, 0 panels"
    assert main(["check-topics"]) == 0
    assert "emergency.yaml: 应急管理一张图" in capsys.readouterr().out
    topic.write_text(STAFF.replace("access: internal", "acces: internal"), encoding="utf-8")
    assert main(["check-topics", str(topic)]) == 1
    assert "staff.yaml, line 3: there is no key 'acces' here; was 'access' meant?" in capsys.readouterr().err
