"""Social-governance grids (社会治理网格): about a thousand people each, nested in one town."""

from layers.look import Look
from layers.spec import Access, Layer, Load, Title, field, layer_table

TABLE = layer_table(
    "grid",
    "MultiPolygon",
    field("name", "text", zh="名称", en="Name", tile=True, search=True, required=True, max_length=80),
    field("kind", "code", zh="类型", en="Kind", book="grid_kind", tile=True, filter=True),
    field("community", "text", zh="社区（村）", en="Community", filter=True, edit=True, max_length=50),
    field("households", "integer", zh="户数", en="Households", unit="户", filter=True, edit=True, minimum=0),
    field("population", "integer", zh="人口", en="Population", unit="人", tile=True, filter=True, edit=True, minimum=0),
    field("area_m2", "number", zh="面积", en="Area", unit="m²", filter=True, minimum=0),
)

LAYER = Layer(
    table=TABLE,
    title=Title("治理网格", "Governance grid"),
    about=Title(
        "社会治理网格，每格约千人，不跨镇街", "Social-governance grids of about a thousand people, nested in towns"
    ),
    group="area",
    geometry="MultiPolygon",
    look=Look("outline", "accent", size=((10, 0.3), (16, 1.6)), opacity=0.55, label_from=14),
    label="name",
    minzoom=10,
    classes="kind",
    rank=5.0,
    access=Access(view="public"),
    load=Load(identifier="grid", places=(), id_headers=("网格编码", "网格编号", "grid_code", "grid_id", "SZDYWGBSM")),
)
