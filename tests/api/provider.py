"""A small provider of OpenID Connect for the tests: real HTTP, real signatures, and every way to get it wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "chengtu", "between us two"


@dataclass
class Idp:
    """What the provider says next: claims that differ from the right ones, and the key it signs with."""

    url: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"}))
    signs: RSAKey | None = None
    header: dict[str, Any] = field(default_factory=dict)
    otherwise: dict[str, Any] = field(default_factory=dict)
    person: dict[str, Any] = field(
        default_factory=lambda: {"sub": "u-1", "preferred_username": "li.na", "name": "李娜"}
    )
    visits: dict[str, dict[str, str]] = field(default_factory=dict)

    def visit(self, query: str) -> str:
        """Somebody was sent here and signed in: where they are sent back to."""
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.visits[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def exchange(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """A token for a code, once, for whoever has the verifier and our secret."""
        asked = self.visits.pop(form.get("code", ""), None)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked is None or authorization != f"Basic {basic}" or form.get("redirect_uri") != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        right = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **self.person}
        claims = {name: value for name, value in {**right, **self.otherwise}.items() if value is not None}
        header = {"alg": "RS256", "kid": "k1", **self.header}
        key = self.signs or self.key
        return 200, {"id_token": jwt.encode(header, claims, key), "access_token": "x", "token_type": "Bearer"}


@contextmanager
def idp() -> Iterator[Idp]:
    """The provider, on a port of its own."""
    it = Idp()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, urlsplit(self.path).query
            if path == "/authorize":
                self.send_response(302)
                self.send_header("Location", it.visit(query))
                self.end_headers()
                return
            told: dict[str, dict[str, Any]] = {
                "/.well-known/openid-configuration": {
                    "issuer": it.url, "authorization_endpoint": f"{it.url}/authorize",
                    "token_endpoint": f"{it.url}/token", "jwks_uri": f"{it.url}/keys",
                },
                "/keys": {"keys": [it.key.as_dict(private=False)]},
            }  # fmt: skip
            self._tell(200 if path in told else 404, told.get(path, {}))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._tell(*it.exchange(form, self.headers.get("Authorization", "")))

        def _tell(self, status: int, told: dict[str, Any]) -> None:
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    it.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield it
    server.shutdown()
    thread.join()
    server.server_close()
