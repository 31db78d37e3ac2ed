"""Which column is which field: headers in three languages, ids, coordinates, recipes."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from etl.errors import BadOption, BadRecipe
from etl.headers import field_called, fold, names_of
from etl.mapping import Mapping, guess_mapping, with_constants, with_field
from etl.readers import Table
from etl.recipe import Recipe, checked, load_recipe, save_recipe
from layers.catalog import built_in

LAYERS = built_in()
COMPONENT = LAYERS["component"]


def table(**columns: Sequence[object]) -> Table:
    frame = pd.DataFrame({name: pd.Series(values, dtype="str") for name, values in columns.items()})
    return Table(Path("a.csv"), "a", frame, rows=pd.RangeIndex(2, len(frame) + 2).to_numpy())


def of_headers(*headers: str, value: str = "1") -> Table:
    return table(**{header: [value, value + "0"] for header in headers})


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("部件名称", "name"),
        (" 部件名称 ", "name"),
        ("GLBJMC", "name"),
        ("glbjmc", "name"),
        ("ObjState", "state"),
        ("部件状态（完好/破损）", "state"),
        ("Department in charge", "department"),
        ("관리기관명", "owner"),
        ("소재지도로명주소", "address"),
        ("ＣＳＲＱ", "first_date"),
        ("小类代码", "class_code"),
    ],
)
def test_headers_in_three_languages_and_widths_find_their_field(header: str, field: str) -> None:
    assert guess_mapping(of_headers(header), COMPONENT).fields == {field: header}


@given(st.sampled_from([(layer.name, f.name) for layer in LAYERS.values() for f in layer.fields]), st.data())
def test_every_name_of_a_field_finds_a_field_however_it_is_written(pair: tuple[str, str], data: st.DataObject) -> None:
    layer = LAYERS[pair[0]]
    field = layer.field(pair[1])
    assert field is not None
    name = data.draw(st.sampled_from([field.name, *field.title, *field.headers]))
    spoiled = data.draw(st.sampled_from([name, name.upper(), f"  {name} ", name.replace("_", " "), f"{name}(m)"]))
    found = field_called(layer, spoiled)
    assert found is not None
    assert fold(spoiled) in names_of(found)


@given(st.text(max_size=30))
def test_folding_a_header_twice_changes_nothing(header: str) -> None:
    assert fold(fold(header)) == fold(header)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        *(
            ("lon", "lat"),
            ("LNG", "LAT"),
            ("Longitude", "Latitude"),
            ("경도", "위도"),
            ("经度", "纬度"),
            ("经度(°)", "纬度(°)"),
        ),
        *(("wgs84_lon", "wgs84_lat"), ("百度经度", "百度纬度"), ("lng_gcj02", "lat_gcj02"), ("東經", "北緯")),
    ],
)
def test_coordinates_in_degrees_are_found_under_any_usual_name(x: str, y: str) -> None:
    roles = guess_mapping(of_headers(y, x), COMPONENT).roles
    assert (roles["lon"], roles["lat"]) == (x, y)


@pytest.mark.parametrize(
    ("x", "y"), [("x", "y"), ("X坐标", "Y坐标"), ("东坐标", "北坐标"), ("Easting", "Northing"), ("POINT_X", "POINT_Y")]
)
def test_coordinates_of_any_frame_are_found(x: str, y: str) -> None:
    roles = guess_mapping(of_headers(x, y), COMPONENT).roles
    assert (roles["x"], roles["y"]) == (x, y)


@pytest.mark.parametrize(
    ("header", "frame"), [("百度", "BD-09"), ("gcj02", "GCJ-02"), ("高德", "GCJ-02"), ("wgs84", "EPSG:4326")]
)
def test_a_header_may_name_the_frame(header: str, frame: str) -> None:
    assert guess_mapping(of_headers(f"{header}经度", f"{header}纬度"), COMPONENT).frame == frame


def test_of_several_pairs_the_true_one_is_taken() -> None:
    mapping = guess_mapping(of_headers("gcj02_lng", "gcj02_lat", "wgs84_lng", "wgs84_lat"), COMPONENT)
    assert (mapping.roles["lon"], mapping.frame) == ("wgs84_lng", "EPSG:4326")


def test_a_lone_coordinate_is_none() -> None:
    assert guess_mapping(of_headers("经度", "备注"), COMPONENT).roles == {}


def test_wkt_and_pairs_are_told_by_their_values() -> None:
    assert guess_mapping(of_headers("geom", value="POINT (120.8 32)"), COMPONENT).roles == {"wkt": "geom"}
    assert guess_mapping(of_headers("坐标", value="120.8,32.0"), COMPONENT).roles == {"pair": "坐标"}
    assert guess_mapping(of_headers("坐标", value="见附件"), COMPONENT).roles == {}
    point = shapely.to_wkb(shapely.Point(120.8, 32), hex=True, include_srid=True)
    assert guess_mapping(table(geom=[point, point]), COMPONENT).roles == {"wkt": "geom"}


def test_shapes_of_the_file_win_over_columns() -> None:
    given = of_headers("lon", "lat")
    shaped = Table(given.path, "a", given.columns, given.rows, geometry=shapely.points([1, 2], [3, 4]))
    assert guess_mapping(shaped, COMPONENT).roles == {}


def test_national_ids_are_known_by_header_and_serial_numbers_are_not_taken_for_them() -> None:
    ids = ["32061301002000001", "32061301002000002"]
    assert guess_mapping(table(部件标识码=ids), COMPONENT).roles["id"] == "部件标识码"
    assert guess_mapping(table(ID=ids), COMPONENT).roles["id"] == "ID"
    assert "id" not in guess_mapping(table(id=["1", "2"]), COMPONENT).roles


def test_an_id_of_the_file_serves_a_layer_of_free_ids_if_it_is_unique() -> None:
    mapping = guess_mapping(table(编号=["1", "2"]), LAYERS["place"])
    assert (mapping.roles["id"], mapping.own_id) == ("编号", True)
    assert "id" not in guess_mapping(table(编号=["1", "1"]), LAYERS["place"]).roles
    assert not guess_mapping(table(geonameid=["1", "2"]), LAYERS["place"]).own_id


def test_of_two_columns_of_ids_the_one_with_the_right_form_is_taken() -> None:
    given = table(gb=["156320685", "156320681"], adcode=["320685", "320681"])
    assert guess_mapping(given, LAYERS["county"]).roles["id"] == "adcode"


def test_alike_headers_are_taken_only_where_no_other_can_be_meant() -> None:
    assert guess_mapping(of_headers("路灯部件名称"), COMPONENT).approximate == {"name"}
    assert guess_mapping(of_headers("部件名称一", "部件名称二"), COMPONENT).fields == {}


def test_columns_that_mean_nothing_here_are_listed() -> None:
    given = of_headers("部件名称", "杆号", "经度", "纬度")
    assert guess_mapping(given, COMPONENT).unused(given) == ("杆号",)


def test_constants_are_known_by_any_name_of_the_field_and_replace_a_column() -> None:
    mapping = guess_mapping(of_headers("小类代码"), COMPONENT)
    constant = with_constants(mapping, COMPONENT, {"class": "01037"})
    assert (constant.constants, constant.fields) == ({"class_code": "01037"}, {})
    for name in ("nonsense", "major"):
        with pytest.raises(BadOption, match="no such field"):
            with_constants(mapping, COMPONENT, {name: "1"})


def test_a_person_can_lead_a_field_to_a_column() -> None:
    given = of_headers("杆号")
    assert with_field(Mapping(), COMPONENT, {"note": "杆号"}, given).fields == {"note": "杆号"}
    with pytest.raises(BadOption, match="no such column"):
        with_field(Mapping(), COMPONENT, {"note": "灯号"}, given)


def test_a_person_can_name_the_id_and_the_coordinates() -> None:
    given = of_headers("编号", "甲", "乙", "纬度", "X", "Y")
    place = LAYERS["place"]
    led = with_field(guess_mapping(given, place), place, {"id": "甲", "lon": "乙"}, given)
    assert led.roles == {"id": "甲", "lon": "乙", "lat": "纬度"}
    assert led.own_id
    assert with_field(led, place, {"经度": "甲"}, given).roles["lon"] == "甲"
    assert with_field(led, place, {"编号": "编号"}, given).roles["id"] == "编号"
    with pytest.raises(BadOption, match="--map lon: lat is needed too"):
        with_field(Mapping(), place, {"lon": "甲"}, of_headers("甲"))
    with pytest.raises(BadOption, match="does not go together"):
        with_field(led, place, {"lon": "甲", "y": "Y"}, given)
    with pytest.raises(BadOption, match="nor is it one of id, lon"):
        with_field(led, place, {"nonsense": "甲"}, given)


def test_coordinates_cannot_be_named_where_the_file_has_shapes() -> None:
    given = of_headers("甲", "乙")
    shaped = Table(given.path, "a", given.columns, given.rows, geometry=shapely.points([1, 2], [3, 4]))
    with pytest.raises(BadOption, match="the file has shapes"):
        with_field(Mapping(), COMPONENT, {"lon": "甲", "lat": "乙"}, shaped)


def test_a_plain_header_of_ids_is_taken_where_nothing_better_is() -> None:
    ids = ["32061301002000001", "32061301002000002"]
    assert guess_mapping(table(编号=ids), COMPONENT).roles["id"] == "编号"
    assert guess_mapping(table(编号=["1", "2"], 部件标识码=ids), COMPONENT).roles["id"] == "部件标识码"
    assert "id" not in guess_mapping(table(编号=["1", "2"]), COMPONENT).roles


def test_ids_of_the_file_stay_its_own_with_a_recipe(tmp_path: Path) -> None:
    given, place = table(编号=["1", "2"]), LAYERS["place"]
    save_recipe(tmp_path / "r.yaml", Recipe(guess_mapping(given, place)))
    assert checked(load_recipe(tmp_path / "r.yaml"), given, layer=place, name="r").own_id


MAPPING = Mapping(
    fields={"name": "名称", "state": "状态"},
    roles={"id": "编码", "lon": "X", "lat": "Y", "grid": "网格"},
    constants={"class_code": "01037"},
    values={"state": {"OK": "intact"}},
    frame="GCJ-02",
    swap=True,
)


def test_a_recipe_is_read_as_it_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    save_recipe(path, Recipe(MAPPING, "component", "bureau", None, "gbk", "world"))
    again = load_recipe(path)
    assert again == Recipe(MAPPING, "component", "bureau", None, "gbk", "world")
    assert "01037" in path.read_text()


def test_a_recipe_fits_only_a_file_with_its_columns(tmp_path: Path) -> None:
    del tmp_path
    fits = of_headers("名称", "状态", "编码", "X", "Y", "网格")
    assert checked(Recipe(MAPPING), fits, layer=COMPONENT, name="r") == MAPPING
    with pytest.raises(BadRecipe, match="no column '网格'; is '网格号' meant"):
        checked(Recipe(MAPPING), of_headers("名称", "状态", "编码", "X", "Y", "网格号"), layer=COMPONENT, name="r")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("fields: [a, b]", "keys with values"),
        ("feilds: {name: a}", "is 'fields' meant"),
        ("set: {class_code: 01037}", "quotes"),
        ("coordinates: {lon: a, latt: b}", "is 'lat' meant"),
        ("a: b: c", "not YAML"),
        ("- a", "keys with values"),
        ("!!python/object/apply:os.system [id]", "not YAML"),
    ],
)
def test_what_is_wrong_with_a_recipe_is_said_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with pytest.raises(BadRecipe, match=complaint) as refused:
        load_recipe(path)
    assert "\n" not in str(refused.value)
