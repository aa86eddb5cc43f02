"""How readable the texts of a drawing are, as the browser paints them."""

from __future__ import annotations

from typing import Any

Pixel = list[int]
#: Gives every text of an SVG with the pixel that it is painted in and the one that is painted behind its middle.
_PAINTED = """svg => {
  const pen = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const paint = colour => { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); };
  const pixel = () => [...pen.getImageData(0, 0, 1, 1).data];
  const fill = e => getComputedStyle(e)[e instanceof SVGElement ? "fill" : "backgroundColor"];
  return [...svg.querySelectorAll("text")].filter(text => text.textContent.trim()).map(text => {
    const box = text.getBoundingClientRect();
    const under = document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    const layers = under.filter(e => e.tagName === "rect" || !(e instanceof SVGElement)).map(fill);
    layers.reverse().filter(colour => colour !== "none").forEach(paint);
    const behind = pixel();
    paint(getComputedStyle(text).fill);
    return [text.textContent, pixel(), behind];
  });
}"""


def contrasts(svg: Any) -> list[tuple[str, float]]:
    """The contrast ratio of every text of an SVG's locator (WCAG 2, relative luminance; 1 to 21)."""
    return [(text, ratio(over, under)) for text, over, under in svg.evaluate(_PAINTED)]


def ratio(one: Pixel, other: Pixel) -> float:
    """The contrast of two pixels, red, green and blue of 255."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(pixel: Pixel) -> float:
    channels = [part / 255 for part in pixel[:3]]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
