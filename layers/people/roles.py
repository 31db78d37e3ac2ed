"""Roles are data: a role is a name for a set of rights; a city may change which, over those that ship."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from layers.declared import read_declaration
from layers.errors import BadField, Conflict
from layers.people.tables import ACCOUNT, ROLE
from layers.spec import Title

SHIPPED: Final = Path(__file__).parent / "roles.yaml"
NAME_PATTERN: Final = r"[a-z][a-z0-9_]{1,40}"
MOST_ROLES: Final = 100
INTERNAL: Final = frozenset({"kiosk"})
"""Roles that no account holds: they belong to tokens."""
RIGHTS: Final[Mapping[str, Title]] = {
    "layer.view": Title("查看内部图层", "See internal layers"),
    "layer.edit": Title("编辑图层", "Edit layers"),
    "data.deliver": Title("导入与撤回数据", "Bring data in and take it back"),
    "question.keep": Title("保存分析问题", "Keep questions"),
    "incident.report": Title("上报案卷", "Report incidents"),
    "incident.view": Title("查看案卷", "See incidents"),
    "incident.verify": Title("核实", "Verify"),
    "incident.accept": Title("受理", "Accept"),
    "incident.register": Title("立案", "Register"),
    "incident.dispatch": Title("派遣", "Dispatch"),
    "incident.dispose": Title("处置", "Dispose of"),
    "incident.check": Title("核查", "Check"),
    "incident.close": Title("结案", "Close"),
    "incident.supervise": Title("督办", "Supervise"),
    "incident.merge": Title("并案", "Merge"),
    "incident.feed": Title("接入设备、视频和预警信息", "Feed in what devices, videos and warnings tell"),
    "hotline.take": Title("接听热线", "Take calls"),
    "person.unmask": Title("查看隐去的个人信息", "Unmask personal fields"),
    "duty.edit": Title("维护职责清单", "Edit the duty table"),
    "channel.edit": Title("维护通知渠道", "Edit the channels of notices"),
    "account.edit": Title("管理账号", "Administer accounts"),
    "role.edit": Title("授予角色、修改权限", "Grant roles and change their rights"),
    "audit.read": Title("查阅审计记录", "Read the audit records"),
    "key.make": Title("发放接口密钥", "Make keys for machines"),
    "backup.make": Title("备份", "Make backups"),
    "exercise.open": Title("开设演练", "Open exercises"),
    "need.report": Title("登记居民需求", "Take down what residents need"),
    "need.take": Title("对接居民需求", "See to what residents need"),
    "provider.edit": Title("维护服务资源", "Keep the list of who serves"),
    "visit.write": Title("记录走访", "Write down visits"),
    "visit.view": Title("查看走访记录", "See visits"),
}
# Three administrators with separate duties (三员分立): system, security, audit.
SEPARATE: Final = frozenset({"account.edit", "role.edit", "audit.read"})
_ONLY_READS: Final = frozenset({"layer.view", "incident.view", "audit.read"})
_OF_WALLS: Final = frozenset({"layer.view", "incident.view"})
_ONE_LAYER: Final = re.compile(r"layer\.edit:[a-z][a-z0-9_]{0,40}")


@dataclass(frozen=True)
class Role:
    """A name for a set of rights; `own` where the city changed or made it."""

    name: str
    title: Title
    rights: frozenset[str]
    own: bool = False


@cache
def shipped_roles() -> Mapping[str, Role]:
    """The roles of the file beside this module; BadDeclaration names a line that cannot be used."""
    found: dict[str, Role] = {}
    for key, value in read_declaration(SHIPPED).pairs():
        parts = value.section(required=("zh", "en", "rights"))
        rights = parts["rights"].entries()
        for entry in rights:
            if not is_right(entry.text()):
                raise entry.error(f"there is no right {entry.text()!r}")
        title = Title(parts["zh"].text(), parts["en"].text())
        found[key.text()] = Role(key.text(), title, frozenset(entry.text() for entry in rights))
    return found


def roles_now(connection: sa.Connection) -> Mapping[str, Role]:
    """Every role, as the city has it now."""
    rows = connection.execute(sa.select(ROLE.c.name, ROLE.c.zh, ROLE.c.en, ROLE.c.rights).order_by(ROLE.c.name))
    own = {row.name: Role(row.name, Title(row.zh, row.en), frozenset(row.rights), own=True) for row in rows}
    return {**shipped_roles(), **own}


def rights_of(names: Iterable[str], roles: Mapping[str, Role] | None = None) -> frozenset[str]:
    """All that these roles may do together (by those that ship when no others are given); unknown ones may nothing."""
    known = shipped_roles() if roles is None else roles
    return frozenset[str]().union(*(known[name].rights for name in names if name in known))


def is_right(text: str) -> bool:
    """Is this the word of a right?"""
    return text in RIGHTS or _ONE_LAYER.fullmatch(text) is not None


def check_separation(rights: Collection[str], field: str) -> None:
    """BadField, about `field`, when rights that must lie in different hands would lie in one."""
    held = sorted(SEPARATE & set(rights))
    if len(held) > 1:
        told = f"{' and '.join(held)} must not lie in one hand"
        raise BadField({field: told}).because("duties_separate")
    if "audit.read" in rights and not set(rights) <= _ONLY_READS:
        raise BadField({field: "who reads the audit records changes nothing"}).because("auditor_changes")


def put_role(connection: sa.Connection, role: Role) -> None:
    """Make a role, or change one; BadField for rights that there are not, or that must not lie in one hand."""
    if unknown := sorted(right for right in role.rights if not is_right(right)):
        raise BadField({"rights": f"there is no right {unknown[0]!r}"}).because("right_unknown", right=unknown[0])
    if role.name in INTERNAL and not role.rights <= _OF_WALLS:
        raise BadField({"rights": "walls look and change nothing"}).because("wall_changes")
    check_separation(role.rights, "rights")
    now = roles_now(connection)
    if role.name not in now and len(now) >= MOST_ROLES:
        raise Conflict(f"there are {MOST_ROLES} roles").because("roles_full", most=MOST_ROLES)
    then = {**now, role.name: role}
    held = sa.select(ACCOUNT.c.roles).distinct().where(ACCOUNT.c.roles.contains([role.name]))
    for names in connection.scalars(held):
        check_separation(rights_of(names, then), "rights")
    values = {"name": role.name, "zh": role.title.zh, "en": role.title.en, "rights": sorted(role.rights)}
    statement = postgresql.insert(ROLE).values(values)
    given = {name: statement.excluded[name] for name in ("zh", "en", "rights")}
    connection.execute(statement.on_conflict_do_update(index_elements=[ROLE.c.name], set_=given))


def forget_own_role(connection: sa.Connection, name: str) -> bool:
    """Let a role be as it ships again, or be no more; False when the city had not changed it."""
    return connection.execute(sa.delete(ROLE).where(ROLE.c.name == name)).rowcount > 0
