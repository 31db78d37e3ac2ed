"""Why a report, or a step of a case, was not taken: in the words of the person who tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from layers.said import Said, said

REFUSED: Final[Mapping[str, Said]] = {
    # Steps of a case that are refused (`layers.loop`).
    "step_unknown": said("没有这个步骤", "There is no such step"),
    "step_state": said("案卷{state}，不能{step}", "“{step_en}” is not possible in the state “{state_en}”"),
    "step_right": said("您的角色无权{step}", "No role of yours may do this: “{step_en}”"),
    "step_sees": said("您看不到这个案卷", "You do not see this case"),
    "step_area": said("案卷不在您的辖区", "The case does not lie in your area"),
    "step_lead": said("只有主办单位可以办理", "Only the lead department may do this"),
    "step_helper": said("只有主办或协办单位可以办理", "Only the departments in charge may do this"),
    "step_assignee": said("只有承办人可以办理", "Only the assignee may do this"),
    "step_reporter": said("只有上报人可以办理", "Only the reporter may do this"),
    "step_suspended": said("案卷已挂账", "The case is suspended", "请先恢复办理", "Resume it first"),
    "step_not_suspended": said("案卷没有挂账", "The case is not suspended"),
    "step_verify_first": said(
        "公众和媒体来源的案卷须先现场核实", "What the public and the media tell is verified on the spot first"
    ),
    "step_accept_first": said("该来源的案卷须先受理", "A case of this channel is accepted first"),
    "step_worker_only": said("只有网格员上报的案卷可以自行处置", "Only what a grid worker reports is handled at once"),
    "step_level": said(
        "案卷已提级，须由{level}级（1 区县，2 市）派遣",
        "The case was taken up: only level {level} (1 county, 2 city) dispatches it",
    ),
    "step_signed": said("已经签收", "It is signed for already"),
    "step_not_asked": said("没有待批的延期申请", "Nobody asks for more time"),
    "step_asked": said("已有待批的延期申请", "More time is asked for already"),
    "step_top": said("已经是市级督办", "It is at the city's level already"),
    "step_own_work": said("处置人不能核查自己的处置", "Who disposed of it does not check it"),
    "step_lacks": said("还缺少{zh}", "Still needed: {en}"),
    "step_strange": said("这个步骤不带“{name}”", "This step does not carry “{name}”"),
    "steps_full": said("案卷已有 {most} 个步骤，不能再加", "The case has had {most} steps"),
    "case_changed": said(
        "别人刚刚办理了案卷 {id}", "Somebody else just went on with case {id}", "请看最新情况", "See how it stands now"
    ),
    "reason_unknown": said("原因不在可选范围", "The reason is none of those offered"),
    "finding_unknown": said("核实结论不在可选范围", "The finding is none of those offered"),
    "until_wrong": said("期限须在现在之后、一年之内", "The time must lie ahead, within a year"),
    "photos_many": said("照片最多 {most} 张，不能重复", "At most {most} photos, each once"),
    "photo_unknown": said("照片不属于这个案卷", "The photo is none of this case"),
    "co_many": said("协办单位最多 {most} 个", "At most {most} helping departments"),
    "department_unknown": said("没有代码为“{code}”的单位", "There is no department “{code}”"),
    "department_twice": said("主办单位不能同时协办", "The lead department does not help itself"),
    "assignee_unknown": said("没有账号“{login}”", "Nobody has the account “{login}”"),
    "assignee_unfit": said(
        "账号“{login}”的角色或范围不能办理这个案卷",
        "The roles or the scope of “{login}” do not let them take this case",
    ),
    "merge_self": said("不能并入自己", "A case is not merged into itself"),
    "merge_unknown": said("没有案卷 {id}", "There is no case {id}"),
    "merge_ended": said("案卷 {id} 已经结束", "Case {id} is ended"),
    # What was noted out of reach, and comes later.
    "happened_ahead": said(
        "发生时间比服务器快 {minutes} 分钟，手机时钟可能不准",
        "It happened {minutes} minutes ahead of the server's time: the phone's clock may be wrong",
        "请校准手机时间，或按到达时间提交",
        "Set the phone's clock, or submit it with the time of its arrival",
    ),
    "happened_old": said(
        "发生时间早于 {days} 天前",
        "It happened more than {days} days ago",
        "请按到达时间提交",
        "Submit it with the time of its arrival",
    ),
    # Needs, visits and who serves.
    "need_kind": said("没有这类需求“{kind}”", "There is no kind of need “{kind}”"),
    "wish_wrong": said("希望时间须在一年之内", "The wished time must lie within a year"),
    "need_area": said("地点不在您的辖区", "The place is outside of your areas"),
    "need_changed": said(
        "别人刚刚更新了需求 {id}", "Somebody else just went on with need {id}", "请看最新情况", "See how it stands now"
    ),
    "need_step_right": said("您不能对这条需求“{zh}”", "You may not do this with this need: “{en}”"),
    "need_step_state": said("需求现在的状态不能“{zh}”", "“{en}” is not possible in the state of this need"),
    "need_lacks_provider": said("请选择服务方，或写明由谁服务", "Choose who serves, or say so in words"),
    "need_lacks_note": said("请写明情况", "Say what is the matter"),
    "need_lacks_incident": said("缺少案卷号", "The number of the case is needed"),
    "provider_unknown": said("没有这个服务方", "There is no such provider"),
    "provider_line": said("第 {line} 行不能使用：{reason}", "Line {line} cannot be used: {reason}"),
    "visit_links": said("关联的需求、案卷各最多 {most} 条", "At most {most} needs and {most} cases"),
    "visit_link_unknown": said("关联的需求或案卷不存在", "A need or case that it names is not there"),
    "premises_unknown": said("地图上没有这处建筑或场所", "The map has no such building or place"),
    # At the hotline's desk, and in the city's tables.
    "phone_wrong": said("电话号码不对：应为 3 至 15 位数字", "This is no phone number: 3 to 15 digits are"),
    "answer_needed": said(
        "已联系上的，请记下是否解决、是否满意", "Of who was reached, say whether solved and satisfied"
    ),
    "answer_unasked": said(
        "只有回访时联系上的人才答是否解决、是否满意", "Only who is called back and reached is asked about it"
    ),
    "correction_empty": said("这些话里没有可以学习的内容", "These words hold nothing to learn from"),
    "valid_before": said("有效期早于文件日期", "It would end before the date of its document"),
    "duty_unfit": said("职责清单的这些值不合要求：{names}", "These values do not fit the duty table: {names}"),
    "department_not_yours": said("这个单位不由您负责", "You do not answer for this department"),
    "whole_city": said("整张表由负责全市的人维护", "The whole table is for those who answer for the whole city"),
    "question_ships": said(
        "系统自带的问题不能删除", "This question ships with Chengtu", "请移走它的文件", "Remove its file"
    ),
    "runs_internal": said("保存的结果只给能看内部图层的人", "Kept results are for those who see internal layers"),
    # Reports that are refused.
    "matter_unknown": said("事项代码不在现行编码中", "The matter is no code in force"),
    "number_missing": said("缺少对方系统的编号", "The number that it has in the other system is missing"),
    "number_unknown": said(
        "编号 {number} 的上报尚未导入",
        "No report of the number {number} came in",
        "请先导入上报",
        "Bring its report in first",
    ),
    "matter_missing": said("缺少事项或部件", "A matter or a component is needed"),
    "matter_other": said("事项与部件类别不符", "The matter is not that of the component"),
    "component_unknown": said("没有这个部件", "There is no such component"),
    "code_unknown": said("“{name}”不在代码表中", "“{name}” is none of its codes"),
    "channel_unknown": said("没有这个来源", "There is no such channel"),
    "channel_not_yours": said("您不能以这个来源上报", "You may not report for this channel"),
    "line_unknown": said("没有线路“{code}”", "There is no line “{code}”"),
    "no_code": said("代码格式不对", "This is no code"),
    "no_place": said("缺少位置，或坐标有误", "A place is missing, or is no longitude and latitude"),
    "outside_city": said("位置不在本市范围内", "The place lies outside the city"),
    "place_unknown": said("找不到这个位置", "No such place is known", "请在地图上点选", "Point to it on the map"),
    "place_several": said(
        "可能是几个地方：{places}", "It may be one of several: {places}", "请在地图上点选", "Point to it on the map"
    ),
    "text_empty": said("不能为空", "It must not be empty"),
    "text_long": said("最多 {most} 个字", "At most {most} characters"),
    "text_control": said("含有控制字符", "It holds control characters"),
    "day_full": said("当天的案卷号已用完（{most} 个）", "The numbers of this day are used up ({most})"),
    "too_often": said(
        "无账号上报每小时最多 {most} 次",
        "At most {most} reports an hour without an account",
        "请稍后再试",
        "Try again later",
    ),
    "too_many_readings": said(
        "查询进度每小时最多 {most} 次",
        "At most {most} questions about reports an hour",
        "请稍后再试",
        "Try again later",
    ),
    "public_closed": said("本市未开放无账号上报", "This city takes no reports without an account"),
    "photo_large": said("照片超过 {most} MB", "The photo is larger than {most} MB"),
    "photo_kind": said("只收 JPEG、PNG、WebP 照片", "Only JPEG, PNG and WebP pictures are taken"),
    "photo_broken": said(
        "照片已损坏，或没有传完整", "The picture is broken or cut off", "请重新拍摄或选择", "Take it again"
    ),
    "photo_pixels": said("照片的像素太多", "The picture has too many pixels"),
    "photos_full": said("一个案卷最多 {most} 张照片", "A case has at most {most} photos"),
    # Exercises.
    "exercise_over": said(
        "演练“{title}”已结束，只能查看",
        "The exercise “{title}” is over; it can only be looked at",
        "请退出演练",
        "Leave the exercise",
    ),
    "exercise_real": said(
        "这会改动真实数据，演练中不能进行",
        "This would change the real city",
        "请先退出演练",
        "Leave the exercise first",
    ),
    "exercise_other": said(
        "页面与当前登录不在同一个演练（或现实）中，没有执行",
        "The page and the session are not in the same exercise (or reality): nothing was done",
        "请刷新页面",
        "Reload the page",
    ),
    "exercise_not_for_you": said(
        "演练“{title}”不面向您的辖区或角色", "The exercise “{title}” is for other areas or roles"
    ),
    "exercise_not_yours": said("演练范围超出您的辖区", "This exercise reaches further than you do"),
    "exercise_too_far": said("演练范围不能超出您的辖区", "An exercise reaches no further than you do"),
    "exercise_roles_many": said("参加角色最多 {most} 个", "At most {most} roles"),
    "exercises_full": said(
        "同时进行的演练最多 {most} 个", "At most {most} exercises are open at once", "请先结束一个", "Close one first"
    ),
    "exercises_day_full": said("当天的演练已达 {most} 个", "This day has had {most} exercises"),
}
