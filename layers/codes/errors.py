"""What can be wrong with a code, an identifier or a code book.

CodesError
├── BadBook      a CSV of codes cannot be used
├── UnknownBook  nobody declared a book of that name
├── UnknownCode  the book has no such code
├── UnknownUnit  the register has no such administrative code
└── BadId        a text is not the identifier it should be
"""

from pathlib import Path


class CodesError(Exception):
    """Anything wrong with codes, identifiers or their books."""


class BadBook(CodesError):
    """A CSV of codes cannot be used; tells the file, the line (None: the file as a whole) and why."""

    def __init__(self, path: Path, line: int | None, reason: str) -> None:
        self.path = path
        self.line = line
        self.reason = reason
        where = path.name if line is None else f"{path.name}, line {line}"
        super().__init__(f"{where}: {reason}")


class UnknownBook(CodesError, LookupError):
    """Nobody declared a book of that name (or of that name in that standard)."""

    def __init__(self, name: str, known: tuple[str, ...], *, standard: str | None = None) -> None:
        self.name = name
        self.known = known
        self.standard = standard
        of = f" of {standard}" if standard else ""
        super().__init__(f"no code book {name!r}{of}; there are: {', '.join(known)}")


class UnknownCode(CodesError, LookupError):
    """The book has no such code."""

    def __init__(self, book: str, code: str) -> None:
        self.book = book
        self.code = code
        super().__init__(f"code {code!r} is not in the book {book!r}")


class UnknownUnit(CodesError, LookupError):
    """The register of administrative units has no such code."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"{code!r} is not an administrative code of this register")


class BadId(CodesError, ValueError):
    """A text is not the identifier it should be; `reason` is a clause for people."""

    def __init__(self, kind: str, text: str, reason: str) -> None:
        self.kind = kind
        self.text = text
        self.reason = reason
        super().__init__(f"{text!r} is not a {kind} id: {reason}")
