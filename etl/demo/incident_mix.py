"""What is reported in the demo city: which matters how often, by whom, at what hours, and in which words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from etl.demo.sites import Where

CASES_A_DAY: Final = 805.0
"""At scale 1: a city management bureau with some 270,000 cases a year."""

FAULTS: Final = 0.14
"""The share of cases that are about a component out of order; the others are about a matter of its own."""


@dataclass(frozen=True)
class Matter:
    """A matter that is often reported: its share, where it is found, and how people put it."""

    code: str
    share: float
    where: Where
    words: tuple[str, ...]


MATTERS: Final = (
    Matter("06010", 9.0, "street", ("路边有暴露垃圾，气味很大", "垃圾袋散落在人行道上没人收")),
    Matter("09010", 9.0, "street", ("电动车乱停在人行道上，行人只能走马路", "非机动车停放杂乱")),
    Matter("09009", 8.5, "main", ("机动车占用人行道停放", "路口有车违停，转弯看不见")),
    Matter("07001", 8.0, "street", ("墙面上贴了很多小广告", "电线杆上有非法小广告")),
    Matter("06036", 6.0, "street", ("门口堆放杂物，影响通行", "楼道外堆了旧纸箱和木板")),
    Matter("09005", 6.0, "street", ("店铺把货摆到店外", "餐饮店在门外摆桌椅")),
    Matter("09006", 6.0, "main", ("流动摊贩占道经营", "水果摊占了半条路")),
    Matter("06012", 5.0, "street", ("路面不洁，落叶和灰尘很多", "道路上有油污没有清扫")),
    Matter("06011", 4.0, "any", ("空地上积存垃圾渣土", "装修垃圾堆了好几天")),
    Matter("06042", 3.5, "street", ("垃圾箱满溢没有清运", "分类垃圾亭旁边堆满了垃圾")),
    Matter("06013", 3.0, "main", ("路面有坑洼，下雨积水", "人行道地砖松动破损")),
    Matter("06028", 3.0, "street", ("夜间噪声扰民，无法休息", "广场音响声音太大")),
    Matter("06017", 3.0, "street", ("绿地里有垃圾", "绿化带脏乱")),
    Matter("09011", 2.5, "street", ("共享单车堆成一片", "共享单车倒在盲道上")),
    Matter("06001", 2.0, "any", ("有人在楼顶搭建房屋", "院内私搭彩钢棚")),
    Matter("06014", 2.0, "main", ("渣土车沿路遗撒", "路面洒落了砂石")),
    Matter("08001", 2.0, "any", ("工地夜间施工", "打桩声音很响")),
    Matter("09012", 1.8, "street", ("消防通道被车辆堵住", "消防登高场地停满了车")),
    Matter("06025", 1.5, "country", ("河面有漂浮垃圾", "河道水草和泡沫很多")),
    Matter("08004", 1.5, "any", ("工地扬尘严重", "裸土没有覆盖")),
    Matter("06050", 1.2, "main", ("路缘石破损", "路缘石缺了一块")),
    Matter("06027", 1.2, "street", ("饭店油烟直排", "油烟味飘进家里")),
    Matter("07003", 1.2, "main", ("户外广告牌松动", "违规设置户外广告")),
    Matter("06007", 1.0, "street", ("沿街晾晒衣物", "树上拉绳晾被子")),
    Matter("06034", 1.0, "street", ("废弃车辆长期停放", "僵尸车占用车位")),
    Matter("06041", 1.0, "street", ("垃圾没有分类投放",)),
    Matter("06051", 0.9, "street", ("盲道破损", "盲道被截断")),
    Matter("06030", 0.9, "any", ("污水直接排入雨水井", "餐饮店往路面倒脏水")),
    Matter("06016", 0.8, "main", ("交通标线看不清",)),
    Matter("08002", 0.8, "main", ("施工占道没有公示",)),
    Matter("06026", 0.7, "country", ("河水发黑发臭", "有污水排进河里")),
    Matter("10002", 0.6, "street", ("架空线缆脱落", "电线垂下来碰到行人")),
    Matter("06045", 0.6, "street", ("绿地被占用种菜", "有人毁绿停车")),
    Matter("06040", 0.5, "street", ("有人私装地锁",)),
    Matter("06037", 0.4, "main", ("路上有动物尸体",)),
    Matter("09020", 0.4, "street", ("菜场门口秩序混乱",)),
)
FAULT_WORDS: Final = ("{name}损坏，请尽快维修", "{name}有异常，存在安全隐患", "{name}需要处理")
"""Of a component out of order; `{name}` is its class."""

CHANNELS: Final = {
    "worker": 0.62, "hotline": 0.20, "public": 0.09, "video": 0.05, "sensor": 0.015, "order": 0.01, "media": 0.008,
    "warning": 0.005, "proposal": 0.002,
}  # fmt: skip
LEVELS: Final = {"general": 0.93, "urgent": 0.06, "critical": 0.01}
APPEALS: Final = {"help": 0.46, "complaint": 0.34, "report": 0.12, "suggestion": 0.06, "appeal": 0.02}

# Of every hour of the day, from midnight: grid workers walk by day, residents call in the evening, too.
ON_DUTY: Final = (0, 0, 0, 0, 0, 0, 1, 4, 12, 14, 13, 10, 4, 7, 12, 12, 10, 6, 3, 2, 1, 0, 0, 0)
AT_HOME: Final = (1, 1, 0, 0, 0, 1, 3, 6, 9, 9, 9, 7, 6, 6, 7, 7, 7, 7, 8, 9, 8, 6, 4, 2)
WEEKEND: Final = 0.72
"""Of the cases of a working day, on a Saturday or Sunday."""

BY_MONTH: Final = (0.86, 0.82, 0.98, 1.0, 1.04, 1.1, 1.14, 1.14, 1.06, 1.0, 0.98, 0.88)
