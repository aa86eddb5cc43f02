"""Colours and style, once for all views.

Every colour is a pair for light and dark. In JupyterLab and VS Code the theme of the front end decides, elsewhere (a
preview, an exported page) the reader's own preference. A view paints its own paper, so ink and paper always agree.
Text colours reach a contrast of 4.5:1 on paper and on panels, in both themes; a test measures it.
"""

from __future__ import annotations

from ftl_nb.widgets.html import Element, el, style

INK = {"ink": ("#1f2328", "#e6e8eb"), "muted": ("#57606a", "#a3adb8")}
PAPER = ("#ffffff", "#111111")
KINDS = {
    "verb": ("#0b57d0", "#82b4ff"),
    "sql": ("#0a665f", "#5ccfc0"),
    "fixture": ("#6a45b8", "#bda6ff"),
    "stream": ("#005f87", "#6cc5f0"),
    "data": ("#8a4700", "#eab273"),
    "enum": ("#735600", "#dac45c"),
    "alias": ("#5b5f66", "#b4bac2"),
    "config": ("#96296a", "#f29bc7"),
    "secret": ("#96296a", "#f29bc7"),
    "topic": ("#a1360a", "#ffa07a"),
    "database": ("#1a6b2c", "#7fd68d"),
    "client": ("#57606a", "#a3adb8"),
}
STATES = {"good": ("#1a6b2c", "#7fd68d"), "warn": ("#7a5200", "#e5b95e"), "bad": ("#b3131f", "#ff8f8f")}
# The panel is a veil over whatever paper the theme has.
PANEL = "rgba(127,127,127,.09)"
LINE = "rgba(127,127,127,.35)"
MONO = "var(--jp-code-font-family,ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace)"
SANS = "var(--jp-content-font-family,system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif)"

# The class stands several times where a rule must win over the front end's own for rendered HTML. Every output brings
# these rules again, so what a view overrides must be more specific; standing later is not enough.
_BASE = f"""
.ftl-nb{{color-scheme:light dark;color:var(--ftl-ink);background:var(--ftl-paper);font:13px/1.5 {SANS};padding:2px 4px}}
body[data-jp-theme-light="true"] .ftl-nb,body.vscode-light .ftl-nb{{color-scheme:light}}
body[data-jp-theme-light="false"] .ftl-nb,body.vscode-dark .ftl-nb{{color-scheme:dark}}
.ftl-nb.ftl-nb.ftl-nb code,.ftl-nb pre{{font:12px/1.5 {MONO};color:inherit;background:none;border:0;padding:0;margin:0}}
.ftl-nb.ftl-nb p,.ftl-nb.ftl-nb ul{{margin:0;padding:0;list-style:none}}
.ftl-nb .ftl-muted{{color:var(--ftl-muted)}}.ftl-nb .ftl-good{{color:var(--ftl-good)}}
.ftl-nb .ftl-warn{{color:var(--ftl-warn)}}.ftl-nb .ftl-bad{{color:var(--ftl-bad)}}
"""


def view(css: str, name: str, *children: Element | str | None) -> Element:
    """The root element of a view: the base style, its own `css`, then the content."""
    return el("div", stylesheet(css), *children, class_=f"ftl-nb ftl-{name}")


def stylesheet(css: str) -> Element:
    """The base style and a view's own, with the colours that either uses."""
    return style("".join(line.strip() for line in (_variables(_BASE + css) + _BASE + css).splitlines()))


def kind_rules(template: str) -> str:
    """One CSS rule a kind: `$` in the template is the kind."""
    return "".join(template.replace("$", kind) for kind in KINDS)


def _variables(css: str) -> str:
    pairs = {**INK, **KINDS, **STATES}
    used = [
        f"--ftl-{name}:light-dark({light},{dark});" for name, (light, dark) in pairs.items() if f"(--ftl-{name})" in css
    ]
    paper = f"--ftl-paper:var(--jp-layout-color0,light-dark({PAPER[0]},{PAPER[1]}));"
    return f".ftl-nb{{{paper}{''.join(used)}--ftl-panel:{PANEL};--ftl-line:{LINE}}}"
