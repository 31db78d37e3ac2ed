"""The columns of files in which systems exchange cases: one line a step, the report of a case first."""

from __future__ import annotations

from typing import Final

from layers.spec import Title

COLUMNS: Final[dict[str, Title]] = {
    "number": Title("对方编号", "Number there"),
    "case_id": Title("案卷编号", "Case"),
    "entry": Title("对方步骤编号", "Step there"),
    "step": Title("步骤", "Step"),
    "channel": Title("来源", "Channel"),
    "matter": Title("事项类别", "Matter"),
    "component": Title("部件标识码", "Component"),
    "level": Title("紧急程度", "Urgency"),
    "lon": Title("经度", "Longitude"),
    "lat": Title("纬度", "Latitude"),
    "grid_id": Title("网格", "Grid"),
    "address": Title("地址", "Address"),
    "title": Title("标题", "Title"),
    "text": Title("问题描述", "Description"),
    "line": Title("热线", "Hotline"),
    "appeal": Title("诉求类型", "Kind of appeal"),
    "reason": Title("原因", "Reason"),
    "finding": Title("核实结论", "Finding"),
    "until": Title("期限", "Until"),
    "lead": Title("主办单位", "Lead department"),
    "co": Title("协办单位", "Helping departments"),
    "assignee": Title("承办人", "Assignee"),
    "into": Title("并入的案卷", "Merged into"),
    "note": Title("说明", "Note"),
    "name": Title("姓名", "Name"),
    "phone": Title("电话", "Phone"),
    "home": Title("住址", "Home"),
}
"""What a line may have; the last three are sealed when they come in, and never written out."""

PERSONAL: Final = ("name", "phone", "home")
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Texts that begin so are led by an apostrophe in files that spreadsheets open."""
