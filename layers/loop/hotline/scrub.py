"""Words of callers without what tells who they are: what a machine learns from holds no number, name or home."""

from __future__ import annotations

import re
from typing import Final

from layers.terms import fold

MOST_CHARACTERS: Final = 2_000

_NUMBER: Final = re.compile(r"[a-z]*\d[\da-z.\-]*")
_ROAD: Final = re.compile(r"[\u4e00-\u9fff]{2,4}(?:大道|路|街|巷|弄)(?:#号?)")
_HOME: Final = re.compile(r"#(?:号楼|号|栋|幢|单元|室|弄|期|组|层|楼)")
_ESTATE: Final = re.compile(r"[\u4e00-\u9fff]{2,4}(?:花园|新村|家园|花苑|公寓|名都|华府|佳苑|小区)")
_NAMED: Final = re.compile(r"(?:我叫|我是|姓名|名字叫|联系人)[:是为叫]?[\u4e00-\u9fff]{2,3}(?=[,。;!?的在,]|$)")
_TITLED: Final = re.compile(r"(?:我)?姓[\u4e00-\u9fff]|[\u4e00-\u9fff](?:先生|女士|小姐|同志|师傅|阿姨|大爷)")


def scrubbed(text: str) -> str:
    """The folded text without numbers, names of people, house numbers and estates; at most 2,000 characters are read.

    What is left says what happened; it may still hold the name of a place, so it is never kept as it is.
    """
    plain = _NUMBER.sub("#", fold(text[:MOST_CHARACTERS]))
    for pattern in (_NAMED, _TITLED, _ROAD, _HOME, _ESTATE):
        plain = pattern.sub("", plain)
    return plain.replace("#", "")
