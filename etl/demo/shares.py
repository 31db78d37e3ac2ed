"""How many of each, and which ones: whole shares, running numbers and samples spread along weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etl.demo.plane import Array, Numbers, Texts


def apportion(weights: ArrayLike, total: int, *, least: int = 0) -> Numbers:
    """Return whole numbers in proportion to the weights that sum to total, each at least `least`."""
    # The largest remainders take what rounding down leaves.
    share = np.asarray(weights, dtype=np.float64)
    exact = share / share.sum() * (total - least * share.size)
    whole = np.floor(exact).astype(np.int64)
    rest = total - least * share.size - int(whole.sum())
    whole[np.argsort(-(exact - whole), kind="stable")[:rest]] += 1
    return np.asarray(whole + least)


def serials(keys: NDArray[np.generic]) -> Numbers:
    """Return 1, 2, 3 … for each key in the order of its occurrences."""
    _, code = np.unique(keys, return_inverse=True)
    order = np.argsort(code, kind="stable")
    first = np.r_[True, np.diff(code[order]) != 0]
    start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    serial = np.empty(len(order), dtype=np.int64)
    serial[order] = np.arange(len(order)) - start + 1
    return serial


def spread(weights: Array, count: int, rng: np.random.Generator, *, even: bool = False) -> tuple[Numbers, Array]:
    """Return `count` positions along the weights laid end to end: the item, and the share (0 to 1) of the way into it.

    `even` puts them at equal distances, otherwise by chance; either way they come in the order of the items.
    """
    ends = np.cumsum(weights)
    draws = np.arange(count) + rng.random() if even else np.sort(rng.random(count)) * count
    at = draws / count * ends[-1] if count else np.zeros(0)
    item = np.minimum(np.searchsorted(ends, at, side="right"), len(weights) - 1)
    share = (at - (ends[item] - weights[item])) / np.maximum(weights[item], 1e-12)
    return item.astype(np.int64), np.clip(share, 0.0, 1.0)


def pick(rng: np.random.Generator, options: dict[str, float], count: int) -> Texts:
    """Return `count` of the options by chance, in proportion to their weights."""
    weight = np.array(list(options.values()), dtype=np.float64)
    chosen = rng.choice(len(weight), size=count, p=weight / weight.sum())
    return np.array(list(options), dtype=object)[chosen]
