"""A digest of what a declaration or a module means: comments, positions and runtime take no part, nor does the order
of a module's declarations.

It is taken of the canonical text, to which the metadata of a module is added, since text shows only a part of that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from ftl_nb.schema.nodes import decls, metadata
from ftl_nb.schema.nodes.base import Node
from ftl_nb.schema.traversal import transform

#: Where a build stood and what it made: not what a module means.
_OF_BUILDS = (metadata.MetadataGit, metadata.MetadataArtefact, metadata.MetadataImage)


def digest(node: decls.Decl | decls.Module) -> str:
    """SHA-256 in lower hex, the same on every machine and in every process."""
    parts = _module(node) if isinstance(node, decls.Module) else [_text(node)]
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _module(module: decls.Module) -> Iterable[str]:
    yield f"{'builtin ' * module.builtin}module {module.name}"
    yield from (str(item) for item in module.metadata if not isinstance(item, _OF_BUILDS))
    yield from sorted(map(_text, module.decls))


def _text(decl: decls.Decl) -> str:
    return str(transform(decl, _bare))


def _bare(node: Node) -> Node:
    """The node without comments; runtime has no text."""
    return replace(node, comments=()) if getattr(node, "comments", ()) else node  # type: ignore[call-arg]  # has them
