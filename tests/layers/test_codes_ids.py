"""Identifiers: round trips, reasons of refusal, and columns judged as single texts are."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.codes import admin, ids
from layers.codes.books import LEGACY, NATIONAL, book
from layers.codes.errors import BadId

COLUMNS: dict[type[Any], Any] = {
    ids.GridId: ids.valid_grid_ids,
    ids.ComponentId: ids.valid_component_ids,
    ids.MatterCode: ids.valid_matter_codes,
    ids.CameraId: ids.valid_camera_ids,
}


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=count, max_size=count)


def joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map("".join)


def of(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from(book(name).codes)


county = st.sampled_from([c for c in admin.shipped_register().units if admin.is_county(c)])
grids = joined(county, st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=9, max_size=9))
components = joined(county, of("component"), digits(6)) | joined(county, of("component_legacy"), digits(6))
matters = joined(county, of("matter"))
cameras = joined(county, digits(2), of("video_industry"), of("video_type"), of("video_network"), digits(6))
good = (
    st.tuples(st.just(ids.GridId), grids)
    | st.tuples(st.just(ids.ComponentId), components)
    | st.tuples(st.just(ids.MatterCode), matters)
    | st.tuples(st.just(ids.CameraId), cameras)
)
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


@given(good)
def test_an_id_survives_parsing_and_writing(pair: tuple[type[Any], str]) -> None:
    kind, text = pair
    assert str(kind.parse(text)) == text
    assert kind.parse(str(kind.parse(text))) == kind.parse(text)


@given(good)
def test_full_width_digits_and_space_around_are_forgiven(pair: tuple[type[Any], str]) -> None:
    kind, text = pair
    assert str(kind.parse(f"\u3000{text.translate(FULL_WIDTH)}\t ")) == text


@given(good, st.sampled_from(["330102", "110000", "999999", "ABCDEF", "000000"]))
def test_an_id_of_another_city_is_refused(pair: tuple[type[Any], str], prefix: str) -> None:
    kind, text = pair
    with pytest.raises(BadId):
        kind.parse(prefix + text[6:])


@given(good, st.integers(0, 30))
def test_a_shortened_id_is_never_the_same_id(pair: tuple[type[Any], str], cut: int) -> None:
    kind, text = pair
    if cut < len(text):
        assert COLUMNS[kind](pd.Series([text[:cut]])).iloc[0] is not None or kind is ids.ComponentId


odd = st.text("0123456789０１AZaz'.eE+ \u3000\ufeff", max_size=21) | st.text(max_size=5) | st.none()
samples = st.lists(good.map(lambda pair: pair[1]) | odd | joined(county, digits(9)) | digits(17), max_size=8)


@given(samples)
def test_a_column_is_judged_as_its_texts_are(texts: list[str | None]) -> None:
    column = pd.Series(texts, index=[f"row {n}" for n in range(len(texts))], dtype=object)
    for kind, judge in COLUMNS.items():
        reasons = judge(column)
        assert list(reasons.index) == list(column.index)
        assert list(reasons) == [reason_for(kind, text) for text in texts]


@given(samples)
def test_a_column_is_cleaned_as_its_texts_are(texts: list[str | None]) -> None:
    cleaned = list(ids.clean_ids(pd.Series(texts, dtype=object)))
    expected = [ids.clean_id(text or "") for text in texts]
    assert [t for t in cleaned if t.isascii()] == [t for t in expected if t.isascii()]


def reason_for(kind: type[Any], text: str | None) -> str | None:
    try:
        kind.parse(text or "")
    except BadId as error:
        return error.reason
    return None


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        (ids.ComponentId, "", "empty"),
        (ids.ComponentId, "3.2061301002e+16", "spreadsheet"),
        (ids.ComponentId, "3.2061301002E16", "spreadsheet"),
        (ids.ComponentId, "32061301002000123.0", "spreadsheet"),
        (ids.ComponentId, "320613010020001234", "18 characters, not 17 or 16"),
        (ids.ComponentId, "3206130100200012X", "other than digits"),
        (ids.ComponentId, "33010201002000123", "county 330102"),
        (ids.ComponentId, "32061301016000123", f"class 01016 is not in the book of {NATIONAL}"),
        (ids.ComponentId, "3206132110000123", f"class 2110 is not in the book of {LEGACY}"),
        (ids.GridId, "32061300501200", "14 characters, not 15"),
        (ids.GridId, "320613-05012007", "digits and capital letters"),
        (ids.MatterCode, "32061306031", "class 06031"),
        (ids.CameraId, "32061300081326", "14 characters, not 20"),
        (ids.CameraId, "33010200081326000123", "region 330102"),
        (ids.CameraId, "32061300991326000123", "industry 99"),
        (ids.CameraId, "32061300089996000123", "type 999"),
    ],
)
def test_a_refusal_says_why(kind: type[Any], text: str, reason: str) -> None:
    with pytest.raises(BadId, match=reason) as caught:
        kind.parse(text)
    assert (caught.value.kind, caught.value.text) == (kind.KIND, text)


def test_the_parts_of_the_published_examples_are_told_apart() -> None:
    new, old = ids.ComponentId.parse("32061301002000123"), ids.ComponentId.parse("3206130101000001")
    assert (new.county, new.class_code, new.serial, new.standard) == ("320613", "01002", "000123", NATIONAL)
    assert (old.county, old.class_code, old.serial, old.standard) == ("320613", "0101", "000001", LEGACY)
    assert ids.MatterCode.parse("32061306010").class_code == "06010"
    grid = ids.GridId.parse("320613005012007")
    assert (grid.town, grid.village, grid.sequence) == ("320613005", "320613005012", "007")
    camera = ids.CameraId.parse("32061300081326000123")
    assert (camera.centre, camera.industry, camera.device_type) == ("32061300", "08", "132")
    assert (camera.network, camera.serial) == ("6", "000123")


def test_a_camera_may_belong_to_the_city_itself() -> None:
    assert ids.CameraId.parse("32060000081326000123").region == "320600"


def test_a_letter_e_in_a_grid_id_is_not_a_number() -> None:
    assert str(ids.GridId.parse("320613005012e07")) == "320613005012E07"


def test_a_number_that_a_spreadsheet_kept_whole_is_still_the_id() -> None:
    assert str(ids.GridId.parse("320613005012007.0")) == "320613005012007"
    assert ids.valid_grid_ids(pd.Series([320613005012007.0, np.nan])).tolist() == [None, "it is empty"]
    assert ids.valid_component_ids(pd.Series([32061301002000123])).tolist() == [None]
    assert "spreadsheet" in ids.valid_component_ids(pd.Series([32061301002000123.0])).iloc[0]


@pytest.mark.parametrize(
    "pieces", [("320613", "01002", "123"), ("320613", "010020", "00012"), ("320613", "01002", "00012X")]
)
def test_an_id_cannot_be_made_of_pieces_of_another_shape(pieces: tuple[str, str, str]) -> None:
    with pytest.raises(BadId):
        ids.ComponentId(*pieces)


def test_an_empty_column_is_judged_too() -> None:
    assert ids.valid_component_ids(pd.Series([], dtype="str")).empty


def test_other_books_may_be_asked() -> None:
    known = dict(ids.shipped_codes()) | {"county": frozenset({"330102"})}
    assert ids.GridId.parse("330102005012007", known=known).county == "330102"
    assert ids.valid_grid_ids(pd.Series(["330102005012007"]), known=known).tolist() == [None]
