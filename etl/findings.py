"""What a load noticed: findings about the delivery as a whole, and rejects row by row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Severity = Literal["note", "warning", "refusal"]
Rows = NDArray[np.int64]

REJECT_COLUMNS = ("row", "field", "code", "reason", "raw", "whole")
RAW_LENGTH = 500
# A row that has not the cells of the header, and the finding that counts them.
RAGGED, RAGGED_ROWS = "ragged_row", "ragged_rows"


@dataclass(frozen=True)
class Finding:
    """One thing noticed; a `refusal` stops the load and its `hint` says which option corrects or confirms."""

    code: str
    text: str
    severity: Severity = "note"
    count: int | None = None
    hint: str | None = None


def no_rejects() -> pd.DataFrame:
    """A frame of rejects without rows: source row, field, code, reason, raw value, and whether the whole row is out."""
    kinds = ("int64", "object", "object", "object", "object", "bool")
    return pd.DataFrame({c: pd.Series(dtype=kind) for c, kind in zip(REJECT_COLUMNS, kinds, strict=True)})


def rejects(
    rows: Rows | Sequence[int],
    *,
    code: str,
    reason: str | NDArray[np.object_],
    field: str | None = None,
    raw: Iterable[Any] | None = None,
    whole: bool = True,
) -> pd.DataFrame:
    """The rejects of some source rows for one cause; without `whole` only the value of `field` is left out."""
    numbers = np.asarray(rows, dtype=np.int64)
    values = [None] * numbers.size if raw is None else [_shown(value) for value in raw]
    frame = pd.DataFrame({"row": numbers})
    frame["field"] = pd.Series([field] * numbers.size, dtype="object")
    frame["code"] = pd.Series([code] * numbers.size, dtype="object")
    frame["reason"] = pd.Series([reason] * numbers.size if isinstance(reason, str) else reason, dtype="object")
    frame["raw"] = pd.Series(values, dtype="object")
    frame["whole"] = np.full(numbers.size, whole)
    return frame


def join_rejects(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """All rejects in the order of their rows."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return no_rejects()
    return pd.concat(filled, ignore_index=True).sort_values("row", kind="stable", ignore_index=True)


def _shown(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NA or value is pd.NaT:
        return None
    # A reject is kept in a text column, which takes no NUL.
    return str(value).replace("\x00", "")[:RAW_LENGTH]
