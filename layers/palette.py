"""Colours by role: the dark desk and wall, the light desk and phone, and print.

A look names a role, never a colour; a palette says what the role is. All palettes have the same roles (tested), so a
new palette is one more value here and nothing else.
"""

from __future__ import annotations

from typing import Literal, get_args

PaletteName = Literal["dark", "light", "print"]
PALETTES: tuple[str, ...] = get_args(PaletteName)

Role = Literal[
    "background", "land", "water", "edge", "road_major", "road_minor", "building", "text", "halo",
    "quiet", "accent", "select", "good", "notice", "warn", "bad", "critical",
    "series1", "series2", "series3", "series4", "series5", "series6", "series7", "series8",
    "grade1", "grade2", "grade3", "grade4", "absent",
    "ramp1", "ramp2", "ramp3", "ramp4", "ramp5",
    "relief1", "relief2", "relief3", "relief4", "relief5", "relief6",
]  # fmt: skip
ROLES: tuple[str, ...] = get_args(Role)

_VALUES: dict[str, tuple[str, str, str]] = {
    # role: (dark, light, print)
    "background": ("#070b12", "#dfe6ec", "#ffffff"),
    "land": ("#0e1622", "#f6f7f5", "#ffffff"),
    "water": ("#081019", "#cfdfea", "#e8f0f5"),
    "edge": ("#3a516b", "#8797a8", "#555555"),
    "road_major": ("#2f4259", "#c4ccd4", "#999999"),
    "road_minor": ("#1b2839", "#dde2e6", "#cccccc"),
    "building": ("#16212f", "#e6e5e0", "#eeeeee"),
    "text": ("#d5e0ec", "#1e2a36", "#000000"),
    "halo": ("#070b12", "#ffffff", "#ffffff"),
    "quiet": ("#7f93a8", "#566372", "#6b6b6b"),
    "accent": ("#4cc3e0", "#006f91", "#005a78"),
    "select": ("#ffffff", "#101820", "#000000"),
    "good": ("#3fbf8a", "#11683f", "#1a7f53"),
    "notice": ("#6ba6ff", "#1f5ab5", "#2a5fb0"),
    "warn": ("#f2b134", "#8a5600", "#8f5a00"),
    "bad": ("#f47b3c", "#a83f08", "#b8470c"),
    "critical": ("#ff4d5e", "#c31432", "#c00020"),
    # Okabe–Ito order, tuned for each ground: what hues do not tell colour-blind eyes apart, lightness does.
    "series1": ("#56b4e9", "#0072b2", "#0072b2"),
    "series2": ("#f0b93a", "#9c6a00", "#9c6a00"),
    "series3": ("#2fc79b", "#007a5a", "#007a5a"),
    "series4": ("#f2a5d0", "#c76aa3", "#c76aa3"),
    "series5": ("#f07f43", "#8a2b00", "#8a2b00"),
    "series6": ("#8f9cf4", "#4b53b8", "#4b53b8"),
    "series7": ("#c6d45a", "#5f6f00", "#5f6f00"),
    "series8": ("#7f8c99", "#3f4a55", "#3f4a55"),
    # Grades from the worst, in the order of China's warnings (red, orange, yellow, blue); on light grounds the worse is
    # the darker, so that they are told apart without hues. What is out of use steps back.
    "grade1": ("#ff4d5e", "#850021", "#850021"),
    "grade2": ("#ff9a3d", "#c53a00", "#cc3300"),
    "grade3": ("#ffe45c", "#be7e00", "#c98600"),
    "grade4": ("#5b9dff", "#1f5ab5", "#2a5fb0"),
    "absent": ("#5f7185", "#808d9b", "#8a8a8a"),
    # One sequential ramp, dark to bright on the dark ground, light to dark on the light one.
    "ramp1": ("#10263a", "#deecf1", "#e9eef2"),
    "ramp2": ("#164d70", "#aed2dd", "#c3d3df"),
    "ramp3": ("#1d87a0", "#6fb3c4", "#8fb0c6"),
    "ramp4": ("#57bca6", "#2d85a0", "#4f81a3"),
    "ramp5": ("#f3e79b", "#0d4a6b", "#1d4a6b"),
    # Heights from tidal flats over the plain to hills; lightness goes one way, so that no hue is needed to read it.
    "relief1": ("#0d2230", "#dcecf0", "#e6eff2"),
    "relief2": ("#12302f", "#e6f0e2", "#eef3ea"),
    "relief3": ("#1c4034", "#dbe8c8", "#e4ecd6"),
    "relief4": ("#35543a", "#d3d9a8", "#dadfba"),
    "relief5": ("#7d7747", "#c4a878", "#c8b18a"),
    "relief6": ("#d9bf8c", "#8a5f3c", "#8d6a4b"),
}


def colours(palette: str) -> dict[str, str]:
    """Every role of one palette as `#rrggbb`; KeyError for an unknown palette."""
    column = {name: index for index, name in enumerate(PALETTES)}[palette]
    return {role: values[column] for role, values in _VALUES.items()}
