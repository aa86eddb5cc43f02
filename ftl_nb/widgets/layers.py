"""Layered drawing of a directed graph (after Sugiyama): levels, order within a level, places without overlap.

Everything here is deterministic: ties are broken by the order in which names are given.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
_SWEEPS = 8


def levels(names: Sequence[K], links: Collection[tuple[K, K]]) -> dict[K, int]:
    """The level of each name, callers left of callees; a cycle is broken, yet no link joins two names of one level.

    A name that nothing points at stands as close to what it points at as it can.
    """
    level = dict.fromkeys(names, 0)
    below: dict[K, list[K]] = {name: [] for name in names}
    called: set[K] = set()
    for source, target in _forward(names, links):
        level[target] = max(level[target], level[source] + 1)
        below[source].append(target)
        called.add(target)
    first = {
        name: min(level[target] for target in below[name]) - 1 for name in names if below[name] and name not in called
    }
    return level | first


def _forward(names: Sequence[K], links: Collection[tuple[K, K]]) -> list[tuple[K, K]]:
    """The links between different names, all turned in topological order and sorted by it."""
    position = _topological(names, links)
    turned = [(a, b) if position[a] < position[b] else (b, a) for a, b in links if a != b]
    return sorted(turned, key=lambda link: (position[link[0]], position[link[1]]))


def _topological(names: Sequence[K], links: Collection[tuple[K, K]]) -> dict[K, int]:
    """Each name's position in reverse postorder; in a graph without cycles every link goes up."""
    successors: dict[K, list[K]] = {name: [] for name in names}
    for source, target in links:
        successors[source].append(target)
    called = {target for after in successors.values() for target in after}
    roots = [*(n for n in names if n not in called), *names]
    finished = list(_postorder(roots, successors))
    return {name: -index for index, name in enumerate(finished)}


def _postorder(roots: Iterable[K], successors: Mapping[K, Sequence[K]]) -> Iterator[K]:
    seen: set[K] = set()
    for root in roots:
        stack = [(root, iter(successors[root]))] if root not in seen else []
        seen.add(root)
        while stack:
            name, rest = stack[-1]
            following = next((n for n in rest if n not in seen), None)
            if following is None:
                yield name
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(successors[following])))


def ordered(layers: Sequence[Sequence[K]], links: Collection[tuple[K, K]]) -> list[list[K]]:
    """The layers, each sorted so that linked names stand near each other (barycentres, swept to and fro)."""
    result = [list(layer) for layer in layers]
    layer_of = {name: index for index, layer in enumerate(result) for name in layer}
    left, right = _neighbours(layer_of, links)
    for sweep in range(_SWEEPS):
        beside = right if sweep % 2 else left
        for layer in reversed(result) if sweep % 2 else result:
            place = {name: (i + 0.5) / len(other) for other in result for i, name in enumerate(other)}
            centre = {name: _mean([place[n] for n in beside[name]], place[name]) for name in layer}
            layer.sort(key=centre.__getitem__)
    return result


def _neighbours(layer_of: Mapping[K, int], links: Collection[tuple[K, K]]) -> tuple[dict[K, list[K]], dict[K, list[K]]]:
    left: dict[K, list[K]] = {name: [] for name in layer_of}
    right: dict[K, list[K]] = {name: [] for name in layer_of}
    for link in links:
        first, last = sorted(link, key=layer_of.__getitem__)
        left[last].append(first)
        right[first].append(last)
    return left, right


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def spread(wanted: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Centres as near to the wanted ones as order and sizes allow, without overlap (isotonic regression)."""
    offsets = [0.0, *accumulate((a + b) / 2 for a, b in pairwise(sizes))][: len(wanted)]
    blocks: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        total, count = want - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] >= total / count:
            before = blocks.pop()
            total, count = total + before[0], count + before[1]
        blocks.append((total, count))
    levelled = [total / count for total, count in blocks for _ in range(count)]
    return [base + offset for base, offset in zip(levelled, offsets, strict=True)]


def aligned(layers: Sequence[Sequence[K]], links: Collection[tuple[K, K]], sizes: Mapping[K, float]) -> dict[K, float]:
    """The centre of each name across its layer, drawn towards its neighbours' centres."""
    left, right = _neighbours({name: index for index, layer in enumerate(layers) for name in layer}, links)
    extents = [[sizes[name] for name in layer] for layer in layers]
    stacks = (spread([0.0] * len(extent), extent) for extent in extents)
    centre = {
        name: at for layer, stack in zip(layers, stacks, strict=True) for name, at in zip(layer, stack, strict=True)
    }
    for sweep in range(_SWEEPS):
        beside = right if sweep % 2 else left
        for layer, extent in list(zip(layers, extents, strict=True))[:: -1 if sweep % 2 else 1]:
            wanted = [_mean([centre[n] for n in beside[name]], centre[name]) for name in layer]
            centre.update(zip(layer, spread(wanted, extent), strict=True))
    return centre
