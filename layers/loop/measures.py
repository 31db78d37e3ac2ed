"""What the indicators of the loop are: counters of tasks, and which two of them make a rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, cast

from layers.codes.tables import Line
from layers.errors import BadDeclaration
from layers.loop.answered import LEFT_OUT, LeftOut
from layers.loop.reading import path_of, rows_of
from layers.spec import Title

Kind = Literal["report", "verify", "accept", "register", "dispatch", "sign", "dispose", "check", "archive", "callback"]
Mark = (
    Literal["valid", "open", "taken", "accurate", "reworked", "deferred", "answered", "solved", "satisfied"] | LeftOut
)
Moment = Literal["due", "begun", "done"]
MOMENTS: Final[tuple[Moment, ...]] = ("due", "begun", "done")
Fate = Literal["any", "done", "in_time", "late", "open"]
_TIMED: Final[tuple[Kind, ...]] = ("verify", "accept", "register", "dispatch", "sign", "dispose", "check", "archive")
_FILE: Final = "loop_indicators.csv"
_COLUMNS: Final = ("name", "zh", "en", "numerator", "denominator", "better", "left_out_zh", "left_out_en", "source")


@dataclass(frozen=True)
class Counter:
    """Counts a stage's tasks whose `moment` falls into the period: those of this fate, with this mark and channel."""

    stage: Kind
    moment: Moment
    fate: Fate = "any"
    mark: Mark | None = None
    channel: str | None = None


def _of_stage(stage: Kind) -> dict[str, Counter]:
    """The flavours of the common vocabulary: due in the period; of these done, in time, late, and late and open."""
    fates: dict[str, Fate] = {
        "need": "any", "done": "done", "in_time": "in_time", "overtime": "late", "overtime_to": "open",
    }  # fmt: skip
    return {f"{flavour}_{stage}": Counter(stage, "due", fate) for flavour, fate in fates.items()}


COUNTERS: Final[Mapping[str, Counter]] = {
    **{name: counter for stage in _TIMED for name, counter in _of_stage(stage).items()},
    "report": Counter("report", "begun"),
    "valid_report": Counter("report", "begun", mark="valid"),
    "decided_report": Counter("report", "begun", "done"),
    "to_archive": Counter("report", "begun", mark="open"),
    "accept": Counter("accept", "done", mark="taken"),
    "accept_in_time": Counter("accept", "done", "in_time", mark="taken"),
    "accept_accurate": Counter("accept", "done", mark="accurate"),
    "register": Counter("register", "done", mark="taken"),
    "register_in_time": Counter("register", "done", "in_time", mark="taken"),
    "register_accurate": Counter("register", "done", mark="accurate"),
    "dispatch": Counter("dispatch", "done"),
    "dispatch_accurate": Counter("dispatch", "due", mark="accurate"),
    "deferred": Counter("dispose", "due", mark="deferred"),
    "reworked": Counter("archive", "due", mark="reworked"),
    "need_contact": Counter("sign", "due", channel="hotline"),
    "in_time_contact": Counter("sign", "due", "in_time", channel="hotline"),
    "callback": Counter("callback", "done", mark="answered"),
    "solved": Counter("callback", "done", mark="solved"),
    "satisfied": Counter("callback", "done", mark="satisfied"),
    **{f"callback_{reason}": Counter("callback", "done", mark=reason) for reason in LEFT_OUT},
}
"""What can be counted; a rate is any two of them."""


_CHANNELS: Final = frozenset(counter.channel for counter in COUNTERS.values())


def kind_of(stage: str, *, fate: Fate, marks: Iterable[str], channel: str) -> str:
    """What counters can tell of a task, in one word."""
    return "/".join((stage, fate, "+".join(sorted(marks)), channel if channel in _CHANNELS else ""))


@cache
def counters_of(kind: str, moment: Moment) -> tuple[str, ...]:
    """The counters by this moment that count a task of this kind."""
    stage, fate, marks, channel = kind.split("/")
    held = marks.split("+")
    return tuple(
        name
        for name, one in COUNTERS.items()
        if (one.moment, one.stage) == (moment, stage)
        and (one.fate in ("any", fate) or (one.fate == "done" and fate != "open"))
        and (one.mark is None or one.mark in held)
        and one.channel in (None, channel)
    )


@dataclass(frozen=True)
class Measure:
    """One indicator: `left_out` says what is in neither of its counters, `better` whether it should be high or low."""

    name: str
    title: Title
    numerator: str
    denominator: str
    better: Literal["high", "low"]
    left_out: Title
    source: str

    def rate(self, counts: Mapping[str, int]) -> float | None:
        """The share, or None where there was nothing to count."""
        whole = counts.get(self.denominator, 0)
        return counts.get(self.numerator, 0) / whole if whole else None


def measures_in(data: Path | None = None) -> dict[str, Measure]:
    """The indicators of a data folder (`loop_indicators.csv`) by name; BadDeclaration names a bad line."""
    path = path_of(_FILE, data)
    found: dict[str, Measure] = {}

    def add(line: Line) -> None:
        one = _measure(line)
        if one.name in found:
            raise line.error(f"{one.name!r} is there already")
        found[one.name] = one

    rows_of(path, _COLUMNS, add)
    if not found:
        raise BadDeclaration(path, None, "there are no indicators")
    return found


def _measure(line: Line) -> Measure:
    name = line.required("name")
    if not (name.isascii() and name.replace("_", "").isalnum() and name == name.lower() and len(name) <= 40):
        raise line.error(f"name {name!r} is not at most 40 small letters, digits and '_'")
    return Measure(
        name,
        Title(line.required("zh"), line.required("en")),
        line.one_of("numerator", tuple(COUNTERS)),
        line.one_of("denominator", tuple(COUNTERS)),
        cast(Literal["high", "low"], line.one_of("better", ("high", "low"))),
        Title(line["left_out_zh"], line["left_out_en"]),
        line["source"],
    )


_PARTS: Final = (
    ("done_dispose", "need_dispose", 30, False),
    ("in_time_dispose", "need_dispose", 20, False),
    ("reworked", "need_archive", 20, True),
    ("overtime_to_dispose", "need_dispose", 20, True),
    ("deferred", "need_dispose", 10, True),
)


def daily_score(counts: Mapping[str, int]) -> float | None:
    """A district's score of a hundred: disposal ×30, in time ×20; less rework and overdue ×20 each, deferral ×10.

    None where nothing was due. Source: the scoring rules of a district, facts sheet 1.8.
    """
    score = 0.0
    for numerator, denominator, weight, absent in _PARTS:
        whole = counts.get(denominator, 0)
        if not counts.get("need_dispose", 0):
            return None
        share = counts.get(numerator, 0) / whole if whole else 0.0
        score += weight * (1 - share if absent else share)
    return score


def complaint_score(complaints: int, *, area_share: float, people_share: float) -> float:
    """30 points less 0.002 for every complaint per area and people, each as a share; never below 0.

    The same source: a hundred complaints, 0.026 and 2.141 make 26.407.
    """
    if not (area_share > 0 and people_share > 0):
        raise ValueError("area and people are greater than nothing")
    return max(0.0, 30 - 0.002 * complaints / (area_share * people_share))
