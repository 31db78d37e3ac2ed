"""Plausible Chinese names for things that do not exist: streets, villages, estates, schools, firms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_STREETS = _words(
    "人民 工农 青年 解放 建设 和平 胜利 文化 新华 中山 朝阳 长江 黄海 钟楼 学院 园林 崇文 文峰 花园 幸福 "
    "光明 友谊 团结 振兴 富民 兴业 世纪 江海 通海 滨江 滨河 环城 城港 外环 北郭 南郊 东郊 西园 桃园 梅园 "
    "兰亭 竹林 翠竹 银杏 香樟 紫薇 海棠 桂花 荷塘 芙蓉 杏园 柳堤 松涛 永兴 永和 永福 太平 安康 健康 体育 "
    "教育 科技 创业 创新 工业 商贸 纺织 港口 码头 盐运 海盐 渔港 车站 公园 市场 图书馆 医院 银河 星湖 月湖 "
    "明珠 宝塔 孔庙 府前 县前 学前 河滨 运河 通吕 濠东 濠西"
)
_STREET_HEADS = _words(
    "新 兴 振 永 长 富 安 泰 和 康 瑞 祥 丰 盛 景 秀 锦 云 明 德 仁 义 礼 崇 海 江 通 世 金 银 龙 凤"
)
_STREET_TAILS = _words("华 兴 盛 源 泉 园 湖 河 川 山 林 城 港 桥 塘 湾 洲 平 宁 安 康 乐 和 顺 达 通 运 海 阳 辉 苑")
_VILLAGE_HEADS = _words(
    "新 光 明 建 胜 红 永 长 兴 富 太 东 西 南 北 中 金 银 双 三 五 七 八 九 十 王 李 张 陈 顾 陆 施 沈 "
    "曹 季 唐 汤 袁 姜 徐 马 蒋 范 丁 周 吴 花 竹 桃 柳 海 江 石 白 老 大 小 头 二 四 六"
)
_VILLAGE_TAILS = _words(
    "灶 总 甲 圩 港 桥 庙 园 埠 店 场 荡 庄 墩 河 湾 洋 沙 渡 窑 堡 案 滩 塘 巷 垛 楼 家桥 家园 家埭"
)
INDUSTRIES = _words("纺织 化工 电镀 机械 食品 家纺 印染 建材 船舶 医药 电子 造纸 污水处理 热电 水产加工 新材料")

_BANDS = "一二三四五六七八九十"


def street_stems(rng: np.random.Generator, count: int) -> list[str]:
    """Different stems of street names (without 路 or 街), the usual ones first, in an order of chance."""
    usual = [_STREETS[i] for i in rng.permutation(len(_STREETS))]
    made = _products(rng, _STREET_HEADS, _STREET_TAILS, but=frozenset(_STREETS))
    return _first(usual, made, count)


def village_stems(rng: np.random.Generator, count: int) -> list[str]:
    """Different stems of village and community names (without 村 or 社区), in an order of chance."""
    return _first([], _products(rng, _VILLAGE_HEADS, _VILLAGE_TAILS, but=frozenset()), count)


def ordinal(number: int) -> str:
    """A small ordinal in Chinese figures, 1 to 99."""
    tens, ones = divmod(number, 10)
    if tens == 0:
        return _BANDS[ones - 1]
    head = "" if tens == 1 else _BANDS[tens - 1]
    return f"{head}十{_BANDS[ones - 1] if ones else ''}"


def compass(degrees: float) -> str:
    """The direction in one or two characters, of an azimuth clockwise from north."""
    return COMPASS[int((degrees + 22.5) % 360.0 // 45.0)]


COMPASS = ("北", "东北", "东", "东南", "南", "西南", "西", "西北")


def _products(
    rng: np.random.Generator, heads: Sequence[str], tails: Sequence[str], *, but: frozenset[str]
) -> Iterator[str]:
    pairs = list(product(heads, tails))
    seen = set(but)
    for i in rng.permutation(len(pairs)):
        head, tail = pairs[int(i)]
        if head != tail and (name := head + tail) not in seen:
            seen.add(name)
            yield name


def _first(usual: list[str], made: Iterator[str], count: int) -> list[str]:
    names = usual[:count]
    while len(names) < count:
        names.append(next(made))
    return names
