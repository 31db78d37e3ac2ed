"""How common each component class is in the demo city, where it stands, and who answers for it.

Shares and keepers are invented, in plausible proportions; the classes are those of GB/T 47678.5-2026.
"""

from __future__ import annotations

from dataclasses import dataclass

from etl.demo.sites import Where

# class:share (per 10,000), by where it stands and how far apart in a row (0 = scattered).
_ROWS: tuple[tuple[Where, float, str], ...] = (
    ("street", 32.0, "01037:1500"),
    ("street", 18.0, "04002:1900"),
    ("street", 40.0, "01003:850 01002:700 01004:900"),
    ("street", 60.0, "01001:420 01007:330 01005:260 01006:150 04011:220 01011:150"),
    ("any", 0.0, "01030:350 01031:180 01028:60 01048:90 01062:30 01013:90 02043:40 02033:25 03005:100 02038:120"),
    ("country", 0.0, "01047:40 01036:20 02009:50 01070:30 01069:10 02030:20 01072:8 01073:15 01067:10 01071:6 01024:12 "
     "01063:4 02042:6 04014:15 01056:5 01029:20 04001:10 05009:6 02029:3"),
    ("crossing", 0.0, "02014:160 02015:70 02012:220 01050:180 01015:30 02019:14 02020:60 02016:3 01077:25 02010:220 "
     "02034:20 03002:16 02037:6 02036:3 02039:10"),
    ("main", 0.0, "02010:300 02017:140 02004:70 01032:20 03006:70 02018:25 02022:25 02011:8 02023:14 02006:4 02007:4 "
     "02008:4 02024:8 02005:8 02044:2 02028:3 02032:5 02040:10 02035:20 01060:30 04012:5 05003:12 02013:16"),
    ("street", 0.0, "03005:200 02038:140 03007:200 02021:110 02025:80 02026:25 01013:90 01008:60 01009:70 01027:60 "
     "04008:40 04013:50 03001:22 02001:25 01054:50 01075:45 01046:45 01039:60 01038:30 03008:45 04007:40 01026:40 "
     "01012:30 01017:20 01018:35 01014:15 01022:10 01023:10 01049:15 03004:25 03014:12 02003:25 02027:20 04003:20 "
     "04004:20 04005:25 04009:20 01059:20 01035:8 01065:12"),
)  # fmt: skip
_RARE = 3.0


@dataclass(frozen=True)
class Mix:
    """One class at one kind of place: its share of all components, and the distance in a row (0: scattered)."""

    class_code: str
    where: Where
    spacing_m: float
    share: float


@dataclass(frozen=True)
class Keeper:
    """Who is in charge, who owns and who maintains; `{c}` stands for the county."""

    department: str
    owner: str
    maintainer: str


def mix(classes: tuple[str, ...]) -> list[Mix]:
    """The mix of all these classes; those without a place of their own are rare and stand in streets."""
    found = [
        Mix(code, where, spacing, float(share))
        for where, spacing, row in _ROWS
        for code, share in (pair.split(":") for pair in row.split())
    ]
    known = {m.class_code for m in found}
    return found + [Mix(code, "street", 0.0, _RARE) for code in classes if code not in known]


def keepers(class_code: str) -> tuple[Keeper, ...]:
    """The usual keepers of a class: one, or several that share the market."""
    for codes, found in _KEEPERS:
        if class_code in codes:
            return found
    return _BY_MAJOR[class_code[:2]]


_CITY = Keeper("{c}城市管理局", "{c}城市管理局", "{c}市政设施养护中心")
_TELECOMS = tuple(
    Keeper("{c}工业和信息化局", f"{firm}{{c}}分公司", f"{firm}{{c}}分公司")
    for firm in ("中国电信", "中国移动", "中国联通", "中国铁塔")
)
_TRAFFIC_POLICE = (Keeper("{c}公安局交通警察大队", "{c}公安局", "{c}交通设施养护中心"),)
_HYDRAULIC = (Keeper("{c}水利局", "{c}水利局", "{c}水利工程管理所"),)
_TRANSPORT = (Keeper("{c}交通运输局", "{c}交通运输局", "{c}公路事业发展中心"),)
_ECOLOGY = (Keeper("{c}生态环境局", "{c}生态环境局", "{c}生态环境监测站"),)
_KEEPERS: tuple[tuple[frozenset[str], tuple[Keeper, ...]], ...] = (
    (frozenset({"01001", "01019", "01025"}), (Keeper("{c}住房和城乡建设局", "{c}水务集团", "{c}水务集团"),)),
    (frozenset({"01002", "01003", "01004", "01018", "01026", "01072", "01073", "03003"}),
     (Keeper("{c}住房和城乡建设局", "{c}排水管理所", "{c}排水管理所"),
      Keeper("{c}住房和城乡建设局", "{c}水务集团", "{c}水务集团"))),
    (frozenset({"01005", "01017", "01028", "01029", "01030", "01047", "01048"}),
     (Keeper("{c}发展和改革委员会", "{c}供电公司", "{c}供电公司"),)),
    (frozenset({"01006", "01037", "01038", "01039", "01060", "01077"}),
     (Keeper("{c}城市管理局", "{c}城市管理局", "{c}路灯管理所"),)),
    (frozenset({"01007", "01009", "01027", "01031", "01041", "01062"}), _TELECOMS),
    (frozenset({"01008"}), (Keeper("{c}文化广电和旅游局", "{c}广电网络公司", "{c}广电网络公司"),)),
    (frozenset({"01010", "01061"}), (Keeper("{c}住房和城乡建设局", "{c}热力公司", "{c}热力公司"),)),
    (frozenset({"01011", "01021", "01036", "01049", "01057"}),
     (Keeper("{c}住房和城乡建设局", "{c}燃气公司", "{c}燃气公司"),)),
    (frozenset({"01012", "01050", "01051", "01066", "02039"}),
     (Keeper("{c}公安局", "{c}公安局", "{c}公安局科技信息化大队"),)),
    (frozenset({"01013", "01068"}), (Keeper("{c}消防救援大队", "{c}水务集团", "{c}消防救援大队"),)),
    (frozenset({"01015", "02010", "02014", "02015", "02016", "02017", "02018", "02019", "02022", "02033", "02043"}),
     _TRAFFIC_POLICE),
    (frozenset({"01020", "01032", "02004"}), (Keeper("{c}交通运输局", "{c}公共交通公司", "{c}公共交通公司"),)),
    (frozenset({"01054"}), (Keeper("{c}发展和改革委员会", "{c}供电公司", "{c}供电公司"),
                            Keeper("{c}发展和改革委员会", "{c}城市建设投资公司", "{c}城市建设投资公司"))),
    (frozenset({"01056", "01067", "01069", "01070", "01071", "02030", "02029"}), _HYDRAULIC),
    (frozenset({"02006", "02007", "02008", "02009", "02011", "02023", "02024", "02031", "02042", "02044"}), _TRANSPORT),
    (frozenset({"02012", "02013", "02038", "02035"}), (Keeper("{c}民政局", "{c}民政局", "{c}民政局"),)),
    (frozenset({"03009"}), (Keeper("{c}气象局", "{c}气象局", "{c}气象局"),)),
    (frozenset({"03010", "03011", "03012", "03013"}), _ECOLOGY),
    (frozenset({"05009", "02037", "02040"}),
     (Keeper("{c}文化广电和旅游局", "{c}文化广电和旅游局", "{c}文物保护管理所"),)),
)  # fmt: skip
_BY_MAJOR = {
    "01": (_CITY,),
    "02": (Keeper("{c}城市管理局", "{c}城市建设投资公司", "{c}市政设施养护中心"),),
    "03": (Keeper("{c}城市管理局", "{c}城市管理局", "{c}环境卫生管理处"),),
    "04": (Keeper("{c}城市管理局", "{c}园林绿化管理中心", "{c}园林绿化管理中心"),),
    "05": (Keeper("{c}住房和城乡建设局", "{c}城市建设投资公司", "{c}城市建设投资公司"),),
}
