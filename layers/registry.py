"""Every layer there is now: those of the catalogue and those that people brought, read again when one is added."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import sqlalchemy as sa

from layers.catalog import built_in
from layers.errors import UnknownLayer
from layers.people.access import Actor, may, visible_to
from layers.spec import Layer
from layers.store.definitions import saved_layers, to_spec

FRESH_S = 2.0


class Registry:
    """The layers by name; those that people brought are read again when they are more than two seconds old."""

    def __init__(self, engine: sa.Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._built_in = built_in()
        self._all: Mapping[str, Layer] = dict(self._built_in)
        self._read_at = float("-inf")

    def all(self, having: Iterable[str] = ()) -> Mapping[str, Layer]:
        """Every layer by name, in drawing order: at most two seconds old, read just now when one of `having` lacks."""
        with self._lock:
            lacking = any(name not in self._all for name in having)
            if lacking or self._clock() - self._read_at > FRESH_S:
                with self._engine.connect() as connection:
                    brought = saved_layers(connection)
                known = {name: self._same(layer) for name, layer in brought.items() if name not in self._built_in}
                self._all = {**self._built_in, **known}
                self._read_at = self._clock()
            return self._all

    def _same(self, layer: Layer) -> Layer:
        # The statements of a layer are kept by its identity, so an unchanged one stays the value it was.
        held = self._all.get(layer.name)
        return held if held is not None and to_spec(held) == to_spec(layer) else layer

    def visible(self, actor: Actor) -> list[Layer]:
        """The layers that the actor may know of, in drawing order."""
        return visible_to(actor, self.all().values())

    def known(self, names: Sequence[str], actor: Actor) -> list[Layer] | None:
        """The layers of these names without asking the database; None when one is not known or not to be seen."""
        found = [layer for name in names if (layer := self._all.get(name)) is not None and may(actor, "view", layer)]
        fresh = self._clock() - self._read_at <= FRESH_S
        return found if len(found) == len(names) and (fresh or self.fixed(found)) else None

    def fixed(self, layers: Sequence[Layer]) -> bool:
        """Are these all of the catalogue, which no one changes while the program runs?"""
        return all(layer.name in self._built_in for layer in layers)

    def find(self, name: str, actor: Actor) -> Layer:
        """The layer of this name; UnknownLayer when there is none or the actor may not know of it."""
        layer = self._built_in.get(name) or self.all().get(name)
        if layer is None or not may(actor, "view", layer):
            raise UnknownLayer(name)
        return layer
