"""When something happened by the clock of the phone on which it was noted, which may have been out of reach since."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from layers.errors import BadField

AHEAD: Final = dt.timedelta(minutes=5)
BACK: Final = dt.timedelta(days=7)
_WORTH_TELLING_S: Final = 60


@dataclass(frozen=True)
class Happened:
    """The phone's time, and by how much its clock was ahead of ours when it sent (negative: behind), where it said."""

    at: dt.datetime
    skew_s: int | None = None

    def as_json(self) -> dict[str, Any]:
        """What is kept with a step, beside the time at which it arrived."""
        skewed = self.skew_s is not None and abs(self.skew_s) >= _WORTH_TELLING_S
        return {"happened_at": self.at.isoformat(), **({"clock_skew_s": self.skew_s} if skewed else {})}


def checked_happened(told: dt.datetime | None, *, sent: dt.datetime | None, now: dt.datetime) -> Happened | None:
    """The time that was told, if it may be so; `sent` is the phone's clock at this attempt to send.

    BadField for what lies more than 5 minutes ahead, with how far, and for what is older than 7 days.
    """
    if told is None:
        return None
    skew_s = None if sent is None else round((sent - now).total_seconds())
    if told > now + AHEAD:
        ahead_min = round((told - now).total_seconds() / 60)
        refused = BadField({"happened_at": f"lies {ahead_min} minutes ahead of the server's time"})
        raise refused.because("happened_ahead", minutes=ahead_min)
    if told < now - BACK:
        refused = BadField({"happened_at": f"is older than {BACK.days} days"})
        raise refused.because("happened_old", days=BACK.days)
    return Happened(told, skew_s)
