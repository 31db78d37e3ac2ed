"""Which records of a scoped layer somebody sees: one rule, told as a condition, as settings for the database, of a row.

Seen is what lies in one of the person's areas and concerns one of their departments (as lead or as helper), and what
they have been assigned; of what happens in an exercise all this holds for those in that exercise, and for nobody else.
The policies that `layers.store.row_security` puts on tables say the same to the database; a test compares them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import sqlalchemy as sa

from layers.people.access import Actor, has
from layers.spec import Layer
from layers.store.row_security import ACTING

_ROWS: Final = "chengtu_slice"
_AREA: Final = re.compile(r"[0-9]{1,15}")
_DEPARTMENT: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_EVERY: Final = "*"


@dataclass(frozen=True)
class Slice:
    """The part of every scoped layer that somebody sees; None is no limit, but reality for `scenario`.

    Equal slices have the same records, whoever has them; `assignee` names those who see what they are assigned, too.
    """

    areas: frozenset[str] | None = frozenset()
    departments: frozenset[str] | None = frozenset()
    assignee: str | None = None
    scenario: str | None = None

    def __post_init__(self) -> None:
        for pattern, codes in ((_AREA, self.areas), (_DEPARTMENT, self.departments)):
            if not all(pattern.fullmatch(code) for code in codes or ()):
                raise ValueError("a scope names areas and departments by their codes")

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """What the policies of the database read, for one transaction."""
        return {
            "chengtu.areas": _listed(self.areas),
            "chengtu.departments": _listed(self.departments),
            "chengtu.actor": self.assignee or "",
            "chengtu.scenario": self.scenario or "",
        }

    @property
    def whole(self) -> bool:
        """Is it all that really happens?"""
        return self.areas is None and self.departments is None and self.scenario is None

    @cached_property
    def digest(self) -> str:
        """The same for equal slices, another for others."""
        told = json.dumps(sorted(self.settings.items()))
        return hashlib.blake2b(told.encode(), digest_size=9).hexdigest()

    def condition(self, layer: Layer) -> sa.ColumnElement[bool]:
        """The condition on the table of a scoped layer."""
        columns = layer.table.c
        seen = [sa.and_(self._in_area(columns), self._of_department(columns))]
        if self.assignee is not None and "assignee" in columns:
            seen.append(columns.assignee == self.assignee)
        if "scenario" not in columns:
            return sa.or_(*seen)
        return sa.and_(columns.scenario.is_not_distinct_from(self.scenario), sa.or_(*seen))

    def _in_area(self, columns: Any) -> sa.ColumnElement[bool]:
        if self.areas is None:
            return sa.true()
        begun = [
            columns[name].startswith(area, autoescape=True)
            for area in sorted(self.areas)
            for name in ("admin_code", "grid_id")
        ]
        return sa.or_(sa.false(), *begun)

    def _of_department(self, columns: Any) -> sa.ColumnElement[bool]:
        if self.departments is None:
            return sa.true()
        codes = sa.literal(sorted(self.departments), sa.ARRAY(sa.Text))
        concerned = [columns.lead == sa.any_(codes)] if "lead" in columns else []
        if "co" in columns:
            concerned.append(columns.co.op("&&", is_comparison=True)(codes))
        return sa.or_(sa.false(), *concerned)

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether a record belongs to it, by the values that the rule asks for."""
        if row.get("scenario") != self.scenario:
            return False
        if self.assignee is not None and row.get("assignee") == self.assignee:
            return True
        codes = [code for code in (row.get("admin_code"), row.get("grid_id")) if code is not None]
        if self.areas is not None and not any(code.startswith(area) for area in self.areas for code in codes):
            return False
        return self.departments is None or not self.departments.isdisjoint([row.get("lead"), *(row.get("co") or ())])


REALITY: Final = Slice(None, None)
"""All that really happens, and nothing of any exercise: what the city's own figures count."""


def slice_of(actor: Actor) -> Slice:
    """What of scoped layers this actor sees, if any."""
    # Who disposes of incidents is assigned them one by one; of others nothing hangs on who they are.
    assignee = actor.name if has(actor, "incident.dispose") else None
    return Slice(actor.scope.areas, actor.scope.departments, assignee, actor.scenario)


def condition(actor: Actor, layer: Layer) -> sa.ColumnElement[bool] | None:
    """The condition on the layer's table that leaves what this actor sees; None where all see the same."""
    return slice_of(actor).condition(layer) if layer.scoped else None


def acting(connection: sa.Connection, part: Slice) -> sa.Connection:
    """The connection, whose every transaction from now on sees this part of scoped layers alone."""
    return connection.execution_options(**{ACTING: part.settings, _ROWS: part})


def seen_by(connection: sa.Connection, layers: Iterable[Layer]) -> list[sa.ColumnElement[bool]]:
    """The conditions under which who asks by this connection sees records of these layers.

    None for layers of which all see the same, and for the connections of the program itself.
    """
    part: Slice | None = connection.get_execution_options().get(_ROWS)
    return [] if part is None else [part.condition(layer) for layer in layers if layer.scoped]


def sees_all(connection: sa.Connection, layers: Iterable[Layer]) -> bool:
    """Whether who asks by this connection sees all of these layers: what is kept of all records may be told to them."""
    part: Slice | None = connection.get_execution_options().get(_ROWS)
    return part is None or part.whole or not any(layer.scoped for layer in layers)


def _listed(codes: frozenset[str] | None) -> str:
    return _EVERY if codes is None else ",".join(sorted(codes))
