"""The administrative register: the city's counties and towns, names, and codes that were retired."""

import csv
import shutil
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.codes import admin
from layers.codes.books import book
from layers.codes.errors import BadBook, UnknownUnit
from layers.codes.tables import DATA

UNITS = tuple(admin.shipped_register().units.values())
any_unit = st.sampled_from(UNITS)


def test_the_counties_hold_the_whole_census() -> None:
    counties = admin.counties()
    assert len(counties) == 7
    assert sum(c.population or 0 for c in counties) == admin.unit("320600").population == 7_726_635


def test_the_towns_of_the_counties_are_all_towns_once() -> None:
    towns = [town.code for county in admin.counties() for town in admin.towns(county.code)]
    assert len(towns) == len(set(towns)) == 136


def test_the_development_area_belongs_to_chongchuan() -> None:
    assert len(admin.towns("320671")) == 7
    assert set(admin.towns("320671")) < set(admin.towns("320613"))


@pytest.mark.parametrize(
    ("old", "new"), [("320602", "320613"), ("320611", "320613"), ("320684", "320614"), ("320621", "320685")]
)
def test_a_retired_code_leads_to_its_successor(old: str, new: str) -> None:
    assert admin.current(old) == new
    assert admin.is_county(old)
    assert old not in {county.code for county in admin.counties()}
    assert admin.towns(old) == admin.towns(new)


def test_before_its_last_day_a_retired_code_stands_for_itself() -> None:
    assert admin.current("320684", date(2020, 7, 2)) == "320684"
    assert admin.current("320684", date(2020, 7, 3)) == "320614"


@given(any_unit)
def test_the_current_code_is_its_own_current_code(unit: admin.Unit) -> None:
    once = admin.current(unit.code)
    assert admin.current(once) == once
    assert not admin.unit(once).retired


@given(any_unit)
def test_a_units_own_name_finds_it(unit: admin.Unit) -> None:
    heir = admin.unit(admin.current(unit.code))
    assert heir in admin.find(unit.name)
    assert heir in admin.find(f" {unit.name_en.upper()} ")


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("崇川", ["320613"]),
        ("崇川区", ["320613"]),
        ("Chongchuan", ["320613"]),
        ("港闸区", ["320613"]),
        ("海安", ["320685", "320685100"]),
        ("海安县", ["320685"]),
        ("城东", ["320613001", "320685101"]),
        ("城东镇", ["320685101"]),
        ("狼山", ["320613010"]),
        ("jinsha", ["320612001"]),
        ("江苏省南通市海门区余东镇", ["320614106"]),
        ("海门市三星镇", ["320614416"]),
        ("如东县余东镇", []),
        ("南通", ["320600"]),
        ("", []),
        ("镇", []),
        ("杭州市", []),
    ],
)
def test_a_name_finds_its_units(name: str, codes: list[str]) -> None:
    assert [unit.code for unit in admin.find(name)] == codes


@given(st.text())
def test_any_text_may_be_asked_for(text: str) -> None:
    assert all(not unit.retired for unit in admin.find(text))


def test_towns_and_counties_are_told_apart() -> None:
    assert not admin.is_county("320613001")
    assert not admin.is_county("320600")
    assert not admin.is_county("330102")
    with pytest.raises(UnknownUnit, match="330102"):
        admin.unit("330102")


def test_every_kind_is_in_its_code_book() -> None:
    assert [u.code for u in UNITS if u.kind not in book("town_kind" if u.level == "town" else "county_kind")] == []


def test_the_towns_agree_with_the_statistical_book(shared: Path) -> None:
    with (shared / "domain" / "nantong_townships_2023.csv").open(encoding="utf-8", newline="") as stream:
        facts = {row["town_code"]: (row["name"], row["county_code"]) for row in csv.DictReader(stream)}
    assert {u.code: (u.name, u.parent) for u in UNITS if u.level == "town"} == facts


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("320613001,", "320612001,", "is already on line"),
        ("320613001,", "3206131,", "has not the 9 digits of a town"),
        (",,,,statistical", ",,,,odd", "hierarchy 'odd'"),
        (",county,320600,district,,,,", ",county,320999,district,,,,", "parent '320999' has no line"),
        (",320600,county,,2018-05-10,320685,", ",320600,county,,2018-05-10,320621,", "leads back"),
        (",2018-05-10,320685,", ",,320685,", "needs the last day"),
        ("1258739", "1.2e6", "is not a whole number"),
        ("name_en", "english", "missing column name_en"),
    ],
)
def test_a_wrong_register_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = Path(shutil.copy(DATA / "admin.csv", tmp_path)).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "admin.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadBook, match=message):
        admin.load_register(tmp_path)
