"""HTTPS by the operator's certificate, made here: answers, headers, and what is refused before a server starts."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from pydantic import ValidationError

from api.headers import safe_headers
from api.settings import Settings
from api.tls import BadCertificate, certificate_of
from tests.conftest import ROOT, Server, free_port

NOW = dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Made:
    certificate: Path
    key: Path

    @property
    def settings(self) -> Settings:
        return Settings(tls_certificate=self.certificate, tls_key=self.key)


def make(folder: Path, name: str, *, days: int = 90, key: CertificateIssuerPrivateKeyTypes | None = None,
         password: bytes | None = None) -> Made:  # fmt: skip
    """A certificate for 127.0.0.1 that signs itself."""
    secret = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "chengtu test")])
    hosts = x509.SubjectAlternativeName([x509.DNSName("map.city"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(secret.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(NOW - dt.timedelta(days=365))
        .not_valid_after(NOW + dt.timedelta(days=days)).add_extension(hosts, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(secret, hashes.SHA256())
    )  # fmt: skip
    hidden = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(secret.private_bytes(serialization.Encoding.PEM, form, hidden))
    (folder / f"{name}.key").chmod(0o600)
    return Made(folder / f"{name}.pem", folder / f"{name}.key")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("tls"), "good")


def serve(server: Server, **settings: str) -> subprocess.Popen[str]:
    given = {"database_url": server.database.url, "data_dir": str(server.data), **settings}
    environment = {**os.environ, "HOST": "127.0.0.1", **{f"CHENGTU_{k.upper()}": v for k, v in given.items()}}
    command = [sys.executable, "-m", "api.serve"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def https(server: Server, made: Made) -> Iterator[str]:
    """The address of a server that answers by HTTPS."""
    port = free_port()
    trusted = ssl.create_default_context(cafile=made.certificate)
    process = serve(server, port=str(port), tls_certificate=str(made.certificate), tls_key=str(made.key))
    url = f"https://127.0.0.1:{port}"
    try:
        transport = httpx.HTTPTransport(verify=trusted, retries=40)  # it backs off: a few seconds in all
        with httpx.Client(transport=transport) as client:
            assert client.get(f"{url}/readyz").status_code == 200
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_a_server_answers_by_https_and_says_that_it_always_does(https: str, made: Made) -> None:
    with httpx.Client(verify=ssl.create_default_context(cafile=made.certificate)) as client:
        answer = client.get(f"{https}/healthz")
        assert answer.json()["status"] == "ok"
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert client.get(f"{https}/layers").json()["layers"]
    with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        httpx.get(f"{https}/healthz")
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(https.replace("https", "http") + "/healthz")


def test_old_protocols_are_not_spoken(https: str) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{https}/healthz", verify=old)


def test_without_a_certificate_nothing_is_promised(server: Server) -> None:
    assert "strict-transport-security" not in httpx.get(f"{server.url}/healthz").headers
    assert certificate_of(Settings()) is None
    assert not [name for name, _ in safe_headers(Settings()) if name == b"strict-transport-security"]


def test_behind_a_proxy_with_https_it_is_promised_too() -> None:
    told = dict(safe_headers(Settings(public_url="https://map.city")))
    assert told[b"strict-transport-security"] == b"max-age=31536000"


def test_a_certificate_says_for_whom_and_until_when(made: Made) -> None:
    found = certificate_of(made.settings)
    assert found is not None
    assert (found.hosts, found.key_mode) == (("map.city", "127.0.0.1"), 0o600)
    assert 89 <= (found.ends_at - NOW).days <= 90


def test_what_cannot_be_used_is_refused_with_its_reason(made: Made, tmp_path: Path) -> None:
    other, locked = make(tmp_path, "other"), make(tmp_path, "locked", password=b"secret")
    weak = make(tmp_path, "weak", key=rsa.generate_private_key(65537, 1024))
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    for pair, said in (
        (Made(made.certificate, other.key), "does not belong"),
        (locked, "has a password"),
        (weak, "key too small"),
        (Made(tmp_path / "none.pem", made.key), "is not there"),
        (Made(text, made.key), "cannot be used"),
    ):
        with pytest.raises(BadCertificate, match=said):
            certificate_of(pair.settings)


@pytest.mark.parametrize("alone", [{"tls_certificate": "a.pem"}, {"tls_key": "a.key"}])
def test_a_certificate_without_its_key_is_refused(alone: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="HTTPS needs both"):
        Settings(**alone)  # type: ignore[arg-type]


def test_a_server_that_cannot_start_says_why_in_one_line(server: Server, made: Made, tmp_path: Path) -> None:
    other = make(tmp_path, "other")
    # A data folder of its own: what lies in the shared one is told at every start.
    folder = {"data_dir": str(tmp_path / "data")}
    process = serve(server, port="8099", tls_certificate=str(made.certificate), tls_key=str(other.key), **folder)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1
    assert said.startswith("chengtu: ")
    assert "the key does not belong to the certificate" in said
    assert len(said.strip().splitlines()) == 1
