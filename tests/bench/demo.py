"""The demo city, from nothing to a full database."""

from __future__ import annotations

from statistics import median

from tests.bench.rows import Aim, Row
from tests.bench.stage import Stage


def demo(stage: Stage) -> list[Row]:
    """Time and memory of `python -m etl demo`, each time into a new database."""
    runs = [stage.load_city() for _ in range(stage.sizes.repeats)]
    name = f"demo: scale {stage.sizes.scale:g}"
    return [
        Row(f"{name}, time", median(run.seconds for run in runs), "s", aim=Aim(most=90)),
        Row(f"{name}, peak memory", median(run.peak_mb for run in runs), "MB", aim=Aim(most=2_000)),
        *_history(stage, name),
    ]


def _history(stage: Stage, name: str) -> list[Row]:
    """The same with the cases of a year (270,000 at scale 1), once: it takes minutes."""
    run = stage.load_history()
    return [Row(f"{name} with a year of cases, time", run.seconds, "s", aim=Aim(most=240))]
