"""What the search index holds of a text: its folded form, its grams, its sound and its initials.

The index is one table of distinct texts (`core.term`); records are found by joining their own column to it, so a text
whose records are gone finds nothing, whether or not it has been pruned yet.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import sqlalchemy as sa
from pypinyin import lazy_pinyin

from layers.spec import Layer

TermRow = tuple[str, str, str, str, list[str], str, str]

# A b-tree entry of PostgreSQL holds 2,704 bytes, and each part of the key counts; longer texts are not searchable.
LONGEST_BYTES = 2_000
# 〇 is a numeral that lies outside the blocks of Han characters.
_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
# Names of a city are made of a few thousand road names: a run ends after the character that ends a road name, so that
# the sound of "人民中路与工农路路口" comes from two runs that are known already.
_PIECE = re.compile(rf"[{_HAN}]+?[路街道巷弄与]|[{_HAN}]+|[a-z0-9]+")
_HAS_HAN = re.compile(rf"[{_HAN}]")


def fold(text: str) -> str:
    """The text as it is compared: NFKC (full-width letters and digits become plain), lower case, no white space."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def grams(text: str) -> list[str]:
    """The distinct single characters and pairs of neighbours of a folded text, in order of their first appearance."""
    return list(dict.fromkeys([*text, *map("".join, zip(text, text[1:], strict=False))]))


def layer_gram(layer: str) -> str:
    """The gram that marks every term of a layer; longer than any gram of a text, so never mistaken for one."""
    return f"##{layer}"


def pinyin(text: str) -> tuple[str, str]:
    """The sound of a text in toneless pinyin, and the initials of its syllables; both empty without Han characters.

    Latin letters and digits stay as they are, everything else is left out: "人民路12号" gives renminlu12hao and rml12h.
    """
    folded = fold(text)
    if not _HAS_HAN.search(folded):
        return "", ""
    sounds = [_sound(piece) for piece in _PIECE.findall(folded)]
    return "".join(sound for sound, _ in sounds), "".join(initials for _, initials in sounds)


@lru_cache(maxsize=200_000)
def _sound(piece: str) -> tuple[str, str]:
    if piece.isascii():
        return piece, piece
    # Characters that no dictionary knows come back as they are.
    syllables = [syllable for syllable in lazy_pinyin(piece) if syllable.isascii()]
    return "".join(syllables), "".join(syllable[0] for syllable in syllables)


def term_rows(layer: str, field: str, texts: Iterable[str]) -> Iterator[TermRow]:
    """The rows of `core.term` for texts, each distinct one once: layer, field, text, folded, grams, pinyin, initials.

    Empty texts and texts too long for the index (2,000 bytes) have no row.
    """
    mark = layer_gram(layer)
    for text in dict.fromkeys(texts):
        folded = fold(text)
        if not folded or max(len(text.encode()), len(folded.encode())) > LONGEST_BYTES:
            continue
        sound, initials = pinyin(text)
        yield layer, field, text, folded, [*grams(folded), mark], sound, initials


_REFRESH_GRAMS = sa.text("""
    with counted as materialized (
      select gram, count(*) as n from core.term, unnest(grams) as gram group by gram
    ), gone as (
      delete from core.gram where not exists (select from counted where counted.gram = core.gram.gram)
    )
    insert into core.gram (gram, n) select gram, n from counted
    on conflict (gram) do update set n = excluded.n where core.gram.n <> excluded.n
""")


def refresh_grams(connection: sa.Connection) -> None:
    """Count anew how many terms hold each gram; a job for quiet hours (12 million grams take some seconds)."""
    connection.execute(_REFRESH_GRAMS)


def prune_terms(connection: sa.Connection, layers: Sequence[Layer]) -> int:
    """Remove the terms of these layers that no record bears any more; returns how many."""
    term = sa.table("term", *map(sa.column, ("layer", "field", "text")), schema="core")
    pruned = 0
    for layer in layers:
        gone: list[sa.ColumnElement[bool]] = [term.c.field.not_in(layer.searched)]
        for name in layer.searched:
            borne = sa.exists().where(layer.table.c[name] == term.c.text)
            gone.append(sa.and_(term.c.field == name, ~borne))
        pruned += connection.execute(sa.delete(term).where(term.c.layer == layer.name, sa.or_(*gone))).rowcount
    return pruned
