"""Classes of one legend are told apart, also by those who see red and green alike."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from layers.ask.catalogue import describe
from layers.catalog import built_in
from layers.palette import PALETTES, colours
from layers.spec import Layer
from tests.layers.test_layer_contract import contrast

# Machado, Oliveira & Fernandes 2009, severity 1: how eyes without red or without green cones see linear RGB.
EYES = {
    "all cones": np.eye(3),
    "no red": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no green": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
# Oklab (Ottosson 2020): distances in it are as large as differences look.
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
POINTS = [layer for layer in built_in().values() if layer.look.kind == "circle" and layer.look.by]


def difference(one: str, other: str, eyes: NDArray[np.float64]) -> float:
    """How different two colours look, in hundredths."""

    def seen(colour: str) -> NDArray[np.float64]:
        channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        lab: NDArray[np.float64] = TO_LAB @ np.cbrt(TO_CONES @ np.clip(eyes @ linear, 0, 1))
        return lab

    return float(100 * np.linalg.norm(seen(one) - seen(other)))


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("layer", POINTS, ids=lambda layer: layer.name)
def test_no_two_classes_of_a_legend_look_alike(layer: Layer, palette: str) -> None:
    rows = describe(layer)["legend"][palette]
    assert len({row["colour"] for row in rows}) == len(rows)
    for one, other in combinations(rows, 2):
        for eyes, matrix in EYES.items():
            least = 8 if layer.name == "hazard_site" else 4
            assert difference(one["colour"], other["colour"], matrix) >= least, (eyes, one["value"], other["value"])


@pytest.mark.parametrize("palette", PALETTES)
def test_grades_stand_out_from_the_ground(palette: str) -> None:
    roles = colours(palette)
    for role in ("grade1", "grade2", "grade3", "grade4", "absent"):
        assert contrast(roles[role], roles["land"]) >= 3, role


def test_a_legend_has_no_row_for_what_cannot_be() -> None:
    rows = describe(built_in()["hazard_site"])["legend"]["dark"]
    assert [row["value"] for row in rows] == ["I", "II", "III", "IV", "none"]
    assert describe(built_in()["video"])["legend"]["dark"][-1]["title"]["zh"] == "其他", "cameras may be unknown"
