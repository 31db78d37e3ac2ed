"""What only the loop refuses.

LayersError
├── Conflict
│   └── Overtaken   somebody else took a step meanwhile; carries what changed
└── TooOften        an address without an account asked too often; carries when to come again
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layers.errors import Conflict, LayersError


class Overtaken(Conflict):
    """The case went on since the client read it: `since` tells the steps that it did not know of, `last` the newest."""

    def __init__(self, id: str, *, last: int, since: Sequence[dict[str, Any]]) -> None:
        super().__init__(f"case {id} was changed by someone else since it was read")
        self.id, self.last, self.since = id, last, list(since)
        self.because("case_changed", id=id)


class TooOften(LayersError):
    """Without an account so much may be asked an hour from one address; `again_s` says when to come again."""

    def __init__(self, most: int, *, about: str = "reports") -> None:
        super().__init__(f"at most {most} {about} an hour without an account")
        self.most, self.again_s = most, 3_600
        self.because("too_often", most=most)
