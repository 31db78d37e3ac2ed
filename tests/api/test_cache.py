"""The memory of tiles: what stays, what leaves, and that nothing else does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from api.cache import Entry, Key, TileCache
from api.encoding import encoded, gunzipped, takes
from gis.drawn import Drawn, pack
from layers.ask.touched import Touched


def entry(names: tuple[str, ...], tile: int, size: int = 10) -> Entry:
    body = {"type": "http.response.body", "body": b"x" * size}
    return Entry(names, tile, b'"e"', {}, body, {}, public=True, layers=())


def key(names: tuple[str, ...], tile: int) -> Key:
    return (f"/tiles/{','.join(names)}/{tile}", "", "g")


def filled(*tiles: tuple[tuple[str, ...], int], most: int = 10_000_000) -> TileCache:
    cache = TileCache(most)
    for names, tile in tiles:
        cache.put(key(names, tile), entry(names, tile))
    return cache


A, B = pack(14, 13694, 6654), pack(14, 13695, 6654)


def test_only_the_touched_tiles_of_the_touched_layer_leave() -> None:
    cache = filled((("lamp",), A), (("lamp",), B), (("road",), A), (("lamp", "road"), A))
    cache.drop({"lamp": Touched(drawn=Drawn(keys={A}))})
    assert cache.get(key(("lamp",), A)) is None
    assert cache.get(key(("lamp", "road"), A)) is None
    assert cache.get(key(("lamp",), B)) is not None
    assert cache.get(key(("road",), A)) is not None
    assert cache.dropped == 2


def test_what_lies_under_a_touched_tile_leaves_with_it() -> None:
    cache = filled((("lamp",), A), (("lamp",), pack(14, 0, 0)))
    cache.drop({"lamp": Touched(drawn=Drawn(under={pack(8, 13694 >> 6, 6654 >> 6)}))})
    assert cache.get(key(("lamp",), A)) is None
    assert len(cache) == 1


def test_a_layer_marked_whole_leaves_wholly() -> None:
    cache = filled((("lamp",), A), (("lamp",), B), (("road",), A))
    cache.drop({"lamp": Touched(whole=True)})
    assert len(cache) == 1


def test_the_least_lately_used_make_room() -> None:
    cache = filled(most=5 * 1_510 + 100)
    for tile in range(5):
        cache.put(key(("a",), tile), entry(("a",), tile))
    cache.get(key(("a",), 0))
    cache.put(key(("a",), 9), entry(("a",), 9))
    # An entry may weigh an eighth of the whole: these are too big for so small a cache.
    assert len(cache) == 0
    roomy = filled(*[(("a",), tile) for tile in range(16)], most=16 * 1_510)
    roomy.get(key(("a",), 0))
    roomy.put(key(("a",), 99), entry(("a",), 99))
    assert roomy.get(key(("a",), 0)) is not None
    assert roomy.get(key(("a",), 1)) is None
    assert roomy.bytes <= 16 * 1_510


def test_a_long_filter_weighs_what_it_weighs() -> None:
    cache = TileCache(1_000_000)
    for number in range(1_000):
        cache.put((f"/tiles/a/{number}", "x" * 8_000, "g"), entry(("a",), number))
    assert len(cache) * 8_000 < 1_000_000


def test_tiles_that_count_filtered_records_leave_alone() -> None:
    cache = filled((("lamp",), A), (("road",), A))
    cache.put(("/tiles/lamp", "state = 'lost'", "g"), entry(("lamp",), A))
    cache.drop({"lamp": Touched(filtered=Drawn(keys={A}))})
    assert cache.get(("/tiles/lamp", "state = 'lost'", "g")) is None
    assert len(cache) == 2


def test_a_cache_of_no_size_keeps_nothing() -> None:
    assert len(filled((("a",), A), most=0)) == 0


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.sampled_from(["a", "b", "ab"]), st.integers(0, 12)),
            st.tuples(st.just("get"), st.sampled_from(["a", "b", "ab"]), st.integers(0, 12)),
            st.tuples(st.just("drop"), st.sampled_from(["a", "b"]), st.integers(0, 12)),
        ),
        max_size=80,
    )
)
def test_the_cache_never_holds_more_than_it_may_nor_what_was_dropped(steps: list[tuple[str, str, int]]) -> None:
    cache = TileCache(16 * 1_510)
    kept: set[Key] = set()
    for step, names, tile in steps:
        of = tuple(names)
        if step == "put":
            cache.put(key(of, tile), entry(of, tile))
            kept.add(key(of, tile))
        elif step == "get":
            assert cache.get(key(of, tile)) is None or key(of, tile) in kept
        else:
            cache.drop({names: Touched(drawn=Drawn(keys={tile}))})
            kept -= {key(n, tile) for n in (("a",), ("b",), ("a", "b")) if names in n}
        assert cache.bytes == len(cache) * 1_510 <= 16 * 1_510


@given(st.binary(max_size=5_000))
def test_every_coding_gives_back_the_bytes(data: bytes) -> None:
    import zstandard

    as_gzip, coding = encoded(data, "g")
    assert (gunzipped(as_gzip) if coding == "gzip" else as_gzip) == data
    assert gunzipped(b"") == b""
    as_zstd, coding = encoded(data, "zg")
    assert (zstandard.ZstdDecompressor().decompress(as_zstd) if coding == "zstd" else as_zstd) == data
    assert encoded(data, "") == (data, "identity")


def test_what_a_client_takes_is_read_with_its_weights() -> None:
    assert takes(b"gzip, deflate, br, zstd") == "zg"
    assert takes(b"gzip;q=0, zstd;q=0.5") == "z"
    assert takes(b"GZIP") == "g"
    assert takes(b"*") == "g"
    assert takes(b"identity") == takes(b"") == takes(b"br;q=1.0") == ""
    assert takes(b"gzip; q=0.000") == ""
