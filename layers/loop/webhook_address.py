"""Where webhooks may go: to the whole world's addresses by HTTPS, to a city's own networks only if it names them.

The name is looked up once for each try, every address that it has is checked, and the connection goes to the very
address that was checked: a name that changes in between leads nowhere else.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Final
from urllib.parse import SplitResult, urlsplit

from layers.errors import BadField

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
MOST_URL: Final = 500
# IPv6 addresses in which another, perhaps a private one, is hidden.
_TUNNELS: Final = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))


class NotCalled(Exception):
    """This address is not to be called, or the name has none; the text says why."""


def networks_of(text: str) -> Networks:
    """The networks of a setting, like "10.0.0.0/8, 192.168.7.0/24"; ValueError for one that is none."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def check_url(url: str, networks: Networks) -> None:
    """BadField for a URL that no webhook goes to, whatever its name may mean when it is called."""
    try:
        parts = urlsplit(url)
        port_of(parts)
    except ValueError:
        raise BadField({"url": "is no URL"}).because("webhook_url") from None
    plain = all(" " < letter < "\x7f" for letter in url)
    if len(url) > MOST_URL or not plain or not parts.hostname or parts.username is not None or parts.fragment:
        raise BadField({"url": "is to be https:// and a host, without a user or a fragment"}).because("webhook_url")
    if parts.scheme not in ("https", "http") or (parts.scheme == "http" and not networks):
        raise BadField({"url": "begins with https://"}).because("webhook_url")
    try:
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return
    if not _allowed(literal, networks, secure=parts.scheme == "https"):
        raise BadField({"url": "leads to an address that is not to be called"}).because("webhook_address")


def port_of(parts: SplitResult) -> int:
    """The port of a URL; ValueError for one that is none."""
    return parts.port or (443 if parts.scheme == "https" else 80)


def _lookup(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def address_for(
    parts: SplitResult, networks: Networks, *, lookup: Callable[[str, int], list[str]] = _lookup
) -> Address:
    """The address to connect to; NotCalled when the name has none, or any that is not to be called."""
    try:
        found = [ipaddress.ip_address(text.partition("%")[0]) for text in lookup(parts.hostname or "", port_of(parts))]
    except (OSError, ValueError, UnicodeError):
        raise NotCalled("the name has no address") from None
    if not found:
        raise NotCalled("the name has no address")
    for address in found:
        if not _allowed(address, networks, secure=parts.scheme == "https"):
            raise NotCalled("the name leads to an address that is not to be called")
    return found[0]


def _allowed(address: Address, networks: Networks, *, secure: bool) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in networks):
        return True
    tunnelled = any(address in tunnel for tunnel in _TUNNELS)
    return secure and address.is_global and not address.is_multicast and not tunnelled
