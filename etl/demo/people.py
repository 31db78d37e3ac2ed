"""Residents of the demo city, none of whom exists: every name says so, and nobody can dial their numbers."""

from __future__ import annotations

import datetime as dt
import math
import random
from typing import Final

MARK: Final = "（演示）"
"""Ends every name, home and wish that was made up."""
NUMBERS: Final = 10_000_000
OPENS, CLOSES = 9, 20
"""The hours of the day at which people are called or called upon."""
_SURNAMES: Final = tuple("陈王张李陆顾周徐沈施曹朱吴黄袁季钱杨姜丁蒋汤唐马")
_GROWN_UP: Final = ("先生", "女士")
_OLD: Final = ("爷爷", "奶奶")


def name_of(chance: random.Random, *, old: bool = False, mark: str = MARK) -> str:
    """How a clerk writes somebody down: a family name and a title, such as 陈女士（演示）."""
    return f"{chance.choice(_SURNAMES)}{chance.choice(_OLD if old else _GROWN_UP)}{mark}"


def phone_of(number: int) -> str:
    """One of ten million numbers of the city that begin with 0, as no subscriber's number does."""
    return f"0513-0{number % NUMBERS:07d}"


def home_of(address: str, chance: random.Random) -> str:
    """A flat at an address, such as 人民路12号3幢402室（演示）."""
    return f"{address}{chance.randint(1, 12)}幢{chance.randint(1, 6)}0{chance.randint(1, 4)}室{MARK}"


def later(at: dt.datetime, hours: float, chance: random.Random) -> dt.datetime:
    """Some time after, log-normal around so many hours, to the second."""
    return at + dt.timedelta(seconds=round(3600.0 * hours * math.exp(chance.gauss(0.0, 0.6))))


def by_day(at: dt.datetime, chance: random.Random) -> dt.datetime:
    """The same time (of the city), or some time of the next morning when nobody is disturbed."""
    if OPENS <= at.hour < CLOSES:
        return at
    morning = at.replace(hour=OPENS, minute=0, second=0) + dt.timedelta(seconds=chance.randrange(3 * 3600))
    return morning + dt.timedelta(days=1 if at.hour >= CLOSES else 0)
