"""`python -m layers`: what an administrator does to an installation by hand."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from layers.errors import LayersError
from layers.loop.hotline.commands import add_classifier
from layers.people.commands import add_keys
from layers.store.commands import add_audit, add_backup

_PARTS = (add_classifier, add_keys, add_audit, add_backup)


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; returns 0 when it did its work, 1 when it was refused (one line on stderr), 2 for bad usage."""
    top = argparse.ArgumentParser(prog="python -m layers", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for add in _PARTS:
        add(commands)
    arguments = top.parse_args(words)
    command: Callable[[argparse.Namespace], str] = arguments.command
    try:
        said = command(arguments)
    except LayersError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except sa.exc.OperationalError as error:
        sys.stderr.write(f"the database did not answer as it should: {str(error).splitlines()[0]}\n")
        return 1
    except sa.exc.ProgrammingError as error:
        sys.stderr.write(f"the database is not prepared; start Chengtu once: {str(error.orig).splitlines()[0]}\n")
        return 1
    sys.stdout.write(f"{said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
