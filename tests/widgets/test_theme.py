"""Contrast of every text colour, in both themes."""

import re

import pytest

from ftl_nb.widgets.theme import INK, KINDS, PANEL, PAPER, STATES, stylesheet

Colour = tuple[float, float, float]
# Papers of JupyterLab's own themes beside our fall-backs.
PAPERS = ((PAPER[0], "#ffffff"), (PAPER[1], "#111111", "#212121"))


def _rgb(text: str) -> Colour:
    red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def _panel(paper: Colour) -> Colour:
    veil = [float(part) for part in re.findall(r"[\d.]+", PANEL)]
    red, green, blue = (v / 255 * veil[3] + p * (1 - veil[3]) for v, p in zip(veil[:3], paper, strict=True))
    return red, green, blue


def _luminance(colour: Colour) -> float:
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: Colour, b: Colour) -> float:
    light, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", sorted(INK | KINDS | STATES))
def test_text_is_readable_on_paper_and_panel(name: str, theme: int) -> None:
    colour = _rgb((INK | KINDS | STATES)[name][theme])
    for paper in map(_rgb, PAPERS[theme]):
        assert _contrast(colour, paper) >= 4.5
        assert _contrast(colour, _panel(paper)) >= 4.5


def test_a_view_carries_only_the_colours_it_uses() -> None:
    css = str(stylesheet(".ftl-nb .x{color:var(--ftl-topic)}"))
    assert "--ftl-topic:" in css
    assert "--ftl-fixture:" not in css
