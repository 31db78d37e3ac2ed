"""Duty grids (责任网格): the grids that one inspector answers for."""

from layers.look import Look
from layers.spec import Access, Layer, Load, Title, field, layer_table

TABLE = layer_table(
    "duty_grid",
    "MultiPolygon",
    field("name", "text", zh="名称", en="Name", tile=True, search=True, required=True, max_length=80),
    field("department", "text", zh="责任部门", en="Department", tile=True, filter=True, edit=True, max_length=100),
    field("team", "text", zh="责任班组", en="Team", edit=True, max_length=50),
    # The line of a unit's duty desk, never a person's.
    field(
        "duty_phone",
        "text",
        zh="值班电话",
        en="Duty telephone",
        edit=True,
        max_length=30,
        headers=("值班室电话", "值守电话", "责任单位电话", "duty_tel"),
    ),
    field("grids", "integer", zh="网格数", en="Grids", unit="个", tile=True, filter=True, minimum=0),
    field("area_m2", "number", zh="面积", en="Area", unit="m²", minimum=0),
)

LAYER = Layer(
    table=TABLE,
    title=Title("责任网格", "Duty grid"),
    about=Title("由一名巡查员负责的若干网格", "The grids that one inspector answers for"),
    group="area",
    geometry="MultiPolygon",
    look=Look("outline", "warn", size=((9, 0.5), (16, 2.4)), opacity=0.7, label_from=12.5),
    label="name",
    minzoom=9,
    classes="department",
    rank=4.0,
    access=Access(view="public"),
    load=Load(identifier="text", places=(), id_headers=("责任网格编码", "duty_grid_id")),
)
