"""Which indicators the files name, and no more of them than topics need: what they count, and by what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from layers.declared import declaration_files, read_declaration

INDICATORS = Path(__file__).parent.parent / "indicators"


@dataclass(frozen=True)
class Named:
    """One indicator by its file."""

    layers: tuple[str, ...]
    by: tuple[str, ...]


def indicators_named(folders: Iterable[Path]) -> dict[str, Named]:
    """The indicators of the folders by name; BadDeclaration for a file that is no YAML."""
    return {path.stem: _named(path) for folder in folders for path in declaration_files(folder)}


def _named(path: Path) -> Named:
    parts = {key.text(): value for key, value in read_declaration(path).pairs()}
    by = tuple(each.text() for each in parts["by"].entries()) if "by" in parts else ()
    return Named((parts["layer"].text(),) if "layer" in parts else (), by)
