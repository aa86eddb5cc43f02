"""Python and SQL source to a schema module: cells, the analysis of what verbs use, reflection, stubs, type checks.

Text only: nothing in this room but `reflect` needs a module's text to have been executed, and that one gets its
names from a runner.
"""

from ftl_nb.binding.names import Declared
from ftl_nb.binding.options import accepted_words, check_options
from ftl_nb.compiler.analysis import Analysis, VerbUse, analyse
from ftl_nb.compiler.cells import Mark, ParsedCell, parse, parse_cell
from ftl_nb.compiler.check import Diagnostic, ModuleInput, TypeChecker, refusal, sql_verbs_of
from ftl_nb.compiler.namespace import ConfigDecl
from ftl_nb.compiler.plain import PlainForm, check_module_name, plain_form
from ftl_nb.compiler.reach import DeclRef

__all__ = [
    "Analysis",
    "ConfigDecl",
    "DeclRef",
    "Declared",
    "Diagnostic",
    "Mark",
    "ModuleInput",
    "ParsedCell",
    "PlainForm",
    "TypeChecker",
    "VerbUse",
    "accepted_words",
    "analyse",
    "check_module_name",
    "check_options",
    "parse",
    "parse_cell",
    "plain_form",
    "refusal",
    "sql_verbs_of",
]
