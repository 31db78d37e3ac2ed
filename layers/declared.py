"""Declarations that people write as small YAML files: every value knows its line, so that a refusal can name it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final, TypeVar

import yaml

from layers.errors import BadDeclaration
from layers.spec import Title

Option = TypeVar("Option", bound=str)
MOST_BYTES: Final = 64 * 1024
MOST_ENTRIES: Final = 100
_ENDING: Final = ".yaml"
_MOST_TEXT: Final = 400
_TAG: Final = "tag:yaml.org,2002:"
# YAML 1.1 reads `no` and `on` as truth values and 01001 as a number in base eight.
_QUOTE: Final = "put it in quotes if it is meant as a text"
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Written:
    """One value of a declaration and where it stands; every reading refuses, with its line, what does not fit."""

    path: Path
    node: yaml.Node

    @property
    def line(self) -> int:
        """The line on which the value begins, from 1."""
        return int(self.node.start_mark.line) + 1

    @property
    def empty(self) -> bool:
        """Whether nothing (or null) is written here."""
        return bool(self.node.tag == f"{_TAG}null")

    def error(self, reason: str) -> BadDeclaration:
        """The error to raise about this value."""
        return BadDeclaration(self.path, self.line, reason)

    def section(self, *, required: Collection[str] = (), optional: Collection[str] = ()) -> dict[str, Written]:
        """The values by key; refused are keys that are unknown or written twice, and required ones that are absent."""
        allowed = [*required, *optional]
        found: dict[str, Written] = {}
        for key, value in self.pairs():
            name = key.text()
            if name not in allowed:
                raise key.error(f"there is no key {name!r} here{close_to(name, allowed)}")
            found[name] = value
        if missing := [name for name in required if name not in found]:
            raise self.error(f"the key {missing[0]!r} is missing")
        return found

    def pairs(self) -> list[tuple[Written, Written]]:
        """The keys and values, in the order of the file."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error("keys with values are needed here")
        if len(self.node.value) > MOST_ENTRIES:
            raise self.error(f"there are more than {MOST_ENTRIES} keys")
        found = [(Written(self.path, key), Written(self.path, value)) for key, value in self.node.value]
        seen: dict[str, int] = {}
        for key, _ in found:
            if (earlier := seen.get(key.text())) is not None:
                raise key.error(f"the key {key.text()!r} is already on line {earlier}")
            seen[key.text()] = key.line
        return found

    def entries(self, *, most: int = MOST_ENTRIES) -> list[Written]:
        """The entries of a list that is not empty."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error("a list is needed here")
        if not 1 <= len(self.node.value) <= most:
            raise self.error(f"the list must have 1 to {most} entries")
        return [Written(self.path, each) for each in self.node.value]

    def text(self) -> str:
        """A text of one line at least and 400 characters at most."""
        found = self._scalar("str", f"a text is needed here; {_QUOTE}").strip()
        if not found or len(found) > _MOST_TEXT or _CONTROL.search(found):
            raise self.error(f"a text of 1 to {_MOST_TEXT} plain characters is needed here")
        return found

    def one_of(self, options: Collection[Option], what: str) -> Option:
        """One of the options, which are called `what` in the refusal."""
        found = self.text()
        for option in options:
            if found == option:
                return option
        raise self.error(f"there is no {what} {found!r}{close_to(found, options)}")

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high."""
        found = self.number(low, high)
        if found != int(found):
            raise self.error("a whole number is needed here")
        return int(found)

    def number(self, low: float, high: float) -> float:
        """A number from low to high."""
        reason = f"a number from {low:g} to {high:g} is needed here"
        kind = "float" if self.node.tag == f"{_TAG}float" else "int"
        try:
            found = float(yaml.safe_load(self._scalar(kind, reason)))
        except (yaml.YAMLError, TypeError, ValueError, OverflowError) as error:
            raise self.error(reason) from error
        if not low <= found <= high:
            raise self.error(reason)
        return found

    def flag(self) -> bool:
        """True or false."""
        return self._scalar("bool", "true or false is needed here").lower() in ("true", "yes", "on")

    def title(self) -> Title:
        """A text in both languages: `{zh: …, en: …}`."""
        words = self.section(required=("zh", "en"))
        return Title(words["zh"].text(), words["en"].text())

    def plain(self) -> str:
        """A text, number, date or time, as it is written."""
        kind = str(self.node.tag).removeprefix(_TAG)
        if kind not in ("str", "int", "float", "timestamp"):
            raise self.error("a value is needed here")
        return self._scalar(kind, "a value is needed here").strip()

    def _scalar(self, kind: str, reason: str) -> str:
        if not isinstance(self.node, yaml.ScalarNode) or self.node.tag != f"{_TAG}{kind}":
            raise self.error(reason)
        return str(self.node.value)


def read_declaration(path: Path) -> Written:
    """The value that a UTF-8 YAML file holds; BadDeclaration for a file that is too long, or no YAML."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadDeclaration(path, None, f"it is longer than {MOST_BYTES // 1024} KB")
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise BadDeclaration(path, None, f"it cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BadDeclaration(path, None, "it is not UTF-8") from error
    except yaml.MarkedYAMLError as error:
        # What was never closed is found at the end; where it was opened says more.
        endless = error.context_mark is not None and "stream end" in str(error.problem)
        mark = error.context_mark if endless else error.problem_mark
        line = None if mark is None else mark.line + 1
        raise BadDeclaration(path, line, f"it is not YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise BadDeclaration(path, None, "it is not YAML") from error
    if node is None:
        raise BadDeclaration(path, None, "it is empty")
    return Written(path, node)


def declaration_files(folder: Path) -> Iterator[Path]:
    """The declarations of a folder (`NAME.yaml`), by name; none where there is no folder.

    BadDeclaration for one with another ending of YAML files, which would otherwise be passed over in silence.
    """
    for path in sorted(path for path in folder.glob("*") if not path.name.startswith(".")):
        if path.suffix == _ENDING:
            yield path
        elif path.suffix.lower() in (_ENDING, ".yml"):
            raise BadDeclaration(
                path, None, f"the name of a declaration ends in {_ENDING}: call it {path.stem}{_ENDING}"
            )


def close_to(word: str, known: Collection[str]) -> str:
    """What was probably meant, as the end of a refusal."""
    close = get_close_matches(word, list(known), 1)
    if close:
        return f"; was {close[0]!r} meant?"
    return f"; there are: {', '.join(sorted(known))}" if 0 < len(known) <= 12 else ""
