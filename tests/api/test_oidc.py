"""Signing in at a provider of OpenID Connect: a real one, its tokens, and everything that must not pass for one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import sqlalchemy as sa
from joserfc.jwk import OctKey, RSAKey

from layers.errors import NotSignedIn
from layers.people.accounts import make_account
from layers.people.outside import VISIT, House, come_back, send_out
from layers.people.provider import Client, Provider
from layers.people.tables import ACCOUNT, OIDC_VISIT
from layers.store.cluster import Cluster
from layers.store.engine import begin
from tests.api.provider import CLIENT, SECRET, Idp, idp
from tests.conftest import Database, Server, cloned, serving

BACK = "http://city.example/session/oidc/back"
ROLES = {"city/dispatch": "dispatcher", "city/audit": "auditor"}


@pytest.fixture
def provider() -> Iterator[Idp]:
    with idp() as running:
        yield running


def house(provider: Idp, **rules: Any) -> House:
    client = Client(provider.url, CLIENT, SECRET, BACK)
    return House(Provider(client), **{"claim": "groups.city", "roles": ROLES, "makes_accounts": True, **rules})


def visited(database: Database, there: House, *, now: dt.datetime, later: dt.timedelta = dt.timedelta(0)) -> str:
    """The login of somebody who goes to the provider and comes back."""
    visit = send_out(database.engine, there, now=now)
    returned = httpx.get(visit.address).headers["location"]
    told = {name: values[0] for name, values in parse_qs(urlsplit(returned).query).items()}
    assert returned.startswith(BACK)
    return come_back(
        database.engine, there, state=told["state"], held=visit.state, code=told["code"], now=now + later
    )  # fmt: skip


NOW = dt.datetime(2026, 7, 1, 9, tzinfo=dt.UTC)


def account(database: Database, login: str) -> sa.Row[Any]:
    with database.owner.connect() as connection:
        return connection.execute(ACCOUNT.select().where(ACCOUNT.c.login == login)).one()


def test_whoever_the_provider_proves_has_an_account_with_the_roles_of_their_groups(
    database: Database, provider: Idp
) -> None:
    provider.person["groups"] = {"city": ["city/dispatch", "elsewhere"]}
    assert visited(database, house(provider), now=NOW) == "li.na"
    made = account(database, "li.na")
    assert (made.name, made.roles, made.hash, made.areas) == ("李娜", ["dispatcher"], None, [])
    provider.person["groups"] = {"city": "city/audit"}
    assert visited(database, house(provider), now=NOW) == "li.na"
    assert account(database, "li.na").roles == ["auditor"]
    provider.person["groups"] = "nonsense"
    visited(database, house(provider), now=NOW)
    assert account(database, "li.na").roles == []


@pytest.mark.parametrize(
    "otherwise",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "somebody-else"},
        {"aud": [CLIENT, "somebody-else"]},
        {"azp": "somebody-else"},
        {"iss": "https://evil.example"},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"iat": None},
        {"iat": 4_000_000_000},
        {"sub": None},
        {"sub": ""},
        {"nbf": 4_000_000_000},
    ],
)
def test_a_token_that_says_something_else_is_refused(
    database: Database, provider: Idp, otherwise: dict[str, Any]
) -> None:
    provider.otherwise = otherwise
    with pytest.raises(NotSignedIn) as refused:
        visited(database, house(provider), now=NOW)
    assert refused.value.cause == "oidc_token"
    with database.owner.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(ACCOUNT)) == 0


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_signature_of_another_key_is_refused(database: Database, provider: Idp) -> None:
    provider.signs = RSAKey.generate_key(2048, {"kid": "k1"})
    with pytest.raises(NotSignedIn, match="BadSignature"):
        visited(database, house(provider), now=NOW)
    provider.signs, provider.header = OctKey.import_key(SECRET.encode() * 4), {"alg": "HS256"}  # type: ignore[assignment]
    with pytest.raises(NotSignedIn):
        visited(database, house(provider), now=NOW)


def test_a_visit_is_for_one_browser_once_and_for_a_while(database: Database, provider: Idp) -> None:
    there = house(provider)
    with pytest.raises(NotSignedIn) as late:
        visited(database, there, now=NOW, later=VISIT)
    assert late.value.cause == "oidc_state"
    visit = send_out(database.engine, there, now=NOW)
    told = parse_qs(urlsplit(httpx.get(visit.address).headers["location"]).query)
    given: dict[str, Any] = {"state": told["state"][0], "code": told["code"][0], "now": NOW}
    for held in (None, "of another browser"):
        with pytest.raises(NotSignedIn) as other:
            come_back(database.engine, there, held=held, **given)
        assert other.value.cause == "oidc_state"
    assert come_back(database.engine, there, held=visit.state, **given) == "li.na"
    with pytest.raises(NotSignedIn) as again:
        come_back(database.engine, there, held=visit.state, **given)
    assert again.value.cause == "oidc_state"


def test_a_code_of_another_visit_is_refused_by_its_verifier(database: Database, provider: Idp) -> None:
    there = house(provider)
    mine, theirs = (send_out(database.engine, there, now=NOW) for _ in range(2))
    stolen = parse_qs(urlsplit(httpx.get(theirs.address).headers["location"]).query)["code"][0]
    with pytest.raises(NotSignedIn) as refused:
        come_back(database.engine, there, state=mine.state, held=mine.state, code=stolen, now=NOW)
    assert refused.value.cause == "oidc_token"


def test_only_linked_accounts_where_the_city_makes_none_and_a_name_alone_links_nothing(
    database: Database, provider: Idp
) -> None:
    with pytest.raises(NotSignedIn) as none:
        visited(database, house(provider, makes_accounts=False), now=NOW)
    assert none.value.cause == "oidc_no_account"
    with begin(database.engine, actor="test") as connection:
        make_account(connection, login="li.na", name="另一位", actor="test")
    with pytest.raises(Exception, match="taken"):
        visited(database, house(provider), now=NOW)
    assert account(database, "li.na").subject is None
    with database.engine.begin() as connection:
        mine = ACCOUNT.update().where(ACCOUNT.c.login == "li.na")
        connection.execute(mine.values(issuer=provider.url, subject="u-1"))
    assert visited(database, house(provider, makes_accounts=False), now=NOW) == "li.na"
    with database.engine.begin() as connection:
        connection.execute(ACCOUNT.update().values(active=False))
    with pytest.raises(NotSignedIn, match="closed"):
        visited(database, house(provider), now=NOW)


def test_a_provider_that_cannot_be_used_is_told_so(database: Database, provider: Idp) -> None:
    there = house(provider)
    gone = House(Provider(Client("http://127.0.0.1:9/nothing", CLIENT, None, BACK)))
    liar = House(Provider(Client(f"{provider.url}/", CLIENT, None, BACK)))
    for wrong in (gone, liar):
        with pytest.raises(NotSignedIn) as away:
            send_out(database.engine, wrong, now=NOW)
        assert away.value.cause == "oidc_away"
    with database.owner.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(OIDC_VISIT)) == 0
    assert visited(database, there, now=NOW) == "li.na"


@pytest.fixture
def joined(cluster: Cluster, template: str, provider: Idp, tmp_path: Any) -> Iterator[Server]:
    """A city with this provider; where it is reached is only known to the browser."""
    settings = {
        "oidc_issuer": provider.url, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET, "oidc_accounts": "true",
        "oidc_roles": "city/dispatch=dispatcher", "oidc_claim": "groups", "oidc_name": "统一认证",
        "public_url": "http://city.example",
    }  # fmt: skip
    with cloned(cluster, template) as fresh, serving(fresh, tmp_path, **settings) as running:
        yield running


def test_the_way_out_and_back_ends_in_a_session(joined: Server, provider: Idp) -> None:
    provider.person["groups"] = ["city/dispatch"]
    with httpx.Client(base_url=joined.url) as client:
        assert client.get("/session").json()["provider"] == "统一认证"
        out = client.get("/session/oidc")
        assert out.status_code == 303
        assert "samesite=lax" in out.headers["set-cookie"].lower()
        returned = urlsplit(httpx.get(out.headers["location"]).headers["location"])
        assert returned.netloc == "city.example"
        back = f"{returned.path}?{returned.query}"
        stranger = httpx.get(f"{joined.url}{back}")
        assert (stranger.status_code, "set-cookie" in stranger.headers) == (401, False)
        answer = client.get(back)
        assert answer.status_code == 200
        assert 'http-equiv="refresh"' in answer.text
        told = client.get("/session").json()
        assert (told["actor"], told["roles"], told["account"]["outside"]) == ("li.na", ["dispatcher"], True)
        refused = client.get("/session/oidc/back?error=access_denied&state=%3Cscript%3E")
        assert refused.status_code == 401
        assert "<script>" not in refused.text
