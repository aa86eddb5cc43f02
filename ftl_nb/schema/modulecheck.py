"""One module on its way through the two stages of validation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from ftl_nb.schema import builtin
from ftl_nb.schema.errors import Problem
from ftl_nb.schema.names import is_module_name
from ftl_nb.schema.nodes import decls, metadata, types
from ftl_nb.schema.nodes.base import Node
from ftl_nb.schema.normal import missing_dead_letters, publishing_dead_letters, sorted_decls, sorted_verb
from ftl_nb.schema.quote import quote
from ftl_nb.schema.rules import ITEM_RULES, RULES, Context, Rule, Stage, extensions
from ftl_nb.schema.scope import Known, ModuleState, Scope
from ftl_nb.schema.traversal import LEAVES, children, transform

_Table = dict[type[Node], tuple[Rule, ...]]


class ModuleCheck:
    """The two stages of one module. Declarations are replaced one by one, as the walk reaches them: checks that compare
    two declarations see the later one as it was written."""

    def __init__(self, module: decls.Module) -> None:
        made = missing_dead_letters(module)
        self._made = frozenset(topic.name for topic in made)
        self.state = ModuleState(replace(module, decls=(*module.decls, *made)))
        self._known = Known((self.state,))
        self._stage = Stage.MODULE
        self._rules = _RULES[Stage.MODULE]
        #: Declarations, by identity, with references that the realm may give a meaning yet.
        self._open: set[int] = set()
        self._left_open = False
        self.problems: list[Problem] = []

    def module_stage(self) -> decls.Module:
        """Names, duplicates, and the rules that need nothing of other modules."""
        self._name()
        self._duplicates()
        self._walk_decls()
        return self._settled()

    def realm_stage(self, known: Known) -> decls.Module:
        """The rules that need the whole realm."""
        self._known = known
        self._stage = Stage.REALM
        self._rules = _RULES[Stage.REALM]
        self._walk_decls()
        first = known.get(self.state.name) is self.state
        settled = self._settled()
        if first:
            known.put(self.state)
        return settled

    def _settled(self) -> decls.Module:
        """The module with its declarations in order."""
        node = replace(self.state.node, decls=sorted_decls(self.state.decls))
        self.state = ModuleState(node)
        return node

    def _name(self) -> None:
        node = self.state.node
        if not is_module_name(node.name):
            self._add(Problem(f"module name {quote(node.name)} is invalid", node.pos, "R001"))
        if node.builtin and node.name != builtin.NAME:
            self._add(Problem('the "builtin" module is reserved', node.pos, "R002"))
        self.problems += extensions.headers("module", node.metadata)

    def _duplicates(self) -> None:
        first: dict[tuple[type[Node], str], Node] = {}
        for decl in self.state.decls:
            for node in _declared(decl, []):
                name = node.name
                before = first.setdefault((type(node), name), node)
                if before is not node:
                    kind = decls.DECL_KINDS[type(node)]
                    message = f"duplicate {kind} {quote(name)}, first defined at {before.pos}"
                    self._add(Problem(message, node.pos, "R008"))

    def _walk_decls(self) -> None:
        for index, decl in enumerate(self.state.decls):
            found = self._qualified(decl)
            if isinstance(found, decls.Verb):
                found = sorted_verb(found)
            self.state.decls[index] = found
            self._check(found, Context(self._scope(), found, self._made))
            if isinstance(found, decls.Verb):
                self.state.decls[index] = publishing_dead_letters(self.state.name, found)
            if self._left_open:
                self._open.add(id(self.state.decls[index]))

    def _qualified(self, decl: decls.Decl) -> decls.Decl:
        self._left_open = False
        if self._stage is Stage.REALM and id(decl) not in self._open:
            return decl
        scope = self._scope()
        if isinstance(decl, decls.Data):
            scope = scope.inside(decl)
        builtins = self._stage is Stage.REALM

        def change(node: Node) -> Node:
            if not isinstance(node, types.Ref) or scope.settled(node):
                return node
            self._left_open = True
            return scope.qualify(node, builtins)

        return transform(decl, change)

    def _check(self, node: Node, context: Context) -> None:
        if node.__class__ is decls.Data:
            context = Context(context.scope.inside(node), context.decl, context.made)
        for child in children(node):
            if child.__class__ not in _QUIET:
                self._check(child, context)
        for rule in self._rules[node.__class__]:
            for message, pos in rule.check(node, context):
                self._add(Problem(message, pos, rule.number))
        if node.__class__ is decls.Verb:
            self._check_items(node, Context(context.scope, node, context.made))

    def _check_items(self, verb: decls.Verb, context: Context) -> None:
        table = _ITEM_RULES[self._stage]
        for item in verb.metadata:
            found = [problem for rule in table[item.__class__] for problem in rule.problems(item, context)]
            self.problems += found
            if isinstance(item, metadata.MetadataRetry) and any(problem.rule == "R065" for problem in found):
                return  # the public system looks at nothing behind it

    def _scope(self) -> Scope:
        return Scope(self.state, self._known)

    def _add(self, problem: Problem) -> None:
        self.problems.append(problem)


def _tables(rules: Iterable[Rule]) -> dict[Stage, _Table]:
    """The rules by stage and class of node."""
    found: dict[Stage, _Table] = {stage: defaultdict(tuple) for stage in (Stage.MODULE, Stage.REALM)}
    for rule in rules:
        for stage, table in found.items():
            for cls in rule.on if rule.stage in (stage, Stage.BOTH) else ():
                table[cls] += (rule,)
    return found


_RULES = _tables(RULES)
_ITEM_RULES = _tables(ITEM_RULES)
_DECLS = (
    decls.Data | decls.Verb | decls.Database | decls.Enum | decls.TypeAlias | decls.Config | decls.Secret | decls.Topic
)
_QUIET = LEAVES - {cls for rule in RULES for cls in rule.on}


def _declared(node: Node, found: list[decls.Decl]) -> list[decls.Decl]:
    """The declaration and those written inside of it, the inner ones first."""
    for child in children(node):
        if child.__class__ not in LEAVES:
            _declared(child, found)
    if isinstance(node, _DECLS):
        found.append(node)
    return found
