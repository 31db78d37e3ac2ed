"""Pollution points (污染源与监测点): air, water, soil, noise and enterprise discharge."""

from layers.look import Look
from layers.spec import Access, Layer, Load, Title, field, layer_table

TABLE = layer_table(
    "pollution",
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
        headers=("监测点名称", "站点名称", "点位名称", "站名", "企业名称"),
    ),
    field(
        "kind",
        "code",
        zh="类别",
        en="Kind",
        book="pollution_kind",
        tile=True,
        filter=True,
        required=True,
        headers=("类型", "监测类型"),
    ),
    field(
        "status",
        "code",
        zh="状态",
        en="Status",
        book="pollution_status",
        tile=True,
        filter=True,
        edit=True,
        required=True,
    ),
    field(
        "operator",
        "text",
        zh="责任单位",
        en="Operator",
        filter=True,
        edit=True,
        max_length=100,
        headers=("运维单位", "所属单位"),
    ),
    field("indicator", "text", zh="监测指标", en="Indicator", edit=True, max_length=80, headers=("污染物",)),
    field("address", "text", zh="地址", en="Address", search=True, edit=True, max_length=256, headers=("位置",)),
    field(
        "station_code",
        "text",
        zh="站点编码",
        en="Station code",
        search=True,
        max_length=40,
        headers=("监测点编码", "点位编码"),
    ),
    field("city_name", "text", zh="所在城市", en="City", filter=True, max_length=50, headers=("城市",)),
)

LAYER = Layer(
    table=TABLE,
    title=Title("污染监测", "Pollution point"),
    about=Title(
        "大气、水、土壤、噪声监测点和排污企业", "Air, water, soil and noise stations, and discharging enterprises"
    ),
    group="environment",
    geometry="Point",
    look=Look(
        "circle",
        "quiet",
        column="kind",
        by=(
            ("air", "series1"),
            ("water", "grade4"),
            ("soil", "series2"),
            ("noise", "series4"),
            ("enterprise", "series5"),
        ),
        size=((8, 3.6), (14, 5.6), (18, 9.5)),
        opacity=1.0,
        shape="diamond",
        label_from=13.5,
    ),
    label="name",
    minzoom=8,
    classes="kind",
    kept=(("status", ("exceeding",)),),
    rank=3.5,
    access=Access(view="public"),
    load=Load(identifier="text", id_headers=("监测点编码", "点位编码", "排污许可证编号", "station_id")),
)
