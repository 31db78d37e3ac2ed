"""The demo city into the database: all its layers in one transaction, so that a killed load leaves an empty city."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from etl.demo.city import SEED, build
from etl.demo.past import make_past
from layers.ask.catalogue import SYNTHETIC
from layers.ask.period import CITY_TIME
from layers.catalog import built_in
from layers.errors import Conflict
from layers.loop.hotline.seeds import seed_answers
from layers.store.core import DELIVERY
from layers.store.engine import begin
from layers.store.writer import write_delivery
from layers.terms import refresh_grams


def load_demo(
    engine: sa.Engine,
    *,
    scale: float = 1.0,
    seed: int = SEED,
    progress: Callable[[str, int], None] = lambda *_: None,
) -> dict[str, int]:
    """Build and load the synthetic city, and make up a past of its figures; returns the records of each layer.

    The same scale and seed again change nothing. Raises Conflict in a database that holds real deliveries.
    """
    layers, counts = built_in(), {}
    with begin(engine, actor="etl demo") as connection:
        real = sa.select(sa.exists().where(DELIVERY.c.source != SYNTHETIC))
        if connection.scalar(real):
            raise Conflict("this database holds real deliveries; the synthetic demo city is not mixed with them")
        for name, frame in build(scale=scale, seed=seed):
            progress(name, len(frame))
            write_delivery(
                connection,
                layers[name],
                frame,
                source=SYNTHETIC,
                actor="etl demo",
                digest=f"demo scale={scale:g} seed={seed}",
                title="synthetic demo city",
                allow_retire=True,
            )
            counts[name] = len(frame)
        seed_answers(connection, today=datetime.now(CITY_TIME).date())
        refresh_grams(connection)
    # Afterwards, since figures are counted from what is committed.
    make_past(engine, layers, seed=seed)
    return counts
