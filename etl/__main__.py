"""`python -m etl`: files into the city, deliveries back out, the demo city and its days, archives, background jobs."""

from __future__ import annotations

import argparse
import datetime as dt
import re
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

import psycopg
import sqlalchemy as sa

from etl import commands
from etl.errors import EtlError
from etl.report import Screen
from layers.errors import LayersError

_STOPPED = 130
# The bounds of `etl.demo.city.build`, whose import would delay every other command.
_LEAST_SCALE, _MOST_SCALE = 0.005, 20.0


def main(words: Sequence[str] | None = None, *, screen: Screen | None = None) -> int:
    """Run one command; returns 0 when it did its work, 1 when it was refused (one line on stderr), 2 for bad usage."""
    arguments = parser().parse_args(_with_values(sys.argv[1:] if words is None else words))
    shown = screen or Screen()
    command: Callable[[argparse.Namespace, Screen], int] = arguments.command
    try:
        return command(arguments, shown)
    except (EtlError, LayersError) as error:
        shown.error(str(error))
        return commands.REFUSED
    except (sa.exc.OperationalError, psycopg.OperationalError) as error:
        shown.error(f"the database did not answer as it should; nothing was changed: {str(error).splitlines()[0]}")
        return commands.REFUSED
    except KeyboardInterrupt:
        shown.error("stopped; nothing was changed")
        return _STOPPED


def parser() -> argparse.ArgumentParser:
    """The options of every command."""
    top = argparse.ArgumentParser(prog="python -m etl", description=__doc__)
    kinds = top.add_subparsers(required=True, metavar="COMMAND")
    _load_options(kinds.add_parser("load", help="bring a file into a layer"))
    undo = kinds.add_parser("undo", help="take a delivery back")
    undo.add_argument("delivery", type=int, metavar="DELIVERY", help="its number; see `deliveries`")
    undo.set_defaults(command=commands.undo)
    kinds.add_parser("deliveries", help="list the latest deliveries").set_defaults(command=commands.deliveries)
    demo = kinds.add_parser("demo", help="build and load the synthetic demo city")
    demo.add_argument("--scale", type=_scale, default=1.0, metavar="N", help="so many times the components, video "
                      "sites, buildings, pollution points and places of the real size (default 1; 0.005 to 20); "
                      "grids and roads stay as they are above 1")  # fmt: skip
    demo.add_argument("--seed", type=int, default=20200619, help="another seed makes another city")
    demo.add_argument("--history", action="store_true", help="cases of a whole year instead of a week")
    demo.set_defaults(command=commands.demo)
    _simulate_options(kinds.add_parser("simulate", help="play a live day in a made-up city"))
    calls = kinds.add_parser("import-dispatches", help="bring the history of another dispatch system in, as cases")
    calls.add_argument("file", type=Path, metavar="FILE", help="a CSV, one row a call and a unit, with its times")
    calls.add_argument("--source", required=True, type=_source, help="what to call the other system (sf_fire)")
    calls.set_defaults(command=commands.import_dispatches)
    bake = kinds.add_parser("bake", help="bake layers into archives of tiles, which serve them from then on")
    bake.add_argument("layers", nargs="*", metavar="LAYER", help="layers to bake (default: all)")
    bake.set_defaults(command=commands.bake)
    _basemap_options(kinds.add_parser("add-basemap", help="put a base map of your own under everything"))
    away = kinds.add_parser("remove-basemap", help="take that base map away again")
    away.set_defaults(command=commands.remove_basemap)
    _raster_options(kinds.add_parser("add-raster", help="put a raster of your own (heights, rain, noise …) on the map"))
    topics = kinds.add_parser("check-topics", help="say whether topics can be used, and if not, which line is wrong")
    topics.add_argument("files", nargs="*", type=Path, metavar="FILE", help="(default: all that the server reads)")
    topics.set_defaults(command=commands.check_topics)
    kinds.add_parser("worker", help="do background jobs until stopped").set_defaults(command=commands.worker)
    return top


def _simulate_options(play: argparse.ArgumentParser) -> None:
    play.set_defaults(command=commands.simulate)
    play.add_argument("--speed", type=float, default=60.0, metavar="N", help="so many seconds of the day in one "
                      "(default 60: a minute a second; 1 is as it would be)")  # fmt: skip
    play.add_argument("--from", dest="begin", type=_moment, default="07:00", metavar="HH:MM", help="(default 07:00)")
    play.add_argument("--to", dest="end", type=_moment, default="22:00", metavar="HH:MM", help="(default 22:00)")
    play.add_argument("--seed", type=int, default=1, help="another seed makes another day (default 1)")
    play.add_argument("--exercise", metavar="ID", help="play in this exercise, in whatever city (default: in a made-up "
                      "city, as if it happened)")  # fmt: skip
    play.add_argument("--rate", type=float, metavar="N", help="cases a day (default: as the demo city has)")


def _basemap_options(add: argparse.ArgumentParser) -> None:
    add.set_defaults(command=commands.add_basemap)
    add.add_argument("file", type=Path, metavar="FILE", help="a PMTiles archive (version 3) of images or vector tiles")
    add.add_argument("--name", help="what to call it (default: the name in the file)")
    add.add_argument("--attribution", metavar="ZH|EN", help="whose map it is (default: as the file says)")
    add.add_argument("--approval", metavar="NUMBER", help="the map approval number (审图号)")


def _raster_options(add: argparse.ArgumentParser) -> None:
    add.set_defaults(command=commands.add_raster)
    add.add_argument("file", type=Path, metavar="FILE", help="one band of numbers: GeoTIFF, ASCII grid, IMG, HGT, BIL "
                     "or DEM, with its coordinate reference system")  # fmt: skip
    add.add_argument("--name", required=True, help="its name in addresses; a raster of this name is replaced")
    add.add_argument("--title", metavar="ZH|EN", help="what people call it (default: the name)")
    add.add_argument("--unit", default="", help="of its values")
    add.add_argument("--attribution", metavar="ZH|EN", help="whose data it is")
    add.add_argument("--look", choices=["ramp", "relief"], default="ramp", help="relief: heights in metres, shaded")
    add.add_argument("--breaks", metavar="A,B,…", help="draw classes that begin at these values")
    add.add_argument("--people", action="store_true", help="cells count people: leave small counts out (below 10 in "
                     "public, 5 for administrators)")  # fmt: skip
    add.add_argument("--synthetic", action="store_true", help="the data are invented; the map says so")
    add.add_argument("--public", action="store_true", help="anyone may see it (default: administrators only)")


def _load_options(load: argparse.ArgumentParser) -> None:
    load.set_defaults(command=commands.load)
    load.add_argument("file", type=Path, metavar="FILE", help="GeoJSON, GeoPackage, Shapefile (also zipped), KML, CSV, "
                      "Excel, Parquet, FileGDB or OSM extract")  # fmt: skip
    where = load.add_mutually_exclusive_group()
    where.add_argument("--layer", help="the layer that the records belong to")
    where.add_argument("--new-layer", metavar="NAME", help="make a layer of this name from the data")
    what = load.add_argument_group("what the file is")
    what.add_argument(
        "--source", help="who delivers it; a delivery changes its source's records only (default: file name)"
    )
    what.add_argument("--table", "--sheet", metavar="NAME", help="the table or sheet, where the file has several")
    what.add_argument("--encoding", help="of its texts, where it cannot be told (utf-8, gb18030, euc-kr …)")
    what.add_argument("--frame", help="of its coordinates: EPSG:4326, 4490, 4549, GCJ-02, BD-09 … (as declared)")
    what.add_argument("--swap", action="store_true", help="latitude and longitude stand in each other's place")
    what.add_argument("--extent", metavar="AREA", help="where it belongs, if not in the city: west,south,east,north, a "
                      "place name, a file with areas, or world")  # fmt: skip
    how = load.add_argument_group("what its columns mean")
    how.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN", help="this column is that field, "
                     "the id, or a coordinate (id, lon, lat, x, y, pair, wkt)")  # fmt: skip
    how.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="this value for every record")
    how.add_argument("--recipe", type=Path, metavar="FILE", help="take the mapping from here")
    how.add_argument("--save-recipe", type=Path, metavar="FILE", help="keep the mapping for the next delivery (also "
                     "in a dry run)")  # fmt: skip
    how.add_argument("--title", metavar="ZH|EN", help="the title of a new layer")
    how.add_argument("--public", action="store_true", help="anyone may see a new layer")
    care = load.add_argument_group("how much may change")
    care.add_argument("--dry-run", action="store_true", help="report only, change nothing")
    care.add_argument("--partial", action="store_true", help="the file is only a part: retire nothing")
    care.add_argument("--allow-retire", action="store_true", help="retire even more than a fifth of the source")


def _with_values(words: Sequence[str]) -> list[str]:
    """The words with `--extent -123,37,…` as one word, else a western box would be taken for an option."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] in ("--extent", "--set", "--map", "--breaks"):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not _LEAST_SCALE <= scale <= _MOST_SCALE:
        raise argparse.ArgumentTypeError(f"{text} is not between {_LEAST_SCALE:g} and {_MOST_SCALE:g}")
    return scale


def _source(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name: small letters, digits, _ and -, at most 40")
    return text


def _moment(text: str) -> dt.time:
    try:
        return dt.datetime.strptime(text, "%H:%M").time()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time like 07:00") from None


def _stop(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # A shell's `&` starts programs with SIGINT ignored; both signals end the transaction in order.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    sys.exit(main())
