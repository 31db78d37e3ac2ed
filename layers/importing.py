"""Imported first by the programs of the server, which then start with two thirds of the work.

What two thousand modules make while they are imported lives for ever; the collector would look through it again and
again. It rests until `done`.
"""

from __future__ import annotations

import gc

gc.disable()


def done() -> None:
    """Let the collector work from now on, on what is made from now on; workers that are forked share the rest."""
    gc.freeze()
    gc.enable()
