"""Buildings (建筑): footprints with use and height."""

from layers.look import Look
from layers.spec import Access, Layer, Load, Title, field, layer_table

TABLE = layer_table(
    "building",
    "MultiPolygon",
    field(
        "name",
        "text",
        zh="名称",
        en="Name",
        tile=True,
        search=True,
        edit=True,
        max_length=80,
        headers=("楼名", "建筑名称"),
    ),
    field(
        "kind",
        "code",
        zh="用途",
        en="Use",
        book="building_kind",
        tile=True,
        filter=True,
        edit=True,
        headers=("building", "建筑用途"),
    ),
    field(
        "floors",
        "integer",
        zh="层数",
        en="Floors",
        unit="层",
        tile=True,
        filter=True,
        edit=True,
        minimum=0,
        maximum=200,
        headers=("building:levels", "building_levels", "层高数", "FLOOR"),
    ),
    field(
        "height_m",
        "number",
        zh="高度",
        en="Height",
        unit="m",
        filter=True,
        edit=True,
        minimum=0,
        maximum=1000,
        headers=("height", "建筑高度"),
    ),
    field("address", "text", zh="地址", en="Address", search=True, edit=True, max_length=256),
)

LAYER = Layer(
    table=TABLE,
    title=Title("建筑", "Building"),
    about=Title("建筑轮廓、用途与高度", "Building footprints, use and height"),
    group="base",
    geometry="MultiPolygon",
    look=Look("fill", "building", opacity=0.95),
    label="name",
    minzoom=13,
    classes="kind",
    rank=1.0,
    access=Access(view="public"),
    load=Load(identifier="text", places=(), id_headers=("osm_id", "osmid", "建筑编码")),
)
