"""`python -m layers classifier …`: train the classifier of callers' words, or say which one is there."""

from __future__ import annotations

import argparse
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from layers.loop.hotline.classify import FOLDER, Model, model_in
from layers.store.engine import engine_for
from layers.store.home import database, home_from

if TYPE_CHECKING:
    import sqlalchemy as sa

_ZONE = ZoneInfo("Asia/Shanghai")


def add_classifier(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The options of the command."""
    classifier = commands.add_parser("classifier", help="the classifier of callers' words")
    what = classifier.add_subparsers(required=True, metavar="WHAT")
    what.add_parser("train", help="train it from phrases and corrections").set_defaults(command=_train)
    what.add_parser("show", help="which one is there").set_defaults(command=_show)


def train_into(connection: sa.Connection, data: Path, *, now: datetime) -> Model:
    """Train on the phrases of a data folder and the corrections of its database, and put the model in its place."""
    # Whoever only asks for help need not wait two seconds for scikit-learn.
    from layers.loop.hotline.corrections import corrections
    from layers.loop.hotline.phrases import phrases_in
    from layers.loop.hotline.training import train

    model = train(phrases_in(data), corrections(connection), now=now)
    model.save(data / FOLDER)
    return model


def _train(_: argparse.Namespace) -> str:
    home = home_from(os.environ)
    with database(home) as running:
        engine = engine_for(running.url, "writer", pool_size=0)
        with engine.connect() as connection:
            model = train_into(connection, home.folder, now=datetime.now(_ZONE))
        engine.dispose()
    return _told(model)


def _show(_: argparse.Namespace) -> str:
    model = model_in(home_from(os.environ).folder / FOLDER)
    return "no classifier yet: python -m layers classifier train" if model is None else _told(model)


def _told(model: Model) -> str:
    return (
        f"classifier {model.version} of {model.trained_at}: {model.examples} sentences, {model.corrections} "
        f"corrections, {len(model.labels)} matters; sure from {model.sure_from:.2f} on"
    )
