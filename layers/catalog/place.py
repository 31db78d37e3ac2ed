"""Places (地名地址): the gazetteer that search and geocoding stand on."""

from layers.look import Look
from layers.spec import Access, Layer, Load, Title, field, layer_table

TABLE = layer_table(
    "place",
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
        max_length=120,
        headers=("地名", "标准名称", "poi_name"),
    ),
    field("name_en", "text", zh="英文名", en="English name", tile=True, search=True, edit=True, max_length=120),
    field(
        "kind",
        "code",
        zh="类型",
        en="Kind",
        book="place_kind",
        tile=True,
        filter=True,
        required=True,
        headers=("类别", "fclass", "地名类别"),
    ),
    field("address", "text", zh="地址", en="Address", search=True, edit=True, max_length=256),
    field("importance", "number", zh="重要度", en="Importance", tile=True, filter=True, minimum=0, maximum=1),
)

LAYER = Layer(
    table=TABLE,
    title=Title("地名地址", "Place"),
    about=Title("地名、机构与门牌", "Names of places, institutions and addresses"),
    group="base",
    geometry="Point",
    look=Look("circle", "quiet", size=((10, 1.6), (16, 3.2)), opacity=0.8, label_from=13, label_first="importance"),
    label="name",
    minzoom=10,
    classes="kind",
    shown_from=(
        *((kind, 10) for kind in ("county_seat", "town_seat")),
        *((kind, 12) for kind in ("station", "hospital", "government", "scenic", "industrial_park", "wharf")),
        *((kind, 13) for kind in ("community", "village", "park", "school")),
        *((kind, 14) for kind in ("market", "plaza", "police", "fire_station", "kindergarten", "clinic")),
        *((kind, 14) for kind in ("bus_station", "shelter")),
    ),
    rank=6.0,
    access=Access(view="public"),
    load=Load(identifier="text", places=("grid", "admin", "place", "address"), id_headers=("geonameid", "poi_id")),
)
