"""What printing may refuse."""

from __future__ import annotations

from layers.errors import LayersError


class BadStyle(LayersError):
    """A style that is not drawn here; `place` says which part of it and the text says why."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place, self.reason = place, reason


class CannotPrint(LayersError):
    """This machine lacks what drawing on the server takes; the text says what to install."""


class NotDrawn(LayersError):
    """The drawing failed, or took too long."""
