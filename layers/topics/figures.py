"""Which indicators there are, as far as topics need to know: what they count and by what they can be told apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from layers.declared import declaration_files, read_declaration

FOLDER = Path(__file__).parent.parent / "indicators"


@dataclass(frozen=True)
class Declared:
    """One indicator by its file."""

    layers: tuple[str, ...]
    by: tuple[str, ...]


def figures_in(folder: Path = FOLDER) -> dict[str, Declared]:
    """The indicators of a folder by name."""
    found = {}
    for path in declaration_files(folder):
        parts = {key.text(): value for key, value in read_declaration(path).pairs()}
        by = tuple(each.text() for each in parts["by"].entries()) if "by" in parts else ()
        found[path.stem] = Declared((parts["layer"].text(),), by)
    return found
