"""Databases: SQL cells as typed verbs, migrations, and the engines that run them.

`split(text, filename, version)` cuts a cell into its migration and queries; `engine(name)` analyses them and opens live
databases. The import is light: an engine loads its libraries when it is first used.
"""

from ftl_nb.binding.rows import decode_rows as decode_rows
from ftl_nb.binding.rows import encode_parameters as encode_parameters
from ftl_nb.databases.call import Call as Call
from ftl_nb.databases.engines import Candidate as Candidate
from ftl_nb.databases.engines import Engine as Engine
from ftl_nb.databases.engines import LiveDatabase as LiveDatabase
from ftl_nb.databases.engines import Session as Session
from ftl_nb.databases.engines import engine as engine
from ftl_nb.databases.engines import engine_names as engine_names
from ftl_nb.databases.model import COMMANDS as COMMANDS
from ftl_nb.databases.model import DatabaseSource as DatabaseSource
from ftl_nb.databases.model import Migration as Migration
from ftl_nb.databases.model import PreparedQuery as PreparedQuery
from ftl_nb.databases.model import Query as Query
from ftl_nb.databases.model import Slot as Slot
from ftl_nb.databases.model import SQLText as SQLText
from ftl_nb.databases.model import migrations_digest as migrations_digest
from ftl_nb.databases.sqltext import CellSQL as CellSQL
from ftl_nb.databases.sqltext import keyword_of as keyword_of
from ftl_nb.databases.sqltext import split as split
