"""The modules of the system, by name: `from ftl_nb.modules import shop`.

Each is made on import by the finder of `ftl_nb.binding.finder`: from its text where the text is here, else from the
schema. Editors see the stubs that a cluster keeps under the project's `.ftl/stubs`.
"""

from ftl_nb import default_session
from ftl_nb.binding import dispatch
from ftl_nb.binding.finder import ensure_finder

dispatch.by_default(default_session)
ensure_finder()
