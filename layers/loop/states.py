"""The states of an incident as one table: which step leads from where to where, who may take it, what it carries.

The stages are those of the national case workflow (案卷): collect, file, dispatch, handle, feed back, check and close.
`layers.loop.offers` answers for one actor and one case; docs/incidents.md shows this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from layers.spec import Title

State = Literal[
    "reported", "verified", "accepted", "registered", "dispatched", "disposing",
    "disposed", "checked", "closed", "rejected", "cancelled",
]  # fmt: skip
STATES: Final[tuple[State, ...]] = get_args(State)
FINAL: Final[tuple[State, ...]] = ("closed", "rejected", "cancelled")
OPEN: Final[tuple[State, ...]] = tuple(state for state in STATES if state not in FINAL)

Relation = Literal["sees", "area", "lead", "helper", "assignee", "reporter"]
Need = Literal[
    "note", "proof", "photo", "reason", "finding", "until", "lead", "co", "assignee", "into", "place",
    "matter", "level",
]  # fmt: skip
Condition = Literal[
    "verified_first", "at_once", "own_handling", "level", "unsigned", "asked", "not_asked", "not_top", "other_hands",
]  # fmt: skip

VERIFIED_FIRST: Final = ("public", "media")
"""Channels whose reports somebody must look at on the spot before they are accepted."""
AT_ONCE: Final = ("worker", "order")
"""Channels whose reports may be registered at once: a grid worker stood before it, or a higher office ordered it."""
MOST_RETURNS: Final = 3
"""After so many refusals, and so many failed checks, a case goes up one level of command."""
TOP: Final = 2


@dataclass(frozen=True)
class Rule:
    """One line of the table: `after` None leaves the state, any of `rights` and any of `who` will do.

    `needs` must be carried ("proof" is a note or a photo), `takes` may be. `suspended` says whether the step is refused
    while the case is suspended, goes on all the same, or is only then possible.
    """

    step: str
    title: Title
    before: tuple[State, ...]
    after: State | None
    rights: tuple[str, ...]
    who: tuple[Relation, ...]
    needs: tuple[Need, ...] = ()
    takes: tuple[Need, ...] = ()
    reasons: tuple[str, ...] = ()
    suspended: Literal["refused", "allowed", "only"] = "refused"
    condition: Condition | None = None


REASONS: Final[dict[str, Title]] = {
    "outside_remit": Title("不属受理范围", "Outside the remit"),
    "not_there": Title("现场不存在", "Not there"),
    "solved_already": Title("已解决", "Solved already"),
    "unclear": Title("情况不清", "Unclear"),
    "repeated": Title("重复上报", "Reported before"),
    "mistaken": Title("误报", "Reported by mistake"),
    "withdrawn": Title("上报人撤回", "Withdrawn by the reporter"),
    "not_our_duty": Title("非本单位职责", "Not our duty"),
    "other_area": Title("非本辖区", "Not in our area"),
    "facts_missing": Title("信息不全", "Facts are missing"),
    "awaits_material": Title("等待材料", "Waits for material"),
    "awaits_weather": Title("等待天气", "Waits for the weather"),
    "awaits_budget": Title("等待资金", "Waits for funds"),
    "awaits_owner": Title("等待权属认定", "Waits for the owner to be known"),
    "awaits_procedure": Title("等待法定程序", "Waits for a legal procedure"),
}
"""Why a step was taken: the short book from which a step takes its reason."""

FINDINGS: Final[dict[str, Title]] = {
    "as_told": Title("情况属实", "As told"),
    "differs": Title("与上报有出入", "Differs from what was told"),
    "not_there": Title("现场不存在", "Not there"),
}
"""What a verification found on the spot."""

_REJECTING: Final = ("outside_remit", "not_there", "solved_already", "unclear", "repeated")
_CANCELLING: Final = ("mistaken", "repeated", "solved_already", "withdrawn")
_RETURNING: Final = ("not_our_duty", "other_area", "facts_missing")
_WAITING: Final = ("awaits_material", "awaits_weather", "awaits_budget", "awaits_owner", "awaits_procedure")
_AT_WORK: Final[tuple[State, ...]] = ("dispatched", "disposing")
_CHASED: Final[tuple[State, ...]] = ("accepted", "registered", "dispatched", "disposing", "disposed")


def _t(zh: str, en: str) -> Title:
    return Title(zh, en)


_ACCEPT, _REGISTER, _DISPATCH = ("incident.accept",), ("incident.register",), ("incident.dispatch",)
_MENDED: Final[tuple[Need, ...]] = ("note", "matter", "level")
_DISPOSE, _CHECK = ("incident.dispose",), ("incident.check",)

RULES: Final[tuple[Rule, ...]] = (
    # Taken up: looked at where that is due, accepted, registered; or refused.
    Rule("verify", _t("核实", "Verify"), ("reported",), "verified", ("incident.verify",), ("area", "assignee"),
         needs=("finding", "proof"), takes=("place",)),
    Rule("accept", _t("受理", "Accept"), ("reported",), "accepted", _ACCEPT, ("area",),
         takes=_MENDED, condition="verified_first"),
    Rule("accept", _t("受理", "Accept"), ("verified",), "accepted", _ACCEPT, ("area",), takes=_MENDED),
    Rule("register", _t("立案", "Register"), ("accepted",), "registered", _REGISTER, ("area",), takes=_MENDED),
    Rule("register", _t("立案", "Register"), ("reported", "verified"), "registered", _REGISTER, ("area",),
         takes=_MENDED, condition="at_once"),
    Rule("reject", _t("不予受理", "Refuse"), ("reported", "verified"), "rejected", _ACCEPT, ("area",),
         needs=("reason", "note"), reasons=_REJECTING),
    Rule("reject", _t("不予立案", "Do not register"), ("accepted",), "rejected", _REGISTER, ("area",),
         needs=("reason", "note"), reasons=_REJECTING),
    Rule("self_handle", _t("自行处置", "Handled on the spot"), ("reported",), "closed", ("incident.verify",),
         ("reporter", "assignee"), needs=("note", "photo"), takes=("place",), condition="own_handling"),
    # Handed on, worked on, and sent back where the department is the wrong one.
    Rule("dispatch", _t("派遣", "Dispatch"), ("registered",), "dispatched", _DISPATCH, ("area",),
         takes=("lead", "co", "note"), condition="level"),
    Rule("sign", _t("签收", "Sign for"), ("dispatched",), None, _DISPOSE, ("lead", "assignee"),
         takes=("note",), condition="unsigned"),
    Rule("arrive", _t("到场", "Arrive"), _AT_WORK, "disposing", _DISPOSE, ("lead", "helper", "assignee"),
         takes=("note", "photo", "place")),
    Rule("dispose", _t("处置", "Work on it"), _AT_WORK, "disposing", _DISPOSE, ("lead", "assignee"),
         takes=("note", "photo", "place")),
    Rule("feedback", _t("处置反馈", "Report it done"), ("disposing",), "disposed", _DISPOSE, ("lead", "assignee"),
         needs=("note",), takes=("photo", "place")),
    Rule("send_back", _t("回退", "Send back"), ("dispatched",), "registered", _DISPOSE, ("lead",),
         needs=("reason", "note"), reasons=_RETURNING),
    # Checked on the spot: closed, or done again.
    Rule("check", _t("核查", "Check"), ("disposed",), "checked", _CHECK, ("area", "assignee"),
         needs=("proof",), takes=("place",), condition="other_hands"),
    Rule("rework", _t("返工", "Have it done again"), ("disposed", "checked"), "disposing", _CHECK,
         ("area", "assignee"), needs=("note",), takes=("photo", "place")),
    Rule("close", _t("结案", "Close"), ("checked",), "closed", ("incident.close",), ("area",), takes=("note",)),
    # More time, and no clock for a while.
    Rule("ask_defer", _t("申请延期", "Ask for more time"), _AT_WORK, None, _DISPOSE, ("lead", "assignee"),
         needs=("until", "note"), condition="not_asked"),
    Rule("defer", _t("同意延期", "Grant more time"), _AT_WORK, None, _DISPATCH, ("area",),
         takes=("until", "note"), condition="asked"),
    Rule("refuse_defer", _t("不同意延期", "Refuse more time"), _AT_WORK, None, _DISPATCH, ("area",),
         needs=("note",), condition="asked"),
    Rule("suspend", _t("挂账", "Suspend"), ("registered", "dispatched", "disposing"), None, _DISPATCH, ("area",),
         needs=("reason", "until", "note"), reasons=_WAITING),
    Rule("resume", _t("恢复办理", "Resume"), ("registered", "dispatched", "disposing"), None, _DISPATCH, ("area",),
         takes=("note",), suspended="only"),
    # Ended otherwise.
    Rule("cancel", _t("作废", "Cancel"), ("reported", "verified", "accepted", "registered", "dispatched", "disposing"),
         "cancelled", _ACCEPT, ("area",), needs=("reason", "note"), reasons=_CANCELLING, suspended="allowed"),
    Rule("cancel", _t("撤回上报", "Withdraw"), ("reported",), "cancelled", ("incident.report",), ("reporter",),
         needs=("reason", "note"), reasons=_CANCELLING),
    Rule("merge", _t("并案", "Merge into another"),
         ("reported", "verified", "accepted", "registered", "dispatched"), "cancelled", ("incident.merge",), ("area",),
         needs=("into",), takes=("note",), suspended="allowed"),
    # Watched over.
    Rule("urge", _t("催办", "Urge"), _CHASED, None, ("incident.supervise", "hotline.take"), ("area",),
         takes=("note",)),
    Rule("supervise", _t("督办", "Supervise"), OPEN, None, ("incident.supervise",), ("area",),
         needs=("note",), suspended="allowed"),
    Rule("escalate", _t("提级", "Take up a level"), OPEN, None, ("incident.supervise", "incident.dispatch"), ("area",),
         needs=("note",), suspended="allowed", condition="not_top"),
    # Who goes, and what is to be known.
    Rule("assign", _t("指派核实", "Send somebody to look"), ("reported", "disposed"), None, _DISPATCH, ("area",),
         needs=("assignee",), takes=("note",)),
    Rule("assign", _t("指派处置", "Give it to somebody"), _AT_WORK, None, _DISPOSE, ("lead",),
         needs=("assignee",), takes=("note",)),
    Rule("note", _t("备注", "Note"), STATES, None, ("incident.view",), ("sees",),
         needs=("note",), takes=("photo",), suspended="allowed"),
)  # fmt: skip

STEPS: Final[frozenset[str]] = frozenset(rule.step for rule in RULES) | {"report"}
NEEDS: Final[dict[Need, Title]] = {
    "note": Title("说明", "a note"),
    "proof": Title("说明或照片", "a note or a photo"),
    "photo": Title("照片", "a photo"),
    "reason": Title("原因", "a reason"),
    "finding": Title("核实结论", "what was found"),
    "until": Title("期限", "until when"),
    "lead": Title("主办单位", "the lead department"),
    "co": Title("协办单位", "helping departments"),
    "assignee": Title("承办人", "who goes"),
    "into": Title("并入的案卷", "the case it goes into"),
    "place": Title("所在位置", "where one stands"),
    "matter": Title("更正的事项", "another matter"),
    "level": Title("更正的紧急程度", "another urgency"),
}
RELATIONS: Final[dict[Relation, Title]] = {
    "sees": Title("可见者", "who sees it"),
    "area": Title("辖区", "whose area it lies in"),
    "lead": Title("主办单位", "the lead department"),
    "helper": Title("协办单位", "a helping department"),
    "assignee": Title("承办人", "the assignee"),
    "reporter": Title("上报人", "the reporter"),
}
CONDITIONS: Final[dict[Condition, Title]] = {
    "verified_first": Title("公众、媒体来源须先核实", "reports of the public and the media are verified first"),
    "at_once": Title("网格员上报、上级交办可直接立案", "of a grid worker, or a higher order"),
    "own_handling": Title("限网格员上报", "of a grid worker's own report"),
    "level": Title("限督办层级及以上", "at the level of command, or above"),
    "unsigned": Title("尚未签收", "not signed for yet"),
    "asked": Title("已申请延期", "more time was asked for"),
    "not_asked": Title("无待批延期申请", "no such request is open"),
    "not_top": Title("未到市级", "not at the city's level yet"),
    "other_hands": Title("非处置人本人", "by another than who disposed of it"),
}


def rules_of(step: str) -> tuple[Rule, ...]:
    """The lines of a step, none for an unknown one."""
    return tuple(rule for rule in RULES if rule.step == step)


def as_markdown() -> str:
    """The table as docs/incidents.md shows it."""
    lines = ["| step | from | to | right | who | must carry | may carry | while suspended | only |", "|" + "---|" * 9]
    for rule in RULES:
        before = "any" if rule.before == STATES else "any open" if rule.before == OPEN else ", ".join(rule.before)
        cells = (
            f"`{rule.step}` {rule.title.zh} {rule.title.en}",
            before,
            rule.after or "stays",
            " or ".join(f"`{right}`" for right in rule.rights),
            ", or ".join(RELATIONS[who].en for who in rule.who),
            ", ".join(NEEDS[need].en for need in rule.needs) or "–",
            ", ".join(NEEDS[need].en for need in rule.takes) or "–",
            {"refused": "refused", "allowed": "possible", "only": "only then"}[rule.suspended],
            CONDITIONS[rule.condition].en if rule.condition else "–",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
