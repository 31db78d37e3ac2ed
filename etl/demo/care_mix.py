"""What residents of the demo city need, and what visits are for: how often, and in which words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DAYS: Final = 28
"""So many days up to now have needs and visits."""
NEEDS_A_DAY: Final = 215.0
VISITS_A_DAY: Final = 290.0
"""At scale 1: a city of 8,470 grids, each of which has one about every month."""


@dataclass(frozen=True)
class Wish:
    """A kind of need: its share, and how people put it; `old` where it is mostly old people who ask."""

    kind: str
    share: float
    words: tuple[str, ...]
    old: bool = False


WISHES: Final = (
    Wish("meals", 14.0, ("中午想订助老餐", "行动不便，希望送餐上门"), old=True),
    Wish("company", 9.0, ("独居，想有人上门说说话", "子女在外地，请常来看看"), old=True),
    Wish("bathing", 4.0, ("需要助浴服务",), old=True),
    Wish("hospital", 8.0, ("下周复查，需要有人陪同就医", "去医院配药，请人陪同"), old=True),
    Wish("fitting", 4.0, ("卫生间想装扶手", "门槛太高，想做适老化改造"), old=True),
    Wish("water", 10.0, ("厨房水管漏水", "水龙头关不紧")),
    Wish("power", 7.0, ("家里跳闸，查不出原因", "楼道灯不亮，线路老化")),
    Wish("lift", 4.0, ("电梯经常停运", "电梯有异响")),
    Wish("door", 4.0, ("门锁坏了打不开", "纱窗脱落需要维修")),
    Wish("appliance", 6.0, ("洗衣机不转了", "空调不制冷，需要检修")),
    Wish("cleaning", 5.0, ("想请人打扫卫生", "搬家后需要保洁")),
    Wish("errands", 5.0, ("请人代买米面", "代缴水电费"), old=True),
    Wish("removal", 3.0, ("旧沙发搬不下楼", "旧衣柜需要清运")),
    Wish("childcare", 3.0, ("想了解附近的托育点",)),
    Wish("afterschool", 4.0, ("放学后孩子没人看护",)),
    Wish("legal", 4.0, ("邻里纠纷，想咨询法律意见", "劳动合同问题想咨询")),
    Wish("papers", 6.0, ("高龄补贴怎么办理", "居住证续签需要什么材料")),
)
TAKEN_BY: Final = {"worker": 0.78, "dispatcher": 0.12, "volunteer": 0.10}
HOURS: Final = (0, 0, 0, 0, 0, 0, 0, 1, 8, 12, 12, 8, 2, 4, 10, 12, 9, 6, 2, 1, 0, 0, 0, 0)
"""Of the day, when people are visited and say what they need."""

# Shares of the ways that a need goes.
NEVER, WITHDRAWN, NOTED, REOPENED, FULFILLED = 0.015, 0.06, 0.15, 0.06, 0.98
ARRANGED_H, DONE_H = 5.0, 20.0
OWN_HANDS: Final = "由网格员上门帮助"
NOTES: Final = ("已电话联系，约好上门时间。", "居民希望周末上门。", "已告知办理所需材料。")
WITHDRAWALS: Final = ("居民已自行解决。", "居民表示不再需要。")
REOPENINGS: Final = ("约定时间无人上门，重新对接。", "服务点临时停业，重新对接。")
FULFILMENTS: Final = ("已上门服务，居民认可。", "已办结，回访无其他需求。", "")


@dataclass(frozen=True)
class Round:
    """A kind of visit: its share, how it ends, and how it is put; `indoors`: which share is at places of the map."""

    kind: str
    share: float
    outcomes: dict[str, float]
    words: tuple[str, ...]
    indoors: float = 0.0


ROUNDS: Final = (
    Round("comfort", 26.0, {"nothing": 0.7, "advised": 0.12, "absent": 0.14, "again": 0.04},
          ("走访独居老人，询问身体和生活情况。", "党员志愿者上门慰问困难家庭。", "邻里互助，上门探望。")),
    Round("policy", 20.0, {"advised": 0.88, "absent": 0.12},
          ("宣传垃圾分类和文明城市创建。", "讲解医保缴费和高龄补贴政策。", "发放反诈宣传单。")),
    Round("safety", 20.0, {"nothing": 0.62, "advised": 0.3, "again": 0.08},
          ("检查灭火器和疏散通道。", "查看燃气使用和电动车充电。", "例行安全检查。"), indoors=0.9),
    Round("hazard", 14.0, {"nothing": 0.8, "advised": 0.2},
          ("排查雨后积水和边坡。", "查看老旧房屋墙面。", "巡查河边和低洼处。"), indoors=0.4),
    Round("needs", 14.0, {"nothing": 0.72, "advised": 0.2, "absent": 0.08},
          ("了解居民需求。", "入户登记服务需求。")),
    Round("mediation", 6.0, {"advised": 0.75, "again": 0.25},
          ("调解楼上楼下噪声纠纷。", "调解停车位争议。")),
)  # fmt: skip
OUT_OF_REACH: Final = 0.07
"""Of the visits: noted where there was no network, and sent an hour or so later."""
VISITED_BY: Final = {"worker": 0.72, "volunteer": 0.28}
FOUND_NEED: Final = 0.4
"""Of the needs that workers and volunteers take down: found on a visit."""
FOUND_CASES_A_DAY: Final = 12.0
"""At scale 1: visits of grid workers that end in a report."""
