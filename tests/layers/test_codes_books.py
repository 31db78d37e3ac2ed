"""The code books: counts, names both ways, validity, the crosswalk, and refusals that name the line."""

import csv
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.codes.books import BOOKS, LEGACY, NATIONAL, book, load_books, new_codes_for, shipped_books
from layers.codes.errors import BadBook, UnknownBook, UnknownCode
from layers.codes.tables import DATA

BOOK_NAMES = sorted(shipped_books().by_name)


def entries_of(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from(book(name).codes)


any_code = st.sampled_from(BOOK_NAMES).flatmap(lambda name: st.tuples(st.just(name), entries_of(name)))


@pytest.mark.parametrize(
    ("name", "count"),
    [("component", 153), ("matter", 250), ("component_legacy", 83), ("matter_legacy", 50)]
    + [("component_major", 5), ("matter_major", 10), ("ptz_type", 7), ("position_type", 10), ("place_kind", 20)],
)
def test_a_book_has_as_many_codes_as_its_standard(name: str, count: int) -> None:
    assert len(book(name).codes) == count


def test_every_promised_book_is_there() -> None:
    assert set(BOOKS) == set(BOOK_NAMES)


def test_every_component_class_is_also_a_matter_class_of_the_same_code() -> None:
    components, matters = book("component"), book("matter")
    odd = {c: matters.word(c) for c in components.codes if matters.word(c) != components.word(c) + "异常"}
    # The transcription puts the Latin letters last; kept as found.
    assert odd == {"01066": "紧急报警点异常SOS"}


@given(any_code, st.sampled_from(["zh", "en"]))
def test_a_word_leads_back_to_its_code(pair: tuple[str, str], lang: str) -> None:
    name, code = pair
    word = book(name).word(code, "zh" if lang == "zh" else "en")
    assert book(name).code_for(f" {word.upper()}\u3000") == code
    assert book(name).code_for(code) == code


@pytest.mark.parametrize(
    "text", ["01001", " 01001 ", "０１００１", "1001", "1001.0", "供水井盖", "water supply MANHOLE cover"]
)
def test_a_clerks_spelling_is_understood(text: str) -> None:
    assert book("component").code_for(text) == "01001"


@pytest.mark.parametrize("text", ["", "0", "01016", "1016", "nothing", "0101"])
def test_a_text_of_no_class_is_none(text: str) -> None:
    assert book("component").code_for(text) is None


def test_other_spellings_are_understood() -> None:
    assert book("component_state").code_for("良好") == "intact"
    assert book("video_status").code_for("off") == "OFF"


def test_half_width_brackets_are_as_good_as_full_width_ones() -> None:
    assert book("component").code_for("变压器(箱)") == "01048"


def test_a_standard_chooses_the_edition() -> None:
    assert book("component", standard=LEGACY) is book("component_legacy")
    assert book("component", standard=NATIONAL) is book("component")
    assert book("matter_major", standard=LEGACY) is book("matter_legacy_major")
    with pytest.raises(UnknownBook, match="CJ/T 1"):
        book("component", standard="CJ/T 1")


def test_an_unknown_book_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownBook, match="component_state"):
        book("compnent")


def test_an_unknown_code_has_no_word() -> None:
    with pytest.raises(UnknownCode, match="01016"):
        book("component").word("01016")


def test_national_codes_begin_the_day_after_legacy_ones_end() -> None:
    last, first = date(2026, 6, 30), date(2026, 7, 1)
    assert (book("component").valid("01001", first), book("component").valid("01001", last)) == (True, False)
    assert (book("component_legacy").valid("0101", first), book("component_legacy").valid("0101", last)) == (
        False,
        True,
    )
    assert book("component").valid("01001")
    assert not book("component").valid("99999")


def test_labels_are_json_by_code() -> None:
    assert book("component_major").labels()["01"] == {"zh": "市政公用设施", "en": "Municipal utilities"}


@pytest.mark.parametrize("kind", ["component", "matter"])
def test_every_crosswalk_target_exists(kind: str) -> None:
    old = book(f"{kind}_legacy").codes
    targets = [new for code in old for new in new_codes_for(code, "component" if kind == "component" else "matter")]
    assert targets
    assert all(new in book(kind) for new in targets)


def test_an_old_pole_has_five_candidates_and_a_bomb_shelter_none() -> None:
    assert new_codes_for("0117", "component") == ("01030", "01031", "01032", "01033", "01034")
    assert new_codes_for("0502", "component") == ()
    with pytest.raises(UnknownCode):
        new_codes_for("01001", "component")


@pytest.mark.parametrize("file", sorted(path.name for path in DATA.glob("*.csv")))
def test_no_table_has_a_line_twice(file: str) -> None:
    with (DATA / file).open(encoding="utf-8", newline="") as stream:
        lines = [tuple(cells) for cells in csv.reader(stream)]
    assert len(lines) == len(set(lines))


def test_the_national_book_agrees_with_the_facts(shared: Path) -> None:
    with (shared / "domain" / "gbt47678_5_catalog.csv").open(encoding="utf-8", newline="") as stream:
        facts = {(row["kind"], row["code5"]): row["name"] for row in csv.DictReader(stream)}
    ours = {("管理部件", c): book("component").word(c) for c in book("component").codes}
    ours |= {("管理事项", c): book("matter").word(c) for c in book("matter").codes}
    assert ours == facts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "codes"))


def change(path: Path, edit: Callable[[str], str]) -> None:
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")


def duplicate_line_2(text: str) -> str:
    return text + text.splitlines()[1] + "\n"


@pytest.mark.parametrize(
    ("file", "edit", "message"),
    [
        ("component_matter.csv", duplicate_line_2, "line 538: code 01001 is already on line 2"),
        ("component_matter.csv", lambda t: t.replace(",01001,", ",1001,", 1), "line 2: code '1001' .*leading zero"),
        ("component_matter.csv", lambda t: t.replace(",name_en,", ",english,", 1), "line 1: missing column name_en"),
        ("component_matter.csv", lambda t: t.replace("污水井盖", "供水井盖", 1), "line 3: the name '供水井盖' already"),
        ("component_matter.csv", lambda t: t.replace(",01,", ",02,", 1), "line 2: code 01001 does not begin"),
        ("component_matter.csv", lambda t: t.replace("2026-07-01", "1/7/2026", 1), "line 2: .*is not a date"),
        ("component_matter.csv", lambda t: t.replace(NATIONAL, "GB 1", 1), "line 2: standard 'GB 1' is none of"),
        ("component_matter.csv", lambda t: t.replace("2026-07-01,\n", "2026-07-01,2026-06-01\n", 1), "lies before"),
        ("component_matter.csv", lambda t: t.replace("市政公用设施", "市政", 1), "major 01 is called '市政'"),
        ("component_matter.csv", lambda t: t.replace("供水井盖,W", "供水井盖,x,W", 1), "line 2: 11 cells"),
        ("component_matter.csv", lambda t: t.replace("Water supply manhole cover", "", 1), "'name_en' is empty"),
        ("crosswalk.csv", lambda t: t.replace(",01001,", ",01016,", 1), "line 2: code '01016' is not in the book"),
        ("crosswalk.csv", duplicate_line_2, "0101 -> 01001 is there twice"),
        ("enumerations.csv", lambda t: t.replace("grid_kind,", "grid_sort,"), "the book 'grid_kind' has no line"),
        ("enumerations.csv", lambda t: t + "component,1,一,one,,,\n", "line 257: .*made from component_matter.csv"),
        ("enumerations.csv", lambda t: t + 'grid_kind,1,"一"x,one,,,\n', "line 257: not a CSV line"),
    ],
)
def test_a_wrong_table_is_refused_by_its_line(
    folder: Path, file: str, edit: Callable[[str], str], message: str
) -> None:
    change(folder / file, edit)
    with pytest.raises(BadBook, match=message) as caught:
        load_books(folder)
    assert caught.value.path.name == file


def test_a_table_saved_in_gbk_is_refused_with_advice(folder: Path) -> None:
    path = folder / "component_matter.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("gb18030"))
    with pytest.raises(BadBook, match="UTF-8"):
        load_books(folder)


def test_a_missing_table_is_named(folder: Path) -> None:
    (folder / "crosswalk.csv").unlink()
    with pytest.raises(BadBook, match=r"crosswalk.csv: the file is missing"):
        load_books(folder)


def test_a_byte_order_mark_and_an_own_enumeration_are_welcome(folder: Path) -> None:
    path = folder / "enumerations.csv"
    path.write_text(path.read_text(encoding="utf-8") + "tree_kind,1,银杏,Ginkgo,,,\n\n", encoding="utf-8-sig")
    assert load_books(folder).book("tree_kind").word("1", "en") == "Ginkgo"
