"""The sheet around the map: what stands where on A4, in millimetres from the upper left corner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from layers import shapes
from webmap.printing.face import Face
from webmap.printing.scale import bar, bar_text

Lang = Literal["zh", "en"]
Shape = Literal["circle", "line", "fill", "outline"] | shapes.Shape
POINT_MM: Final = 25.4 / 72
A4: Final = (210.0, 297.0)
MARGIN: Final = 10.0

INK, SOFT, RULE, WHITE, WARN, DRILL = "#000000", "#4a4a4a", "#808080", "#ffffff", "#8f5a00", "#6d28d9"
_TITLE, _BODY, _SMALL = 18 * POINT_MM, 8.5 * POINT_MM, 7 * POINT_MM
_LEAST_FOOT_MM: Final = 13.0
_LINE_MM: Final = 3.3
_MOST_NOTES: Final = 7
_NOTES_MM: Final = 74.0  # from the margin to where the notes begin
_COLUMN_MM: Final = 50.0
_GAP_MM: Final = 5.0
_ROW_MM: Final = 4.6
_HEAD_MM: Final = 5.6
_RAMP_MM: Final = 9.5
_MOST_BAND_MM: Final = 62.0
_BAR_MM: Final = 50.0

WORDS: Final[dict[Lang, dict[str, str]]] = {
    "zh": {
        "north": "北", "legend": "图例", "more": "另有 {n} 项未列出", "scale": "比例尺 1:{n}（A4 原大，图幅中心）",
        "source": "来源：{text}", "approval": "审图号：{text}", "printed": "制图时间 {at}", "updated": "数据截至 {at}",
        "synthetic": "合成演示数据", "figures": "关键指标", "as_of": "截至 {at}", "last_days": "近 {n} 天",
        "warn": "需关注", "bad": "不达标", "exercise": "演练：{title}",
    },
    "en": {
        "north": "N", "legend": "Legend", "more": "{n} more not listed", "scale": "1:{n} (A4 at full size, mid-map)",
        "source": "Source: {text}", "approval": "Map approval: {text}", "printed": "Printed {at}",
        "updated": "Data of {at}", "synthetic": "Synthetic demo data", "figures": "Key figures", "as_of": "as of {at}",
        "exercise": "EXERCISE: {title}", "last_days": "last {n} days", "warn": "needs attention", "bad": "out of norm",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One row of a legend."""

    label: str
    colour: str
    shape: Shape


@dataclass(frozen=True)
class Fact:
    """One figure in words: what it is, and how much; `warn` where it is not as it should be. `note` stands below."""

    label: str
    value: str
    warn: bool = False
    note: str = ""


@dataclass(frozen=True)
class Ramp:
    """Colours that blend (or stand side by side: `steps`) over values."""

    colours: tuple[str, ...]
    ticks: tuple[str, ...]
    steps: bool = False


@dataclass(frozen=True)
class Section:
    """A part of the legend: rows, a ramp, or both; or, ahead of it, key figures."""

    title: str
    unit: str = ""
    rows: tuple[Row, ...] = ()
    ramp: Ramp | None = None
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """What is on the paper beside the map; `notes` (source, approval, dates) stand at the foot whatever else does."""

    title: str
    subtitle: str
    lang: Lang
    landscape: bool
    legend: tuple[Section, ...]
    notes: tuple[str, ...]
    synthetic: bool
    exercise: str | None = None  # the title of the exercise that it shows: then the sheet says so, and has a frame

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the paper in millimetres."""
        return (A4[1], A4[0]) if self.landscape else A4


@dataclass(frozen=True)
class Text:
    """One line whose baseline begins (or ends: `right`, or has its middle: `centre`) at x, y."""

    x: float
    y: float
    text: str
    size: float
    colour: str = INK
    anchor: Literal["left", "centre", "right"] = "left"


@dataclass(frozen=True)
class Box:
    """A rectangle, filled, with an edge, or both."""

    x: float
    y: float
    width: float
    height: float
    fill: str | None = None
    edge: str | None = None
    line: float = 0.2


@dataclass(frozen=True)
class Disc:
    """A filled circle around x, y."""

    x: float
    y: float
    radius: float
    fill: str


@dataclass(frozen=True)
class Shaped:
    """A filled polygon."""

    points: tuple[tuple[float, float], ...]
    fill: str


Mark = Text | Box | Disc | Shaped
Area = tuple[float, float, float, float]


def map_area(sheet: Sheet, face: Face) -> Area:
    """Where the map lies: x, y, width and height."""
    width, height = sheet.size
    top = MARGIN + (16.0 if sheet.subtitle else 11.0)
    room_w, room_h = width - 2 * MARGIN, _foot_top(sheet, face) - 3 - top
    if sheet.legend and sheet.landscape:
        room_w -= _COLUMN_MM + _GAP_MM
    elif sheet.legend:
        room_h -= _band(sheet) + 3
    return MARGIN, top, room_w, room_h


def marks(sheet: Sheet, area: Area, scale: float, face: Face) -> Iterator[Mark]:
    """Everything but the map, from the bottom up."""
    if sheet.exercise is not None:
        edge = MARGIN / 2
        yield Box(edge, edge, sheet.size[0] - 2 * edge, sheet.size[1] - 2 * edge, edge=DRILL, line=1.2)
    yield from _head(sheet, face)
    yield Box(*area, edge=INK, line=0.3)
    yield from _north(area, sheet.lang)
    yield from _legend(sheet, area, face)
    yield from _foot(sheet, scale, face)


def _head(sheet: Sheet, face: Face) -> Iterator[Mark]:
    width, _ = sheet.size
    room = width - 2 * MARGIN
    if sheet.synthetic:
        text = WORDS[sheet.lang]["synthetic"]
        long = face.width(text, _BODY) + 4
        yield Box(width - MARGIN - long, MARGIN + 1.2, long, 5.2, edge=WARN, line=0.3)
        yield Text(width - MARGIN - long / 2, MARGIN + 4.9, text, _BODY, WARN, "centre")
        room -= long + 4
    if sheet.exercise is not None:
        text = face.shortened(WORDS[sheet.lang]["exercise"].format(title=sheet.exercise), _BODY, room / 2)
        long = face.width(text, _BODY) + 4
        yield Box(MARGIN + room - long, MARGIN + 1.2, long, 5.2, fill=DRILL)
        yield Text(MARGIN + room - long / 2, MARGIN + 4.9, text, _BODY, WHITE, "centre")
        room -= long + 4
    yield Text(MARGIN, MARGIN + 6.4, face.shortened(sheet.title, _TITLE, room), _TITLE)
    if sheet.subtitle:
        line = face.shortened(sheet.subtitle, _BODY, width - 2 * MARGIN)
        yield Text(MARGIN, MARGIN + 12.6, line, _BODY, SOFT)


def _north(area: Area, lang: Lang) -> Iterator[Mark]:
    x, y = area[0] + area[2] - 8, area[1] + 9
    yield Disc(x, y, 6.2, WHITE)
    yield Shaped(((x, y - 3.4), (x - 2.1, y + 4.2), (x, y + 2.6)), INK)
    yield Shaped(((x, y - 3.4), (x + 2.1, y + 4.2), (x, y + 2.6)), RULE)
    yield Text(x, y - 3.8, WORDS[lang]["north"], _SMALL, INK, "centre")


def _foot_top(sheet: Sheet, face: Face) -> float:
    """Where the foot begins: as high as its notes need it."""
    return sheet.size[1] - MARGIN - max(_LEAST_FOOT_MM, len(_notes(sheet, face)) * _LINE_MM + 1)


def _notes(sheet: Sheet, face: Face) -> list[str]:
    """The lines of the notes; where they are too many the first one, of the sources, is cut, and never the others."""
    room = sheet.size[0] - 2 * MARGIN - _NOTES_MM
    first, *others = (face.wrapped(note, _SMALL, room) for note in sheet.notes)
    below = [line for lines in others for line in lines]
    return [*first[: max(1, _MOST_NOTES - len(below))], *below]


def _foot(sheet: Sheet, scale: float, face: Face) -> Iterator[Mark]:
    top = _foot_top(sheet, face)
    metres, long = bar(scale, most_mm=_BAR_MM)
    for part in range(4):
        yield Box(MARGIN + part * long / 4, top + 4, long / 4, 1.4, INK if part % 2 == 0 else WHITE, INK)
    for share in (0.0, 0.5, 1.0):
        text = bar_text(metres * share) if share else "0"
        yield Text(MARGIN + share * long, top + 3, text, _SMALL, INK, "centre" if share else "left")
    yield Text(MARGIN, top + 9.6, WORDS[sheet.lang]["scale"].format(n=f"{scale:,.0f}"), _SMALL)
    for number, line in enumerate(_notes(sheet, face)):
        yield Text(MARGIN + _NOTES_MM, top + 3 + number * _LINE_MM, line, _SMALL, SOFT)


def _legend(sheet: Sheet, area: Area, face: Face) -> Iterator[Mark]:
    if not sheet.legend:
        return
    width, _ = sheet.size
    if sheet.landscape:
        columns = [(width - MARGIN - _COLUMN_MM, _COLUMN_MM)]
        top, bottom = area[1], area[1] + area[3]
    else:
        wide = (width - 2 * MARGIN - 2 * _GAP_MM) / 3
        columns = [(MARGIN + number * (wide + _GAP_MM), wide) for number in range(3)]
        top = area[1] + area[3] + 3
        bottom = _foot_top(sheet, face) - 2
    yield from _flowed(_lines(sheet.legend), columns, top, bottom, sheet.lang, face)


@dataclass(frozen=True)
class _Line:
    """A line of the legend: a head, a row or a ramp, and how high it is."""

    what: Section | Row | Ramp | Fact
    height: float


def _lines(legend: tuple[Section, ...]) -> list[_Line]:
    lines: list[_Line] = []
    for section in legend:
        lines.append(_Line(section, _HEAD_MM))
        if section.ramp is not None:
            lines.append(_Line(section.ramp, _RAMP_MM))
        lines += [_Line(fact, _ROW_MM + (_LINE_MM if fact.note else 0)) for fact in section.facts]
        lines += [_Line(row, _ROW_MM) for row in section.rows]
    return lines


def _band(sheet: Sheet) -> float:
    """How high the legend below an upright map is: as low as three columns allow."""
    lines = _lines(sheet.legend)
    columns = [(0.0, 50.0)] * 3
    height = max(sum(line.height for line in lines) / 3, _HEAD_MM + _RAMP_MM)
    while height < _MOST_BAND_MM and len(list(_placed(lines, columns, 0.0, height))) < len(lines):
        height += 1
    return min(height, _MOST_BAND_MM)


def _placed(
    lines: list[_Line], columns: list[tuple[float, float]], top: float, bottom: float
) -> Iterator[tuple[_Line, float, float, float]]:
    """The lines that have room, each with x, y and width; a head does not stand alone at the foot of a column."""
    column, y = 0, top
    for number, line in enumerate(lines):
        needed = line.height
        if isinstance(line.what, Section) and number + 1 < len(lines):
            needed += lines[number + 1].height
        if y + needed > bottom + 1e-6:
            column, y = column + 1, top
            if column == len(columns):
                return
        yield line, columns[column][0], y, columns[column][1]
        y += line.height


def _flowed(
    lines: list[_Line], columns: list[tuple[float, float]], top: float, bottom: float, lang: Lang, face: Face
) -> Iterator[Mark]:
    placed = list(_placed(lines, columns, top, bottom))
    for line, x, y, width in placed:
        yield from _drawn(line.what, x, y, width, face)
    if left := len(lines) - len(placed):
        # Said in the last column, below what had room.
        x, _ = columns[-1]
        yield Text(x, bottom + 2.6, WORDS[lang]["more"].format(n=left), _SMALL, WARN)


def _drawn(what: Section | Row | Ramp | Fact, x: float, y: float, width: float, face: Face) -> Iterator[Mark]:
    match what:
        case Section():
            unit = face.shortened(what.unit, _SMALL, width / 2)
            room = width - (face.width(unit, _SMALL) + 2 if unit else 0)
            yield Text(x, y + 4.0, face.shortened(what.title, _BODY, room), _BODY)
            yield Text(x + width, y + 4.0, unit, _SMALL, SOFT, "right")
        case Row():
            yield from _swatch(what, x, y + _ROW_MM / 2)
            yield Text(x + 6.5, y + 3.3, face.shortened(what.label, _SMALL, width - 6.5), _SMALL)
        case Fact():
            value = face.shortened(what.value, _SMALL, width * 0.6)
            room = width - face.width(value, _SMALL) - 2
            yield Text(x, y + 3.3, face.shortened(what.label, _SMALL, room), _SMALL, SOFT)
            yield Text(x + width, y + 3.3, value, _SMALL, WARN if what.warn else INK, "right")
            if what.note:
                yield Text(x, y + 3.3 + _LINE_MM, face.shortened(what.note, _SMALL, width), _SMALL, SOFT)
        case Ramp():
            yield from _ramp(what, x, y, width)


def _swatch(row: Row, x: float, y: float) -> Iterator[Mark]:
    match row.shape:
        case "circle":
            yield Disc(x + 2.2, y, 1.2, row.colour)
        case "line":
            yield Box(x, y - 0.45, 4.4, 0.9, row.colour)
        case "fill":
            yield Box(x + 0.4, y - 1.4, 3.6, 2.8, row.colour, RULE)
        case "outline":
            yield Box(x + 0.4, y - 1.4, 3.6, 2.8, None, row.colour, 0.5)
        case shape:
            yield Shaped(tuple((x + 2.2 + 1.2 * dx, y + 1.2 * dy) for dx, dy in shapes.OUTLINES[shape]), row.colour)


def _ramp(ramp: Ramp, x: float, y: float, width: float) -> Iterator[Mark]:
    parts = len(ramp.colours) if ramp.steps else 40
    for part in range(parts):
        colour = ramp.colours[part] if ramp.steps else _between(ramp.colours, part / (parts - 1))
        yield Box(x + part * width / parts, y, width / parts + (0 if part == parts - 1 else 0.05), 3.0, colour)
    for number, tick in enumerate(ramp.ticks):
        if ramp.steps:  # each class begins where its number stands
            yield Text(x + number * width / len(ramp.ticks), y + 5.9, tick, _SMALL, SOFT)
            continue
        last = number == len(ramp.ticks) - 1
        at = x + width * number / max(len(ramp.ticks) - 1, 1)
        yield Text(at, y + 5.9, tick, _SMALL, SOFT, "left" if number == 0 else "right" if last else "centre")


def _between(colours: tuple[str, ...], share: float) -> str:
    """The colour at a share of the way along the ramp."""
    place = share * (len(colours) - 1)
    index = min(int(place), len(colours) - 2) if len(colours) > 1 else 0
    pair = colours[index], colours[min(index + 1, len(colours) - 1)]
    first, second = ([int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in pair)
    mixed = (round(a + (b - a) * (place - index)) for a, b in zip(first, second, strict=True))
    return "#{:02x}{:02x}{:02x}".format(*mixed)
