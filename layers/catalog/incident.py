"""Incidents (案卷): whatever happened in the city that somebody has to see to, from the first report to the closing.

The steps of an incident are taken in `layers.loop`, never by a delivery or the edit form.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from layers.look import Look
from layers.spec import Access, Layer, Load, Title, field, layer_table

TABLE = layer_table(
    "incident",
    "Point",
    field("title", "text", zh="标题", en="Title", tile=True, search=True, required=True, max_length=100),
    field("matter", "code", zh="事项类别", en="Matter", book="matter", tile=True, filter=True, required=True),
    field("description", "text", zh="问题描述", en="Description", max_length=2000),
    field("state", "code", zh="状态", en="State", book="incident_state", tile=True, filter=True, required=True),
    field("level", "code", zh="紧急程度", en="Urgency", book="incident_level", tile=True, filter=True, required=True),
    field("light", "code", zh="时限", en="Time limit", book="incident_light", tile=True, filter=True, required=True),
    field("channel", "code", zh="来源", en="Channel", book="incident_channel", tile=True, filter=True, required=True),
    field("line", "text", zh="热线", en="Hotline", filter=True, max_length=20),
    field("appeal", "code", zh="诉求类型", en="Kind of appeal", book="appeal_kind", filter=True),
    field("component_id", "text", zh="部件标识码", en="Component", filter=True, max_length=32),
    field("lead", "text", zh="主办单位", en="Lead department", tile=True, filter=True, max_length=20),
    field("address", "text", zh="地址", en="Address", search=True, max_length=256),
    field("reported_at", "time", zh="上报时间", en="Reported", filter=True, required=True),
    field("accepted_at", "time", zh="受理时间", en="Accepted", filter=True),
    field("registered_at", "time", zh="立案时间", en="Registered", filter=True),
    field("dispatched_at", "time", zh="派遣时间", en="Dispatched", filter=True),
    field("signed_at", "time", zh="签收时间", en="Signed for", filter=True),
    field("disposed_at", "time", zh="处置时间", en="Disposed of", filter=True),
    field("checked_at", "time", zh="核查时间", en="Checked", filter=True),
    field("closed_at", "time", zh="结案时间", en="Closed", filter=True),
    field("due_at", "time", zh="处置期限", en="Due", filter=True),
    field("suspended", "boolean", zh="挂账", en="Suspended", tile=True, filter=True, required=True),
    # 0 town, 1 county, 2 city: the level of command that watches over it.
    field("command", "integer", zh="督办层级", en="Level of command", filter=True, required=True, minimum=0, maximum=2),
    field("returns", "integer", zh="回退次数", en="Times sent back", filter=True, required=True, minimum=0),
    field("reworks", "integer", zh="返工次数", en="Times reworked", filter=True, required=True, minimum=0),
    field("urges", "integer", zh="催办次数", en="Times urged", filter=True, required=True, minimum=0),
    field("deferrals", "integer", zh="延期次数", en="Times deferred", filter=True, required=True, minimum=0),
    field("merged_into", "text", zh="并入案卷", en="Merged into", filter=True, max_length=32),
    # Not told outside but through `layers.loop`: who works on it, with whom, and in which exercise.
    sa.Column("co", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("reporter", sa.Text),
    sa.Column("assignee", sa.Text),
    sa.Column("stage_due_at", sa.DateTime(timezone=True)),
    sa.Column("scenario", sa.Text),
)
sa.Index("incident_state", TABLE.c.state, TABLE.c.lead)
sa.Index("incident_reported_at", TABLE.c.reported_at)
sa.Index("incident_assignee", TABLE.c.assignee)
# Of residents without an account nobody asks by it.
sa.Index("incident_reporter", TABLE.c.reporter, postgresql_where=TABLE.c.reporter != "anyone")
# What is due first stands first; of what is ended nothing is due.
sa.Index("incident_stage_due_at", TABLE.c.stage_due_at, TABLE.c.id)
sa.Index("incident_merged_into", TABLE.c.merged_into, postgresql_where=TABLE.c.merged_into.is_not(None))

LAYER = Layer(
    table=TABLE,
    title=Title("案卷", "Incident"),
    about=Title(
        "市民、网格员、热线、感知设备等上报并须办理的事件",
        "What residents, grid workers, hotlines and sensors report and somebody has to see to",
    ),
    group="event",
    geometry="Point",
    look=Look(
        "circle",
        "quiet",
        column="light",
        by=(("red", "grade1"), ("yellow", "grade3"), ("green", "series3"), ("none", "absent")),
        size=((9, 3.2), (13, 5.0), (18, 10.0)),
        opacity=1.0,
    ),
    label="title",
    minzoom=11,
    classes="light",
    kept=(("level", ("critical", "urgent")),),
    rank=4.6,
    access=Access(view="scoped", edit="nobody"),
    load=Load(identifier="text", id_headers=("案卷编号", "工单编号", "incident_id")),
)
