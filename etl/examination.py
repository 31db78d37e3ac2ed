"""An upload looked at before it is loaded: what it is, what each column means, what would change, what is refused."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from etl.brought import Brought, delivery_of
from etl.clean.values import plain_text
from etl.errors import BadOption, ChoiceNeeded, EtlError
from etl.load import Listener, Loaded, load_delivery
from etl.mapping import Mapping
from etl.readers import Table
from etl.readers.table import Cells
from etl.send_back import MOST_ROWS, cells_of, texts_of, write_back
from gis.errors import GisError
from layers.ask.deliveries import places
from layers.errors import LayersError
from layers.reasons import finding_text, reject_reason
from layers.refusals import cause_told, refusal_told
from layers.spec import Layer
from layers.store.uploads import Upload
from layers.store.writer import RETIRE_SHARE

REFUSALS: Final = (EtlError, LayersError, GisError)
SENT_BACK: Final = "refused.xlsx"
_SAMPLES: Final = 3
_SAMPLED: Final = 500
_MOST_KINDS: Final = 100
_MOST_OUTSIDE: Final = 500
_MOST_CELLS: Final = 200_000  # of ragged rows, all of whose cells are shown
_OPTION: Final = re.compile(r"--(frame|swap|extent|partial|allow-retire|set|table|sheet)(?:[ =]([\w:.-]+))?")


class Noted:
    """A listener that passes on what it hears and remembers the table, the mapping and the layer."""

    def __init__(self, to: Listener) -> None:
        self._to = to
        self.settled: tuple[Table, Mapping, Layer] | None = None

    def stage(self, text: str) -> None:
        """A new stage begins."""
        self._to.stage(text)

    def amount(self, done: int, total: int | None) -> None:
        """So many rows are done."""
        self._to.amount(done, total)

    def mapped(self, table: Table, mapping: Mapping, layer: Layer) -> None:
        """The meaning of every column is settled."""
        self.settled = (table, mapping, layer)
        self._to.mapped(table, mapping, layer)


def examine(
    engine: sa.Engine, upload: Upload, listener: Listener, *, today: date, settle: Callable[[], None] = lambda: None
) -> None:
    """Try an upload without changing anything, and keep what was found beside it; before it is kept, `settle` is asked.

    What cannot be loaded is no error here: the report says why, and what would help.
    """
    noted, brought, book = Noted(listener), None, None
    report: dict[str, Any] = {"at": time.time(), "choices": upload.choices.model_dump(mode="json")}
    report["tables"] = (upload.report or {}).get("tables")
    drawn: dict[str, Any] = {"type": "FeatureCollection", "features": [], "truncated": False}
    listed: list[dict[str, Any]] = []

    def look(connection: sa.Connection, loaded: Loaded) -> None:
        if loaded.outcome is not None:
            partial = brought is not None and brought.delivery.order.partial
            source = None if partial else loaded.source
            drawn.update(places(connection, loaded.layer, loaded.outcome.delivery, unchanged=source))

    try:
        with engine.connect() as connection:
            brought = delivery_of(connection, upload, noted, dry_run=True, allow_retire=True)
        report |= _of_file(brought)
        loaded = load_delivery(engine, brought.delivery, noted, today=today, look=look)
        report |= _of_load(loaded)
        listed = _rejects(loaded, brought.delivery.table)
        drawn["features"] += _outside(loaded.rejects)
        book = _sent_back(upload, loaded, brought.delivery.table)
    except REFUSALS as error:
        report["refusal"] = _refusal(error)
        if isinstance(error, ChoiceNeeded):
            report["tables"] = list(error.choices)
    if noted.settled is not None:
        report |= _of_columns(*noted.settled)
    _keep_workbook(upload, book, settle)
    upload.say("preview", drawn)
    upload.say("rejects", {"rejects": listed})
    upload.say("report", report)


def _of_file(brought: Brought) -> dict[str, Any]:
    delivery = brought.delivery
    return {
        "file": delivery.order.path.name,
        "table": delivery.table.name,
        "rows": len(delivery.table) + len(delivery.table.rejects),
        "source": delivery.source,
        "layer": delivery.order.layer,
        "new_layer": delivery.order.new_layer,
        "guessed": brought.guessed,
        "returned": brought.returned,
        "partial": delivery.order.partial,
        "candidates": [{"layer": one.layer.name, "score": round(one.score, 1)} for one in brought.candidates],
        "headers": list(delivery.table.headers),
        "shapes": delivery.table.geometry is not None,
    }


def _of_columns(table: Table, mapping: Mapping, layer: Layer) -> dict[str, Any]:
    """The layer with its fields, and each column with samples and meaning."""
    named = {header: name for name, header in mapping.fields.items()}
    roles = {header: role for role, header in mapping.roles.items()}
    columns = [
        {
            "header": header,
            "samples": _samples(table, header),
            "field": named.get(header),
            "role": roles.get(header),
            "alike": named.get(header) in mapping.approximate,
        }
        for header in table.headers
    ]
    fields = [
        {"name": f.name, "title": f.title._asdict(), "kind": f.kind, "required": f.required, "book": f.book}
        for f in layer.fields
        if f.name in layer.written
    ]
    about = {"name": layer.name, "title": layer.title._asdict(), "geometry": layer.geometry, "fields": fields}
    meant = {"fields": dict(mapping.fields), "roles": dict(mapping.roles)}
    values = {name: dict(words) for name, words in mapping.values.items()}
    return {"columns": columns, "into": about, "meanings": {**meant, "values": values}}


def _samples(table: Table, header: str) -> list[str]:
    texts = plain_text(table.columns[header].head(_SAMPLED)).dropna().unique()
    return [str(text)[:60] for text in texts[:_SAMPLES].tolist()]


def _of_load(loaded: Loaded) -> dict[str, Any]:
    """What would change, what was noticed, and what is refused, by kind."""
    whole = loaded.rejects[loaded.rejects["whole"]]["row"].nunique()
    found = [
        {**asdict(one), "text": finding_text(one.code, one.text, one.count)._asdict(), "help": _help(one.hint)}
        for one in loaded.findings
    ]
    report: dict[str, Any] = {
        "read": loaded.read,
        "coordinates": loaded.coordinates,
        "findings": found,
        "refused": int(whole),
        "kinds": _kinds(loaded),
        "outcome": None,
    }
    if loaded.refusal is not None:
        told = cause_told("nothing_left", {"rows": loaded.read}, detail=loaded.refusal)
        report["refusal"] = {"kind": "Refused", **_shaped(told), "help": _help(loaded.refusal)}
    if loaded.outcome is not None:
        outcome = {name: getattr(loaded.outcome, name) for name in ("inserted", "updated", "unchanged", "retired")}
        held = outcome["updated"] + outcome["unchanged"] + outcome["retired"]
        report |= {"outcome": outcome, "held": held, "many_retired": outcome["retired"] > RETIRE_SHARE * held}
    return report


def _kinds(loaded: Loaded) -> list[dict[str, Any]]:
    grouped = loaded.rejects.groupby(["whole", "code", "field"], dropna=False, sort=False)
    ordered = sorted(grouped, key=lambda kind: (not kind[0][0], -len(kind[1])))
    told = []
    for (whole, code, field), rows in ordered[:_MOST_KINDS]:
        name = field if isinstance(field, str) else None
        appears = loaded.layer.field(name or "")
        told.append(
            {
                "code": str(code),
                "field": name,
                "title": appears.title._asdict() if appears else None,
                "columns": list(cells_of(name, loaded.mapping)),
                "whole": bool(whole),
                "count": len(rows),
                "reason": reject_reason(str(code), str(rows["reason"].iloc[0]))._asdict(),
                "words": [str(raw) for raw in rows["raw"].dropna().unique()[:20].tolist()],
            }
        )
    return told


def _rejects(loaded: Loaded, table: Table) -> list[dict[str, Any]]:
    """Every reject with the cells that it is about, as they stand now, up to the rows that go back in a workbook."""
    listed = loaded.rejects.head(MOST_ROWS)
    at = {int(row): position for position, row in enumerate(table.rows)}
    label = loaded.mapping.fields.get(loaded.layer.label)
    headers = {h for name in listed["field"].dropna().unique().tolist() for h in cells_of(name, loaded.mapping)}
    texts = texts_of(table, tuple({*headers, *([label] if label else [])}))
    told, room = [], _MOST_CELLS
    for row, name, code, reason, raw, whole in listed.itertuples(index=False):
        position = at.get(int(row))
        field = name if isinstance(name, str) else None
        cells = cells_of(field, loaded.mapping) if position is not None else ()
        about = {
            "row": int(row),
            "field": field,
            "code": code,
            "reason": reject_reason(code, reason)._asdict(),
            "raw": raw if isinstance(raw, str) else None,
            "whole": bool(whole),
            "label": _cell(texts[label], position) if label and position is not None else None,
            "cells": [{"column": h, "value": _cell(texts[h], position)} for h in cells],
        }
        ragged = table.ragged.get(int(row)) if room > 0 else None
        if ragged is not None:
            about |= _ragged(table.headers, ragged)
            room -= len(table.headers)
        told.append(about)
    return told


def _ragged(headers: tuple[str, ...], cells: Cells) -> dict[str, Any]:
    """All cells of a row that has not those of the header, from the left, and what it has beyond them."""
    shown = zip_longest(headers, cells[: len(headers)])
    return {"cells": [{"column": h, "value": value} for h, value in shown], "surplus": list(cells[len(headers) :])}


def _cell(column: pd.Series[Any], position: int | None) -> str | None:
    value = column.iloc[position] if position is not None else None
    return None if value is None or pd.isna(value) else str(value)


def _outside(rejects: pd.DataFrame) -> list[dict[str, Any]]:
    """Refused points that do have a place, so that the map shows where they would be."""
    found = []
    outside = rejects[(rejects["code"] == "outside") & rejects["raw"].notna()].head(_MOST_OUTSIDE)
    for row, raw in outside[["row", "raw"]].to_numpy(dtype=object).tolist():
        numbers = [float(part) for part in str(raw).split(",")]
        middle = [(numbers[0] + numbers[-2]) / 2, (numbers[1] + numbers[-1]) / 2]
        if abs(middle[0]) <= 180 and abs(middle[1]) <= 90:
            about = {"id": str(row), "label": None, "kind": "refused"}
            found.append({"type": "Feature", "properties": about, "geometry": {"type": "Point", "coordinates": middle}})
    return found


def _sent_back(upload: Upload, loaded: Loaded, table: Table) -> Path | None:
    """The workbook of the refused rows, not yet in its place; None where nothing was refused."""
    path = upload.scratch()
    if len(loaded.rejects) and write_back(path, table, loaded.rejects, loaded.mapping):
        return path
    path.unlink(missing_ok=True)
    return None


def _keep_workbook(upload: Upload, book: Path | None, settle: Callable[[], None]) -> None:
    """Put the workbook in the place of the earlier one, if the examination may be kept at all."""
    kept = upload.folder / SENT_BACK
    try:
        settle()
        if book is None:
            kept.unlink(missing_ok=True)
        else:
            os.replace(book, kept)
    finally:
        if book is not None:
            book.unlink(missing_ok=True)


def _refusal(error: Exception) -> dict[str, Any]:
    told = {"kind": type(error).__name__, **_shaped(refusal_told(error)), "help": _help(str(error))}
    if isinstance(error, BadOption):
        told["option"] = {"name": error.option, "value": error.value}
    return told


def _shaped(told: dict[str, Any]) -> dict[str, Any]:
    return {
        "cause": told["cause"],
        "text": {"zh": told["zh"], "en": told["en"]},
        "next": told["next"],
        "detail": told["detail"],
    }


def _help(text: str | None) -> list[dict[str, str | None]]:
    """The options that a text of the loader names, so that the page can offer them as buttons."""
    found: list[dict[str, str | None]] = []
    for option, value in _OPTION.findall(text or ""):
        one: dict[str, str | None] = {
            "option": option,
            "value": value if option in ("frame", "set") and value else None,
        }
        if option == "swap" and "leave out --swap" in (text or ""):
            one["value"] = "no"
        if one not in found:
            found.append(one)
    return found
