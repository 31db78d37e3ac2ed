"""The class of a component: of the national book or the legacy one, by its column, its name or its id."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from etl.clean.values import Problem, plain_text
from layers.codes.books import LEGACY, NATIONAL, Book, book, new_codes_for
from layers.spec import Layer

_ID_LENGTH = {NATIONAL: 17, LEGACY: 16}
_CODE_LENGTH = {NATIONAL: 5, LEGACY: 4}
_COUNTY = 6
NOT_IN_FORCE = "code_not_in_force"


@dataclass(frozen=True)
class Classes:
    """Standard, class code and class name of every row, null where there is no class; problems make a row unusable."""

    standard: "pd.Series[Any]"
    code: "pd.Series[Any]"
    name: "pd.Series[Any]"
    problems: tuple[Problem, ...]


def has_classes(layer: Layer) -> bool:
    """Tell whether records of the layer carry a class of the component books together with its standard."""
    found = layer.field("class_code")
    return found is not None and found.book == "component" and layer.field("standard") is not None


def settle_classes(
    ids: "pd.Series[Any]", given: "pd.Series[Any] | None", *, standard: "pd.Series[Any] | None"
) -> Classes:
    """The class of every row: as given, else as its id says; an id that says another class is a problem.

    A code counts in the standard that the row names, else in that of its id, else in the national book before the
    legacy one.
    """
    text = plain_text(given) if given is not None else pd.Series(None, index=ids.index, dtype="str")
    named = plain_text(standard) if standard is not None else pd.Series(None, index=ids.index, dtype="str")
    lengths = ids.str.len()
    code = pd.Series(None, index=ids.index, dtype="str")
    where = pd.Series(None, index=ids.index, dtype="str")
    contradicted = np.zeros(len(ids), dtype=bool)
    for one in (NATIONAL, LEGACY):
        by_id = (lengths == _ID_LENGTH[one]).fillna(False).astype(bool)
        from_id = ids.str.slice(_COUNTY, _COUNTY + _CODE_LENGTH[one]).where(by_id)
        found = _codes(text, book("component", standard=one))
        allowed = (named == one).where(named.notna(), by_id | ~_is_national_id(lengths)).fillna(False).astype(bool)
        settled = found.where(allowed).fillna(from_id.where(text.isna()))
        contradicted |= np.asarray((settled.notna() & from_id.notna() & (settled != from_id)).fillna(False), dtype=bool)
        fresh = code.isna() & settled.notna()
        code, where = code.mask(fresh, settled), where.mask(fresh, one)
    problems = []
    unknown = np.asarray(text.notna() & code.isna())
    if unknown.any():
        problems.append(Problem(unknown, "unknown_code", "no class of the national or the legacy book of components"))
    if contradicted.any():
        problems.append(Problem(contradicted, "class_contradicts_id", "the id says another class"))
    return Classes(where, code, _names(where, code), tuple(problems))


def lapsed_codes(codes: "pd.Series[Any]", days: "pd.Series[Any]", *, edition: Book, today: date) -> tuple[Problem, ...]:
    """One problem for each code that was no longer in force on the day of its record, or is not yet today.

    A record may bear a younger code than itself: cities code what they have anew.
    """
    problems = []
    for code in codes.dropna().unique().tolist():
        entry = edition.entry(code)
        if entry.valid_to is None and (entry.valid_from is None or entry.valid_from <= today):
            continue
        rows = np.asarray((codes == code).fillna(False), dtype=bool)
        if entry.valid_to is not None:
            late = rows & np.asarray(days.dt.normalize() > pd.Timestamp(entry.valid_to))
            reason = f"code {code} was in force until {entry.valid_to}{_heirs(code, edition)}"
            problems.append(Problem(late, NOT_IN_FORCE, reason))
        if entry.valid_from is not None and today < entry.valid_from:
            problems.append(Problem(rows, NOT_IN_FORCE, f"code {code} comes into force on {entry.valid_from}"))
    return tuple(problem for problem in problems if problem.rows.any())


def _heirs(code: str, old: Book) -> str:
    if old.standard != LEGACY or old.name != "component_legacy":
        return ""
    national = book("component", standard=NATIONAL)
    heirs = " or ".join(f"{new} {national.word(new)}" for new in new_codes_for(code, "component"))
    return f"; in {NATIONAL} it is {heirs}" if heirs else f"; {NATIONAL} has no successor"


def _is_national_id(lengths: "pd.Series[Any]") -> "pd.Series[Any]":
    return lengths.isin(list(_ID_LENGTH.values()))


def _codes(text: "pd.Series[Any]", of: Book) -> "pd.Series[Any]":
    return _looked_up(text, of.code_for)


def _names(standard: "pd.Series[Any]", code: "pd.Series[Any]") -> "pd.Series[Any]":
    names = pd.Series(None, index=code.index, dtype="str")
    for one in (NATIONAL, LEGACY):
        of = book("component", standard=one)
        here = (standard == one).fillna(False).astype(bool)
        if here.any():
            names = names.mask(here, _looked_up(code.where(here), of.word))
    return names


def _looked_up(text: "pd.Series[Any]", look: Any) -> "pd.Series[Any]":
    places, distinct = pd.factorize(text, use_na_sentinel=True)
    answers: NDArray[np.object_] = np.array([*(look(str(word)) for word in distinct), None], dtype=object)
    return pd.Series(answers[places], index=text.index, dtype="str")
