"""The typeface of what is printed: a Chinese one of the system, its simplified face in a file of ours."""

from __future__ import annotations

import threading
from functools import cached_property
from pathlib import Path
from typing import Final

from PIL import ImageFont

from webmap.printing.errors import CannotPrint

FOLDER: Final = "print"  # below the data folder
PACKAGE: Final = "fonts-noto-cjk"
_PLACES: Final = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
# File, and which face of it is meant for simplified Chinese: a collection begins with the Japanese one.
_KNOWN: Final = (
    ("NotoSansCJK-Regular.ttc", 2),
    ("NotoSansCJKsc-Regular.otf", 0),
    ("SourceHanSansSC-Regular.otf", 0),
    ("wqy-microhei.ttc", 0),
)
_lock = threading.Lock()


class Face:
    """One typeface: its file, and how wide its texts are."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def kept_in(cls, folder: Path) -> Face:
        """The face in a file of the folder, made from the system's at first; CannotPrint where that has none."""
        path = folder / "face.otf"
        with _lock:
            if not path.exists():
                folder.mkdir(parents=True, exist_ok=True)
                _extract(path)
        return cls(path)

    @cached_property
    def _measure(self) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(self.path, 1000)

    def width(self, text: str, size_mm: float) -> float:
        """The width of one line in millimetres."""
        return float(self._measure.getlength(text)) * size_mm / 1000

    def wrapped(self, text: str, size_mm: float, room_mm: float) -> list[str]:
        """The text in lines that fit; between Han characters any place is good to break at, else a space is."""
        lines, line = [], ""
        for piece in _pieces(text):
            if line and self.width((line + piece).rstrip(), size_mm) > room_mm:
                lines.append(line.rstrip())
                line = piece.lstrip()
            else:
                line += piece
        return [*lines, line.rstrip()] if line.strip() else lines

    def shortened(self, text: str, size_mm: float, room_mm: float) -> str:
        """The text, or as much of its beginning as fits, with an ellipsis."""
        if self.width(text, size_mm) <= room_mm:
            return text
        while text and self.width(f"{text}…", size_mm) > room_mm:
            text = text[:-1]
        return f"{text.rstrip()}…"


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for character in text:
        joins = pieces and character < "\u2e80" and pieces[-1][-1] < "\u2e80" and pieces[-1][-1] != " "
        closes = pieces and character in "，。、；：）》”…·"  # none of these begins a line
        if joins or closes:
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _extract(path: Path) -> None:
    found, number = system_face()
    made = path.with_suffix(".part")
    from fontTools.ttLib import TTFont  # once in the life of a data folder

    TTFont(found, fontNumber=number, lazy=True).save(made)
    made.replace(path)


def system_face() -> tuple[Path, int]:
    """The file of a Chinese typeface of the system, and which face of it is simplified; CannotPrint without one."""
    for name, number in _KNOWN:
        for folder in _PLACES:
            for found in sorted(folder.rglob(name)):
                return found, number
    raise CannotPrint(f"printing takes a Chinese typeface: install the package {PACKAGE}")
