"""What may be asked: one model a question, with every ceiling in it."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

DEFAULT_ROWS: Final = 1_000
MOST_ROWS: Final = 50_000
MOST_RADIUS_M: Final = 20_000
MOST_NEAREST: Final = 1_000
MOST_MINUTES: Final = 60
MOST_CONDITIONS: Final = 4
COARSEST_RES: Final = 5
FINEST_RES: Final = 10

LayerName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
FieldName = Annotated[str, StringConstraints(min_length=1, max_length=63)]
Expression = Annotated[str, StringConstraints(min_length=1, max_length=8_192)] | dict[str, Any]
# Of a geometry only what is one: other members would be kept and told, but never looked at.
GeoJSON = Annotated[
    dict[str, Any],
    AfterValidator(lambda given: {name: given[name] for name in ("type", "coordinates") if name in given}),
]
Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Lat = Annotated[float, Field(ge=-85, le=85, allow_inf_nan=False)]
Place = tuple[Lon, Lat]
Metres = Annotated[float, Field(gt=0, le=MOST_RADIUS_M, allow_inf_nan=False)]
Rows = Annotated[int, Field(ge=1, le=MOST_ROWS)]
Minutes = Annotated[float, Field(gt=0, le=MOST_MINUTES, allow_inf_nan=False)]
Travel = Literal["walking", "driving"]
ResultId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{24}$")]
Relation = Literal["within", "crossing", "near", "not_near", "sees", "not_sees", "seen_by", "not_seen_by"]


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(_Asked):
    """Where records must lie: towards an area drawn, or towards some record of a layer (other than themselves).

    `within`: wholly inside one; `crossing`: at least a point in common; `near`, `not_near`: at most, or more than,
    `distance_m` away on the ground; `sees`, `not_sees`: a camera whose sector holds one, or none; `seen_by`,
    `not_seen_by`: in the sector of a camera, or of none. `result` is what an earlier result found.
    """

    relation: Relation
    geometry: GeoJSON | None = None
    layer: LayerName | None = None
    filter: Expression | None = None
    result: ResultId | None = None
    distance_m: Metres | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if [self.geometry, self.layer, self.result].count(None) != 2:
            raise ValueError("give either a geometry, a layer or a result")
        if self.filter is not None and self.layer is None:
            raise ValueError("a filter needs a layer")
        if (self.distance_m is not None) != (self.relation in ("near", "not_near")):
            raise ValueError("distance_m belongs to near and not_near")
        return self


class Records(_Asked):
    """Records of a layer: those that a CQL2 filter (text or JSON) takes and that meet all conditions."""

    layer: LayerName
    filter: Expression | None = None
    where: Annotated[tuple[Condition, ...], Field(max_length=MOST_CONDITIONS)] = ()


class Select(Records):
    """The records themselves."""

    ask: Literal["select"]
    limit: Rows = DEFAULT_ROWS


class Nearest(Records):
    """The records nearest to a point, with their distances."""

    ask: Literal["nearest"]
    point: Place
    k: Annotated[int, Field(ge=1, le=MOST_NEAREST)] = 10


class Count(Records):
    """How many records, in all or by group, and what a numeric field sums up to.

    `class` groups by a code field (`class_field`, without it the layer's classes), `h3` by cells of resolution `res`.
    `per` divides each count by the size of other records: km of lines, km² of areas, or how many points; by those of
    the same grid, town, county or cell where that is what is counted by, else by all of them.
    """

    ask: Literal["count"]
    by: Literal["total", "class", "grid", "town", "county", "h3"] = "total"
    class_field: FieldName | None = None
    res: Annotated[int, Field(ge=COARSEST_RES, le=FINEST_RES)] | None = None
    field: FieldName | None = None
    per: Records | None = None
    limit: Rows = DEFAULT_ROWS

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.res is not None) != (self.by == "h3"):
            raise ValueError("res belongs to h3, and h3 needs it")
        if self.class_field is not None and self.by != "class":
            raise ValueError("class_field belongs to by class")
        return self


class Buffer(_Asked):
    """The area within `radius_m` metres of a geometry, or of records of a layer, as one."""

    ask: Literal["buffer"]
    radius_m: Metres
    geometry: GeoJSON | None = None
    records: Records | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.geometry is None) == (self.records is None):
            raise ValueError("give either a geometry or records")
        return self


class CoverageGap(Records):
    """What has no record of another layer within `distance_m`.

    `distance` finds records whose nearest such record lies farther away (for areas: from any part of them);
    `uncovered` finds areas, and tells the share of each that lies farther away.
    """

    ask: Literal["coverage_gap"]
    of: Records
    distance_m: Metres
    reading: Literal["distance", "uncovered"] = "distance"
    limit: Rows = DEFAULT_ROWS


class Isochrone(_Asked):
    """How far one gets from a point in some minutes, on foot or by car."""

    ask: Literal["isochrone"]
    point: Place
    minutes: Annotated[tuple[Minutes, ...], Field(min_length=1, max_length=4)]
    by: Travel = "walking"


class Route(_Asked):
    """The quickest way from a point to another, on foot or by car."""

    ask: Literal["route"]
    start: Place
    end: Place
    by: Travel = "driving"


Question = Annotated[Select | Nearest | Count | Buffer | CoverageGap | Isochrone | Route, Field(discriminator="ask")]
"""Any question, told apart by `ask`."""
