"""Ids of records: checked where the file has them, made from the row's content where it has none."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from etl.clean.values import plain_text
from etl.errors import BadOption
from etl.findings import Finding, rejects
from etl.readers.table import Table
from layers.codes import admin, ids
from layers.codes.errors import UnknownUnit
from layers.spec import ID_PATTERN, Layer

_SEPARATOR, _NOTHING = "\x1f", "\x1e"
_SOURCE = re.compile(r"[^\s/?#%:\x00-\x1f]{1,40}")
_DIGEST_BYTES = 6
_CHECKS = {
    "component": ids.valid_component_ids,
    "grid": ids.valid_grid_ids,
    "camera": ids.valid_camera_ids,
}


def source_name(text: str, option: str = "--source") -> str:
    """The name of a source, checked: it becomes part of ids, so it is short and has no space or punctuation of URLs."""
    if not _SOURCE.fullmatch(text):
        told = BadOption(option, text, "a source has 1 to 40 characters, no space and none of / ? # % :")
        raise told.because("bad_source", source=text)
    return text


def source_of_file(stem: str) -> str:
    """A source named after a file: what cannot be in a source becomes a dash."""
    plain = re.sub(r"[\s/?#%:\x00-\x1f]+", "-", unicodedata.normalize("NFKC", stem)).strip("-")
    return plain[:40] or "file"


def row_digests(columns: pd.DataFrame, geometry: NDArray[np.object_] | None = None) -> NDArray[np.object_]:
    """Twelve hexadecimal digits for each row: a digest of its cells, by their headers, and its shape.

    The order of columns and rows does not matter, nor do columns without any value.
    """
    filled = sorted(name for name in columns.columns if columns[name].notna().any())
    parts: list[Any] = [_named(name, columns[name]) for name in filled]
    if geometry is not None:
        parts.append(pa.array(shapely.to_wkb(geometry, hex=True, flavor="iso").tolist(), type=pa.large_string()))
    if not parts:
        joined: Sequence[str] = [""] * len(columns)
    else:
        joined = pc.binary_join_element_wise(
            *parts, pa.scalar(_SEPARATOR, pa.large_string()), null_handling="replace", null_replacement=_NOTHING
        ).to_pylist()
    digest = hashlib.blake2b
    made = [digest(text.encode(), digest_size=_DIGEST_BYTES).hexdigest() for text in joined]
    return np.array(made, dtype=object)


def made_ids(digests: NDArray[np.object_], source: str) -> NDArray[np.object_]:
    """`source:digest-k` for each row, k counting from 1 the rows that are alike."""
    counted = pd.Series(digests).groupby(digests, sort=False).cumcount().to_numpy() + 1
    return np.array(
        [f"{source}:{d}-{k}" for d, k in zip(digests.tolist(), counted.tolist(), strict=True)], dtype=object
    )


def ids_of(
    table: Table, header: str | None, *, layer: Layer, source: str, own: bool
) -> tuple["pd.Series[Any]", list[pd.DataFrame], list[Finding]]:
    """The id of every row (null where it is refused), the rejects and what there is to say.

    `own` ids are unique in their file only: they get the source as a prefix. Of equal ids the first row keeps it.
    """
    if header is None:
        made = made_ids(row_digests(table.columns, table.geometry), source)
        note = Finding("ids_made", "the file has no ids of this layer: records are known by the content of their row")
        return pd.Series(made, dtype="str"), [], [note]
    raw = table.columns[header].reset_index(drop=True)
    found, reasons, findings = _checked(raw, layer)
    if own and layer.load.identifier == "text":
        found = (source + ":" + found).where(found.notna())
        text = f"ids of column {header} count in this file only: {source}: is put before them"
        findings.append(Finding("ids_prefixed", text))
    refused: list[pd.DataFrame] = []
    bad = reasons.notna().to_numpy()
    if bad.any():
        told = reasons[bad].to_numpy(dtype=object)
        refused.append(rejects(table.rows[bad], code="bad_id", reason=told, field="id", raw=raw[bad]))
    usable = found.mask(bad)
    twice = np.asarray(usable.duplicated() & usable.notna())
    if twice.any():
        reason = "an earlier row of the file has the same id"
        refused.append(rejects(table.rows[twice], code="duplicate_id", reason=reason, field="id", raw=raw[twice]))
    return usable.mask(twice), refused, findings


def _checked(raw: "pd.Series[Any]", layer: Layer) -> tuple["pd.Series[Any]", "pd.Series[Any]", list[Finding]]:
    """Ids as they are written, the reason against each bad one, and what there is to say."""
    kind = layer.load.identifier
    if kind == "text":
        text = plain_text(raw)
        fits = text.str.fullmatch(ID_PATTERN).fillna(False).astype(bool)
        reason = "an id has 1 to 64 characters, no space and none of / ? # %, and is not . or .."
        reasons = pd.Series(np.where(text.isna(), "it is empty", reason), dtype=object).mask(fits)
        return text, reasons, []
    text = ids.clean_ids(plain_text(raw))
    if kind == "admin":
        return _admin_codes(text, layer.name)
    return text, _CHECKS[kind](text), []


def _admin_codes(text: "pd.Series[str]", level: str) -> tuple["pd.Series[Any]", "pd.Series[Any]", list[Finding]]:
    """Administrative codes, the retired ones led to their successors."""
    current: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for code in text.unique().tolist():
        try:
            current[code] = admin.current(code)
            found = admin.unit(code).level
            if level in ("county", "town") and found != level:
                reasons[code] = f"it is the code of a {found}, not of a {level}"
        except UnknownUnit as error:
            reasons[code] = str(error) if code else "it is empty"
    retired = sorted(code for code, heir in current.items() if code != heir)
    findings = []
    if retired:
        told = ", ".join(f"{code} → {current[code]}" for code in retired)
        findings.append(Finding("retired_codes", f"retired codes were replaced: {told}", count=len(retired)))
    return text.map(lambda code: current.get(code, code)), text.map(reasons.get).astype(object), findings


def _named(name: str, column: "pd.Series[Any]") -> Any:
    text = plain_text(column)
    array = pa.array(text, type=pa.large_string(), from_pandas=True)
    return pc.binary_join_element_wise(pa.scalar(name, pa.large_string()), array, pa.scalar("=", pa.large_string()))
