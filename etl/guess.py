"""Which layer a file is probably meant for, so that a person confirms instead of choosing."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
import shapely
from pypinyin import lazy_pinyin

from etl.clean.values import plain_text
from etl.headers import is_layer_id
from etl.mapping import COORDINATES, guess_mapping
from etl.readers.table import Table
from layers.spec import Layer

_ENOUGH = 2.0
_NAMED = 1.5
_NATIONAL_ID = 3.0
_ALIKE = 0.4
_LENGTHS = {"component": (16, 17), "grid": (15,), "camera": (20,), "admin": (6, 9)}
_DIMENSION = {"Point": 0, "MultiLineString": 1, "MultiPolygon": 2}
_SAMPLE = 200


@dataclass(frozen=True)
class Candidate:
    """A layer that a file may be meant for; the higher `score`, the likelier."""

    layer: Layer
    score: float


def likely_layers(table: Table, layers: Iterable[Layer], *, earlier: str | None = None) -> list[Candidate]:
    """The layers that a file fits, the likeliest first; none when a new layer is the better answer.

    `earlier` is the layer into which this source delivered before: it wins if the file fits it at all.
    """
    found = [Candidate(layer, _score(table, layer)) for layer in layers if _has_shape_of(table, layer)]
    kept = [c for c in found if c.score >= _ENOUGH or (c.layer.name == earlier and c.score > 0)]
    return sorted(kept, key=lambda c: (c.layer.name != earlier, -c.score, c.layer.name))


def new_name(stem: str) -> str:
    """A name for a new layer after a file: Latin letters and digits, Chinese by its sound."""
    spoken = "_".join(lazy_pinyin(stem)) if re.search(r"[\u4e00-\u9fff]", stem) else stem
    name = re.sub(r"[^a-z0-9]+", "_", spoken.lower()).strip("_")[:36].strip("_")
    name = name if name[:1].isalpha() else f"layer_{name}".strip("_")
    return name if not name.endswith(("_cells", "_label", "_cut")) else f"{name}_1"


def _has_shape_of(table: Table, layer: Layer) -> bool:
    if table.geometry is None:
        return layer.geometry == "Point" or any(
            role == "wkt" for role in guess_mapping(table, layer).roles if role in COORDINATES
        )
    dimensions = shapely.get_dimensions(table.geometry[:_SAMPLE])
    present = pd.Series(dimensions[dimensions >= 0])
    return not len(present) or int(present.mode().iloc[0]) == _DIMENSION[layer.geometry]


def _score(table: Table, layer: Layer) -> float:
    mapping = guess_mapping(table, layer)
    exact = [name for name in mapping.fields if name not in mapping.approximate]
    # A name or a note says little: every layer has them.
    telling = [name for name in exact if name not in ("name", "address", "note", "remark", "name_en")]
    score = len(telling) + _ALIKE * (len(mapping.approximate) + len(exact) - len(telling))
    identifier = mapping.roles.get("id")
    if identifier is not None and layer.load.identifier in _LENGTHS and _is_national(table, identifier, layer):
        score += _NATIONAL_ID
    elif identifier is not None and is_layer_id(identifier, layer):
        score += 1.0
    said = f"{table.path.stem} {table.name}".lower()
    words = [word for word in (layer.title.zh, layer.title.zh[-2:], layer.title.en.lower(), layer.name) if word]
    return score + (_NAMED if any(word in said for word in words) else 0.0)


def _is_national(table: Table, header: str, layer: Layer) -> bool:
    texts = plain_text(table.columns[header].dropna().head(_SAMPLE)).dropna()
    lengths = (9,) if layer.name == "town" else (6,) if layer.name == "county" else _LENGTHS[layer.load.identifier]
    return bool(len(texts) and texts.str.len().isin(lengths).mean() > 0.5)
