"""The sheet as one picture."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from webmap.printing.face import Face
from webmap.printing.paper import Area, Box, Disc, Mark, Shaped, Sheet, Text

_INCH_MM = 25.4
_COARSE_DPI = 150  # below it, edges are drawn twice as large and made small
_ANCHORS = {"left": "ls", "centre": "ms", "right": "rs"}


def png(sheet: Sheet, picture: bytes, area: Area, drawn: Iterable[Mark], *, face: Face, dpi: int) -> bytes:
    """The page in pixels, `dpi` of them to the inch."""
    finer = 2 if dpi < _COARSE_DPI else 1
    per_mm = dpi / _INCH_MM
    width, height = (round(side * per_mm) for side in sheet.size)
    page = Image.new("RGB", (width * finer, height * finer), "#ffffff")
    with Image.open(BytesIO(picture)) as drawing:
        box = [round(side * per_mm * finer) for side in area]
        fitting = drawing.convert("RGB").resize((box[2], box[3]), Image.Resampling.LANCZOS)
        page.paste(fitting, (box[0], box[1]))
    pen = _Pen(ImageDraw.Draw(page), face, per_mm * finer)
    for mark in drawn:
        pen.draw(mark)
    if finer > 1:
        page = page.resize((width, height), Image.Resampling.LANCZOS)
    out = BytesIO()
    page.save(out, "PNG", dpi=(dpi, dpi), compress_level=4)
    return out.getvalue()


class _Pen:
    """Draws marks of millimetres in pixels."""

    def __init__(self, on: ImageDraw.ImageDraw, face: Face, per_mm: float) -> None:
        self._on, self._face, self._per_mm = on, face, per_mm
        self._fonts: dict[float, ImageFont.FreeTypeFont] = {}

    def draw(self, mark: Mark) -> None:
        """Draw one mark."""
        k = self._per_mm
        match mark:
            case Text():
                self._on.text(
                    (mark.x * k, mark.y * k), mark.text, mark.colour, self._font(mark.size), _ANCHORS[mark.anchor]
                )
            case Box():
                box = [mark.x * k, mark.y * k, (mark.x + mark.width) * k, (mark.y + mark.height) * k]
                line = max(1, round(mark.line * k)) if mark.edge else 0
                self._on.rectangle(box, mark.fill, mark.edge, line)
            case Disc():
                self._on.circle((mark.x * k, mark.y * k), mark.radius * k, mark.fill)
            case Shaped():
                self._on.polygon([(x * k, y * k) for x, y in mark.points], mark.fill)

    def _font(self, size_mm: float) -> ImageFont.FreeTypeFont:
        if size_mm not in self._fonts:
            self._fonts[size_mm] = ImageFont.truetype(self._face.path, size_mm * self._per_mm)
        return self._fonts[size_mm]
