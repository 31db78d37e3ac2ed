"""Counties, districts and county-level cities (县市区)."""

from layers.look import Look
from layers.spec import Access, Layer, Load, Title, field, layer_table

TABLE = layer_table(
    "county",
    "MultiPolygon",
    field("name", "text", zh="名称", en="Name", tile=True, search=True, required=True, max_length=50),
    field("name_en", "text", zh="英文名", en="English name", tile=True, search=True, max_length=80),
    field("population", "integer", zh="人口", en="Population", unit="人", tile=True, filter=True, minimum=0),
    field("area_km2", "number", zh="面积", en="Area", unit="km²", minimum=0),
)

LAYER = Layer(
    table=TABLE,
    title=Title("县（市、区）", "County"),
    about=Title("县级行政区划", "County-level divisions"),
    group="area",
    geometry="MultiPolygon",
    look=Look(
        "outline",
        "edge",
        size=((6, 1.2), (14, 3.0)),
        opacity=0.9,
        ground="land",
        label_from=6,
        label_to=12,
        label_role="text",
        label_size=((6, 13.0), (10, 18.0)),
    ),
    label="name",
    minzoom=6,
    rank=9.0,
    access=Access(view="public", edit="nobody"),
    load=Load(identifier="admin", places=(), id_headers=("adcode", "gb", "行政区划代码", "区划代码", "code")),
)
