"""Who is meant by a notice: one rule, asked of a person at a screen, of all notices at once, and of a channel.

An audience names departments, people, a level of command in an area, or the dispatchers' desk of the place. Of a
department those are meant who are bound to it and answer for the place; who may not see incidents is never meant, nor
who is named as the one who did it. What happens in an exercise is told to those in it, and to nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import sqlalchemy as sa

from layers.loop.routing_tables import NOTICE
from layers.loop.states import TOP
from layers.people.access import Actor, has

Audience = Mapping[str, Any]
KEYS: Final = frozenset({"departments", "people", "command", "area", "desk", "but"})
"""What an audience may hold: codes; logins; 0 to 2 with the beginning of a code; True for the desk; who is left out."""
COMMANDS: Final = ("incident.supervise", "incident.dispatch")
DESK: Final = "incident.dispatch"
_LEVELS: Final = {4: 2, 6: 1, 9: 0}


class Told(Protocol):
    """A notice, as far as the question goes."""

    @property
    def audience(self) -> Audience:
        """Who is meant."""

    @property
    def place(self) -> str | None:
        """The grid or the administrative code where it happened."""

    @property
    def scenario(self) -> str | None:
        """In which exercise."""


class Bound(Protocol):
    """A channel, as far as the question goes: of a department, of an area, or of the whole city."""

    @property
    def department(self) -> str | None:
        """The code of its department."""

    @property
    def area(self) -> str | None:
        """How the codes of its area begin."""


def meant(actor: Actor, notice: Told) -> bool:
    """Whether the notice is for this actor."""
    audience = notice.audience
    if notice.scenario != actor.scenario or audience.get("but") == actor.name or not has(actor, "incident.view"):
        return False
    if actor.name in audience.get("people", ()):
        return True
    named = frozenset(audience.get("departments", ())) & (actor.scope.departments or frozenset())
    if named and _covers(actor.scope.areas, notice.place):
        return True
    if audience.get("desk") and actor.scope.departments is None and has(actor, DESK):
        return _covers(actor.scope.areas, notice.place)
    return "command" in audience and (actor.scope.departments is None or bool(named)) and _commands(actor, audience)


def condition(actor: Actor) -> sa.ColumnElement[bool]:
    """The same as a condition on core.notice."""
    if not has(actor, "incident.view"):
        return sa.false()
    audience, scope = NOTICE.c.audience, actor.scope
    ours = [audience.contains({"departments": [code]}) for code in sorted(scope.departments or ())]
    here = _here(scope.areas)
    parts = [audience.contains({"people": [actor.name]}), sa.and_(sa.or_(sa.false(), *ours), here)]
    if scope.departments is None and has(actor, DESK):
        parts.append(sa.and_(audience.contains({"desk": True}), here))
    if any(has(actor, right) for right in COMMANDS):
        bound = sa.true() if scope.departments is None else sa.or_(sa.false(), *ours)
        parts.append(sa.and_(bound, sa.or_(sa.false(), *_levels(scope.areas))))
    mine = NOTICE.c.scenario.is_not_distinct_from(actor.scenario)
    return sa.and_(mine, audience["but"].astext.is_distinct_from(actor.name), sa.or_(*parts))


def reaches(channel: Bound, audience: Audience, place: str | None) -> bool:
    """Whether a channel takes a notice for this audience; what is for named people alone goes by none."""
    if channel.department is not None:
        return channel.department in audience.get("departments", ())
    everyone = bool(audience.get("departments") or audience.get("desk") or "command" in audience)
    if channel.area is None:
        return everyone
    if audience.get("desk") and (place or "").startswith(channel.area):
        return True
    return "command" in audience and _at(channel.area) == (audience["command"], audience.get("area"))


def _commands(actor: Actor, audience: Audience) -> bool:
    """Whether the actor is of the very level of command that is meant, there."""
    if not any(has(actor, right) for right in COMMANDS):
        return False
    wanted = (audience["command"], audience.get("area"))
    if actor.scope.areas is None:
        return bool(wanted[0] == TOP)
    return any(_at(area) == wanted for area in actor.scope.areas)


def _at(area: str) -> tuple[int | None, str]:
    return _LEVELS.get(len(area)), area


def _covers(areas: frozenset[str] | None, place: str | None) -> bool:
    return areas is None or any((place or "").startswith(area) for area in areas)


def _here(areas: frozenset[str] | None) -> sa.ColumnElement[bool]:
    if areas is None:
        return sa.true()
    return sa.or_(sa.false(), *(NOTICE.c.place.startswith(area, autoescape=True) for area in sorted(areas)))


def _levels(areas: frozenset[str] | None) -> Sequence[sa.ColumnElement[bool]]:
    if areas is None:
        return [NOTICE.c.audience.contains({"command": TOP})]
    known = [_at(area) for area in sorted(areas) if len(area) in _LEVELS]
    return [NOTICE.c.audience.contains({"command": level, "area": area}) for level, area in known]
