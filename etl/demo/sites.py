"""Spots beside the roads: where lamps, poles, signs and doors stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from etl.demo.ground import Ground
from etl.demo.network import WIDTH_M, along, azimuth, beside, door_numbers
from etl.demo.plane import Array, Flags, Numbers, Texts, nearest_of
from etl.demo.shares import spread
from etl.demo.streets import MOTORWAY, PRIMARY, SECONDARY, TRUNK

Where = Literal["street", "main", "crossing", "country", "any"]
_NEAR_CROSSING_M, _CLEAR_OF_CROSSING_M = 18.0, 10.0


@dataclass(frozen=True)
class Spots:
    """Points in the plane beside pieces of road, with the direction of the road (degrees) and the address."""

    points: Array
    piece: Numbers
    heading: Array
    address: Texts


def road_weights(ground: Ground, where: Where) -> Array:
    """How likely a thing stands along each piece of road: metres, weighed by the people around."""
    net = ground.net
    people = np.sqrt(ground.density[net.grid] + 20.0)
    allowed: Flags = net.kind != MOTORWAY
    if where == "street":
        allowed &= net.urban
    elif where == "main":
        allowed &= (net.kind <= SECONDARY) | net.urban & (net.kind <= SECONDARY + 1)
    elif where == "country":
        allowed, people = allowed & ~net.urban, np.ones(len(people))
    elif where == "crossing":
        return np.where(allowed & net.urban, people, 0.0)
    return np.where(allowed, net.length * people, 0.0)


def spots(ground: Ground, where: Where, count: int, rng: np.random.Generator, *, spacing_m: float = 0.0) -> Spots:
    """`count` spots 3 to 12 m beside a centre line.

    With `spacing_m` they stand in rows, about that far apart, along the streets with the most people around: an
    inventory begins in the centre. Without it they are scattered.
    """
    weights = road_weights(ground, where)
    if spacing_m:
        weights = _best_equipped(ground, weights, count * spacing_m, rng)
    piece, share = spread(weights, count, rng, even=bool(spacing_m))
    length = ground.net.length[piece]
    if where == "crossing":
        near = np.minimum(_NEAR_CROSSING_M * rng.uniform(0.7, 1.3, count), 0.4 * length) / length
        share = np.where(share < 0.5, near, 1.0 - near)
    else:
        # Not in the middle of the road that crosses at the end.
        clear = np.minimum(_CLEAR_OF_CROSSING_M / length, 0.35)
        share = clear + share * (1.0 - 2.0 * clear)
    side = np.where(np.arange(count) % 2 == 0, 1.0, -1.0) if spacing_m else rng.choice((-1.0, 1.0), count)
    return beside_road(ground, piece, share, side, rng)


def beside_road(ground: Ground, piece: Numbers, share: Array, side: Array, rng: np.random.Generator) -> Spots:
    """The spots at a share of the length of pieces of road, on the left (side +1) or the right (-1)."""
    net = ground.net
    here, way = along(net, piece, share)
    offset = np.clip(WIDTH_M[net.kind[piece]] / 2.0 + rng.uniform(0.2, 2.0, len(piece)), 3.0, 12.0)
    doors = door_numbers(net, piece, share, side)
    names = net.names[piece]
    address = np.array([f"{name}{door}号" for name, door in zip(names, doors.tolist(), strict=True)], dtype=object)
    return Spots(beside(here, way, side * offset), piece, azimuth(way), address)


def _best_equipped(ground: Ground, weights: Array, metres: float, rng: np.random.Generator) -> Array:
    """Metres of the pieces with the best score that together suffice for rows on both sides, 0 for the others."""
    net = ground.net
    usable = weights > 0.0
    rank = np.log(ground.density[net.grid] + 1.0) + rng.normal(0.0, 0.3, len(weights))
    rank += np.where(net.kind == PRIMARY, 0.8, np.where(net.kind <= TRUNK, 0.4, 0.0))
    order = np.argsort(np.where(usable, -rank, np.inf), kind="stable")
    enough = np.cumsum(np.where(usable, net.length, 0.0)[order]) < max(metres / 2.0, 1_000.0)
    chosen = np.zeros(len(weights), dtype=bool)
    chosen[order[: int(enough.sum()) + 1]] = True
    return np.where(chosen & usable, net.length, 0.0)


def spots_near(
    ground: Ground, centres: Array, *, reach_m: float, rng: np.random.Generator, country: bool = False
) -> Spots:
    """One spot for each centre (n, 2), beside the road nearest to a point up to `reach_m` away, or `country` road."""
    net = ground.net
    usable = np.flatnonzero((net.kind != MOTORWAY) & ~(net.urban & country))
    middles = (net.nodes[net.start[usable]] + net.nodes[net.end[usable]]) / 2.0
    count = len(centres)
    turn, away = rng.uniform(0.0, 2.0 * np.pi, count), reach_m * np.sqrt(rng.random(count))
    wanted = centres + np.column_stack([np.cos(turn), np.sin(turn)]) * away[:, None]
    piece = usable[nearest_of(wanted, middles)]
    return beside_road(ground, piece, rng.uniform(0.2, 0.8, count), rng.choice((-1.0, 1.0), count), rng)
