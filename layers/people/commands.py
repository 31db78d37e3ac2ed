"""`python -m layers keys …`: the keys of sealed personal fields."""

from __future__ import annotations

import argparse
import datetime as dt
import os
from typing import Any

from layers.people.keys import KeysUnfit, file_in
from layers.people.privacy import SealBroken, keyring_in
from layers.people.rotation import rotate, uses
from layers.store.home import engine_of, home_from


def add_keys(commands: Any) -> None:
    """The command `keys`."""
    kinds = commands.add_parser("keys", help="the keys of sealed personal fields").add_subparsers(
        required=True, metavar="COMMAND"
    )
    kinds.add_parser("list", help="the keys and how many values each holds").set_defaults(command=list_keys)
    kinds.add_parser("rotate", help="seal everything with a new key").set_defaults(command=rotate_keys)


def list_keys(_: argparse.Namespace) -> str:
    """The keys, which one is current, since when, and how many values each holds; KeysUnfit when some are missing."""
    home = home_from(os.environ)
    with engine_of(home, "writer") as engine, engine.connect() as connection:
        held = uses(connection)
    keys = keyring_in(home.folder).keys if file_in(home.folder).exists() else None
    known = {} if keys is None else keys.by_id
    if unknown := sorted(held.keys() - known.keys()):
        raise KeysUnfit(f"values are sealed with keys that are not here: {', '.join(unknown)}")
    if keys is None:
        return "there are no keys yet: the first sealed value makes one"
    lines = []
    for key in sorted(known.values(), key=lambda key: key.made_at):
        state = "current" if key.id == keys.current else f"replaced {key.retired_at:%Y-%m-%d}"
        lines.append(f"{key.id:<20}made {key.made_at:%Y-%m-%d}  {state:<20}{held.get(key.id, 0):>12,} values")
    return "\n".join(lines)


def rotate_keys(_: argparse.Namespace) -> str:
    """Seal everything with a new key; SealBroken, after all others, when some values do not open."""
    home = home_from(os.environ)
    with engine_of(home, "writer") as engine:
        done = rotate(engine, keyring_in(home.folder), now=dt.datetime.now(dt.UTC))
    told = f"{done.values:,} values sealed with the new key {done.key}; back the keys up now"
    if done.broken:
        raise SealBroken(f"{told}; these do not open and were left as they are: {', '.join(done.broken)}")
    return "\n".join([told, *(f"{id}: nothing uses it any more, forgotten" for id in done.forgotten)])
