"""The statements of a list of tiles run by pgbench: what the database alone needs for them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from layers.store.cluster import find_programs
from layers.store.engine import session_options
from tests.bench.browsing import Asked
from tests.bench.cpus import ASKING, pinned
from tests.bench.measure import run
from tests.bench.stage import Stage

_TPS = re.compile(r"tps = ([\d.]+)")
_BITS = 21  # of x and of y
_NAMES = ("z", "x", "y", "res", "most")


@dataclass(frozen=True)
class Script:
    """A pgbench script that makes the tiles of a list one after the other, several clients taking turns."""

    path: Path
    tiles: int

    def rate(self, stage: Stage, *, clients: int, database: str = "city") -> float:
        """Tiles a second for one walk through the list, prepared, as the role that reads."""
        defined = {"turn": -1, "clients": clients, "tiles": self.tiles}
        command = [_program(), "-n", "-M", "prepared", "-c", str(clients), "-j", "1"]
        command += ["-t", str(max(1, self.tiles // clients))]
        command += [part for name, value in defined.items() for part in ("-D", f"{name}={value}")]
        command += ["-f", str(self.path), stage.cluster.conninfo(database)]
        done = run(pinned(command, ASKING), environment={"PGOPTIONS": session_options("reader")})
        return float(_TPS.findall(done.output)[-1])


def has_pgbench() -> bool:
    """Is pgbench there?"""
    return bool(_program())


def script_of(asked: Sequence[Asked], path: Path) -> Script:
    """Write the script: the number of a turn is looked up in a tree of all tiles, without asking the database."""
    texts: list[str] = []
    leaves = []
    for one in asked:
        statement = one.statement
        # The very text that the server prepares, with the parameters written in pgbench's way.
        text = " ".join((statement.sql % {name: f":{name}" for name in _NAMES}).split())
        if text not in texts:
            texts.append(text)
        leaves.append(_packed(texts.index(text), one, int(statement.parameters.get("res", 0))))
    most = max(int(one.statement.parameters.get("most", 0)) for one in asked)
    mask = (1 << _BITS) - 1
    lines = [
        "\\set turn :turn + 1",
        "\\set i (:turn * :clients + :client_id) % :tiles",
        f"\\set at {_tree(leaves, 0, len(leaves))}",
        f"\\set y :at & {mask}",
        f"\\set x (:at >> {_BITS}) & {mask}",
        f"\\set z (:at >> {2 * _BITS}) & 31",
        f"\\set res (:at >> {2 * _BITS + 5}) & 15",
        f"\\set statement :at >> {2 * _BITS + 9}",
        f"\\set most {most}",
    ]
    for number, text in enumerate(texts):
        lines += [f"\\{'el' if number else ''}if :statement = {number}", f"{text};"]
    path.write_text("\n".join([*lines, "\\endif", ""]), encoding="utf-8")
    return Script(path, len(asked))


def _packed(statement: int, asked: Asked, res: int) -> int:
    number = statement << 4 | res
    for value, bits in ((asked.z, 5), (asked.x, _BITS), (asked.y, _BITS)):
        number = number << bits | value
    return number


def _tree(leaves: Sequence[int], start: int, end: int) -> str:
    if end - start == 1:
        return str(leaves[start])
    middle = (start + end) // 2
    return f"case when :i < {middle} then {_tree(leaves, start, middle)} else {_tree(leaves, middle, end)} end"


def _program() -> str:
    beside = find_programs() / "pgbench"
    return str(beside) if beside.exists() else shutil.which("pgbench") or ""
