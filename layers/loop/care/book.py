"""The words of needs and visits: which kinds there are (a city may replace those of needs), and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from layers.codes.tables import Line
from layers.errors import BadDeclaration
from layers.loop.reading import path_of, rows_of
from layers.spec import Title

GROUPS: Final[Mapping[str, Title]] = MappingProxyType({
    "elder": Title("助老", "For the elderly"),
    "repair": Title("维修", "Repairs"),
    "home": Title("家政", "Household"),
    "child": Title("托幼", "Children"),
    "advice": Title("咨询", "Advice"),
    "other": Title("其他", "Other"),
})  # fmt: skip
SORTS: Final[Mapping[str, Title]] = MappingProxyType({
    "service_point": Title("便民服务点", "Service point"),
    "canteen": Title("助老食堂", "Canteen for the elderly"),
    "care": Title("养老服务站", "Care station"),
    "clinic": Title("社区卫生服务", "Community clinic"),
    "repair": Title("维修点", "Repair shop"),
    "childcare": Title("托育点", "Child care"),
    "legal": Title("法律服务站", "Legal service"),
    "party_team": Title("党员服务队", "Service team of party members"),
    "volunteer_team": Title("志愿服务队", "Team of volunteers"),
})  # fmt: skip
"""Who serves: organisations, places and teams, never a person."""
STATES: Final[Mapping[str, Title]] = MappingProxyType({
    "open": Title("待对接", "Open"),
    "arranged": Title("已对接", "Arranged"),
    "done": Title("已办结", "Done"),
    "withdrawn": Title("已撤回", "Withdrawn"),
})  # fmt: skip
VISITS: Final[Mapping[str, Title]] = MappingProxyType({
    "comfort": Title("慰问", "Calling on residents"),
    "policy": Title("政策宣传", "Telling of policies"),
    "safety": Title("安全检查", "Safety check"),
    "hazard": Title("隐患排查", "Looking for hazards"),
    "needs": Title("了解需求", "Asking what is needed"),
    "mediation": Title("矛盾调解", "Settling disputes"),
})  # fmt: skip
OUTCOMES: Final[Mapping[str, Title]] = MappingProxyType({
    "nothing": Title("一切正常", "All is well"),
    "advised": Title("已当面说明", "Told on the spot"),
    "need": Title("发现需求", "A need was found"),
    "incident": Title("发现问题", "A problem was found"),
    "absent": Title("无人在场", "Nobody was there"),
    "again": Title("需再次走访", "Another visit is due"),
})  # fmt: skip
MOST_KINDS: Final = 200
_FILE: Final = "need_kinds.csv"
_COLUMNS: Final = ("code", "zh", "en", "group")


@dataclass(frozen=True)
class Kind:
    """One kind of need, and the group under which pages offer it."""

    code: str
    title: Title
    group: str


def kinds_in(data: Path | None = None) -> Mapping[str, Kind]:
    """The kinds of needs of a data folder (`need_kinds.csv`), by code; BadDeclaration names the line that is wrong."""
    path, found = path_of(_FILE, data), dict[str, Kind]()

    def add(line: Line) -> None:
        code = line.required("code")
        if not (code.isascii() and code.replace("_", "").isalnum() and len(code) <= 40):
            raise line.error(f"code {code!r} is not 1 to 40 letters, digits or _")
        if code in found:
            raise line.error(f"{code} is there already")
        title = Title(line.required("zh"), line.required("en"))
        found[code] = Kind(code, title, line.one_of("group", tuple(GROUPS)))

    rows_of(path, _COLUMNS, add)
    if not 0 < len(found) <= MOST_KINDS:
        raise BadDeclaration(path, None, f"there are 1 to {MOST_KINDS} kinds of needs")
    return MappingProxyType(found)
