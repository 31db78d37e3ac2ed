"""Chinese words of a caller to the matter they are about: a linear model over characters and pairs of characters.

Serving needs numpy alone and half a millisecond; what trains the model is `layers.loop.hotline.training`. The file is
a plain archive of arrays, read without running anything that lies in it.
"""

from __future__ import annotations

import os
import secrets
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from layers.errors import StoreError
from layers.loop.hotline.phrases import ENQUIRY
from layers.loop.hotline.scrub import scrubbed

FOLDER: Final = "classifier"
FILE: Final = "model.npz"
FEATURES: Final = 1
"""The version of what a text is made into; a model or a correction of another version is not used."""
BUCKETS: Final = 1 << 15
MOST_GUESSES: Final = 3
Correction = tuple[NDArray[np.int32], str]
"""Features, and the label that a dispatcher gave them."""


class ModelUnfit(StoreError):
    """The file of the model cannot be used; train it again."""


@dataclass(frozen=True)
class Guess:
    """A matter and how likely it is, 0 to 1, by what was measured on phrases that the model had not seen."""

    matter: str
    confidence: float


@dataclass(frozen=True)
class Classified:
    """What a text may be about, likeliest first; `unsure` when a person had better choose.

    `enquiry` is how likely it asks for advice and reports nothing.
    """

    guesses: tuple[Guess, ...]
    enquiry: float
    unsure: bool


@dataclass(frozen=True)
class Model:
    """The weights (buckets in use × labels), and how sure is sure; `version` names it in answers and records."""

    version: str
    trained_at: str
    examples: int
    corrections: int
    labels: tuple[str, ...]
    columns: NDArray[np.int32]
    rarity: NDArray[np.float32]
    weights: NDArray[np.float16]
    bias: NDArray[np.float32]
    sharpness: float
    sure_from: float

    def probabilities(self, buckets: NDArray[np.int32]) -> NDArray[np.float64] | None:
        """How likely each label is for these features; None when the model knows none of them."""
        at = np.searchsorted(self.columns, buckets)
        at = at[self.columns[np.minimum(at, self.columns.size - 1)] == buckets]
        if not at.size:
            return None
        values = self.rarity[at]
        values = values / np.linalg.norm(values)
        scores = (values @ self.weights[at].astype(np.float32) + self.bias).astype(np.float64) * self.sharpness
        grown = np.exp(scores - scores.max())
        return np.asarray(grown / grown.sum(), dtype=np.float64)

    def classify(self, text: str) -> Classified:
        """What a text is about; a text of which nothing is known gives no guess."""
        likely = self.probabilities(features(text))
        if likely is None:
            return Classified((), 0.0, unsure=True)
        order = np.argsort(-likely, kind="stable")
        enquiry = float(likely[self.labels.index(ENQUIRY)])
        ranked = [Guess(self.labels[i], float(likely[i])) for i in order[: MOST_GUESSES + 1].tolist()]
        guesses = tuple(guess for guess in ranked if guess.matter != ENQUIRY)[:MOST_GUESSES]
        best = float(likely[order[0]])
        return Classified(guesses, enquiry, unsure=best < self.sure_from or ranked[0].matter == ENQUIRY)

    def save(self, folder: Path) -> Path:
        """Put the model in the place of the earlier one, never half of it."""
        folder.mkdir(parents=True, exist_ok=True)
        new = folder / f"new-{secrets.token_hex(8)}.npz"
        try:
            np.savez(
                new,
                facts=np.array([str(FEATURES), self.version, self.trained_at]),
                counts=np.array([self.examples, self.corrections], dtype=np.int64),
                labels=np.array(self.labels),
                columns=self.columns,
                rarity=self.rarity,
                weights=self.weights,
                bias=self.bias,
                scale=np.array([self.sharpness, self.sure_from], dtype=np.float64),
            )
            os.replace(new, folder / FILE)
        finally:
            new.unlink(missing_ok=True)
        return folder / FILE


def features(text: str) -> NDArray[np.int32]:
    """The buckets of the characters and pairs of characters of a scrubbed text, each once, ascending."""
    plain = scrubbed(text)
    grams = {plain[start : start + length] for length in (1, 2) for start in range(len(plain) - length + 1)}
    return np.array(sorted({zlib.crc32(gram.encode()) % BUCKETS for gram in grams}), dtype=np.int32)


def model_in(folder: Path) -> Model | None:
    """The model of a folder, None before the first was trained; ModelUnfit for a file that is none of ours."""
    try:
        with np.load(folder / FILE, allow_pickle=False) as file:
            known, version, trained_at = file["facts"].tolist()
            if known != str(FEATURES):
                return None  # of an earlier version of Chengtu: as good as none
            examples, corrections = file["counts"].tolist()
            sharpness, sure_from = file["scale"].tolist()
            arrays = (file["columns"], file["rarity"], file["weights"], file["bias"])
            labels = tuple(file["labels"].tolist())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        told = "the file of the classifier is damaged; train it again: python -m layers classifier train"
        raise ModelUnfit(told).because("model_unfit") from error
    if arrays[2].shape != (arrays[0].size, len(labels)) or arrays[3].shape != (len(labels),):
        raise ModelUnfit("the file of the classifier does not fit itself; train it again").because("model_unfit")
    return Model(version, trained_at, examples, corrections, labels, *arrays, sharpness, sure_from)
