"""Headers as cities write them: compared without case, spaces, full-width forms and units, and known by many names."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from gis.frames import Frame
from layers.spec import Field, Layer

_BRACKETS = re.compile(r"[(\[{（【].*?[)\]}）】]")
_UNIT_ENDINGS = ("deg", "kmh", "km2", "m2", "m")


def fold(header: str) -> str:
    """A header as it is compared: half-width, lower case, letters and digits only, without a unit in brackets."""
    plain = unicodedata.normalize("NFKC", header)
    short = re.sub(r"[\W_]+", "", _BRACKETS.sub("", plain)).casefold()
    return short or re.sub(r"[\W_]+", "", plain).casefold()


def _folded(*names: str) -> frozenset[str]:
    return frozenset(fold(name) for name in names)


# What a column may be besides a field of the layer. Degrees come first: x and y may be anything.
ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "lon": _folded(
            *("lon", "lng", "long", "longitude", "lon_dd", "point_lon", "geo_lon", "decimallongitude", "경도", "経度"),
            *("经度", "東經", "东经", "經度", "百度经度", "高德经度", "中心经度", "经度坐标", "jd", "jingdu", "lgtd"),
        ),
        "lat": _folded(
            *("lat", "latitude", "lat_dd", "point_lat", "geo_lat", "decimallatitude", "위도", "緯度"),
            *("纬度", "北纬", "北緯", "百度纬度", "高德纬度", "中心纬度", "纬度坐标", "wd", "weidu", "lttd"),
        ),
        "x": _folded(
            *("x", "coordx", "x_coord", "xcoord", "point_x", "pointx", "pos_x", "posx", "centroid_x", "x坐标"),
            *("坐标x", "横坐标", "东坐标", "easting", "east", "x좌표", "좌표x", "x_wgs84", "x坐标值", "x轴坐标"),
        ),
        "y": _folded(
            *("y", "coordy", "y_coord", "ycoord", "point_y", "pointy", "pos_y", "posy", "centroid_y", "y坐标"),
            *("坐标y", "纵坐标", "北坐标", "northing", "north", "y좌표", "좌표y", "y_wgs84", "y坐标值", "y轴坐标"),
        ),
        "pair": _folded(
            *(
                "坐标",
                "经纬度",
                "经纬度坐标",
                "坐标点",
                "地理坐标",
                "位置坐标",
                "gps坐标",
                "定位",
                "lonlat",
                "latlon",
                "latlng",
            ),
            *("lnglat", "coordinates", "coordinate", "coords", "gps", "location", "position", "lon_lat", "lat_lon"),
        ),
        "wkt": _folded(
            *(
                "wkt",
                "geom",
                "the_geom",
                "geometry",
                "geom_wkt",
                "wkt_geom",
                "shape",
                "wkb",
                "geojson",
                "空间坐标",
                "图形",
            )
        ),
        "grid": _folded(
            *(
                "网格编码",
                "网格编号",
                "网格id",
                "所在网格",
                "所在网格编码",
                "所在单元网格标识码",
                "所属网格",
                "所属网格编码",
            ),
            *("SZDYWGBSM", "BGID", "grid_id", "gridid", "grid_code", "gridcode", "单元网格编码", "单元网格编号"),
        ),
        "component": _folded(
            *("部件编码", "部件标识码", "管理部件标识码", "部件编号", "GLBJBSM", "component_id", "关联部件编码")
        ),
        "admin": _folded(
            *("街道代码", "所在街道代码", "SZJDDM", "所在社区代码", "SZSQDM", "行政区划代码", "区划代码", "admin_code"),
            *("adcode", "town_code", "乡镇代码", "镇街代码", "areacode", "street_code", "county_code", "街道编码"),
        ),
        "unit": _folded(
            *(
                "街道",
                "所在街道",
                "所属街道",
                "所在街道名称",
                "SZJDMC",
                "镇街",
                "乡镇",
                "所属乡镇",
                "所属镇街",
                "乡镇街道",
            ),
            *(
                "所在乡镇",
                "town",
                "township",
                "区县",
                "县区",
                "所属区县",
                "所在区县",
                "所属区域",
                "district",
                "county",
                "辖区",
            ),
        ),
        "place": _folded(
            "地名", "所在地", "所在地点", "所在位置名称", "place", "place_name", "placename", "小区", "小区名称"
        ),
        "address": _folded(
            *(
                "地址",
                "详细地址",
                "位置",
                "位置描述",
                "地点",
                "事发位置",
                "SFWZ",
                "发生地址",
                "address",
                "location_text",
            ),
            *(
                "incident_address",
                "street_address",
                "addr",
                "full_address",
                "주소",
                "소재지도로명주소",
                "소재지지번주소",
            ),
        ),
    }
)

_PLAIN_IDS = _folded(
    *("id", "编号", "编码", "序号", "fid", "gid", "objectid", "ogc_fid", "uid", "uuid", "guid", "unique_key", "key"),
    *("globalid", "code", "标识码", "唯一标识", "唯一编码", "관리번호", "pk"),
)

# Parts of a header that say which frame its numbers are in; they are taken away before it is compared.
_FRAME_WORDS: tuple[tuple[str, Frame], ...] = (
    *((word, "GCJ-02") for word in ("gcj02", "gcj", "amap", "gaode", "高德", "火星", "腾讯")),
    *((word, "BD-09") for word in ("bd09ll", "bd09", "bd", "baidu", "百度")),
    *((word, "EPSG:4326") for word in ("wgs84", "wgs", "gps")),
    *((word, "EPSG:4490") for word in ("cgcs2000", "国家2000", "2000")),
)


def role_of(header: str) -> tuple[str, Frame | None] | None:
    """What a column may be besides a field (`lon`, `x`, `grid` …), and the frame that its header names."""
    key = fold(header)
    for role, names in ROLES.items():
        if key in names:
            return role, _frame_in(key) if role in ("lon", "lat", "x", "y", "pair") else None
    for word, frame in _FRAME_WORDS:
        for rest in (key.removeprefix(word), key.removesuffix(word)):
            if rest == key:
                continue
            for role in ("lon", "lat", "x", "y", "pair"):
                if rest in ROLES[role]:
                    return role, frame
    return None


def _frame_in(key: str) -> Frame | None:
    return next((frame for word, frame in _FRAME_WORDS if word in key), None) if len(key) > 2 else None


def is_plain_id(header: str) -> bool:
    """Tell whether a header means an id that is unique in its own file only (`id`, `编号`, `fid`)."""
    return fold(header) in _PLAIN_IDS


def is_layer_id(header: str, layer: Layer) -> bool:
    """Tell whether a header is one under which files bring the ids of this layer."""
    return fold(header) in _folded(*layer.load.id_headers)


@cache
def names_of(appears: Field) -> tuple[str, ...]:
    """Every folded name of a field, the surest first: its name, its titles, then the headers it declares."""
    own = fold(appears.name)
    names = [own, fold(appears.title.zh), fold(appears.title.en), *(fold(name) for name in appears.headers)]
    stem, _, unit = appears.name.rpartition("_")
    if stem and unit in _UNIT_ENDINGS:
        names.append(fold(stem))
    return tuple(dict.fromkeys(names))


def field_called(layer: Layer, text: str) -> Field | None:
    """The field of a layer that a person means by its name, a title or a header (`class`, `部件类别`)."""
    key = fold(text)
    ranked = [(names_of(f).index(key), f) for f in layer.fields if key in names_of(f)]
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None
