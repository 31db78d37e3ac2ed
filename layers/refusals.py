"""Why a whole file, or a whole delivery, was not taken, and what to do next: in the words of the person who brought it.

The loader speaks to somebody at a command line. People at a page get a sentence of the cause that an error carries, the
next step, and the loader's own words as a detail.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from layers.errors import Caused
from layers.refused_steps import REFUSED
from layers.said import Said
from layers.said import said as _said
from layers.spec import Title

_AGAIN: Final = ("请向提供者重新索取，或从原系统重新导出后再上传", "Get it anew from its sender, or export it again")
_SPLIT: Final = ("请拆成几个文件分别上传", "Split it and bring the parts one by one")
_EXAMINE: Final = ("请重新检查", "Examine it again")
_FRAME: Final = (
    "请按实际情况选择坐标系；选定后按所选坐标系读取，不再询问",
    "Choose the frame that is right; what is chosen is not questioned again",
)

CAUSES: Final[Mapping[str, Said]] = {
    # The file itself.
    "archive_broken": _said(
        "压缩包已损坏，或没有传完整",
        "The archive is broken or did not come in whole",
        "请重新压缩为 zip 后再上传",
        "Pack it as .zip again and bring it anew",
    ),
    "archive_password": _said(
        "压缩包有密码",
        "The archive has a password",
        "请解压后重新压缩，不设密码",
        "Unpack it and pack it again without one",
    ),
    "archive_unknown": _said(
        "压缩包里没有可读的表格或图形文件",
        "The archive holds no table and no file of shapes that is read",
        "请把 Excel、CSV、Shapefile 等文件放进压缩包，或直接上传",
        "Put the table or the Shapefile into it, or bring it as it is",
    ),
    "archive_unsafe": _said("压缩包里的文件路径不安全", "The archive has paths that would leave its folder", *_AGAIN),
    "dbf_broken": _said(
        "Shapefile 的属性文件（.dbf）不完整", "The attributes (.dbf) of the Shapefile are cut off", *_AGAIN
    ),
    "empty": _said("文件是空的", "The file is empty", *_AGAIN),
    "file_gone": _said("上传的文件不见了", "The file is not here any more", "请重新上传", "Bring it again"),
    "geojson_broken": _said("GeoJSON 文件不完整，或格式有误", "The GeoJSON is cut off or malformed", *_AGAIN),
    "gpkg_broken": _said("GeoPackage 文件已损坏，或没有传完整", "The GeoPackage is broken or cut off", *_AGAIN),
    "kml_broken": _said("这不是完整的 KML 文件", "This is no whole KML file", *_AGAIN),
    "mismatch": _said(
        "文件内容与扩展名 {ending} 不符",
        "What is in the file is not what its ending {ending} says",
        "请用原来的软件另存为正确的格式",
        "Save it in the right format with the program that made it",
    ),
    "no_rows": _said(
        "文件里没有数据行",
        "The file has no rows of data",
        "请确认导出时选对了工作表或图层，再重新上传",
        "See that the right sheet or layer was exported, and bring it again",
    ),
    "osm_lacks": _said(
        "这份 OSM 数据里没有该图层需要的图形",
        "This OSM extract has none of the shapes that the layer takes",
        "请在“工作表”处另选：{others}",
        "Choose another table: {others}",
    ),
    "parquet_broken": _said("Parquet 文件已损坏，或没有传完整", "The Parquet file is broken or cut off", *_AGAIN),
    "shapes_broken": _said("图形文件已损坏，或没有传完整", "The file of shapes is broken or cut off", *_AGAIN),
    "sheet_broken": _said(
        "Excel 文件已损坏，不能打开",
        "The workbook is broken and cannot be opened",
        "请用 Excel 打开（可选“打开并修复”），另存为 .xlsx 后再上传",
        "Open and repair it in Excel, and save it as .xlsx",
    ),
    "sheet_old_broken": _said(
        "旧版 Excel 文件（.xls）不能打开，可能已损坏或有密码",
        "The old workbook (.xls) cannot be opened; it may be broken or have a password",
        "请用 Excel 打开，另存为不带密码的 .xlsx",
        "Open it in Excel and save it as .xlsx without a password",
    ),
    "sheet_password": _said(
        "Excel 文件有密码",
        "The workbook has a password",
        "请在 Excel 的“文件 › 信息 › 保护工作簿”里去掉密码，保存后再上传",
        "Remove it in Excel (File › Info › Protect Workbook), save, and bring it again",
    ),
    "shp_broken": _said("Shapefile 不完整，或不是 Shapefile", "The Shapefile is cut off, or is none", *_AGAIN),
    "table_broken": _said(
        "文本不能按表格读取",
        "The text cannot be read as a table",
        "请用 Excel 打开，另存为 .xlsx 后再上传",
        "Open it in Excel and save it as .xlsx",
    ),
    "unknown_ending": _said(
        "不支持扩展名为 {ending} 的文件",
        "Files ending in {ending} are not read",
        "请另存为 Excel、CSV、Shapefile、GeoPackage 或 GeoJSON",
        "Save it as Excel, CSV, Shapefile, GeoPackage or GeoJSON",
    ),
    "unreadable": _said(
        "文件不能读取",
        "The file cannot be read",
        "请重新上传；仍不行请联系管理员",
        "Bring it again; if that fails, tell the administrator",
    ),
    # Its size.
    "too_many_bytes": _said("文件太大，超过上限", "The file is too large", *_SPLIT),
    "too_many_columns": _said(
        "有 {found} 列，最多 {limit} 列",
        "It has {found} columns; at most {limit} are taken",
        "请删去不需要的列",
        "Delete those that are not needed",
    ),
    "too_many_entries": _said(
        "压缩包里有 {found} 个文件，最多 {limit} 个",
        "The archive has {found} entries; at most {limit} are taken",
        *_SPLIT,
    ),
    "too_many_rows": _said("超过 {limit} 行", "It has more than {limit} rows", *_SPLIT),
    "unpacks_too_large": _said("压缩包解开后太大，超过上限", "What the archive unpacks to is too large", *_SPLIT),
    # How it is read.
    "choose_file": _said(
        "压缩包里有几个文件",
        "The archive holds several files",
        "请选择一个；其余的可另行上传",
        "Choose one; bring the others by themselves",
    ),
    "choose_sheet": _said(
        "工作簿里有几张工作表",
        "The workbook has several sheets",
        "请选择一张；其余的可另行上传",
        "Choose one; bring the others by themselves",
    ),
    "choose_table": _said(
        "文件里有几张表",
        "The file holds several tables",
        "请选择一张；其余的可另行上传",
        "Choose one; bring the others by themselves",
    ),
    "table_gone": _said(
        "文件里没有名为“{table}”的表", "The file has no table called “{table}”", "请重新选择", "Choose another"
    ),
    "no_encoding": _said(
        "认不出文字编码",
        "The encoding of its texts cannot be told",
        "请在“读取与归属”里选择文字编码，或用 Excel 另存为 .xlsx",
        "Choose the encoding under “How it is read”, or save it as .xlsx in Excel",
    ),
    "unknown_encoding": _said(
        "没有名为“{encoding}”的文字编码", "There is no encoding called “{encoding}”", "请另选文字编码", "Choose another"
    ),
    "wrong_encoding": _said(
        "文字不是 {encoding} 编码",
        "The texts are not in {encoding}",
        "请把文字编码改为“自动”，或另选一种",
        "Set the encoding to automatic, or choose another",
    ),
    "no_header": _said(
        "第一行是数据，不是表头：{line}",
        "The first line holds values, not headers: {line}",
        "请在最上面加一行列名（如：编号,名称,经度,纬度），再重新上传",
        "Put a line of column names above it and bring it again",
    ),
    "open_quote": _said(
        "有一个引号没有配对，从“{text}”起后面的行连成了一格",
        "A quote before “{text}” is never closed, so that all that follows became one cell",
        "请补上或删去这个引号，再重新上传",
        "Close or remove it, and bring the file again",
    ),
    # Where its records are.
    "metres_unknown": _said(
        "坐标以米为单位，但看不出是哪个坐标系", "The coordinates are metres of a frame that cannot be told", *_FRAME
    ),
    "swapped": _said(
        "经纬度颠倒了",
        "Latitude and longitude are swapped",
        "对调后 {share} 的点落在范围内：请点“经纬度对调”",
        "{share} of the points lie right when they are exchanged: use the button",
    ),
    "swapped_twice": _said(
        "经纬度不需要对调",
        "Latitude and longitude need no swapping",
        "不对调时 {share} 的点落在范围内：请点“经纬度不对调”",
        "{share} of the points lie right as they are: use the button",
    ),
    "unknown_frame": _said(
        "没有名为“{frame}”的坐标系", "There is no frame called “{frame}”", "请从列表中选择", "Choose one of the list"
    ),
    "wrong_frame": _said(
        "坐标系与声明的不符，位置整体偏移：看来是 {frame}，不是 {declared}",
        "The frame is not the declared one: everything stands off as {frame} does, not {declared}",
        *_FRAME,
    ),
    "bad_extent": _said(
        "范围“{extent}”写得不对",
        "The area “{extent}” is not written as it should be",
        "请按 西,南,东,北 写四个数（度），或写地名",
        "Write west,south,east,north in degrees, or the name of a place",
    ),
    "unknown_extent": _said(
        "没有找到名为“{extent}”的地方",
        "No place called “{extent}” is known",
        "请写省、市、县的全名，或 西,南,东,北 四个数（度）",
        "Write the whole name of a province, city or county, or west,south,east,north",
    ),
    # What it means.
    "bad_constant": _said(
        "“{field_zh}”不能都取“{value}”",
        "“{value}” cannot be the value of “{field_en}”",
        "请在“所有行相同的值”里改正或移除",
        "Correct or remove it under the values that all rows share",
    ),
    "bad_layer_name": _said(
        "“{layer}”不能用作图层代号",
        "“{layer}” cannot be the name of a layer",
        "请用小写字母、数字和下划线，字母开头，2 至 41 个字符",
        "Use 2 to 41 lower-case letters, digits and _, a letter first",
    ),
    "bad_source": _said(
        "来源“{source}”写得不对",
        "“{source}” cannot be the name of a source",
        "请用 1 至 40 个字符，不含空格和 / ? # % :",
        "Use 1 to 40 characters without spaces and / ? # % :",
    ),
    "column_gone": _said(
        "文件里没有“{column}”这一列",
        "The file has no column “{column}”",
        "请重新指定每一列是什么，或撤回全部更正",
        "Say anew what each column means, or take all corrections back",
    ),
    "layer_exists": _said(
        "已有代号为“{layer}”的图层",
        "There is a layer “{layer}” already",
        "请换一个代号，或选择已有的图层",
        "Take another name, or choose that layer",
    ),
    "layer_gone": _said(
        "没有“{layer}”这个图层了", "There is no layer “{layer}” any more", "请另选图层", "Choose another"
    ),
    "meaning_gone": _said(
        "该图层没有“{field}”这个字段",
        "The layer has no field “{field}”",
        "请重新指定每一列是什么",
        "Say anew what each column means",
    ),
    "nothing_mapped": _said(
        "没有一列能识别为位置或编号",
        "No column says where a record is or what it is",
        "请在“每一列是什么”里指定，或另选图层。文件里的列：{headers}",
        "Say what each column means, or choose another layer. Its columns: {headers}",
    ),
    "row_gone": _said(
        "文件里没有第 {row} 行",
        "The file has no row {row}",
        "请撤回全部更正后重试",
        "Take all corrections back and try again",
    ),
    "no_shp": _said(
        "缺少 .shp 文件",
        "The .shp is missing",
        "请把 Shapefile 的各部分一起上传",
        "Bring all parts of the Shapefile together",
    ),
    # What would come of it.
    "guessed_differently": _said(
        "检查之后情况有变，目标图层的判断不同了，需要重新检查",
        "What this file is meant for is guessed differently by now",
        *_EXAMINE,
    ),
    "nothing_left": _said(
        "没有一行可以入库",
        "No row can be loaded",
        "{rows} 行都被拒收，原因见下面的“拒收与存疑”",
        "All {rows} rows are refused; the reasons stand below",
    ),
    "many_retired": _said(
        "这份数据会让该来源 {held} 条记录中的 {gone} 条退役",
        "It would retire {gone} of the {held} records of its source",
        "文件完整请确认后入库；只是一部分请选“只是一部分”",
        "Confirm that it is complete, or say that it is only a part",
    ),
    "other_source": _said(
        "有的编号已属于另一个来源",
        "Some ids belong to another source already",
        "请在“来源”处填那个来源的名称，或给记录别的编号",
        "Name that source instead of “{source}”, or give the records other ids",
    ),
    "changed_since": _said(
        "有 {count} 条记录之后又有改动，不能整批撤销",
        "{count} records have changed since, so it cannot be taken back as a whole",
        "请先撤销后来的批次；手工改过的记录，可在地图上该记录的历史中恢复",
        "Take the later deliveries back first; what was edited by hand is restored in its history on the map",
    ),
    "undone": _said("这个批次已经撤销，或不存在", "This delivery was taken back already, or never was"),
    **REFUSED,
    # Where the work failed.
    "database": _said(
        "数据库没有完成这项工作，数据没有改变",
        "The database did not finish; nothing was changed",
        "请稍后再试；仍不行请联系管理员",
        "Try again shortly; if that fails, tell the administrator",
    ),
    "deadly": _said(
        "处理这个文件时程序三次中断（可能内存不足），不再重试；数据没有改变",
        "The worker ended three times over this file (out of memory?), so it is left alone; nothing was changed",
        *_SPLIT,
    ),
    "broken": _said(
        "程序出错，数据没有改变",
        "Something went wrong here; nothing was changed",
        "请联系管理员查看日志",
        "Tell the administrator, who finds more in the log",
    ),
    "unknown": _said(
        "这个文件不能按现在的设置入库",
        "The file cannot be loaded as things are set",
        "请看“程序原话”，或联系管理员",
        "See the details, or tell the administrator",
    ),
}

# Errors of rooms that know nothing of files: by their kind.
_KINDS: Final = {"UnknownFrame": "unknown_frame"}
_FRAMES: Final = {"EPSG:4326": "WGS-84", "EPSG:4490": "CGCS2000"}


def refusal_told(error: Exception) -> dict[str, Any]:
    """An error for people: `zh` and `en` say what is wrong, `next` what to do (or null), `detail` is its own text."""
    cause = error.cause if isinstance(error, Caused) and error.cause is not None else _KINDS.get(type(error).__name__)
    facts = dict(error.facts) if isinstance(error, Caused) else {}
    return cause_told(cause or "unknown", facts, detail=str(error))


def cause_told(
    cause: str, facts: Mapping[str, str | int] | None = None, *, detail: str | None = None
) -> dict[str, Any]:
    """A cause for people, as `refusal_told` gives it."""
    said, shown = CAUSES[cause], {name: _shown(fact) for name, fact in (facts or {}).items()}
    then = None if said.then is None else _filled(said.then, shown)
    return {"cause": cause, **_filled(said.what, shown), "next": then, "detail": detail}


def _filled(title: Title, facts: Mapping[str, str]) -> dict[str, str]:
    known = {**dict.fromkeys(("frame", "ending"), ""), **facts}
    return Title(title.zh.format(**known), title.en.format(**known))._asdict()


def _shown(fact: str | int) -> str:
    return f"{fact:,}" if isinstance(fact, int) else _FRAMES.get(fact, fact)
