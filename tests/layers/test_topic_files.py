"""Topics: what a file may say, what is refused with its line, and what is left out of the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from layers.ask.clauses import Among, Range, Starts, cql2
from layers.ask.clauses import told as told_conditions
from layers.ask.indicator.reading import SHIPPED as FIGURES
from layers.ask.indicator.reading import indicators_in
from layers.ask.ready import ready_questions
from layers.catalog import built_in
from layers.errors import BadDeclaration
from layers.people.access import ADMIN, ANYONE
from layers.topics import FOLDER, SHIPPED, Known, There, arranged, read_topic, told, topics_in

LAYERS = built_in()


@dataclass(frozen=True)
class Counted:
    layers: tuple[str, ...]
    by: tuple[str, ...]


INDICATORS = {
    "broken": Counted(("component",), ("county", "town", "state")),
    "hazards": Counted(("hazard_site",), ("county",)),
    "per-road": Counted(("component", "road"), ("county",)),
}
KNOWN = Known(LAYERS, ["relief"], INDICATORS)
ALL = There(set(LAYERS), ["relief"], INDICATORS)

SHELTERS = """\
title: {zh: 避难, en: Shelters}
about: {zh: 避难场所一览, en: Where to go}
access: public
layers:
  - layer: county
  - layer: shelter
    look: heat
    opacity: 0.5
    conditions:
      status: {in: [open, full, null]}
      capacity: {from: 100}
      admin_code: {starts: "320613"}
  - layer: siren
    when_there: true
rasters:
  - raster: relief
  - raster: flood_depth
    when_there: true
density: shelter
view: {lon: 120.86, lat: 32.01, zoom: 11.5}
refresh_s: 20
wall: {seconds: 45}
panels:
  - kind: figures
    title: {zh: 要事, en: First}
    indicators: [broken, hazards]
  - {kind: bars, indicator: broken, by: town}
  - {kind: series, indicator: hazards, days: 7}
  - {kind: table, indicators: [broken, hazards], by: county}
  - {kind: statuses, layer: shelter, column: status}
  - {kind: statuses, layer: siren, column: level, when_there: true}
  - {kind: legend}
"""


def written(folder: Path, text: str, name: str = "shelters.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_topic_says_which_layers_panels_and_rasters_the_page_has(tmp_path: Path) -> None:
    topic = arranged(read_topic(written(tmp_path, SHELTERS), KNOWN), ALL)
    assert topic == {
        "name": "shelters",
        "title": {"zh": "避难", "en": "Shelters"},
        "about": {"zh": "避难场所一览", "en": "Where to go"},
        "access": "public",
        "view": {"lon": 120.86, "lat": 32.01, "zoom": 11.5},
        "refresh_s": 20,
        "layers": [
            {"layer": "county"},
            {
                "layer": "shelter",
                "look": "heat",
                "opacity": 0.5,
                "conditions": {
                    "status": {"in": ["open", "full", None]},
                    "capacity": {"from": "100"},
                    "admin_code": {"starts": "320613"},
                },
            },
        ],
        "rasters": ["relief"],
        "density": "shelter",
        "panels": [
            {"kind": "figures", "title": {"zh": "要事", "en": "First"}, "indicators": ["broken", "hazards"]},
            {"kind": "bars", "indicator": "broken", "by": "town", "top": 8},
            {"kind": "series", "indicator": "hazards", "days": 7},
            {"kind": "table", "indicators": ["broken", "hazards"], "by": "county"},
            {"kind": "statuses", "layer": "shelter", "column": "status"},
            {"kind": "legend"},
        ],
        "events": [],
        "wall": {"seconds": 45},
    }


def test_a_short_topic_takes_what_is_usual(tmp_path: Path) -> None:
    text = "title: {zh: 路, en: Roads}\nabout: {zh: 路, en: Roads}\naccess: public\nlayers: [{layer: road}]\n"
    topic = arranged(read_topic(written(tmp_path, text), KNOWN), ALL)
    assert topic is not None
    assert (topic["refresh_s"], topic["panels"], topic["rasters"]) == (60, [], [])
    assert (topic["view"], topic["density"], topic["wall"]) == (None, None, None)


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("access: public\n", "", 1, "the key 'access' is missing"),
        ("access: public", "access: everyone", 3, "there is no access 'everyone'; there are: internal, public"),
        ("access: public", "access: no", 3, "put it in quotes"),
        ("access: public", "access: public\naccess: public", 4, "the key 'access' is already on line 3"),
        ("refresh_s: 20", "refersh_s: 20", 21, "there is no key 'refersh_s' here; was 'refresh_s' meant?"),
        ("refresh_s: 20", "refresh_s: 1", 21, "a number from 5 to 3600"),
        ("refresh_s: 20", "refresh_s: .nan", 21, "a number from 5 to 3600"),
        ("refresh_s: 20", "refresh_s: 20.5", 21, "a whole number"),
        ("density: shelter", "density: road", 19, "there is no layer of this topic 'road'"),
        ("density: shelter", "palette: dark", 19, "there is no key 'palette' here"),
        ("layer: county", "layer: conty", 5, "there is no layer 'conty'; was 'county' meant?"),
        ("layer: county", "layer: county\n  - layer: county", 6, "the layer 'county' is shown already"),
        ("layer: county", "layer: county\n    colour: red", 6, "there is no key 'colour' here"),
        ("    when_there: true\nrasters", "rasters", 13, "there is no layer 'siren'"),
        ("layer: county", "layer: county\n    look: town", 6, "the layer 'county' cannot be looked at as 'town'"),
        ("layer: county", "layer: road\n    look: heat", 6, "the layer 'road' cannot be looked at as 'heat'"),
        ("layer: county", "layer: road\n    look: grid", 6, "the layer 'road' cannot be looked at as 'grid'"),
        ("look: heat", "look: heatmap", 7, "there is no look 'heatmap'; was 'heat' meant?"),
        ("opacity: 0.5", "opacity: 5", 8, "a number from 0.05 to 1"),
        ("status: {in", "statsu: {in", 10, "layer 'shelter' has no column 'statsu' to ask for; was 'status' meant?"),
        ("[open, full, null]", "[opened]", 10, "the book 'shelter_status' has no code 'opened'; was 'open' meant?"),
        ("[open, full, null]", "[]", 10, "the list must have 1 to 100 entries"),
        ("[open, full, null]", "[01]", 10, "put it in quotes"),
        ("{from: 100}", "{from: many}", 11, "the condition cannot be asked"),
        ("{from: 100}", "{like: 100}", 11, "there is no key 'like' here"),
        ("{from: 100}", "{from: 100, starts: a}", 11, "a condition is one of"),
        ('{starts: "320613"}', "{starts: 320613}", 12, "put it in quotes"),
        ("raster: relief", "raster: relieve", 16, "there is no raster 'relieve'; was 'relief' meant?"),
        ("lat: 32.01", "lat: 320.1", 20, "a number from -85 to 85"),
        ("seconds: 45", "minutes: 1", 22, "there is no key 'minutes' here"),
        ("kind: figures", "kind: figure", 24, "there is no kind of panel 'figure'; was 'figures' meant?"),
        ("  - kind: figures\n    title", "  - title", 24, "the key 'kind' is missing"),
        ("indicators: [broken, hazards]\n", "indicators: [brokn]\n", 26, "there is no indicator 'brokn'"),
        ("broken, by: town}", "broken, by: street}", 27, "the indicator 'broken' is not told by 'street'"),
        ("broken, by: town}", "broken, by: town, days: 3}", 27, "there is no key 'days' here"),
        ("broken, by: town}", "broken}", 27, "the key 'by' is missing"),
        ("days: 7", "days: 1", 28, "a number from 2 to 366"),
        ("[broken, hazards], by: county", "[broken, hazards], by: town", 29, "'hazards' is not told by 'town'"),
        ("shelter, column: status", "shelter, column: address", 30, "has no column 'address' of states"),
        ("kind: legend}", "kind: legend", 32, "it is not YAML"),
    ],
)
def test_a_topic_that_cannot_be_used_is_refused_by_its_line(
    tmp_path: Path, old: str, new: str, line: int, reason: str
) -> None:
    assert old in SHELTERS
    path = written(tmp_path, SHELTERS.replace(old, new, 1))
    with pytest.raises(BadDeclaration) as caught:
        read_topic(path, KNOWN)
    assert reason in caught.value.reason
    assert caught.value.line == line
    assert str(caught.value).startswith(f"shelters.yaml, line {line}: ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\xff\xfe", "it is not UTF-8"),
        (b"[" * 50_000, "it is not YAML"),
        (b"- a list", "keys with values are needed"),
        (b"a: \x01", "it is not YAML"),
        (b"title: {zh: " + b"x" * 70_000, "it is longer than 64 KB"),
        (b"a: &a [*a]", "there is no key 'a' here"),
        (b"title: !!python/object:os.system {}", "there is no key|keys with values|missing"),
    ],
)
def test_what_is_no_topic_at_all_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(BadDeclaration, match=reason):
        read_topic(path, KNOWN)


def test_a_topic_is_named_like_its_address(tmp_path: Path) -> None:
    with pytest.raises(BadDeclaration, match="lower-case letters"):
        read_topic(written(tmp_path, SHELTERS, "My Topic.yaml"), KNOWN)


def test_what_does_not_exist_yet_may_be_named_and_comes_by_itself(tmp_path: Path) -> None:
    topic = read_topic(written(tmp_path, SHELTERS), KNOWN)
    later = arranged(topic, There({*LAYERS, "siren"}, ["relief", "flood_depth"], INDICATORS))
    assert later is not None
    assert [shown["layer"] for shown in later["layers"]] == ["county", "shelter", "siren"]
    assert later["rasters"] == ["relief", "flood_depth"]
    assert {"kind": "statuses", "layer": "siren", "column": "level"} in later["panels"]


def test_panels_whose_data_do_not_exist_are_absent(tmp_path: Path) -> None:
    topic = read_topic(written(tmp_path, SHELTERS), KNOWN)
    found = arranged(topic, There({"county", "town", "component"}, [], INDICATORS))
    assert found is not None
    assert found["layers"] == [{"layer": "county"}]
    assert found["density"] is None
    # The panels of components stay, those of hazards and shelters go; one that had both keeps what there is.
    assert [panel["kind"] for panel in found["panels"]] == ["figures", "bars", "table", "legend"]
    assert found["panels"][0]["indicators"] == ["broken"]
    # What is told by areas that are not there cannot be told.
    townless = arranged(topic, There({"county", "component"}, [], INDICATORS))
    assert townless is not None
    assert [panel["kind"] for panel in townless["panels"]] == ["figures", "table", "legend"]


def test_a_figure_needs_all_of_its_layers() -> None:
    assert There({"component", "road"}, [], INDICATORS).figures(("per-road",)) == ("per-road",)
    assert There({"component"}, [], INDICATORS).figures(("per-road", "unknown")) == ()


def test_who_may_not_see_a_topic_or_any_of_its_layers_is_not_told_of_it(tmp_path: Path) -> None:
    written(tmp_path, SHELTERS)
    written(tmp_path, SHELTERS.replace("access: public", "access: internal"), "staff.yaml")
    topics = topics_in([tmp_path], KNOWN)
    assert [topic["name"] for topic in told(topics, ALL, ANYONE)] == ["shelters"]
    assert [topic["name"] for topic in told(topics, ALL, ADMIN)] == ["shelters", "staff"]
    assert told(topics, There({"road"}, ["relief"], INDICATORS), ADMIN) == []


def test_adding_a_topic_is_dropping_in_a_file(tmp_path: Path) -> None:
    assert set(topics_in([tmp_path, tmp_path / "none"], KNOWN)) == set()
    written(tmp_path, SHELTERS)
    written(tmp_path, "half written", ".shelters.yaml")
    assert set(topics_in([tmp_path], KNOWN)) == {"shelters"}


@pytest.mark.parametrize("name", ["shelters.yml", "shelters.YAML"])
def test_a_declaration_with_another_ending_is_refused_rather_than_passed_over(tmp_path: Path, name: str) -> None:
    written(tmp_path, SHELTERS, name)
    written(tmp_path, "what this folder is for", "README.md")
    for read in (lambda: topics_in([tmp_path], KNOWN), lambda: indicators_in([tmp_path], LAYERS)):
        with pytest.raises(BadDeclaration, match=rf"{name}: .* call it shelters\.yaml"):
            read()
    with pytest.raises(BadDeclaration, match=r"call it shelters\.yaml"):
        ready_questions(tmp_path)


def test_a_topic_of_the_city_takes_the_place_of_one_of_the_same_name(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / FOLDER
    for folder, text in ((first, SHELTERS), (second, SHELTERS.replace("zh: 避难,", "zh: 本市避难,"))):
        folder.mkdir()
        written(folder, text)
    assert topics_in([first, second], KNOWN)["shelters"].title.zh == "本市避难"


def test_the_shipped_topics_can_be_used_and_are_short() -> None:
    indicators = indicators_in([FIGURES], LAYERS)
    topics = topics_in([SHIPPED], Known(LAYERS, [], indicators))
    assert set(topics) == {"city-management", "emergency"}
    for topic in topics.values():
        assert len(topic.layers) <= 8
        assert len(topic.panels) <= 6
    of_visitors = told(topics, There(set(LAYERS) - {"incident"}, [], indicators), ANYONE)
    assert all(len(topic["panels"]) == 5 for topic in of_visitors), "all but the one of incidents"
    everything = told(topics, There(set(LAYERS), [], indicators), ANYONE)
    assert all(len(topic["panels"]) == 6 for topic in everything)
    shown = {shown["layer"] for topic in everything for shown in topic["layers"]}
    assert {"component", "grid", "hazard_site", "pollution", "video", "shelter", "supply"} <= shown


def test_conditions_are_written_as_the_map_writes_them() -> None:
    conditions = {
        "state": Among(("lost", "it's", None)),
        "first_date": Range("2015-01-01", "2016-01-01"),
        "changed_at": Range("2026-05-01T08:00:00+08:00"),
        "cameras": Range(None, "4"),
        "name": Starts("50%_\\"),
        "admin_code": Starts("320613"),
    }
    assert cql2(conditions) == (
        "admin_code LIKE '320613%' AND cameras <= 4 AND changed_at >= TIMESTAMP('2026-05-01T08:00:00+08:00')"
        " AND first_date >= DATE('2015-01-01') AND first_date <= DATE('2016-01-01')"
        r" AND name LIKE '50\%\_\\%' AND (state IN ('lost', 'it''s') OR state IS NULL)"
    )
    assert told_conditions(conditions)["cameras"] == {"to": "4"}
    assert told_conditions({"state": Among((None,))}) == {"state": {"in": [None]}}


def test_the_topic_of_the_documentation_can_be_used(tmp_path: Path) -> None:
    page = (SHIPPED.parents[1] / "docs" / "topics.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert example is not None
    indicators = indicators_in([FIGURES], LAYERS)
    assert len(read_topic(written(tmp_path, example[1]), Known(LAYERS, [], indicators)).panels) == 3


EVENTS = """\
title: {zh: 事, en: Events}
about: {zh: 事, en: Events}
access: public
layers:
  - layer: county
events:
  - layer: pollution
    conditions:
      status: {in: [exceeding]}
  - layer: siren
    when_there: true
    conditions:
      level: {in: [I]}
"""


def test_a_topic_tells_which_records_cannot_wait_of_layers_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "events.yaml"
    path.write_text(EVENTS, "utf-8")
    answer = arranged(read_topic(path, KNOWN), ALL)
    assert answer is not None
    assert answer["events"] == [{"layer": "pollution", "conditions": {"status": {"in": ["exceeding"]}}}]


def test_an_event_of_no_layer_or_without_conditions_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.yaml"
    path.write_text(EVENTS.replace("layer: pollution", "layer: polution"), "utf-8")
    with pytest.raises(BadDeclaration, match="polution"):
        read_topic(path, KNOWN)
    path.write_text(EVENTS.replace("    conditions:\n      status: {in: [exceeding]}\n", ""), "utf-8")
    with pytest.raises(BadDeclaration, match="conditions"):
        read_topic(path, KNOWN)
