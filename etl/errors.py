"""Everything for which a load stops, drawn as one tree; the text of each is one line for the person at the keyboard.

EtlError
├── UnreadableFile        the file cannot be taken as it is
│   ├── CorruptFile       its structure is broken
│   ├── EmptyFile         it has no rows
│   ├── TooLarge          it exceeds a bound that protects the machine
│   └── UnknownFormat     no reader for this kind of file
├── ChoiceNeeded          the file offers several things; an option chooses
├── BadOption             an option has a value that cannot be used
├── BadRecipe             a recipe cannot be used
├── NothingMapped         no column of the file was recognised
└── Refused               the data look wrong as a whole; an option confirms or corrects
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from layers.errors import Caused


class EtlError(Caused):
    """The root: a load that cannot go on, with a text of one line."""

    def __str__(self) -> str:
        return " ".join(super().__str__().split())


class UnreadableFile(EtlError):
    """A file that cannot be taken as it is; `reason` is a clause for people."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name}: {reason}")
        self.path, self.reason = path, reason


class CorruptFile(UnreadableFile):
    """The structure of the file is broken."""


class EmptyFile(UnreadableFile):
    """The file has no rows."""

    def __init__(self, path: Path, reason: str = "the file has no rows") -> None:
        super().__init__(path, reason)
        self.because("no_rows")


class TooLarge(UnreadableFile):
    """The file exceeds a bound."""

    def __init__(self, path: Path, what: str, *, found: int, limit: int) -> None:
        super().__init__(path, f"{found:,} {what} are more than the {limit:,} that one load takes")
        self.what, self.found, self.limit = what, found, limit
        self.because(_TOO_MANY[what], found=found, limit=limit)


_TOO_MANY: Final = {
    "bytes": "too_many_bytes",
    "columns": "too_many_columns",
    "entries of the archive": "too_many_entries",
    "rows": "too_many_rows",
    "rows of a sheet": "too_many_rows",
    "unpacked bytes": "unpacks_too_large",
}


class UnknownFormat(UnreadableFile):
    """No reader for this kind of file."""


class ChoiceNeeded(EtlError):
    """The file offers several tables or sheets; `option` chooses one of `choices`."""

    def __init__(self, path: Path, what: str, *, option: str, choices: Sequence[str]) -> None:
        super().__init__(f"{path.name} holds several {what}: choose one with {option}: {', '.join(choices)}")
        self.path, self.option, self.choices = path, option, tuple(choices)


class BadOption(EtlError):
    """An option has a value that cannot be used."""

    def __init__(self, option: str, value: str, reason: str) -> None:
        super().__init__(f"{option} {value}: {reason}")
        self.option, self.value, self.reason = option, value, reason


class BadRecipe(EtlError):
    """A recipe cannot be used; `reason` is a clause for people."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"recipe {name}: {reason}")
        self.name, self.reason = name, reason


class NothingMapped(EtlError):
    """No column of the file was recognised as something that the layer takes."""

    def __init__(self, layer: str, headers: Sequence[str]) -> None:
        shown = ", ".join(headers[:12]) + (", …" if len(headers) > 12 else "")
        super().__init__(f"no column says where a record is or what it is; layer {layer} does not know: {shown}")
        self.layer, self.headers = layer, tuple(headers)
        self.because("nothing_mapped", headers="、".join(headers[:12]))


class Refused(EtlError):
    """The data look wrong as a whole; `hint` is the option that corrects or confirms."""

    def __init__(self, text: str, *, hint: str) -> None:
        super().__init__(f"{text}; {hint}")
        self.text, self.hint = text, hint
