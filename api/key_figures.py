"""Key figures as a printed sheet tells them: of the whole city, now, with what is out of norm said in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from api.service import Service
from layers.ask.catalogue import summaries
from layers.ask.indicator.figures import Value, figures
from layers.ask.indicator.indicator import CITY, Indicator
from layers.ask.indicator.plan import there
from layers.ask.period import CITY_TIME
from layers.errors import UnknownIndicator
from layers.people.access import Actor
from layers.spec import Title
from webmap.printing.paper import WORDS, Fact, Lang, Section


class Keyed(NamedTuple):
    """The part of a sheet with key figures (none, or one), and whether any of them is invented."""

    sections: tuple[Section, ...]
    synthetic: bool


def key_figures(
    connection: sa.Connection, service: Service, actor: Actor, names: Sequence[str], *, lang: Lang
) -> Keyed:
    """The figures of these indicators; UnknownIndicator for one that the actor may not know of."""
    seen = {layer.name: layer for layer in service.registry.visible(actor)}
    facts, times, used = [], [], set()
    for name in dict.fromkeys(names):
        indicator = service.indicators.get(name)
        if indicator is None or not seen.keys() >= {*indicator.layers} or not there([indicator], seen):
            raise UnknownIndicator(name)
        times.append(service.counter.fresh(connection, indicator, service.registry.all()))
        (value,) = figures(connection, indicator, seen, by=CITY, area=None, limit=1).values
        facts.append(_fact(indicator, value, lang))
        used |= {*indicator.layers}
    if not facts:
        return Keyed((), synthetic=False)
    words = WORDS[lang]
    as_of = words["as_of"].format(at=f"{min(times).astimezone(CITY_TIME):%Y-%m-%d %H:%M}")
    synthetic = any(each.synthetic for each in summaries(connection, [seen[name] for name in sorted(used)]))
    return Keyed((Section(words["figures"], as_of, facts=tuple(facts)),), synthetic)


def _fact(indicator: Indicator, value: Value, lang: Lang) -> Fact:
    words, amount = WORDS[lang], "–"
    if value.value is not None:
        unit = _in(lang, indicator.unit) if indicator.unit else ""
        amount = f"{value.value:,.{indicator.decimals}f}{unit if unit.startswith('%') else f' {unit}'.rstrip()}"
    status = words.get(value.status or "")
    note = "" if indicator.period is None else words["last_days"].format(n=indicator.period.days)
    said = amount if status is None else f"{amount} · {status}"
    return Fact(_in(lang, indicator.title), said, warn=status is not None, note=note)


def _in(lang: Lang, title: Title) -> str:
    return title.zh if lang == "zh" else title.en
