"""Emergency supplies (应急物资储备点): what is kept where, by whom, and whether it is there now."""

from layers.look import Look
from layers.spec import Access, Layer, Load, Title, field, layer_table

TABLE = layer_table(
    "supply",
    "Point",
    field(
        "name",
        "text",
        zh="名称",
        en="Name",
        tile=True,
        search=True,
        edit=True,
        required=True,
        max_length=100,
        headers=("储备点名称", "仓库名称"),
    ),
    field(
        "kind",
        "code",
        zh="物资类别",
        en="Kind",
        book="supply_kind",
        tile=True,
        filter=True,
        edit=True,
        required=True,
        headers=("类别", "类型"),
    ),
    field("level", "code", zh="层级", en="Level", book="supply_level", tile=True, filter=True, edit=True),
    field(
        "status",
        "code",
        zh="状态",
        en="Status",
        book="supply_status",
        tile=True,
        filter=True,
        edit=True,
        required=True,
    ),
    field("stock", "text", zh="主要物资", en="Stock", search=True, edit=True, max_length=500, headers=("物资清单",)),
    field(
        "operator",
        "text",
        zh="管理单位",
        en="Operator",
        filter=True,
        edit=True,
        max_length=100,
        headers=("责任单位", "所属单位"),
    ),
    field("counted_on", "date", zh="最近盘点", en="Last stocktaking", filter=True, edit=True, headers=("盘点日期",)),
    field("address", "text", zh="地址", en="Address", search=True, edit=True, max_length=256, headers=("位置",)),
)

LAYER = Layer(
    table=TABLE,
    title=Title("应急物资", "Emergency supply"),
    about=Title("应急物资储备点及其物资", "Stores of emergency supplies and what they hold"),
    group="emergency",
    geometry="Point",
    look=Look(
        "circle",
        "quiet",
        column="status",
        by=(("ready", "series6"), ("low", "warn"), ("out", "quiet")),
        size=((8, 2.6), (14, 5.4), (18, 9.0)),
        shape="cross",
        label_from=13.5,
    ),
    label="name",
    minzoom=8,
    classes="status",
    # From afar those that lack something.
    shown_from=(("low", 8), ("out", 8), ("ready", 11)),
    kept=(("status", ("low", "out")),),
    rank=4.1,
    access=Access(view="public"),
    load=Load(identifier="text", id_headers=("储备点编码", "仓库编码", "supply_id")),
)
