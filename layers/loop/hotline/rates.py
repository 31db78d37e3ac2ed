"""The three rates of the hotline (三率) with numerator, denominator and exclusions; never by person.

Response: cases dispatched in the period whose caller was reached in time. Solved and satisfied: valid call-backs of the
period that say so. What is left out is laid down in `rates.csv`, which a city replaces.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, get_args

import sqlalchemy as sa

from layers.errors import BadParameter
from layers.loop.answered import FINAL_CASE, LEFT_OUT, REPEATED, RateRules, fate_of

By = Literal["line", "department", "town"]
BYS: Final[tuple[By, ...]] = get_args(By)
MOST_DAYS: Final = 366


@dataclass(frozen=True)
class Rate:
    """A share, with what it was made of; None where nothing was counted."""

    numerator: int
    denominator: int

    def as_json(self) -> dict[str, Any]:
        """The rate as the routes tell it."""
        rate = round(self.numerator / self.denominator, 4) if self.denominator else None
        return {"numerator": self.numerator, "denominator": self.denominator, "rate": rate}


@dataclass
class Counts:
    """What was counted in one group; excluded ones lie in none of the denominators."""

    assigned: int = 0
    in_time: int = 0
    without_number: int = 0
    valid: int = 0
    solved: int = 0
    satisfied: int = 0
    excluded: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LEFT_OUT, 0))
    pending: int = 0

    def as_json(self) -> dict[str, Any]:
        """The three rates as the routes tell them."""
        return {
            "response": Rate(self.in_time, self.assigned).as_json(),
            "solved": Rate(self.solved, self.valid).as_json(),
            "satisfied": Rate(self.satisfied, self.valid).as_json(),
            "exclusions": {"without_number": self.without_number, **self.excluded},
            "pending": self.pending,
        }

    def add(self, other: Counts) -> None:
        """Count what the other counted, too."""
        for name, value in asdict(other).items():
            if name == "excluded":
                self.excluded = {key: self.excluded[key] + other.excluded[key] for key in LEFT_OUT}
            else:
                setattr(self, name, getattr(self, name) + value)


def period_of(first: dt.date, last: dt.date) -> None:
    """BadParameter unless the days are a period of at most 366."""
    if not 0 <= (last - first).days < MOST_DAYS:
        raise BadParameter("to", f"the period must have 1 to {MOST_DAYS} days")


_KEYS: Final[Mapping[By, str]] = {"line": "c.line", "department": "i.lead", "town": "left(i.admin_code, 9)"}
# A case has several callers: one that was reached in time is enough, and a case is counted once.
_RESPONSE: Final = """
    select key, count(*) filter (where numbered) as assigned, count(*) filter (where numbered and in_time) as in_time,
      count(*) filter (where not numbered) as without_number
    from (
      select i.id, min({key}) as key, bool_or(c.phone is not null) as numbered,
        coalesce(bool_or(exists (
          select from core.contact t where t.caller = c.id and t.reached and t.at >= i.dispatched_at
            and t.at <= i.dispatched_at + make_interval(hours => 1) * :contact_hours
        )), false) as in_time
      from city.incident i join core.caller c on c.incident = i.id and c.scenario {here}
      where i.scenario {here} and i.merged_into is null and i.dispatched_at >= :first and i.dispatched_at < :after
      group by i.id
    ) as of_case
    group by key
"""
_CALLBACKS: Final = f"""
    select {{key}} as key, i.state = 'rejected' as outside, {REPEATED} as repeat,
      of_caller.reached, of_caller.tries, of_caller.solved, of_caller.satisfied, count(*) as n
    from (
      select t.caller, bool_or(t.reached) as reached, bool_or(t.solved) as solved, bool_or(t.satisfied) as satisfied,
        (select count(*) from core.contact o where o.caller = t.caller and o.kind = 'callback' and o.at < :after)
          as tries
      from core.contact t
      where t.kind = 'callback' and t.scenario {{here}} and t.at >= :first and t.at < :after
      group by t.caller
    ) as of_caller
    join core.caller c on c.id = of_caller.caller
    join {FINAL_CASE} as final on true
    join city.incident i on i.id = final.id
    where i.scenario {{here}}
    group by 1, 2, 3, 4, 5, 6, 7
"""


def rates(
    connection: sa.Connection,
    rules: RateRules,
    *,
    by: By,
    begin: dt.datetime,
    end: dt.datetime,
    scenario: str | None = None,
) -> dict[str | None, Counts]:
    """What was counted from `begin` up to `end`, by line, leading department or town, of what the connection sees.

    None is the key of what has none. What really happened is counted, or what happened in one exercise (`scenario`).
    """
    values = {
        "first": begin, "after": end, "contact_hours": rules.contact_hours, "repeat_days": rules.repeat_days,
        **({} if scenario is None else {"scenario": scenario}),
    }  # fmt: skip
    parts = {"key": _KEYS[by], "here": "is null" if scenario is None else "= :scenario"}
    groups: dict[str | None, Counts] = {}
    for row in connection.execute(sa.text(_RESPONSE.format(**parts)), values):
        counts = groups.setdefault(row.key, Counts())
        counts.assigned, counts.in_time, counts.without_number = row.assigned, row.in_time, row.without_number
    for row in connection.execute(sa.text(_CALLBACKS.format(**parts)), values):
        _count(groups.setdefault(row.key, Counts()), row, rules)
    return groups


def _count(counts: Counts, row: Any, rules: RateRules) -> None:
    """Put callers of one kind where they belong."""
    fate = fate_of(rules, outside=row.outside, repeat=row.repeat, reached=row.reached, tries=row.tries)
    if fate == "pending":
        counts.pending += row.n
    elif fate == "counted":
        counts.valid += row.n
        counts.solved += row.n if row.solved else 0
        counts.satisfied += row.n if row.satisfied else 0
    else:
        counts.excluded[fate] += row.n
