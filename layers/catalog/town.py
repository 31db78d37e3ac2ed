"""Towns, townships and subdistricts (镇街)."""

from layers.look import Look
from layers.spec import Access, Layer, Load, Title, field, layer_table

TABLE = layer_table(
    "town",
    "MultiPolygon",
    field("name", "text", zh="名称", en="Name", tile=True, search=True, required=True, max_length=50),
    field("name_en", "text", zh="英文名", en="English name", search=True, max_length=80),
    field("kind", "code", zh="类型", en="Kind", book="town_kind", tile=True, filter=True),
    field("county_code", "code", zh="所属县区", en="County", book="county", filter=True, required=True),
    field("population", "integer", zh="人口", en="Population", unit="人", tile=True, filter=True, minimum=0),
    field("area_km2", "number", zh="面积", en="Area", unit="km²", minimum=0),
)

LAYER = Layer(
    table=TABLE,
    title=Title("镇（街道）", "Town"),
    about=Title("镇、街道和园区", "Towns, subdistricts and zones"),
    group="area",
    geometry="MultiPolygon",
    look=Look("outline", "edge", size=((8, 0.4), (14, 1.6)), opacity=0.7, label_from=9.5, label_role="text"),
    label="name",
    minzoom=6,
    rank=7.0,
    access=Access(view="public", edit="nobody"),
    load=Load(identifier="admin", places=(), id_headers=("town_code", "街道代码", "乡镇代码", "code")),
)
