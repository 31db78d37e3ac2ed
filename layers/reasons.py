"""Why a row or a value was not taken, and what was noticed, in both languages: the loader says it in English."""

from __future__ import annotations

import re
from typing import Final

from layers.spec import Title

# Of rows and values; what a value is or may be follows from its field and stands beside it.
_REJECTS: Final = {
    "bad_id": "编号不符合规则",
    "bad_coordinate": "坐标不是有效的经纬度",
    "broken_geometry": "图形损坏，无法修复",
    "class_contradicts_id": "类别代码与标识码不一致",
    "code_not_in_force": "代码在该日期不在有效期内，已按原样入库",
    "duplicate_id": "与文件中前面的行编号重复",
    "grid_differs": "所填网格与实际所在网格不同，按位置入库",
    "impossible_date": "日期早于 1900 年或在将来",
    "missing_required": "缺少必填内容",
    "no_place": "没有坐标，也没有可以定位的内容",
    "not_a_date": "无法识别的日期",
    "not_a_number": "不是数字",
    "not_whole": "不是整数",
    "not_yes_or_no": "不是“是”或“否”",
    "null_island": "坐标为 (0, 0)",
    "out_of_range": "超出允许的范围",
    "outside": "位置在范围之外",
    "ragged_row": "这一行的单元格数与表头不一致",
    "too_long": "文字过长",
    "unknown_code": "代码表中没有这个代码或名称",
}
_SWAPPED: Final = "；经纬度疑似颠倒"
_GEOCODED: Final = "；已改用地址等定位"
_WITHOUT: Final = "；该行已入库，此值留空"

_FINDINGS: Final = {
    "ambiguous_dates": "有的日期（如 3/4/2026）可作两种读法，已按“月/日/年”读取",
    "beyond_use": "{n} 条记录超出此投影带的适用范围",
    "encoding": "文字编码为 {last}",
    "frame_told": "坐标系由数值判断得出，请在地图上核对",
    "geocoded": "{n} 条没有坐标的记录已按地址、网格等定位",
    "grid_differs": "{n} 条记录所填网格与实际所在网格不同，按位置入库",
    "ids_made": "文件没有此图层的编号，按整行内容识别记录",
    "ids_prefixed": "编号只在本文件内唯一，已加上来源作前缀",
    "index_rebuilt": "Shapefile 的索引（.shx）缺失或不符，已重建",
    "named_after_layer": "没有名称列，按地址或图层命名",
    "no_dbf": "缺少属性文件（.dbf），只有图形",
    "null_island": "{n} 条记录的坐标为 (0, 0)，视为没有坐标",
    "outside": "{n} 条记录在范围之外",
    "ragged_rows": "{n} 行的单元格数与表头不一致",
    "repaired": "{n} 个图形有毛病，已修复",
    "retired_codes": "{n} 个停用的行政区划代码已换成现行代码",
    "tables_not_read": "文件里还有别的表没有读取",
    "title_rows": "表头不在第一行，其上各行未读取",
    "unknown_for_all": "没有这一列，所有记录记为“未知”",
    "wrong_cpg": ".cpg 声明的编码不对，已按实际编码读取",
    "wrong_frame": "位置整体偏移，声明的坐标系可能不对",
}
# What a person at a command line may do about it.
_OPTION: Final = re.compile(r"; --\w.*$")


def reject_reason(code: str, reason: str) -> Title:
    """Why a row or a value was not taken; `reason` is what the loader said."""
    known = "结束时间早于开始时间，已按原样入库" if "_before_" in code else _REJECTS.get(code)
    if known is None:
        return Title(reason, reason)
    plain = _OPTION.sub("", reason)
    tail = _SWAPPED if "look swapped" in reason else ""
    if reason.endswith("the record is loaded without this value"):
        tail += _WITHOUT
    if reason.endswith("the record was geocoded instead"):
        tail += _GEOCODED
    return Title(known + tail, plain)


def finding_text(code: str, text: str, count: int | None) -> Title:
    """What was noticed about a file as a whole; `text` is what the loader said."""
    known = _FINDINGS.get(code)
    if known is None:
        return Title(text, text)
    number = f"{count:,}" if count is not None else next(iter(re.findall(r"\d[\d,]*", text)), "")
    return Title(known.format(n=number, last=text.split()[-1]), text)
