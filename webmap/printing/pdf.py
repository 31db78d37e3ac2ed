"""The sheet as PDF: text stays text, in a subset of the typeface that is embedded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from io import BytesIO

from fpdf import FPDF
from fpdf.enums import RenderStyle

from webmap.printing.face import Face
from webmap.printing.paper import POINT_MM, Area, Box, Disc, Mark, Shaped, Sheet, Text


def pdf(sheet: Sheet, picture: bytes, area: Area, drawn: Iterable[Mark], *, face: Face, at: dt.datetime) -> bytes:
    """One page: the picture in its area, and everything that is drawn over it."""
    paper = FPDF(orientation="landscape" if sheet.landscape else "portrait", unit="mm", format="A4")
    paper.set_auto_page_break(False)
    paper.set_margin(0)
    paper.set_title(sheet.title)
    paper.set_creator("Chengtu")
    paper.set_lang("zh-CN" if sheet.lang == "zh" else "en")
    paper.set_creation_date(at)
    held = list(drawn)
    letters = {ord(letter) for mark in held if isinstance(mark, Text) for letter in mark.text}
    paper.add_font("City", fname=face.path, unicode_range=sorted(letters | {ord(" ")}))
    paper.set_font("City")
    paper.add_page()
    x, y, width, height = area
    paper.image(BytesIO(picture), x, y, width, height)
    for mark in held:
        _draw(paper, mark, face)
    return bytes(paper.output())


def _draw(paper: FPDF, mark: Mark, face: Face) -> None:
    match mark:
        case Text():
            long = face.width(mark.text, mark.size)
            back = {"left": 0.0, "centre": long / 2, "right": long}[mark.anchor]
            paper.set_font_size(mark.size / POINT_MM)
            paper.set_text_color(*_rgb(mark.colour))
            paper.text(mark.x - back, mark.y, mark.text)
        case Box():
            if mark.fill is not None:
                paper.set_fill_color(*_rgb(mark.fill))
                paper.rect(mark.x, mark.y, mark.width, mark.height, style=RenderStyle.F)
            if mark.edge is not None:
                paper.set_draw_color(*_rgb(mark.edge))
                paper.set_line_width(mark.line)
                paper.rect(mark.x, mark.y, mark.width, mark.height, style=RenderStyle.D)
        case Disc():
            paper.set_fill_color(*_rgb(mark.fill))
            paper.circle(mark.x, mark.y, mark.radius, style=RenderStyle.F)
        case Shaped():
            paper.set_fill_color(*_rgb(mark.fill))
            paper.polygon(mark.points, style=RenderStyle.F)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
