"""What the planner's questions may be refused for, beside what any request may."""

from __future__ import annotations

from layers.errors import LayersError


class TooMuch(LayersError):
    """The question takes more records, or more time, than one question may."""


class GivenUp(LayersError):
    """Nobody waits for the answer any more."""

    def __init__(self) -> None:
        super().__init__("whoever asked has left; the question was given up")


class UnknownResult(LayersError):
    """No result of this id is kept, or it holds layers that the actor may not know of."""

    def __init__(self, id: str) -> None:
        super().__init__(f"no result {id!r} is kept; results are kept for a day")
        self.id = id


class UnknownQuestion(LayersError):
    """No question of this id is kept or ready, or the actor may not know of it."""

    def __init__(self, id: str) -> None:
        super().__init__(f"there is no question {id!r}")
        self.id = id


class NoRoom(LayersError):
    """As many questions are kept as may be."""
