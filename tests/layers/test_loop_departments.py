"""The departments: those of the city with their counterparts; a city's own file replaces them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from layers.codes.admin import shipped_register
from layers.errors import BadDeclaration
from layers.loop.departments import CENTRE, UnknownDepartment, county_of, departments_in, shipped_departments, town_of
from tests.conftest import Server

HEADER = "code,zh,en,level,area,phone,counties,towns\n"
OWN_CENTRE = "zhzx,指挥中心,Centre,city,320600,,指挥中心,\n"


def test_the_city_has_sixty_five_departments_with_counterparts_in_every_county() -> None:
    every = shipped_departments()
    city = every.of(level="city")
    assert len(city) == 65
    counties = [u.code for u in shipped_register().units.values() if u.level == "county" and not u.retired]
    assert len(counties) == 8
    for county in counties:
        for code in (CENTRE, "cgj", "gaj", "zjj", "slj", "yjj", "gdgs"):
            found = every.counterpart(code, county)
            assert found is not None
            assert (found.area, found.level, found.city) == (county, "county", code)
    assert every.counterpart("hsj", "320613") is None
    assert len(every.of(level="town")) == 2 * sum(u.level == "town" for u in shipped_register().units.values())


def test_no_two_departments_share_a_name_or_a_number_and_none_can_be_dialled() -> None:
    every = list(shipped_departments().by_code.values())
    for parts in ([one.code for one in every], [one.title.zh for one in every], [one.phone for one in every]):
        assert len(set(parts)) == len(parts)
    assert all(one.phone.startswith("0513-0000 ") for one in every)
    assert max(len(one.code) for one in every) <= 20


def test_every_area_has_a_command_centre() -> None:
    every, register = shipped_departments(), shipped_register()
    for unit in register.units.values():
        centre = every.centre(unit.code)
        assert centre.city == CENTRE
        assert centre.area == (county_of(unit.code, register) or "320600")
    assert every.centre(None).code == CENTRE
    assert every.centre("999999").code == CENTRE


@pytest.mark.parametrize(
    ("area", "county", "town"),
    [
        ("320613", "320613", None),
        ("320602", "320613", None),
        ("320611", "320613", None),
        ("320671001", "320671", "320671001"),
        ("320612001001001", "320612", "320612001"),
        ("110101001001001", None, None),
    ],
)
def test_an_area_lies_in_a_county_and_a_town_of_today(area: str, county: str | None, town: str | None) -> None:
    register = shipped_register()
    assert (county_of(area, register), town_of(area, register)) == (county, town)


def test_a_code_that_no_department_has_is_refused() -> None:
    with pytest.raises(UnknownDepartment):
        shipped_departments().find("nobody")


def test_a_file_of_the_city_replaces_what_ships(tmp_path: Path) -> None:
    (tmp_path / "loop").mkdir()
    lines = OWN_CENTRE + "320613-zhzx,崇川大脑,Brain,county,320613,,,\n"
    (tmp_path / "loop" / "departments.csv").write_text(HEADER + lines, encoding="utf-8")
    own = departments_in(tmp_path)
    assert len(own.of(level="city")) == 1
    assert own.find("320613-zhzx").title.zh == "崇川大脑"
    assert own.find("320612-zhzx").title.zh == "通州区指挥中心"


@pytest.mark.parametrize(
    ("lines", "line", "reason"),
    [
        ("", None, "command centre"),
        (OWN_CENTRE + OWN_CENTRE, 3, "already"),
        (OWN_CENTRE + "Cgj,城管局,Bureau,city,320600,,,\n", 3, "small letters"),
        (OWN_CENTRE + "cgj,城管局,Bureau,city,3206,,,\n", 3, "6 digits"),
        (OWN_CENTRE + "cgj,城管局,Bureau,county,999999,,,\n", 3, "register"),
        (OWN_CENTRE + "cgj,城管局,Bureau,village,320600,,,\n", 3, "none of"),
        (OWN_CENTRE + "a,城管局,Bureau,county,320613,,城管局,\n", 3, "counterparts"),
        (OWN_CENTRE + "cgj,,Bureau,city,320600,,,\n", 3, "empty"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path: Path, lines: str, line: int | None, reason: str) -> None:
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / "departments.csv").write_text(HEADER + lines, encoding="utf-8")
    with pytest.raises(BadDeclaration, match=reason) as caught:
        departments_in(tmp_path)
    assert caught.value.line == line


def test_departments_are_listed_by_level_and_area(server: Server) -> None:
    listed = httpx.get(f"{server.url}/departments", params={"level": "city"}).json()["departments"]
    assert len(listed) == 65
    towns = httpx.get(f"{server.url}/departments", params={"level": "town", "area": "320613"}).json()["departments"]
    assert towns
    assert {one["area"][:6] for one in towns} == {"320613"}
    assert httpx.get(f"{server.url}/departments", params={"level": "village"}).status_code == 422
