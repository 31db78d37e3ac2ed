"""Who called about the demo city's cases, and how they were called back: as the desk and the departments write it.

What a caller answers hangs on the department that had the case and on how it went; departments differ, as they do.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from etl.demo.people import NUMBERS, by_day, later, name_of, phone_of
from layers.ask.period import CITY_TIME
from layers.loop.effects import Taken
from layers.loop.hotline.contacts import Contacted
from layers.people.privacy import Keyring

Row = dict[str, Any]
CALLER: Final = (
    *("incident", "channel", "line", "at", "name", "phone", "phone_mark"),
    *("reached_at", "solved", "satisfied", "answer"),
)
"""The columns of `written`, of callers."""
CALL: Final = ("incident", "kind", "reached", "solved", "satisfied", "text", "at", "actor")
"""Those of calls."""
_NAMED: Final = {"hotline": 0.98, "public": 0.7}
_NUMBERED: Final = 0.98
# Some call again and again about the same: so many numbers of a matter at scale 1, anew every ten days.
_REPEATING, _REPEATERS, _REPEAT_DAYS = 0.08, 4.0, 10
_HARD_TO_REACH, _PICKS_UP, _HARDLY_PICKS_UP = 0.07, 0.84, 0.15
_CALLED_AFTER_H: Final = 22.0
_SPOKEN_IN_TIME, _SPOKEN_LATE = (0.91, 0.995), 0.6
_SOLVED, _SATISFIED = (0.89, 0.99), (0.87, 0.99)
_OUTSIDE, _LATE, _AGAIN, _UNSOLVED = 0.3, 0.15, 0.1, 0.2
SPOKEN: Final = Contacted("contact", True, text="已与来电人联系，了解情况。")
"""A department speaks with a caller."""
MISSED: Final = Contacted("callback", False, text="无人接听。")
"""A caller does not answer."""
_ANSWERS: Final = {
    (True, True): ("问题已解决，表示满意。", "已处理，感谢工作人员。", "现场已恢复，没有其他意见。"),
    (True, False): ("问题解决了，但等的时间太长。", "处理了，希望以后能提前告知。"),
    (False, True): ("问题还在，但理解需要时间。", "未彻底解决，对工作人员态度满意。"),
    (False, False): ("问题没有解决，要求继续处理。", "处理后又出现同样情况。"),
}


@dataclass(frozen=True)
class Called:
    """A call to somebody who had told of a case: when, which office called, and how it went."""

    at: dt.datetime
    actor: str
    told: Contacted


@dataclass(frozen=True)
class Caller:
    """Who told of a case, in the clear, with the calls that they got since; `phone` None: it was withheld."""

    name: str
    phone: str | None
    calls: tuple[Called, ...]

    @property
    def answered(self) -> Called | None:
        """The call-back that reached them."""
        return next((call for call in self.calls if call.told.kind == "callback" and call.told.reached), None)


@dataclass(frozen=True)
class Callers:
    """What callers are made of: the keys that seal them, how often they are called back, and the chance of the demo."""

    keyring: Keyring
    attempts: int
    scale: float
    seed: int

    def of(self, row: Mapping[str, Any], taken: Sequence[Taken], *, until: dt.datetime) -> Caller | None:
        """Who told of a case, by its report and the steps that it took by then; None of those who did not say.

        The same case later has the same caller, who got the same calls first.
        """
        chance = random.Random(row["chance"] + 1)
        if chance.random() >= _NAMED.get(row["channel"], 0.0):
            return None
        name, numbered = name_of(chance), chance.random() < _NUMBERED
        number = phone_of(_number(row, chance, scale=self.scale, seed=self.seed))
        if not numbered:
            return Caller(name, None, ())
        hub = f"dispatcher {row['admin_code'][:6]}"
        after = _called_back(taken, chance, hub, attempts=self.attempts, seed=self.seed)
        calls = [*_spoken(taken, chance, seed=self.seed), *after]
        return Caller(name, number, tuple(call for call in calls if call.at <= until))


def written(row: Mapping[str, Any], caller: Caller, keyring: Keyring) -> tuple[Row, list[Row]]:
    """A caller as `core.caller` holds one, sealed, and the calls as `core.contact` does; their numbers come later."""
    answered, phone = caller.answered, caller.phone
    at = dt.datetime.fromtimestamp(row["reported"], dt.UTC)
    told = None if answered is None else answered.told
    columns = {
        "incident": row["id"], "channel": row["channel"], "line": row["line"], "at": at.isoformat(),
        "name": keyring.seal(caller.name, about="caller.name"),
        "phone": None if phone is None else keyring.seal(phone, about="caller.phone"),
        "phone_mark": None if phone is None else keyring.mark(phone),
        "reached_at": None if answered is None else answered.at.isoformat(),
        "solved": told and told.solved, "satisfied": told and told.satisfied, "answer": told and told.text,
    }  # fmt: skip
    every = [{"incident": row["id"], **vars(c.told), "at": c.at.isoformat(), "actor": c.actor} for c in caller.calls]
    return columns, every


def _number(row: Mapping[str, Any], chance: random.Random, *, scale: float, seed: int) -> int:
    if chance.random() >= _REPEATING:
        return chance.randrange(NUMBERS)
    which = chance.randrange(max(1, round(_REPEATERS * scale)))
    block = int(row["reported"] // (86_400 * _REPEAT_DAYS))
    return random.Random(f"{seed} {row['matter']} {block} {which}").randrange(NUMBERS)


def _spoken(taken: Sequence[Taken], chance: random.Random, *, seed: int) -> Iterator[Called]:
    """What departments do with a case that was dispatched to them: they speak with the caller, most of them in time."""
    for n, step in enumerate(taken):
        if step.step != "dispatch":
            continue
        lead = step.carries["lead"]
        hours = 3.0 * math.exp(chance.gauss(0.0, 0.8))
        late, never = chance.random() >= _quality(lead, seed).in_time, chance.random() >= _SPOKEN_LATE
        at = step.at + dt.timedelta(seconds=round(3600 * (26.0 + hours if late else min(hours, 23.0))))
        after = next((later for later in taken[n + 1 :] if later.step in ("feedback", "send_back")), None)
        if after is not None and after.at < at:
            # Who is done sooner says so; a case that goes back is not theirs to speak about.
            if late or after.step == "send_back":
                continue
            at = after.at
        if not (late and never):
            yield Called(at, f"officer {lead}", SPOKEN)


def _called_back(
    taken: Sequence[Taken], chance: random.Random, hub: str, *, attempts: int, seed: int
) -> Iterator[Called]:
    """The clerk's calls after a case is over, until somebody answers."""
    if taken[-1].after not in ("closed", "rejected"):
        return
    picks_up = _HARDLY_PICKS_UP if chance.random() < _HARD_TO_REACH else _PICKS_UP
    at = taken[-1].at.astimezone(CITY_TIME)
    for _ in range(attempts):
        at = by_day(later(at, _CALLED_AFTER_H, chance), chance)
        if chance.random() < picks_up:
            lead = next((step.carries["lead"] for step in reversed(taken) if step.step == "dispatch"), None)
            yield Called(at, hub, answer_of(lead, {step.step for step in taken}, chance, seed=seed))
            return
        yield Called(at, hub, MISSED)


def answer_of(lead: str | None, steps: Collection[str], chance: random.Random, *, seed: int) -> Contacted:
    """What somebody says of a case that is over, by the department that had it (None: nobody) and the steps it took."""
    if lead is None:
        solved, pleased = chance.random() < _OUTSIDE, _OUTSIDE
    else:
        quality = _quality(lead, seed)
        solved = chance.random() < quality.solved - (_AGAIN if "rework" in steps else 0.0)
        pleased = quality.satisfied - (_LATE if "escalate" in steps or "urge" in steps else 0.0)
    satisfied = chance.random() < (pleased if solved else _UNSOLVED)
    return Contacted("callback", True, solved, satisfied, chance.choice(_ANSWERS[solved, satisfied]))


@dataclass(frozen=True)
class _Quality:
    """How well a department serves: shares of callers."""

    in_time: float
    solved: float
    satisfied: float


@cache
def _quality(lead: str, seed: int) -> _Quality:
    chance = random.Random(f"{seed} {lead}")
    return _Quality(*(chance.uniform(*bounds) for bounds in (_SPOKEN_IN_TIME, _SOLVED, _SATISFIED)))
