"""Everything that `layers` may refuse, drawn as one tree.

LayersError
├── UnknownLayer            no such layer, or one the actor may not know of
├── UnknownItem             the layer has no such record now
├── UnknownRaster           no such raster, or one the actor may not know of
├── UnknownIndicator        no such indicator, or one of a layer that the actor may not know of
├── UnknownUpload           no such upload (any more)
├── UnknownDelivery         no such delivery, or one of a layer the actor may not know of
├── BadUpload               a file that is not taken; `reason` says why
├── BadField                a value that the layer's field does not take
├── BadFilter               a filter that cannot be read, or asks for what is not offered
├── BadParameter            a part of a question that cannot be understood
├── BadDeclaration          a file in which people declare something: the line that cannot be used, and why
├── NotAllowed              the actor may not do this; `reason` says why
├── WrongLogin              no such login, or not this password; which of them is not told
├── OneTimeOver             the one-time password is right, and was given out too long ago
├── NotSignedIn             the provider of OpenID Connect did not prove who it is
├── SecondFactorDue         the password is right, and a code is needed beside it
├── TooManyAttempts         to sign in; says how long to wait
├── UnknownAccount          no account has this login name
├── UnknownRole             there is no such role
├── UnknownSession          no such session, or one of somebody else
├── UnknownExercise         there is no such exercise, or it is not for who asks
├── UnknownKey              there is no such key of a machine, or not any more
├── Stale                   someone else was quicker; carries the current version
├── Conflict                the request contradicts what is stored
└── StoreError              the database or its cluster
    ├── ClusterUnavailable  PostgreSQL cannot be found, reached or started
    └── SchemaDrift         a table no longer is what its layer says
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Self

_NO_FACTS: Mapping[str, str | int] = MappingProxyType({})


class Caused(Exception):
    """An error that pages put into words of their own: by the code of its cause and the facts that belong to it."""

    cause: str | None = None
    facts: Mapping[str, str | int] = _NO_FACTS

    def because(self, cause: str, **facts: str | int) -> Self:
        """The same error with its cause; every code that is given has its words (`layers.refusals`, or the page)."""
        self.cause, self.facts = cause, MappingProxyType(facts)
        return self


class LayersError(Caused):
    """The root: anything that `layers` refuses, with a text that may be shown to the person who asked."""


class UnknownLayer(LayersError):
    """No layer of this name is visible to the actor."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no layer {name!r}")
        self.name = name


class UnknownItem(LayersError):
    """The layer holds no record with this id."""

    def __init__(self, layer: str, id: str) -> None:
        super().__init__(f"layer {layer!r} has no record {id!r}")
        self.layer, self.id = layer, id


class UnknownRaster(LayersError):
    """No raster of this name is visible to the actor."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no raster {name!r}")
        self.name = name


class UnknownIndicator(LayersError):
    """No indicator of this name is visible to the actor."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no indicator {name!r}")
        self.name = name


class UnknownTopic(LayersError):
    """No topic of this name is visible to the actor, or nothing of it is there."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no topic {name!r}")
        self.name = name


class UnknownUpload(LayersError):
    """No upload has this id, or not any more."""

    def __init__(self, id: str) -> None:
        super().__init__("there is no such upload; those that nobody touches for a week are removed")
        self.id = id


class UnknownDelivery(LayersError):
    """No delivery of a layer that the actor may know of has this number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"there is no delivery {number}")
        self.number = number


class BadUpload(LayersError):
    """A file that is not taken: its name and the reason."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name, self.reason = name, reason


class BadField(LayersError):
    """A value does not fit its field; `problems` maps field names to reasons."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in problems.items()))
        self.problems = problems


class BadParameter(LayersError):
    """A part of a question cannot be understood: its name and the reason."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name, self.reason = name, reason


class BadDeclaration(LayersError):
    """A file in which people declare a topic or the like cannot be used: the file, the line (from 1), the reason."""

    def __init__(self, path: Path, line: int | None, reason: str) -> None:
        where = path.name if line is None else f"{path.name}, line {line}"
        super().__init__(f"{where}: {reason}")
        self.path, self.line, self.reason = path, line, reason


class BadFilter(LayersError):
    """A filter cannot be read or asks for what is not offered; `line` and `column` (from 1) where that is known."""

    def __init__(
        self, reason: str, *, about: str | None = None, line: int | None = None, column: int | None = None
    ) -> None:
        super().__init__(reason if line is None else f"{reason} (line {line}, column {column})")
        self.reason = reason
        self.about = about  # the word of the filter that is to blame
        self.line, self.column = line, column


class NotAllowed(LayersError):
    """The actor may not do this."""

    def __init__(self, reason: str, *, known: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.known = known  # is it known who asks? the door out answers 401 if not, else 403


class WrongLogin(LayersError):
    """No account has this login name and this password."""

    def __init__(self) -> None:
        super().__init__("login name or password is wrong")


class OneTimeOver(LayersError):
    """The one-time password is right and opens nothing any more."""

    def __init__(self) -> None:
        super().__init__("this one-time password is over: let an administrator give you another")


class NotSignedIn(LayersError):
    """Whoever comes back from the provider of OpenID Connect is not proved to be one of us."""


class SecondFactorDue(LayersError):
    """The password is right; a code of the second factor is needed, too."""

    def __init__(self) -> None:
        super().__init__("a code of the second factor is needed, too")


class TooManyAttempts(LayersError):
    """Too many attempts to sign in: come back after `wait_s`."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many attempts to sign in: come back in {wait_s} s")
        self.wait_s = wait_s


class UnknownAccount(LayersError):
    """No account has this login name."""

    def __init__(self, login: str) -> None:
        super().__init__(f"there is no account {login!r}")
        self.login = login


class UnknownRole(LayersError):
    """There is no such role."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no role {name!r}")
        self.name = name


class UnknownSession(LayersError):
    """There is no such session, or it is over."""

    def __init__(self, id: str) -> None:
        super().__init__("there is no such session, or it is over")
        self.id = id


class UnknownExercise(LayersError):
    """There is no such exercise, or it is not for who asks."""

    def __init__(self, id: str) -> None:
        super().__init__(f"there is no exercise {id!r}")
        self.id = id


class UnknownKey(LayersError):
    """There is no such key, or it was revoked."""

    def __init__(self, number: int) -> None:
        super().__init__(f"there is no key {number}")
        self.number = number


class Stale(LayersError):
    """The record changed since the client read it."""

    def __init__(self, current: str) -> None:
        super().__init__("the record was changed by someone else since it was read")
        self.current = current


class Conflict(LayersError):
    """The request contradicts what is stored already."""


class StoreError(LayersError):
    """The database or its private cluster cannot do what was asked."""


class ClusterUnavailable(StoreError):
    """PostgreSQL with PostGIS cannot be found, reached or started; the text says what to do."""


class SchemaDrift(StoreError):
    """A table in the database differs from its declaration in a way that is not applied by itself."""
