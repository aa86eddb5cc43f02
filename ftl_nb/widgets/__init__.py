"""What a person sees: views over plain data, as text for a terminal and as HTML for a notebook.

Every view is a value with `plain()`, `html()` and `_repr_mimebundle_`. A view is a pure function of its fields: no
kernel, no network, no clock, so equal data give equal bytes.
"""

from ftl_nb.widgets.card import Card, CardChange
from ftl_nb.widgets.display import Display
from ftl_nb.widgets.graph import Graph, graph, mermaid
from ftl_nb.widgets.logs import LogLine, Logs
from ftl_nb.widgets.trace import Span, Trace

__all__ = ["Card", "CardChange", "Display", "Graph", "LogLine", "Logs", "Span", "Trace", "graph", "mermaid"]
