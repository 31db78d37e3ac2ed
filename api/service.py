"""What the routes share: settings, connections, layers, and the token's digest."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import sqlalchemy as sa

from api.door import Door, Ways
from api.pictures import Pictures
from api.settings import City, Settings
from layers.ask.indicator.counter import Counter
from layers.ask.indicator.indicator import Indicator
from layers.ask.indicator.reading import FOLDER as OWN_INDICATORS
from layers.ask.indicator.reading import SHIPPED as INDICATORS
from layers.ask.indicator.reading import indicators_in
from layers.ask.question.desk import Desk
from layers.ask.ready import Ready, ready_questions
from layers.ask.results import Results
from layers.catalog import built_in
from layers.loop.hotline.intake import Intake
from layers.loop.rules import Rules, rules_in
from layers.loop.sms import gateway_in
from layers.people.access import ADMIN
from layers.people.attempts import Limits
from layers.people.outside import House
from layers.people.privacy import Keyring, keyring_in
from layers.people.provider import Client, Provider
from layers.people.sessions import Lasting
from layers.people.signin import Policy
from layers.rasters import FOLDER as RASTERS
from layers.rasters import Rasters
from layers.registry import Registry
from layers.store.engine import engine_for
from layers.topics import FOLDER as TOPICS
from layers.topics import SHIPPED, Known, Topics

QUESTIONS_AT_ONCE = 3


@dataclass(frozen=True)
class Service:
    """Built once per process and handed to every route."""

    settings: Settings
    url: str
    reader: sa.Engine
    writer: sa.Engine
    # Tokens and layers are looked up by requests that hold a connection already: never from the same pool.
    lookups: sa.Engine
    tokens: sa.Engine
    registry: Registry
    slots: asyncio.Semaphore
    # One connection that writes is always left for those who do not wait in line.
    writing: asyncio.Semaphore
    rasters: Rasters
    results: Results
    counter: Counter
    topics: Topics
    rules: Rules
    door: Door
    desk: Desk = field(default_factory=Desk)
    ready: Mapping[str, Ready] = field(default_factory=ready_questions)
    questions: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(QUESTIONS_AT_ONCE))
    pictures: Pictures = field(default_factory=Pictures)
    city: City = field(default_factory=City)

    @classmethod
    def open(cls, settings: Settings, url: str) -> Service:
        """Connect to a prepared database."""
        reader = engine_for(url, "reader", pool_size=settings.pool_size)
        writers = 1 + max(2, settings.pool_size // 4)
        writer = engine_for(url, "writer", pool_size=writers)
        lookups = engine_for(url, "reader", pool_size=1)
        tokens = engine_for(url, "writer", pool_size=1)
        slots, writing = asyncio.Semaphore(settings.pool_size), asyncio.Semaphore(writers - 1)
        rasters = Rasters(settings.data_dir / RASTERS)
        results = Results(settings.data_dir / "results")
        registry = Registry(lookups)
        indicators = indicators_in([INDICATORS, settings.data_dir / OWN_INDICATORS], built_in())

        def known() -> Known:
            names = [stored.raster.name for stored in rasters.visible(ADMIN)]
            return Known(registry.all(), names, indicators)

        topics = Topics([SHIPPED, settings.data_dir / TOPICS], known)
        return cls(
            *(settings, url, reader, writer, lookups, tokens, registry, slots, writing, rasters, results),
            *(Counter(writer, indicators), topics, rules_in(settings.data_dir), _door(settings, tokens)),
        )

    @cached_property
    def house(self) -> House | None:
        """The city's provider of OpenID Connect, if it has one."""
        return _house(self.settings)

    @property
    def indicators(self) -> Mapping[str, Indicator]:
        """What the city's figures are, by name."""
        return self.counter.indicators

    @cached_property
    def keyring(self) -> Keyring:
        """The keys of sealed personal fields."""
        return keyring_in(self.settings.data_dir)

    @cached_property
    def intake(self) -> Intake:
        """The tools of the hotline's desk."""
        return Intake(self.settings.data_dir, self.rules.departments)

    def close(self) -> None:
        """Give the connections back."""
        for engine in (self.reader, self.writer, self.lookups, self.tokens):
            engine.dispose()


def _door(settings: Settings, engine: sa.Engine) -> Door:
    lasting = Lasting(dt.timedelta(hours=settings.session_hours), dt.timedelta(minutes=settings.session_idle_min))
    limits = Limits(settings.sign_in_tries, settings.sign_in_tries_address)
    one_time = dt.timedelta(hours=settings.one_time_hours)
    policy = Policy(limits, lasting, second_factor=settings.second_factor == "required", one_time=one_time)
    return Door(engine, policy=policy, ways=Ways(settings.public_url, settings.proxies))


def _house(settings: Settings) -> House | None:
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    back = f"{settings.public_url}/session/oidc/back"
    client = Client(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, back)
    roles = settings.oidc_roles_by_group
    return House(Provider(client), settings.oidc_claim, roles, makes_accounts=settings.oidc_accounts)


def check(settings: Settings) -> None:
    """Read what the city's files declare before a worker does; BadDeclaration names the line that cannot be used."""
    if settings.database_url is None:
        return
    service = Service.open(settings, settings.database_url)
    try:
        service.topics.all()
        _ = service.intake.lines, service.intake.rates, gateway_in(settings.data_dir)
    finally:
        service.close()
