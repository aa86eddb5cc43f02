"""Names in a mermaid flowchart."""

from ftl_nb.schema import RefKey
from ftl_nb.widgets.graph import Graph, Node
from ftl_nb.widgets.mermaid import flowchart


def test_hostile_names_cannot_leave_their_quotes() -> None:
    text = flowchart(Graph((Node(RefKey('m"]\nend', 'x"]; click n0 "javascript:'), "verb"),), ()))
    assert text.splitlines()[1] == '  subgraph m0["m#34;]#10;end"]'
    assert text.splitlines()[2] == '    n0(["verb x#34;]; click n0 #34;javascript:"])'
