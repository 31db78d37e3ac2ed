"""A workbook for the office that sent a file: the rows that were not taken, the reason, the faulty cells marked."""

import re
from collections.abc import Mapping as AnyMapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pandas as pd
import xlsxwriter

from etl.clean.values import plain_text
from etl.mapping import COORDINATES, Mapping
from etl.readers.table import Cells, Table
from layers.reasons import reject_reason

MOST_ROWS: Final = 20_000
ROW, REASON = "原文件行号", "退回原因"
ENDING: Final = "退回"
_MOST_CHARACTERS: Final = 32_000
_WIDTH, _WIDE = 16, 60


def cells_of(field: str | None, mapping: Mapping) -> tuple[str, ...]:
    """The headers of the cells that a reject of a field is about; none where the file has no such cell."""
    if field in ("geometry", "grid_id"):
        roles = COORDINATES if field == "geometry" else ("grid",)
        found = [mapping.roles[role] for role in roles if role in mapping.roles]
        if field == "geometry" and not found:
            found = [h for role, h in mapping.roles.items() if role not in ("id", *COORDINATES)]
        return tuple(found)
    header = mapping.roles.get("id") if field == "id" else mapping.fields.get(field or "")
    return () if header is None else (header,)


def texts_of(table: Table, headers: tuple[str, ...]) -> AnyMapping[str, "pd.Series[Any]"]:
    """Columns as a person would type them, by header."""
    return {header: plain_text(table.columns[header]).reset_index(drop=True) for header in headers}


def without_notes(table: Table) -> Table:
    """The table without what `write_back` added, when such a workbook comes back."""
    noted = [header for header in (ROW, REASON) if header in table.columns]
    if len(noted) != 2:
        return table
    width = len(table.headers)
    kept = [at for at, header in enumerate(table.headers) if header not in noted]
    ragged = {row: (*(c[at] for at in kept if at < len(c)), *c[width:]) for row, c in table.ragged.items()}
    return replace(table, columns=table.columns.drop(columns=noted), ragged=ragged)


def came_back(table: Table) -> bool:
    """Is this a workbook that `write_back` made?"""
    return ROW in table.columns and REASON in table.columns


def plain_stem(path: Path) -> str:
    """The name of a file without what is added to it when it is sent back."""
    return re.sub(rf"[-_ ]*{ENDING}(?:\s*\(\d+\))?$", "", path.stem) or path.stem


def write_back(path: Path, table: Table, rejects: pd.DataFrame, mapping: Mapping) -> int:
    """Write the rows that have a reject, as they are in the file, with row number and reasons; returns how many.

    The headers are those of the file, so that the corrected workbook can be delivered as it is.
    """
    at = {int(row): position for position, row in enumerate(table.rows)}
    refused = sorted({int(row) for row in rejects["row"].tolist()} & (at.keys() | table.ragged.keys()))[:MOST_ROWS]
    grouped = rejects.groupby("row")
    texts = texts_of(table, table.headers)
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, options) as book:
        page = book.add_worksheet(ENDING)
        head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#DEECF1"})
        wrong = book.add_format({"bg_color": "#F9D6CC", "font_color": "#7A1F00"})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        headers = (*table.headers, REASON, ROW)
        page.freeze_panes(1, 0)
        for index, header in enumerate(headers):
            page.set_column(index, index, _WIDE if header == REASON else _WIDTH)
            page.write_string(0, index, header, head)
        for line, row in enumerate(refused, start=1):
            said = _reasons(grouped.get_group(row))
            faulty = {header for field, _ in said for header in cells_of(field, mapping)}
            ragged = table.ragged.get(row)
            for index, header in enumerate(table.headers):
                value = texts[header].iloc[at[row]] if ragged is None else _cell(ragged, index)
                text = "" if pd.isna(value) else str(value)[:_MOST_CHARACTERS]
                page.write_string(line, index, text, wrong if header in faulty or ragged is not None else None)
            page.write_string(line, len(table.headers), _told(said, mapping, _surplus(table, row)), wrapped)
            page.write_number(line, len(table.headers) + 1, row)
    return len(refused)


def _reasons(rejects: pd.DataFrame) -> dict[tuple[str | None, str], str]:
    listed: list[list[Any]] = rejects[["field", "code", "reason"]].to_numpy(dtype=object).tolist()
    return {(field, code): reject_reason(code, reason).zh for field, code, reason in listed}


def _cell(cells: Cells, index: int) -> str | None:
    return cells[index] if index < len(cells) else None


def _surplus(table: Table, row: int) -> str:
    """What a row has beyond the last header."""
    beyond = table.ragged.get(row, ())[len(table.headers) :]
    return f"多出的内容：{'、'.join(cell or '（空）' for cell in beyond)}" if beyond else ""


def _told(said: AnyMapping[tuple[str | None, str], str], mapping: Mapping, more: str) -> str:
    told = []
    for (field, _), reason in said.items():
        headers = cells_of(field, mapping)
        told.append(f"{'、'.join(headers)}：{reason}" if headers else reason)
    return "\n".join([*told, more] if more else told)[:_MOST_CHARACTERS]
