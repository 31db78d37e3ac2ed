"""HTTPS by the operator's certificate: checked before a server starts with it, and told of before it runs out."""

from __future__ import annotations

import datetime as dt
import ssl
import stat
from dataclasses import dataclass

from cryptography import x509

from api.settings import Settings
from layers.errors import LayersError


class BadCertificate(LayersError):
    """The certificate or its key cannot be used; the text says why."""


@dataclass(frozen=True)
class Certificate:
    """What a certificate says of itself (for which hosts, until when), and who may read its key."""

    hosts: tuple[str, ...]
    ends_at: dt.datetime
    key_mode: int


def certificate_of(settings: Settings) -> Certificate | None:
    """The certificate in use, None without HTTPS; BadCertificate when a server could not start with it."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    certificate, key = settings.tls_certificate, settings.tls_key
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
        first = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
        mode = stat.S_IMODE(key.stat().st_mode)
    except FileNotFoundError as error:
        raise BadCertificate(f"the certificate or its key is not there: {error.filename or certificate}") from error
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise BadCertificate(f"{certificate} with {key} cannot be used: {_reason(error)}") from error
    return Certificate(_hosts(first), first.not_valid_after_utc, mode)


def _no_password() -> str:
    raise ValueError("the key has a password; store it without one, readable by its owner alone")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and "KEY_VALUES_MISMATCH" in str(error):
        return "the key does not belong to the certificate"
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    hosts = [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
    return tuple(hosts)
