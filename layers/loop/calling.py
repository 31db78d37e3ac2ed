"""One call to another system: to an address that was checked, without redirects, proxies or a long wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

import httpx

from layers.loop.webhook_address import Networks, NotCalled, address_for, port_of

TIMEOUT_S: Final = 10.0
MOST_ANSWER: Final = 64 * 1024
"""So much of an answer is read at most."""
Method = Literal["POST", "GET"]


@dataclass(frozen=True)
class Answer:
    """What was answered: the status and the beginning of the body; or why there was no answer."""

    status: int | None
    body: bytes = b""
    error: str | None = None


def call(
    url: str,
    body: bytes,
    networks: Networks,
    *,
    headers: Mapping[str, str],
    method: Method = "POST",
    wants_body: bool = False,
) -> Answer:
    """Call a URL once; no failure is raised."""
    try:
        parts = urlsplit(url)
        address = address_for(parts, networks)
        host = f"[{address}]" if address.version == 6 else str(address)
        where = parts._replace(netloc=f"{host}:{port_of(parts)}").geturl()
        with (
            httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client,
            # The certificate is that of the name, though the address is called.
            client.stream(
                *(method, where),
                content=body,
                headers={"Host": parts.netloc, **headers},
                extensions={"sni_hostname": parts.hostname},
            ) as got,
        ):
            return Answer(got.status_code, _beginning(got) if wants_body else b"")
    except NotCalled as error:
        return Answer(None, error=str(error))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Answer(None, error=type(error).__name__)


def _beginning(got: httpx.Response) -> bytes:
    read = b""
    for part in got.iter_bytes():
        read += part
        if len(read) >= MOST_ANSWER:
            break
    return read[:MOST_ANSWER]
