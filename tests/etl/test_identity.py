"""Ids of records: the file's own, checked, and those made from a row's content."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from etl.clean.identity import ids_of, made_ids, row_digests, source_name, source_of_file
from etl.errors import BadOption
from etl.readers import Table
from layers.catalog import built_in
from layers.spec import ID_PATTERN

LAYERS = built_in()
CELLS = st.one_of(st.none(), st.text(max_size=8))


def frame(rows: list[tuple[str | None, str | None]]) -> pd.DataFrame:
    columns = zip(*rows, strict=True) if rows else ((), ())
    return pd.DataFrame({name: pd.Series(values, dtype="str") for name, values in zip("ab", columns, strict=True)})


def table(columns: pd.DataFrame) -> Table:
    return Table(Path("a.csv"), "a", columns, rows=np.arange(2, len(columns) + 2))


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8))
def test_made_ids_are_valid_and_none_comes_twice(rows: list[tuple[str | None, str | None]]) -> None:
    ids = made_ids(row_digests(frame(rows)), "来源")
    assert len(set(ids)) == len(rows)
    assert pd.Series(ids).str.fullmatch(ID_PATTERN).all()


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8), st.randoms())
def test_the_order_of_rows_and_columns_does_not_change_the_set_of_ids(rows: list, random) -> None:  # type: ignore[no-untyped-def,type-arg]
    shuffled = list(rows)
    random.shuffle(shuffled)
    one = made_ids(row_digests(frame(rows)), "s")
    other = made_ids(row_digests(frame(shuffled)[["b", "a"]]), "s")
    assert set(one) == set(other)


PLAIN = st.text(alphabet="ab1路=", max_size=3)


@given(st.tuples(PLAIN, PLAIN), st.tuples(PLAIN, PLAIN))
def test_rows_have_the_same_digest_exactly_if_they_say_the_same(one: tuple[str, str], other: tuple[str, str]) -> None:
    digests = row_digests(frame([one, other]))
    assert (digests[0] == digests[1]) == (one == other)


def test_digests_never_change_between_versions() -> None:
    columns = frame([("路灯", "1"), ("路灯", None)])
    assert row_digests(columns).tolist() == row_digests(columns.copy()).tolist()
    assert made_ids(np.array(["ab", "ab", "cd"], dtype=object), "s").tolist() == ["s:ab-1", "s:ab-2", "s:cd-1"]


def test_the_shape_belongs_to_the_row() -> None:
    columns = frame([("a", "b"), ("a", "b")])
    digests = row_digests(columns, shapely.points([1, 2], [3, 4]))
    assert digests[0] != digests[1]


def test_national_ids_are_checked_and_of_equal_ones_the_first_stays() -> None:
    given = table(
        pd.DataFrame({"id": ["32061301002000001", " ３２０６１３０１００２０００００１", "99999901002000001", None]})
    )
    ids, rejects, _ = ids_of(given, "id", layer=LAYERS["component"], source="s", own=False)
    assert ids.tolist()[0] == "32061301002000001"
    assert ids.isna().tolist() == [False, True, True, True]
    told = pd.concat(rejects).set_index("row")
    assert told.loc[3, "code"] == "duplicate_id"
    assert "999999" in str(told.loc[4, "reason"])
    assert "empty" in str(told.loc[5, "reason"])


def test_ids_that_count_in_one_file_only_get_its_source() -> None:
    ids, _, findings = ids_of(
        table(pd.DataFrame({"编号": ["1", "2"]})), "编号", layer=LAYERS["place"], source="s", own=True
    )
    assert ids.tolist() == ["s:1", "s:2"]
    assert [finding.code for finding in findings] == ["ids_prefixed"]


def test_retired_codes_of_counties_are_replaced_and_said() -> None:
    given = table(pd.DataFrame({"code": ["320684", "320600", "999999"]}))
    ids, rejects, findings = ids_of(given, "code", layer=LAYERS["county"], source="s", own=False)
    assert ids.tolist()[0] == "320614"
    assert ids.isna().tolist() == [False, True, True]
    assert "320684 → 320614" in findings[0].text
    assert "code of a city" in rejects[0]["reason"].iloc[0]


@given(st.text(max_size=80))
def test_a_source_named_after_any_file_can_be_part_of_an_id(stem: str) -> None:
    source = source_of_file(stem)
    assert source_name(source) == source
    assert pd.Series([f"{source}:{'0' * 12}-1"]).str.fullmatch(ID_PATTERN).all()


@pytest.mark.parametrize("text", ["", "a b", "a/b", "a:b", "x" * 41, "a%b"])
def test_a_source_that_would_spoil_ids_is_refused(text: str) -> None:
    with pytest.raises(BadOption):
        source_name(text)
