"""What clients send about incidents: a report with its contact, a step, the same step of many cases."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from layers.loop.callers import Contact
from layers.loop.carried import Carried
from layers.loop.happened import Happened
from layers.loop.numbers import ID_PATTERN
from layers.loop.placing import Where
from layers.loop.reports import Report
from layers.people.access import Actor

MOST_AT_ONCE: Final = 100
# Texts are bounded here against waste only; what is too long is told by `layers.loop` in words.
_Text = Annotated[str, Field(max_length=8_000)]
_Code = Annotated[str, Field(max_length=128)]


class ContactBody(BaseModel):
    """How who tells it can be reached; sealed as soon as it is here, and masked whenever it is shown."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: _Code | None = None
    phone: _Code | None = None
    home: Annotated[str, Field(max_length=800)] | None = None


class ReportBody(BaseModel):
    """What is told: the matter or the component, the place (a point, a grid or an address), the words, and by whom."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    channel: _Code
    matter: _Code | None = None
    component_id: _Code | None = None
    title: _Text | None = None
    description: _Text | None = None
    level: _Code = "general"
    line: _Code | None = None
    appeal: _Code | None = None
    lon: Annotated[float, Field(allow_inf_nan=False)] | None = None
    lat: Annotated[float, Field(allow_inf_nan=False)] | None = None
    grid_id: _Code | None = None
    address: Annotated[str, Field(max_length=1_000)] | None = None
    contact: ContactBody | None = None
    # When it was noted on a phone that may have been out of reach since.
    happened_at: AwareDatetime | None = None

    def told(self, actor: Actor, happened: Happened | None = None) -> Report:
        """As the loop takes it."""
        contact = self.contact or ContactBody()
        return Report(
            where=Where(self.lon, self.lat, self.grid_id, self.address),
            channel=self.channel,
            matter=self.matter,
            component=self.component_id,
            title=self.title,
            text=self.description,
            level=self.level,
            line=self.line,
            appeal=self.appeal,
            contact=Contact(contact.name, contact.phone, contact.home),
            scenario=actor.scenario,
            happened=happened,
        )


class CarriedBody(BaseModel):
    """What a step brings along; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid")

    step: _Code
    note: _Text | None = None
    photos: Annotated[list[_Code], Field(max_length=100)] = []
    reason: _Code | None = None
    finding: _Code | None = None
    until: AwareDatetime | None = None
    lead: _Code | None = None
    co: Annotated[list[_Code], Field(max_length=100)] | None = None
    assignee: _Code | None = None
    into: _Code | None = None
    matter: _Code | None = None
    level: _Code | None = None
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None
    lat: Annotated[float, Field(ge=-85, le=85, allow_inf_nan=False)] | None = None

    def carried(self) -> Carried:
        """As the loop takes it."""
        return Carried(
            note=self.note,
            photos=tuple(self.photos),
            reason=self.reason,
            finding=self.finding,
            until=self.until,
            lead=self.lead,
            co=None if self.co is None else tuple(self.co),
            assignee=self.assignee,
            into=self.into,
            matter=self.matter,
            level=self.level,
            place=None if self.lon is None or self.lat is None else (self.lon, self.lat),
        )


class StepBody(CarriedBody):
    """A step of one case; `expected` is the number of the last step that the client has seen."""

    expected: Annotated[int, Field(ge=0, le=2**62)]
    happened_at: AwareDatetime | None = None


class StepsBody(CarriedBody):
    """The same step of many cases, each in a transaction of its own."""

    ids: Annotated[list[Annotated[str, Field(pattern=f"^{ID_PATTERN}$")]], Field(min_length=1, max_length=MOST_AT_ONCE)]
