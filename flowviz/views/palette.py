"""The colours, for both themes.

Signs take the two ends of a diverging pair from Okabe and Ito's palette, which stays apart for
every common kind of colour blindness: blue for what speaks for the target, vermillion for what
speaks against it; on dark ground their lighter siblings, sky blue and orange. Text has a contrast
of at least 4.5 on every ground it stands on, signs at least 3 (WCAG 2.2, 1.4.3 and 1.4.11).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """One theme's colours.

    Args:
        ground, band, stripe: behind everything; a layer's band, and every other one.
        surface: a node of no influence.
        positive, negative: the signs, for lines and borders.
        positive_fill, negative_fill: a node of the most influence.
        accent: what is selected.
        rank, rank_fill: where the target ranks high, as a border and as a ground.
        sharp, sharp_fill: where a reading is sharp.
        changed: what an intervention changed or put in.
    """

    ground: str
    band: str
    stripe: str
    surface: str
    text: str
    muted: str
    line: str
    positive: str
    negative: str
    positive_fill: str
    negative_fill: str
    accent: str
    rank: str
    rank_fill: str
    sharp: str
    sharp_fill: str
    changed: str


LIGHT = Palette(
    ground="#ffffff",
    band="#f7f8fa",
    stripe="#f1f3f6",
    surface="#ffffff",
    text="#1a212b",
    muted="#5b6675",
    line="#c3cad3",
    positive="#0072b2",
    negative="#d55e00",
    positive_fill="#b9dcf0",
    negative_fill="#fbd0b1",
    accent="#6741d9",
    rank="#00795a",
    rank_fill="#8fd8bd",
    sharp="#9c4a7d",
    sharp_fill="#ecb9d6",
    changed="#b3186d",
)
DARK = Palette(
    ground="#14171c",
    band="#191d23",
    stripe="#1d2229",
    surface="#222831",
    text="#e8ecf1",
    muted="#9aa5b3",
    line="#3a434f",
    positive="#56b4e9",
    negative="#e69f00",
    positive_fill="#17496b",
    negative_fill="#664708",
    accent="#b197fc",
    rank="#3cc79a",
    rank_fill="#0f5b43",
    sharp="#de8fbd",
    sharp_fill="#6b2f54",
    changed="#ff8ac6",
)
PALETTES = {"light": LIGHT, "dark": DARK}


def palette(theme: str) -> Palette:
    """The colours of "light" or "dark"; of light for any other word."""
    return PALETTES.get(theme, LIGHT)


def luminance(colour: str) -> float:
    """WCAG's relative luminance of a colour written #rrggbb."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """WCAG's contrast ratio of two colours, 1 to 21."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)
