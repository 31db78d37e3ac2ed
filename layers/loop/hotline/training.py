"""Training the classifier from phrases and from what dispatchers corrected; nothing that serves imports this module."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from layers.loop.hotline.classify import BUCKETS, FEATURES, Correction, Model, features
from layers.loop.hotline.phrases import Phrases, examples_of

_STRENGTH: Final = 30.0  # of four tried on left-out phrases (1 to 200) the best by a little
_ROUNDS: Final = 40
_SURE_RIGHT: Final = 0.85
"""So many of those that are called sure shall be right, on phrases that were left out."""
_FOLD: Final = 4
_SHARPNESS: Final = np.geomspace(0.25, 4.0, 41)
_SURE: Final = np.linspace(0.2, 0.95, 76)

Buckets = NDArray[np.int32]


@dataclass(frozen=True)
class Lesson:
    """Features with their label; `fold` is None for what is never left out."""

    buckets: Buckets
    matter: str
    fold: int | None


def train(phrases: Sequence[Phrases], corrections: Sequence[Correction], *, now: datetime) -> Model:
    """A model of these phrases and corrections; how sure it is was measured on a fifth of the phrases, left out."""
    lessons = [Lesson(features(one.text), one.matter, one.fold) for one in examples_of(tuple(phrases))]
    lessons += [Lesson(buckets, matter, None) for buckets, matter in corrections]
    spoken = {one.matter for one in phrases}
    tried = [one for one in lessons if one.fold == _FOLD and one.matter in spoken]
    rest = _fitted([one for one in lessons if one.fold != _FOLD])
    sharpness, sure_from = _measured(rest, tried)
    whole = _fitted(lessons)
    return Model(
        version=_version(whole, sharpness),
        trained_at=now.isoformat(timespec="seconds"),
        examples=len(lessons) - len(corrections),
        corrections=len(corrections),
        labels=whole.labels,
        columns=whole.columns,
        rarity=whole.rarity,
        weights=whole.weights.astype(np.float16),
        bias=whole.bias,
        sharpness=sharpness,
        sure_from=sure_from,
    )


@dataclass(frozen=True)
class _Fitted:
    labels: tuple[str, ...]
    columns: NDArray[np.int32]
    rarity: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


def _fitted(lessons: Sequence[Lesson]) -> _Fitted:
    counts = _matrix([one.buckets for one in lessons])
    held = np.asarray((counts > 0).sum(axis=0)).ravel()
    columns = np.flatnonzero(held).astype(np.int32)
    rarity = (np.log((1 + len(lessons)) / (1 + held[columns])) + 1).astype(np.float32)
    rows = normalize(counts[:, columns] @ sp.diags(rarity)).tocsr()
    # Enough rounds for the order of the guesses; that it could go on is no fault.
    fit = LogisticRegression(C=_STRENGTH, max_iter=_ROUNDS, tol=1e-3)
    _quietly(fit, rows, [one.matter for one in lessons])
    weights = np.ascontiguousarray(fit.coef_.T, dtype=np.float32)
    return _Fitted(tuple(map(str, fit.classes_.tolist())), columns, rarity, weights, fit.intercept_.astype(np.float32))


def _quietly(fit: Any, rows: Any, labels: list[str]) -> None:
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fit.fit(rows, np.array(labels))


def _matrix(rows: Sequence[Buckets]) -> Any:
    ends = np.cumsum([0, *(row.size for row in rows)])
    columns = np.concatenate(rows)
    return sp.csr_matrix((np.ones(columns.size, dtype=np.float32), columns, ends), shape=(len(rows), BUCKETS))


def _measured(fitted: _Fitted, tried: Sequence[Lesson]) -> tuple[float, float]:
    """How sharp scores must be for true confidences, and from which one on we may be sure."""
    index = {label: number for number, label in enumerate(fitted.labels)}
    answers = np.array([index[one.matter] for one in tried])
    rows = normalize(_matrix([one.buckets for one in tried])[:, fitted.columns] @ sp.diags(fitted.rarity))
    scores = np.asarray(rows @ fitted.weights + fitted.bias, dtype=np.float64)
    losses = [_loss(scores * factor, answers) for factor in _SHARPNESS]
    sharpness = float(_SHARPNESS[int(np.argmin(losses))])
    likely = _softmax(scores * sharpness)
    best, right = likely.max(axis=1), likely.argmax(axis=1) == answers
    for limit in _SURE.tolist():
        sure = best >= limit
        if sure.any() and right[sure].mean() >= _SURE_RIGHT:
            return sharpness, float(limit)
    return sharpness, float(_SURE[-1])


def _loss(scores: NDArray[np.float64], answers: NDArray[np.int64]) -> float:
    likely = _softmax(scores)[np.arange(len(answers)), answers]
    return -math.fsum(np.log(np.maximum(likely, 1e-12)).tolist())


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True), dtype=np.float64)


def _version(fitted: _Fitted, sharpness: float) -> str:
    """The same words give the same version: the digest of what was learnt."""
    digest = hashlib.sha256(f"{FEATURES} {sharpness} {fitted.labels}".encode())
    for array in (fitted.columns, fitted.rarity, fitted.weights.astype(np.float16), fitted.bias):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:12]
