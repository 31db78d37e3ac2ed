"""Lines cut into a network, and ways over it: against plain Dijkstra, and on a real city's streets."""

from __future__ import annotations

import heapq
import itertools
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyogrio
import pytest
import scipy.sparse
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from gis.frames import distance_m, length_m
from gis.network import Network, network
from gis.plane import Plane
from gis.ways import Stand, Ways, part_shapes, way_shape

HERE = Plane(120.9, 32.0)
OSM = "data/osm/shanghai_huangpu_drive_osmnx.osm"


def on_globe(*lines: list[tuple[float, float]]) -> np.ndarray:
    """Lines given in metres around a place in the city, in lon, lat."""
    return HERE.round(np.array([shapely.LineString(line) for line in lines], dtype=object))


def lonlat(x: float, y: float) -> tuple[float, float]:
    lon, lat = HERE.degrees(x, y)
    return float(lon), float(lat)


def ways(net: Network, *, speed: float = 1.0, oneway: bool = False) -> Ways:
    seconds = net.length_m / speed
    return Ways(net, seconds, np.full(seconds.size, np.inf) if oneway else seconds)


def seconds(over: Ways, start: tuple[float, float], end: tuple[float, float]) -> float:
    """The seconds from a place (in metres) to another; infinite where no way leads."""
    a, b = over.stand(*lonlat(*start)), over.stand(*lonlat(*end))
    assert a is not None
    assert b is not None
    way = over.way(a, b)
    return np.inf if way is None else way.seconds


def reached_m(over: Ways, start: Stand, limit_s: float) -> float:
    parts = over.reached(start, limit_s)
    return sum((part.end - part.start) * float(over.network.length_m[part.edge]) for part in parts)


def test_lines_are_joined_at_common_ends_and_vertices() -> None:
    net = network(on_globe([(0, 0), (100, 0), (200, 0)], [(100, 0), (100, 100)], [(200, 0), (300, 0)]))
    assert (net.nodes, net.tail.size) == (5, 4)
    assert sorted(net.line.tolist()) == [0, 0, 1, 2]
    assert net.length_m == pytest.approx([100] * 4, rel=1e-4)


def test_an_end_that_touches_the_middle_of_a_line_cuts_it() -> None:
    net = network(on_globe([(0, 0), (200, 0)], [(50, 0.2), (50, 100)]))
    assert (net.nodes, net.tail.size) == (4, 3)
    assert seconds(ways(net), (0, 0), (50, 100)) == pytest.approx(150, abs=0.5)


def test_lines_that_cross_without_a_common_vertex_are_not_joined() -> None:
    net = network(on_globe([(0, 0), (200, 0)], [(100, -50), (100, 50)]))
    assert (net.nodes, net.tail.size) == (4, 2)
    assert seconds(ways(net), (0, 0), (100, 50)) == np.inf


def test_named_ends_keep_a_bridge_apart_from_the_road_below() -> None:
    lines = on_globe([(0, 0), (100, 0)], [(100, 0), (200, 0)], [(100, -50), (100, 0)], [(100, 0), (100, 50)])
    joined = network(lines)
    apart = network(lines, (["a", "b", "e", "c"], ["b", "d", "c", "f"]))
    assert (joined.nodes, apart.nodes) == (5, 6)
    assert seconds(ways(apart), (0, 0), (100, 45)) == np.inf
    assert seconds(ways(apart), (0, 0), (195, 0)) == pytest.approx(195, rel=1e-3)


def test_a_line_without_names_joins_a_named_network() -> None:
    lines = on_globe([(0, 0), (100, 0)], [(100, 0), (100, 100)], [(50, 0), (50, -80)])
    net = network(lines, (["a", "b", None], ["b", "c", None]))
    assert (net.nodes, net.tail.size) == (5, 4)
    assert seconds(ways(net), (50, -75), (100, 95)) == pytest.approx(75 + 50 + 95, rel=1e-3)


def test_a_place_is_snapped_to_the_middle_of_an_edge() -> None:
    over = ways(network(on_globe([(0, 0), (1000, 0)])))
    stand = over.stand(*lonlat(400, 30))
    assert stand is not None
    assert (stand.share, stand.off_m) == (pytest.approx(0.4, abs=1e-4), pytest.approx(30, abs=0.1))
    assert seconds(over, (400, 30), (700, -5)) == pytest.approx(300, rel=1e-3)


def test_what_is_reached_ends_where_the_time_does() -> None:
    over = ways(network(on_globe([(0, 0), (1000, 0)], [(1000, 0), (1000, 1000)])), speed=2.0)
    stand = over.stand(*lonlat(900, 0))
    assert stand is not None
    (first, second) = over.reached(stand, 100.0)
    assert (first.start, first.end) == (pytest.approx(0.7, abs=1e-4), 1.0)
    assert (second.start, second.end) == (0.0, pytest.approx(0.1, abs=1e-4))
    shapes = over.network.plane.round(part_shapes(over.network, [first, second]))
    assert length_m(shapes) == pytest.approx([300, 100], rel=1e-3)


def test_a_one_way_street_is_not_gone_backwards() -> None:
    square = on_globe([(0, 0), (100, 0)], [(100, 0), (100, 100)], [(100, 100), (0, 100)], [(0, 100), (0, 0)])
    over = ways(network(square), oneway=True)
    assert seconds(over, (20, 0), (60, 0)) == pytest.approx(40, rel=1e-3)
    assert seconds(over, (60, 0), (20, 0)) == pytest.approx(360, rel=1e-3)
    stand = over.stand(*lonlat(60, 0))
    assert stand is not None
    assert reached_m(over, stand, 100.0) == pytest.approx(100, rel=1e-3)


def test_the_way_from_a_place_to_itself_has_no_length() -> None:
    over = ways(network(on_globe([(0, 0), (100, 0)], [(100, 0), (100, 100)])))
    for at in ((40.0, 0.0), (100.0, 0.0)):
        stand = over.stand(*lonlat(*at))
        assert stand is not None
        way = over.way(stand, stand)
        assert way is not None
        assert (way.seconds, way.metres) == (0, 0)
        assert way_shape(over.network, way.legs).length == 0


def test_a_network_of_nothing_has_no_place_to_stand() -> None:
    over = ways(network(np.empty(0, dtype=object)))
    assert over.stand(120.9, 32.0) is None


@pytest.mark.parametrize("place", [(30.9, 0.0), (-149.1, 0.0), (-60.0, -32.0)])
def test_a_point_on_the_other_side_of_the_earth_is_far_from_every_road(place: tuple[float, float]) -> None:
    over = ways(network(on_globe([(0, 0), (100, 0)])))
    stand = over.stand(*place)
    assert stand is None or stand.off_m > 1e6


Point = tuple[int, int]
STEPS = st.tuples(st.integers(0, 4), st.integers(0, 4))
ROADS = st.lists(st.tuples(STEPS, STEPS).filter(lambda pair: pair[0] != pair[1]), min_size=1, max_size=14, unique=True)


def built(roads: list[tuple[Point, Point]]) -> Network:
    """Roads between the points of a grid of 137 m, with ends named so that nothing else is joined."""
    lines = on_globe(*([(137 * x, 137 * y) for x, y in road] for road in roads))
    return network(lines, ([str(a) for a, _ in roads], [str(b) for _, b in roads]))


def plain_dijkstra(net: Network, forward: np.ndarray, backward: np.ndarray, start: Stand) -> list[float]:
    """The seconds to every node, by the book."""
    links: dict[int, list[tuple[int, float]]] = {}
    for tail, head, there, back in zip(net.tail, net.head, forward, backward, strict=True):
        links.setdefault(int(tail), []).append((int(head), float(there)))
        links.setdefault(int(head), []).append((int(tail), float(back)))
    times = [np.inf] * net.nodes
    queue = [
        ((1 - start.share) * float(forward[start.edge]) if start.share < 1 else 0.0, int(net.head[start.edge])),
        (start.share * float(backward[start.edge]) if start.share > 0 else 0.0, int(net.tail[start.edge])),
    ]
    heapq.heapify(queue)
    while queue:
        far, node = heapq.heappop(queue)
        if far < times[node]:
            times[node] = far
            for other, more in links.get(node, ()):
                heapq.heappush(queue, (far + more, other))
    return times


@given(ROADS, st.floats(0, 1), st.data())
def test_times_are_those_of_plain_dijkstra(roads: list[tuple[Point, Point]], share: float, data: st.DataObject) -> None:
    net = built(roads)
    one_way = np.array(data.draw(st.lists(st.booleans(), min_size=net.tail.size, max_size=net.tail.size)))
    forward, backward = net.length_m, np.where(one_way, np.inf, net.length_m)
    start = Stand(data.draw(st.integers(0, net.tail.size - 1)), share, 0.0)
    found = Ways(net, forward, backward).times(start)
    assert found == pytest.approx(plain_dijkstra(net, forward, backward, start), abs=1e-6)


@given(ROADS, st.lists(st.tuples(st.integers(0, 13), st.floats(0, 1)), min_size=3, max_size=3))
def test_ways_keep_the_laws_of_distance(roads: list[tuple[Point, Point]], places: list[tuple[int, float]]) -> None:
    net = built(roads)
    over = ways(net)
    stands = [Stand(edge % net.tail.size, share, 0.0) for edge, share in places]
    far = {}
    for (i, a), (j, b) in itertools.product(enumerate(stands), repeat=2):
        way = over.way(a, b)
        far[i, j] = np.inf if way is None else way.seconds
        if way is not None:
            assert way.metres == pytest.approx(sum(leg.metres for leg in way.legs))
            assert float(length_m(np.array([way_shape(net, way.legs)]))[0]) == pytest.approx(way.metres, abs=0.01)
    for i, j, k in itertools.permutations(range(3)):
        assert far[i, j] == pytest.approx(far[j, i], abs=1e-6)
        assert far[i, k] <= far[i, j] + far[j, k] + 1e-6
    assert all(far[i, i] == 0 for i in range(3))


@given(ROADS, st.floats(0, 1), st.floats(1, 900), st.floats(1, 900))
def test_more_time_reaches_more(roads: list[tuple[Point, Point]], share: float, one_s: float, other_s: float) -> None:
    assume(one_s < other_s)
    over = ways(built(roads))
    start = Stand(0, share, 0.0)
    less, more = ({p.edge: p for p in over.reached(start, t)} for t in (one_s, other_s))
    assert reached_m(over, start, one_s) <= reached_m(over, start, other_s) + 1e-6
    assert less.keys() <= more.keys()
    assert all(part.end - part.start <= more[edge].end - more[edge].start + 1e-9 for edge, part in less.items() if
               sum(p.edge == edge for p in over.reached(start, other_s)) == 1)  # fmt: skip


@given(ROADS, st.floats(0, 1), st.floats(1, 600))
def test_the_end_of_what_is_reached_is_as_far_as_the_time(
    roads: list[tuple[Point, Point]], share: float, limit_s: float
) -> None:
    over = ways(built(roads))
    start = Stand(0, share, 0.0)
    for part in over.reached(start, limit_s):
        for end in (part.start, part.end):
            way = over.way(start, Stand(part.edge, end, 0.0))
            assert way is not None
            assert way.seconds <= limit_s + 1e-6
            if 0.0 < end < 1.0 and part.edge != start.edge:
                assert way.seconds == pytest.approx(limit_s, abs=1e-6)


@pytest.fixture(scope="module")
def shanghai(shared: Path) -> tuple[Network, np.ndarray]:
    """The streets of central Shanghai as OpenStreetMap has them, and which are one-way."""
    frame = pyogrio.read_dataframe(shared / OSM, layer="lines", USE_CUSTOM_INDEXING="NO")
    streets = frame[frame["highway"].notna()]
    one_way = streets["other_tags"].fillna("").str.contains('"oneway"=>"(?:yes|True|1)"').to_numpy()
    return network(streets.geometry.to_numpy()), one_way


def test_a_real_network_is_joined_where_its_nodes_are(shanghai: tuple[Network, np.ndarray], shared: Path) -> None:
    net, _ = shanghai
    ways_of_osm = ElementTree.parse(shared / OSM).getroot().iter("way")
    nodes = [[nd.get("ref") for nd in way.iter("nd")] for way in ways_of_osm]
    number = {ref: i for i, ref in enumerate(sorted({ref for refs in nodes for ref in refs if ref}))}
    pairs = np.array([(number[a], number[b]) for refs in nodes for a, b in itertools.pairwise(refs) if a and b])
    assert bodies(pairs.T, len(number)) == bodies(np.array([net.tail, net.head]), net.nodes)
    assert net.length_m.sum() == pytest.approx(float(length_m(net.plane.round(net.shapes)).sum()), rel=1e-3)


def bodies(pairs: np.ndarray, count: int) -> int:
    """How many connected bodies the pairs make of so many nodes."""
    links = scipy.sparse.coo_array((np.ones(pairs.shape[1]), (pairs[0], pairs[1])), shape=(count, count))
    return int(connected_components(links, directed=False)[0])


def test_ways_on_a_real_network_are_no_shorter_than_the_straight_line(shanghai: tuple[Network, np.ndarray]) -> None:
    net, one_way = shanghai
    over = Ways(net, net.length_m, np.where(one_way[net.line], np.inf, net.length_m))
    rng = np.random.default_rng(7)
    west, south, east, north = shapely.total_bounds(net.plane.round(net.shapes))
    for _ in range(20):
        (a, b), (c, d) = rng.uniform((west, south), (east, north), (2, 2))
        start, end = over.stand(a, b), over.stand(c, d)
        assert start is not None
        assert end is not None
        way = over.way(start, end)
        if way is None:
            continue
        line = way_shape(net, way.legs)
        (x0, y0), (x1, y1) = line.coords[0], line.coords[-1]
        straight = float(distance_m(x0, y0, x1, y1))
        assert straight - 0.1 <= way.metres <= 6 * straight + 2_000
        assert float(length_m(np.array([line]))[0]) == pytest.approx(way.metres, rel=1e-3, abs=0.1)
        assert way.seconds == pytest.approx(plain_dijkstra_way(over, start, end), rel=1e-9)


def plain_dijkstra_way(over: Ways, start: Stand, end: Stand) -> float:
    times = plain_dijkstra(over.network, over.forward_s, over.backward_s, start)
    net, edge = over.network, end.edge
    ahead = times[int(net.tail[edge])] + end.share * float(over.forward_s[edge])
    back = times[int(net.head[edge])] + (1 - end.share) * float(over.backward_s[edge])
    along = [np.inf]
    if start.edge == edge:
        share = end.share - start.share
        along = [share * float(over.forward_s[edge]) if share >= 0 else -share * float(over.backward_s[edge])]
    return min(ahead, back, *along)
