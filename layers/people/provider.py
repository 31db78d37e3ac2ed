"""A provider of OpenID Connect, asked over HTTP: where its doors are, its keys, and a code's exchange for a token.

OpenID Connect Core 1.0 §3.1 (authorization code) and Discovery 1.0, with PKCE (RFC 7636).
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from layers.errors import NotSignedIn

# Signed with a key that the provider alone has: an HMAC with our own secret would be no proof.
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_PATIENCE_S: Final = 5.0
_FRESH_S: Final = 600.0
_LEEWAY_S: Final = 60
_MOST_BYTES: Final = 256 * 1024


@dataclass(frozen=True)
class Client:
    """What we are at the provider: its issuer, our id and secret there, and where it sends people back to."""

    issuer: str
    client_id: str
    secret: str | None = field(repr=False)
    back: str


@dataclass(frozen=True)
class Doors:
    """Where the provider is asked, and how it wants to be told our secret."""

    authorize: str
    token: str
    keys: str
    in_body: bool


class Provider:
    """One provider; what it tells of itself is read again after ten minutes."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._lock = threading.Lock()
        self._doors: tuple[float, Doors] | None = None

    def address(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where a person is sent to sign in; NotSignedIn when the provider cannot be reached."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code", "client_id": self.client.client_id, "redirect_uri": self.client.back,
            "scope": "openid profile", "state": state, "nonce": nonce, "code_challenge": challenge,
            "code_challenge_method": "S256",
        }  # fmt: skip
        authorize = self._found().authorize
        return f"{authorize}{'&' if '?' in authorize else '?'}{urlencode(asked)}"

    def claims(self, *, code: str, verifier: str, nonce: str) -> Mapping[str, Any]:
        """What the provider says of whoever brought this code; NotSignedIn unless all of it is proved."""
        doors = self._found()
        given = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.client.back,
            "client_id": self.client.client_id, "code_verifier": verifier,
        }  # fmt: skip
        basic = None
        if self.client.secret is not None and doors.in_body:
            given["client_secret"] = self.client.secret
        elif self.client.secret is not None:
            basic = httpx.BasicAuth(self.client.client_id, self.client.secret)
        told = _read("POST", doors.token, data=given, auth=basic)
        token = told.get("id_token")
        if not isinstance(token, str):
            raise NotSignedIn("the provider gave no token").because("oidc_token")
        return self._proved(token, _read("GET", doors.keys), nonce)

    def _proved(self, token: str, keys: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        wanted = JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self.client.issuer},
            aud={"essential": True, "value": self.client.client_id},
            nonce={"essential": True, "value": nonce},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        )
        try:
            claims = jwt.decode(token, KeySet.import_key_set({"keys": keys["keys"]}), _ALGORITHMS).claims
            wanted.validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise NotSignedIn(f"the token of the provider is not valid ({type(error).__name__})").because(
                "oidc_token"
            ) from error
        parties = claims["aud"]
        if claims.get("azp", self.client.client_id) != self.client.client_id or (
            isinstance(parties, list) and len(parties) > 1 and "azp" not in claims
        ):
            raise NotSignedIn("the token was made for another").because("oidc_token")
        return claims

    def _found(self) -> Doors:
        with self._lock:
            if self._doors is None or time.monotonic() - self._doors[0] > _FRESH_S:
                self._doors = (time.monotonic(), self._discovered())
            return self._doors[1]

    def _discovered(self) -> Doors:
        told = _read("GET", f"{self.client.issuer.rstrip('/')}/.well-known/openid-configuration")
        doors = [told.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        if told.get("issuer") != self.client.issuer or not all(isinstance(one, str) for one in doors):
            raise NotSignedIn("the provider tells another issuer, or not where it is asked").because("oidc_away")
        ways = told.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        authorize, token, keys = map(str, doors)
        return Doors(authorize, token, keys, in_body="client_secret_basic" not in ways)


def _read(method: str, url: str, **given: Any) -> dict[str, Any]:
    """The JSON object at a URL; NotSignedIn for anything else."""
    try:
        with (
            httpx.Client(timeout=_PATIENCE_S, follow_redirects=False) as client,
            client.stream(method, url, headers={"Accept": "application/json"}, **given) as answer,
        ):
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > _MOST_BYTES:
                    raise NotSignedIn("the provider answers with too much").because("oidc_away")
            status = answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotSignedIn(f"the provider cannot be reached ({type(error).__name__})").because("oidc_away") from error
    if status >= 500:
        raise NotSignedIn(f"the provider answers {status}").because("oidc_away")
    if status != 200:
        raise NotSignedIn(f"the provider refuses ({status})").because("oidc_token")
    try:
        told = httpx.Response(200, content=body).json()
    except ValueError as error:
        raise NotSignedIn("the provider answers with no JSON").because("oidc_away") from error
    if not isinstance(told, dict):
        raise NotSignedIn("the provider answers with no object").because("oidc_away")
    return told
