"""What a person sees: views over plain data, as text for a terminal and as HTML for a notebook.

Every view is a value with `plain()`, `html()` and `_repr_mimebundle_`. A view is a pure function of its fields: no
kernel, no network, no clock, so equal data give equal bytes.
"""

from ftl_nb.widgets.card import Card, CardChange
from ftl_nb.widgets.changesets import Changesets, PastChange
from ftl_nb.widgets.display import Display
from ftl_nb.widgets.error_view import ErrorView
from ftl_nb.widgets.graph import Graph, graph, kind_of, mermaid, signature
from ftl_nb.widgets.logs import LogLine, Logs
from ftl_nb.widgets.plan import Plan
from ftl_nb.widgets.rows import Rows
from ftl_nb.widgets.runtime import RuntimeView
from ftl_nb.widgets.settings import SettingLine, SettingLines
from ftl_nb.widgets.table import ModuleStatus, Status, decl_counts
from ftl_nb.widgets.text_view import SchemaText, schema_view
from ftl_nb.widgets.trace import Span, Trace

__all__ = [
    "Card",
    "CardChange",
    "Changesets",
    "Display",
    "ErrorView",
    "Graph",
    "LogLine",
    "Logs",
    "ModuleStatus",
    "PastChange",
    "Plan",
    "Rows",
    "RuntimeView",
    "SchemaText",
    "SettingLine",
    "SettingLines",
    "Span",
    "Status",
    "Trace",
    "decl_counts",
    "graph",
    "kind_of",
    "mermaid",
    "schema_view",
    "signature",
]
