"""Callers' words to matters: measured on phrases that were held out, and unable to keep what a caller said."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from layers.__main__ import main
from layers.codes.books import book
from layers.errors import BadDeclaration, BadField
from layers.loop.hotline.classify import FILE, FOLDER, Model, ModelUnfit, features, model_in
from layers.loop.hotline.corrections import correct, corrections, count
from layers.loop.hotline.phrases import ENQUIRY, phrases_in, shipped_phrases
from layers.loop.hotline.scrub import scrubbed
from layers.loop.hotline.tables import CORRECTION
from layers.loop.hotline.training import train
from layers.store.engine import begin
from tests.conftest import ROOT, Database

NOW = dt.datetime(2026, 11, 22, 2, 23, tzinfo=dt.UTC)
HELD_OUT = [(text, one.matter) for one in shipped_phrases() for text in one.test]


@pytest.fixture(scope="module")
def model() -> Model:
    return train(shipped_phrases(), [], now=NOW)


def first(model: Model, text: str) -> str | None:
    """The likeliest label of all, enquiries among them."""
    found = model.classify(text)
    best = found.guesses[0].confidence if found.guesses else 0.0
    return ENQUIRY if found.enquiry > best else found.guesses[0].matter if found.guesses else None


def test_phrases_that_were_held_out_are_classified_above_the_floor(model: Model) -> None:
    learnt = {text for one in shipped_phrases() for text in one.train}
    assert len(HELD_OUT) >= 350
    assert not learnt & {text for text, _ in HELD_OUT}
    right = np.mean([first(model, text) == matter for text, matter in HELD_OUT])
    offered = np.mean(
        [matter in {first(model, text), *(g.matter for g in model.classify(text).guesses)} for text, matter in HELD_OUT]
    )
    assert right >= 0.70
    assert offered >= 0.88


def test_what_is_called_sure_is_right(model: Model) -> None:
    sure = [first(model, text) == matter for text, matter in HELD_OUT if not model.classify(text).unsure]
    assert len(sure) >= 0.35 * len(HELD_OUT)
    assert np.mean(sure) >= 0.88


def test_confidences_are_not_greater_than_what_comes_true(model: Model) -> None:
    told = [(model.classify(text), first(model, text) == matter) for text, matter in HELD_OUT]
    confidence = np.array([max(found.enquiry, *(g.confidence for g in found.guesses)) for found, _ in told])
    right = np.array([came_true for _, came_true in told])
    for low in (0.2, 0.4, 0.6, 0.8):
        of_bin = (confidence >= low) & (confidence < low + 0.2)
        assert right[of_bin].mean() >= confidence[of_bin].mean() - 0.12, f"overconfident from {low} on"


def test_words_that_say_nothing_are_not_guessed_at(model: Model) -> None:
    assert model.classify("13812345678").guesses == ()
    assert model.classify("").unsure
    assert model.classify("zzz qqq").unsure
    assert model.classify("嗯嗯嗯").unsure


@given(st.text(max_size=300))
def test_any_text_has_confidences_between_none_and_all(text: str) -> None:
    known = small_model()
    found = known.classify(text)
    told = [guess.confidence for guess in found.guesses]
    assert told == sorted(told, reverse=True)
    assert all(0 <= one <= 1 for one in (*told, found.enquiry))
    assert sum(told) <= 1 + 1e-9


_SMALL: list[Model] = []


def small_model() -> Model:
    """A model made by hand: two labels, told apart by two characters."""
    if not _SMALL:
        columns = np.array(sorted({*features("灯").tolist(), *features("树").tolist()}), dtype=np.int32)
        weights = np.array([[4.0, 0.0], [0.0, 4.0]], dtype=np.float16)
        ones, none = np.ones(2, dtype=np.float32), np.zeros(2, dtype=np.float32)
        _SMALL.append(Model("0" * 12, "", 2, 0, (ENQUIRY, "01037"), columns, ones, weights, none, 1.0, 0.8))
    return _SMALL[0]


def test_the_same_words_give_the_same_model_and_it_comes_back_from_its_file(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path)
    read = model_in(tmp_path)
    assert read is not None
    assert (read.version, read.examples, read.labels) == (model.version, model.examples, model.labels)
    for text, _ in HELD_OUT[:40]:
        assert read.classify(text) == model.classify(text)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_file_that_is_no_model_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    assert model_in(tmp_path) is None
    (tmp_path / FILE).write_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(ModelUnfit, match="train it again"):
        model_in(tmp_path)
    np.savez(tmp_path / FILE, facts=np.array([object()]), allow_pickle=True)
    with pytest.raises(ModelUnfit):
        model_in(tmp_path)


def test_serving_needs_no_scikit_learn() -> None:
    code = "import sys, api.app; sys.exit(any(n.split('.')[0] in ('sklearn', 'scipy') for n in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, "the server imports what only training needs"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("我叫王小明，电话13812345678，路灯不亮", ",路灯不亮"),
        ("我姓李，人民中路128号3幢路灯坏了", "路灯坏了"),
        ("张女士反映路灯坏了", "路灯坏了"),
        ("幸福花园12栋3单元垃圾没人收", "垃圾没人收"),
    ],
)
def test_names_numbers_and_homes_do_not_reach_the_model(said: str, left: str) -> None:
    plain = scrubbed(said)
    assert plain.endswith(left)
    assert not any(part in plain for part in ("王小明", "138", "128", "李", "张", "幸福花园", "12"))


def test_a_correction_keeps_features_and_no_words_and_is_learnt(database: Database, model: Model) -> None:
    said = "我是陈大文，13912345678，咱那旮旯的灯杆子瞎了"
    with begin(database.engine, actor="dispatcher") as connection:
        for _ in range(3):
            correct(connection, said, "01037", guessed="01030", model=None, actor="dispatcher")
        kept = connection.execute(
            sa.select(sa.cast(sa.literal_column("correction.*::text"), sa.Text)).select_from(CORRECTION)
        )
        texts = " ".join(map(str, kept.scalars()))
        assert count(connection) == 3
        learnt = corrections(connection)
    assert texts.count("01037") == 3
    assert texts.isascii(), "not one character of what was said"
    assert "13912345678" not in texts
    assert [matter for _, matter in learnt] == ["01037"] * 3
    before, after = model, train(shipped_phrases(), learnt, now=NOW)
    assert after.corrections == 3
    assert after.version != before.version

    def likely(model: Model) -> float:
        found = model.probabilities(features(said))
        assert found is not None
        return float(found[model.labels.index("01037")])

    assert likely(after) > likely(before)


def test_what_is_kept_of_a_correction_is_what_the_text_is_classified_by(database: Database) -> None:
    with begin(database.engine, actor="dispatcher") as connection:
        correct(connection, "路灯不亮", "01037", guessed=None, model=None, actor="dispatcher")
        ((buckets, _),) = corrections(connection)
    assert buckets.tolist() == features("路灯不亮").tolist()


@pytest.mark.parametrize(("text", "matter", "field"), [("路灯不亮", "99999", "matter"), ("123 456", "01037", "text")])
def test_a_correction_that_teaches_nothing_is_refused(database: Database, text: str, matter: str, field: str) -> None:
    with begin(database.engine, actor="dispatcher") as connection:
        with pytest.raises(BadField) as refused:
            correct(connection, text, matter, guessed=None, model=None, actor="dispatcher")
        assert count(connection) == 0
    assert list(refused.value.problems) == [field]


def test_a_city_replaces_the_phrases_and_a_wrong_line_is_named(tmp_path: Path) -> None:
    own = tmp_path / "loop"
    own.mkdir()
    (own / "phrases.csv").write_text("matter,train,test\n01037,灯灭了/灯坏,不亮了\n", encoding="utf-8")
    assert [one.matter for one in phrases_in(tmp_path)] == ["01037"]
    for wrong in ("99999,灯灭了,不亮了", "01037,灯灭了/不亮了,不亮了"):
        (own / "phrases.csv").write_text(f"matter,train,test\n{wrong}\n", encoding="utf-8")
        with pytest.raises(BadDeclaration, match="line 2"):
            phrases_in(tmp_path)


def test_every_phrase_is_of_a_matter_of_the_book() -> None:
    assert {one.matter for one in shipped_phrases()} - {ENQUIRY} <= set(book("matter").codes)
    assert len(shipped_phrases()) >= 101


def test_the_command_tells_which_model_is_there(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHENGTU_DATA_DIR", str(tmp_path))
    assert main(["classifier", "show"]) == 0
    assert "no classifier yet" in capsys.readouterr().out
    model.save(tmp_path / FOLDER)
    assert main(["classifier", "show"]) == 0
    assert model.version in capsys.readouterr().out
    (tmp_path / FOLDER / FILE).write_bytes(b"no model")
    assert main(["classifier", "show"]) == 1
    assert "train it again" in capsys.readouterr().err
