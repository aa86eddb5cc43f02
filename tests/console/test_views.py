"""What a status says of modules that wait, and of scripts."""

import pytest

from ftl_nb.console.views import status_view
from ftl_nb.rpc import workspace_pb2

NOT_RUN = "not run in this session"


@pytest.mark.parametrize(
    ("deployment", "own", "said"),
    [("dpl-shop-1", "a.ipynb", True), ("", "a.ipynb", False), ("dpl-shop-1", "", False)],
)
def test_only_what_is_deployed_from_elsewhere_was_not_run_in_a_notebook(deployment: str, own: str, said: bool) -> None:
    module = workspace_pb2.ModuleStatus(name="shop", state="running", deployment=deployment)
    shown = status_view(workspace_pb2.StatusResponse(modules=[module]), (), (), own)
    assert (NOT_RUN in str(shown)) is said
