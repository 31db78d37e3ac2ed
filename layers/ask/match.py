"""Which texts of the search index a query means, and how well: letter by letter, by sound, by initials, with typos."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from layers.ask.areas import AREA_SUFFIXES
from layers.spec import Layer
from layers.terms import fold, grams, layer_gram, pinyin

# Kinds of match, best first; the score of a hit falls with them. SPELT is pinyin as it was typed, which says more than
# SOUND, the sound of Chinese characters that were typed.
WHOLE, PREFIX, SPELT, SPELT_PREFIX, INITIALS, INITIALS_PREFIX, INSIDE, WORDS = range(8)
SOUND, SOUND_PREFIX, SOUND_INSIDE, INITIALS_INSIDE, TYPO = range(8, 13)
SCORES: Final = (1.0, 0.95, 0.91, 0.87, 0.83, 0.79, 0.75, 0.7, 0.65, 0.6, 0.5, 0.4, 0.3)

TERMS: Final = "core.term"
_FEW = 20_000  # a layer with so many terms at most is searched whole, a bigger one up to a number of candidates
_COMMON = 20_000  # a gram in more terms than this costs more to look up than one query may take
_AFTER: Final = chr(0x10FFFF)  # behind every text that begins with what stands before it, in the order of code points
_LETTERS: Final = re.compile(r"[a-z][a-z0-9]*")
_NOT_SOUND: Final = re.compile(r"[^a-z0-9]")
_SHORT_LATIN: Final = re.compile(r"[a-z]{1,4}")
_LONGEST_TYPO = 30
_GRAMS = 4


@dataclass(frozen=True)
class Match:
    """A text of the index that a query means; `kind` is one of the kinds above, `typos` counts wrong letters."""

    layer: str
    field: str
    text: str
    kind: int
    typos: int = 0


@dataclass(frozen=True)
class Scope:
    """The layers that one query may look into, and how big the index is for each of them and for each gram."""

    ranks: Mapping[str, float]
    sizes: Mapping[str, int]
    terms: str = TERMS

    @property
    def few_names(self) -> list[str]:
        """The layers with few terms."""
        return [name for name in self.ranks if self.sizes.get(layer_gram(name), 0) <= _FEW]

    @property
    def many_names(self) -> list[str]:
        """The layers with many terms."""
        return [name for name in self.ranks if self.sizes.get(layer_gram(name), 0) > _FEW]

    @property
    def few(self) -> list[str]:
        """The marks of the layers with few terms."""
        return [layer_gram(name) for name in self.few_names]

    @property
    def many(self) -> list[str]:
        """The marks of the layers with many terms."""
        return [layer_gram(name) for name in self.many_names]

    def affordable(self, wanted: Sequence[str]) -> list[str]:
        """The layers in which terms that hold all these grams can be looked up in time."""
        rarest = min((self.sizes.get(gram, 0) for gram in wanted), default=0)
        return [name for name in self.ranks if min(rarest, self.sizes.get(layer_gram(name), 0)) <= _COMMON]


def scope_of(connection: sa.Connection, layers: Collection[Layer], words: Sequence[str]) -> Scope:
    """What is known about the layers and about the grams of the words before looking for them."""
    ranks = {layer.name: layer.rank for layer in layers if layer.searched}
    wanted = [*map(layer_gram, ranks), *(gram for word in words for gram in grams(word))]
    rows = connection.execute(_SIZES, {"grams": list(dict.fromkeys(wanted))}).all()
    return Scope(ranks, {row.gram: int(row.n) for row in rows}, _borne(tuple(one for one in layers if one.scoped)))


@lru_cache(maxsize=64)
def _borne(scoped: tuple[Layer, ...]) -> str:
    """The terms as SQL: of scoped layers those that a record which is seen bears, or others crowd them out."""
    if not scoped:
        return TERMS
    quote = postgresql.dialect().identifier_preparer.quote  # type: ignore[no-untyped-call]
    cases = " ".join(
        f"when term.layer = '{layer.name}' and term.field = '{field}' then "
        f"exists (select from {layer.table.fullname} r where r.{quote(field)} = term.text)"
        for layer in scoped
        for field in layer.searched
    )
    return f"(select term.* from {TERMS} term where case {cases} else true end) term"


@lru_cache(maxsize=256)
def _statement(sql: str, terms: str) -> sa.TextClause:
    return sa.text(sql.replace(TERMS, terms))


_SIZES = sa.text("select gram, n from core.gram where gram = any(cast(:grams as text[]))")

# Folded texts have no spaces left, so that where a word starts is asked of the text itself: nt is in Beixi|n T|own, but
# nobody means it. `case`, since normalising is dear and must come after the cheap comparison.
_BY_LETTERS = """
    with found as (
      (select layer, field, text, folded from core.term
       where folded = :whole and layer = any(cast(:names as text[])) limit 200)
      union
      (select layer, field, text, folded from core.term
       where folded ~>=~ :whole and folded ~<~ :after and layer = any(cast(:names as text[]))
         and case when :starts = '' then true else lower(normalize(text, NFKC)) ~ :starts end
       order by folded using ~<~ limit 200)
      union
      (select near.* from unnest(cast(:affordable as text[])) as l(name),
         lateral (select layer, field, text, folded from core.term
                  where grams @> (cast(:grams as text[]) || ('##' || l.name))
                    and case when not (select bool_and(position(w in folded) > 0)
                                       from unnest(cast(:words as text[])) w) then false
                             when :starts = '' then true
                             else lower(normalize(text, NFKC)) ~ :starts end
                  limit 300) near)
    )
    select layer, field, text,
      case when folded = :whole then 0 when starts_with(folded, :whole) then 1
           when position(:whole in folded) > 0 then 6 else 7 end as kind
    from found join unnest(cast(:names as text[]), cast(:ranks as float8[])) as r(name, rank) on r.name = layer
    order by kind, rank desc, char_length(folded), folded, layer, field, text limit :limit
"""


def _word_starts(words: Sequence[str]) -> str:
    """A pattern that demands of a text that its words start with the short Latin words of a query; empty for none."""
    short = dict.fromkeys(word for word in words if _SHORT_LATIN.fullmatch(word))
    return "".join(f"(?=.*(?:^|[^a-z]){word})" for word in short)


def by_letters(connection: sa.Connection, words: Sequence[str], scope: Scope, *, limit: int = 100) -> list[Match]:
    """The terms that are, begin with or contain the folded words written together, or contain all of them apart.

    Latin words of up to four letters count only where a word of the text starts.
    """
    whole = "".join(words)
    # The rarest say enough, since the candidates are compared letter by letter.
    every = dict.fromkeys(gram for word in words for gram in _selective(word))
    pairs = sorted(every, key=lambda gram: (scope.sizes.get(gram, 0), gram))[:_GRAMS]
    values = {
        "whole": whole, "after": whole + _AFTER, "words": list(words), "grams": pairs,
        "names": list(scope.ranks), "ranks": list(scope.ranks.values()),
        "affordable": scope.affordable(pairs), "starts": _word_starts(words), "limit": limit,
    }  # fmt: skip
    return [Match(*row) for row in connection.execute(_statement(_BY_LETTERS, scope.terms), values).all()]


def _selective(word: str) -> list[str]:
    """The grams that say all that a word's grams say: its pairs, or its only character."""
    return [gram for gram in grams(word) if len(gram) == 2] or [word]


_SOUND_PARTS: Final = (
    """(select layer, field, text, folded, pinyin, initials from core.term
        where pinyin like :sound_inside and grams && cast(:few as text[]) limit 500)""",
    """(select layer, field, text, folded, pinyin, initials from core.term
        where pinyin like :sound_inside and grams && cast(:many as text[]) limit 300)""",
)
# What is exact is looked for apart, or the many texts that only begin so would crowd it out.
_INITIALS_PARTS: Final = (
    """(select layer, field, text, folded, pinyin, initials from core.term
        where initials = any(cast(:exact as text[])) and layer = any(cast(:names as text[])) limit 1000)""",
    """(select layer, field, text, folded, pinyin, initials from core.term
        where initials ~>=~ :initials and initials ~<~ :initials_after and layer = any(cast(:few_names as text[]))
        order by initials using ~<~ limit 500)""",
    """(select layer, field, text, folded, pinyin, initials from core.term
        where initials ~>=~ :initials and initials ~<~ :initials_after and layer = any(cast(:many_names as text[]))
        order by initials using ~<~ limit 200)""",
)
_INITIALS_INSIDE_PARTS: Final = (
    """(select layer, field, text, folded, pinyin, initials from core.term
        where initials like :initials_inside and grams && cast(:few as text[]) limit 500)""",
    """(select layer, field, text, folded, pinyin, initials from core.term
        where initials like :initials_inside and grams && cast(:many as text[]) limit 300)""",
)
# The initials of an address name another thing than the record: they are worth no more than initials inside a name.
_RANK_SOUNDS: Final = """
    select layer, field, text,
      case when pinyin = :sound then :same
           when char_length(cast(:sound as text)) > 2 and starts_with(pinyin, :sound) then :begun
           when field = 'address' then 11
           when initials = :initials then 4
           when exists (select from unnest(cast(:suffixes as text[]), cast(:exact as text[])) as s(suffix, whole)
                        where initials = whole and suffix <> '' and right(folded, char_length(suffix)) = suffix) then 4
           when starts_with(initials, :initials) then 5
           when position(:sound in pinyin) > 0 then 10 else 11 end as kind
    from ({parts}) found
    join unnest(cast(:names as text[]), cast(:ranks as float8[])) as r(name, rank) on r.name = layer
    order by kind, rank desc, char_length(folded), folded, layer, field, text limit :limit
"""
_NO_SUFFIX: Final = ("", *AREA_SUFFIXES)
_SUFFIX_INITIALS: Final = tuple(pinyin(suffix)[1] for suffix in _NO_SUFFIX)


def by_sound(connection: sa.Connection, whole: str, scope: Scope, *, limit: int = 100) -> list[Match]:
    """The terms that sound like the folded query (a wrong character of the same sound), or whose pinyin or initials
    it gives.
    """
    if len(whole) < 2:
        return []
    latin = _LETTERS.fullmatch(whole.replace("'", "")) is not None
    # Only letters and digits are left: nothing in the pattern of LIKE can be a wildcard.
    sound = _NOT_SOUND.sub("", whole if latin else pinyin(whole)[0])
    initials = sound if latin and len(sound) <= 20 else ""
    parts: list[str] = []
    if len(sound) >= 3 and not sound.isdigit() and not _repeats(sound):
        parts += _SOUND_PARTS
    if len(initials) >= 2:
        parts += _INITIALS_PARTS
    if len(initials) >= 3:
        parts += _INITIALS_INSIDE_PARTS
    if not parts:
        return []
    # An impossible text where there is nothing to compare: every text begins with the empty one.
    values = {
        "sound": sound, "sound_inside": f"%{sound}%", "initials": initials or "-",
        "initials_after": initials + _AFTER, "initials_inside": f"%{initials}%",
        "exact": [f"{initials or '-'}{suffix}" for suffix in _SUFFIX_INITIALS], "suffixes": list(_NO_SUFFIX),
        "same": SPELT if latin else SOUND, "begun": SPELT_PREFIX if latin else SOUND_PREFIX,
        "few": scope.few, "many": scope.many,
        "few_names": scope.few_names, "many_names": scope.many_names,
        "names": list(scope.ranks), "ranks": list(scope.ranks.values()), "limit": limit,
    }  # fmt: skip
    statement = _statement(_RANK_SOUNDS.format(parts=" union ".join(parts)), scope.terms)
    return [Match(*row) for row in connection.execute(statement, values).all()]


def _repeats(sound: str) -> bool:
    """Does it say the same three times or more?

    The index knows a sound by its different trigrams. `lululululu` has two, which 70,000 terms share and nearly none
    in a row; all of them would be read and compared, since nothing found means that no limit is ever reached.
    """
    trigrams = [sound[start : start + 3] for start in range(len(sound) - 2)]
    return len(trigrams) >= 2 * len(set(trigrams))


_BY_RARE_GRAMS = """
    with rare as materialized (
      select gram, n from core.gram where gram = any(cast(:grams as text[])) and n <= 5000 order by n, gram limit 5
    ), hit as (
      select near.*, rare.n from rare, lateral (
        (select layer, field, text, folded from core.term
         where grams @> array[rare.gram] and grams && cast(:few as text[]) limit 500)
        union all
        (select layer, field, text, folded from core.term
         where grams @> array[rare.gram] and grams && cast(:many as text[]) limit 300)
      ) near
    )
    select layer, field, text, folded, sum(1 / ln(n + 2.0)) as weight from hit
    group by layer, field, text, folded
    order by weight desc, char_length(folded), folded, layer, field, text limit 150
"""


def by_typo(connection: sa.Connection, whole: str, scope: Scope) -> list[Match]:
    """The terms a part of which differs from the folded query in one letter (two of six, three of nine …)."""
    han = not whole.isascii()
    if not (3 if han else 4) <= len(whole) <= _LONGEST_TYPO:
        return []
    allowed = max(1, len(whole) // 3) if han else max(1, len(whole) // 4)
    values = {"grams": grams(whole), "few": scope.few, "many": scope.many}
    found = []
    for row in connection.execute(_statement(_BY_RARE_GRAMS, scope.terms), values).all():
        if (typos := typos_inside(whole, row.folded)) <= allowed:
            found.append((Match(row.layer, row.field, row.text, TYPO, typos), len(row.folded)))
    found.sort(key=lambda pair: (pair[0].typos, -scope.ranks[pair[0].layer], pair[1], pair[0].text))
    return [match for match, _ in found]


def typos_inside(pattern: str, text: str) -> int:
    """The least number of letters to change, add or leave out that turns `pattern` into some part of `text`.

    Myers' bit-parallel search (J. ACM 46, 1999): one column of the edit table is a pair of integers.
    """
    last = 1 << (len(pattern) - 1)
    at: dict[str, int] = {}
    for position, letter in enumerate(pattern):
        at[letter] = at.get(letter, 0) | 1 << position
    up, down, score = (1 << len(pattern)) - 1, 0, len(pattern)
    full, best = up, score
    for letter in text:
        here = at.get(letter, 0)
        kept = (((here & up) + up) ^ up) | here | down
        rise, fall = down | ~(kept | up) & full, up & kept
        if rise & last:
            score += 1
        if fall & last:
            score -= 1
        # No carry comes in from above: the part of the text may begin anywhere.
        rise, fall = rise << 1 & full, fall << 1 & full
        same = here | down
        up, down = (fall | ~(same | rise)) & full, rise & same
        best = min(best, score)
    return best


def words_of(text: str) -> list[str]:
    """The folded words of a query, divided at white space and commas."""
    return [word for part in re.split(r"[\s,，、;；]+", text) if (word := fold(part))]
