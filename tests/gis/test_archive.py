"""The promises of gis.archive and gis.new_archive: real files, what is refused, damage, and the other reader agrees."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pmtiles.reader import MmapSource, Reader
from pmtiles.tile import Compression, deserialize_header, serialize_header, tileid_to_zxy

from gis.archive import Archive
from gis.errors import BadArchive
from gis.new_archive import Written, gzipped, replacing, write_archive
from gis.tilegrid import Box

CITY = Box(120.2, 31.6, 122.0, 32.7)
MANY = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(path: Path, tiles: Mapping[int, bytes], **metadata: object) -> Written:
    ordered = sorted(tiles.items())
    return write_archive(
        path, ordered, kind="mvt", compression="none", zooms=(0, 14), bounds=CITY, metadata=lambda: metadata
    )


@pytest.mark.parametrize("name", ["test_fixture_1", "go-pmtiles_test_fixture_1"])
def test_a_good_archive_is_read(shared: Path, name: str) -> None:
    archive = Archive.open(shared / "data" / "tiles" / "pmtiles" / f"{name}.pmtiles")
    assert (archive.header.kind, archive.compression, archive.header.tiles) == ("mvt", "gzip", 1)
    assert archive.metadata["vector_layers"][0]["id"] == "test_fixture_1pmtiles"
    tile = archive.get(0)
    assert tile is not None
    assert b"test_fixture_1pmtiles" in gzip.decompress(tile)
    assert archive.get(1) is None


def test_an_unclustered_archive_is_read(shared: Path) -> None:
    archive = Archive.open(shared / "data" / "tiles" / "pmtiles" / "go-pmtiles_unclustered.pmtiles")
    assert not archive.header.clustered
    assert archive.header.kind == "png"
    tiles = dict(archive.tiles())
    assert len(tiles) == 2
    assert all(data.startswith(b"\x89PNG") and archive.get(tile) == data for tile, data in tiles.items())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("empty", "the file is empty"),
        ("invalid", "not a PMTiles file"),
        ("invalid_v4", "PMTiles version 4; only version 3 is read"),
        ("test_fixture_mlt", "its tiles are of type MLT; only MVT and images are served"),
        ("absent", "No such file or directory"),
    ],
)
def test_what_cannot_be_served_is_refused_by_name(shared: Path, name: str, reason: str) -> None:
    path = shared / "data" / "tiles" / "pmtiles" / f"{name}.pmtiles"
    with pytest.raises(BadArchive) as refused:
        Archive.open(path)
    assert str(refused.value) == f"{name}.pmtiles: {reason}"


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "a", {1: b"one", 9: b"two"})
    whole = (tmp_path / "a").read_bytes()
    for size in range(1, len(whole)):
        (tmp_path / "b").write_bytes(whole[:size])
        with pytest.raises(BadArchive):
            Archive.open(tmp_path / "b")


@pytest.mark.parametrize("compression", [Compression.BROTLI, Compression.ZSTD, Compression.UNKNOWN])
def test_directories_in_a_compression_that_is_not_read_are_refused(tmp_path: Path, compression: Compression) -> None:
    written(tmp_path / "a", {1: b"one"})
    whole = (tmp_path / "a").read_bytes()
    header = deserialize_header(whole[:127]) | {"internal_compression": compression}
    (tmp_path / "a").write_bytes(serialize_header(header) + whole[127:])
    with pytest.raises(BadArchive, match=compression.name):
        Archive.open(tmp_path / "a")


contents = st.dictionaries(
    st.integers(0, 400) | st.integers(0, (1 << 40)), st.sampled_from([b"a", b"b", b"cc"]) | st.binary(min_size=1)
)


@MANY
@given(contents)
def test_what_is_written_is_read_here_and_by_others(tmp_path: Path, tiles: dict[int, bytes]) -> None:
    told = written(tmp_path / "a", tiles, name="城图")
    archive = Archive.open(tmp_path / "a")
    assert dict(archive.tiles()) == tiles
    assert [tile for tile, _ in archive.tiles()] == sorted(tiles)
    assert all(archive.get(tile) == data for tile, data in tiles.items())
    assert archive.get(1 << 41) is None
    assert archive.metadata == {"name": "城图"}
    assert archive.header.clustered
    assert (archive.header.tiles, archive.header.contents) == (len(tiles), len(set(tiles.values())))
    assert told == Written((tmp_path / "a").stat().st_size, len(tiles))
    with (tmp_path / "a").open("rb") as file:
        other = Reader(MmapSource(file))
        assert other.metadata() == {"name": "城图"}
        assert all(other.get(*tileid_to_zxy(tile)) == data for tile, data in tiles.items())


@pytest.mark.parametrize("flat", [0, 1 << 20])
def test_directories_below_the_root_are_read(tmp_path: Path, flat: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gis.archive._MOST_FLAT", flat)
    chance = random.Random(7)
    tiles = {tile: chance.randbytes(3) for tile in chance.sample(range(1 << 34), 20_000)}
    written(tmp_path / "a", tiles)
    with (tmp_path / "a").open("rb") as file:
        header = deserialize_header(file.read(127))
    assert header["leaf_directory_length"] > 0
    assert header["root_offset"] + header["root_length"] <= 16_384
    archive = Archive.open(tmp_path / "a")
    assert dict(archive.tiles()) == tiles
    assert all(archive.get(tile) == data for tile, data in islice(tiles.items(), 2_000))
    held = set(tiles)
    assert all(archive.get(tile) is None for tile in chance.sample(range(1 << 34), 2_000) if tile not in held)
    archive.close()  # a reader that is under way goes on
    assert all(archive.get(tile) == data for tile, data in islice(tiles.items(), 100))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """An archive that has several levels."""
    folder = tmp_path_factory.mktemp("archive")
    chance = random.Random(3)
    written(folder / "a", {tile: b"x" * (tile % 7 + 1) for tile in chance.sample(range(1 << 30), 6_000)}, a=1)
    return folder, (folder / "a").read_bytes()


@MANY
@given(st.data())
def test_damage_is_told_and_nothing_outside_the_file_is_read(sound: tuple[Path, bytes], data: st.DataObject) -> None:
    folder, whole = sound
    places = st.integers(0, 400) | st.integers(0, len(whole) - 1)
    damaged = bytearray(whole)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=6)):
        damaged[place] = value
    (folder / "b").write_bytes(damaged)
    try:
        archive = Archive.open(folder / "b")
        for tile, content in islice(archive.tiles(), 300):
            assert archive.get(tile) == content
            assert content in whole or len(content) <= len(whole)
    except BadArchive as error:
        assert str(error).startswith("b: ")  # noqa: PT017 - either it is read or it is refused


@pytest.mark.parametrize("order", [(5, 4), (5, 5)])
def test_tiles_out_of_order_are_refused_and_nothing_is_left(tmp_path: Path, order: tuple[int, int]) -> None:
    tiles = [(tile, b"same") for tile in order]
    with pytest.raises(ValueError, match="comes after"):
        write_archive(tmp_path / "a", tiles, kind="mvt", compression="none", zooms=(0, 1), bounds=CITY, metadata=dict)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_finished_leaves_what_was(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("before")

    def stopped() -> None:
        with replacing(tmp_path / "a") as file:
            file.write(b"half")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        stopped()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "before"


def test_metadata_is_asked_when_all_tiles_are_there(tmp_path: Path) -> None:
    seen: list[int] = []

    def tiles() -> object:
        for tile in range(3):
            seen.append(tile)
            yield tile, b"x"

    write_archive(
        tmp_path / "a",
        tiles(),  # type: ignore[arg-type]
        kind="png",
        compression="none",
        zooms=(0, 1),
        bounds=CITY,
        metadata=lambda: {"tiles": len(seen)},
    )
    assert Archive.open(tmp_path / "a").metadata == {"tiles": 3}


def test_equal_content_is_equal_bytes() -> None:
    assert gzipped(json.dumps([1]).encode()) == gzipped(json.dumps([1]).encode())
    assert gzip.decompress(gzipped(b"tile")) == b"tile"
