"""The rows of anonymised quarters: labels, and answers that tell none of what is withheld."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.anonymity import MISSING, REST
from app.export.anonymous_columns import (
    WITHHELD,
    AnonymousColumns,
    Fact,
    conditions,
)
from app.export.arrow import pa, pc
from app.export.columns import INDEX, Role
from app.figures.anonymous import Anonymous, Extent, People
from app.registry.queries import UnitTree
from app.registry.questionnaires import Published

Ints = NDArray[np.int64]


def table_of(
    versions: Sequence[Published],
    columns: AnonymousColumns,
    values: Mapping[str, pa.Array],
    people: People,
    found: Anonymous,
    tree: UnitTree,
) -> pa.Table:
    """All rows with their labels, and answers that tell no label that is withheld."""
    nodes, place = np.unique(found.node, return_inverse=True)
    shown = [tree.nodes.get(id) for id in nodes.tolist()]

    def of_node(said: Sequence[str | None]) -> pa.Array:
        return pa.array(said, pa.string()).take(pa.array(place))

    made: dict[str, pa.Array] = {
        "unit_id": pa.array(found.node),
        "unit": of_node([each.code if each else None for each in shown]),
        "unit_kind": of_node([each.kind if each else None for each in shown]),
        "parent_unit": of_node([_code(tree, each.parent_id) if each else None for each in shown]),
        "unit_extent": pa.array([each.name.lower() for each in Extent]).take(
            pa.array(found.extent)
        ),
        "quarter": pa.array(people.quarter.tolist(), pa.string()),
        "channel": pa.array([each or None for each in found.channel.tolist()], pa.string()),
        "version": pa.array(found.version, mask=found.version == REST),
        "weight": pa.repeat(1.0, len(found.node)),
    }
    for name, fact in columns.facts.items():
        made |= _labels(fact, found.lows[name], found.highs[name])
    hidden = _telling(versions, columns, people, found)
    for name in columns.sources:
        if name not in made:
            made[name] = _without(values[name], hidden.get(name))
    index = [
        name
        for name, source in columns.sources.items()
        if source.role is Role.ITEM and name in hidden and source.item in _indexed(versions)
    ]
    without = np.logical_or.reduce([hidden[name] for name in index]) if index else None
    if without is not None:
        # Of a class of which some answer is withheld the sums would tell it.
        without = np.isin(found.group, found.group[without])
    made |= {name: _without(values[name], without) for name, _ in INDEX}
    schema = columns.schema.insert(0, pa.field("unit_id", pa.int64()))
    return pa.table([made[each.name].cast(each.type) for each in schema], schema=schema)


def _code(tree: UnitTree, id: int | None) -> str | None:
    return tree.nodes[id].code if id in tree.nodes else None


def _labels(fact: Fact, lows: Ints, highs: Ints) -> dict[str, pa.Array]:
    if fact.bounds:
        (name, _), *_ = fact.columns
        pairs, place = np.unique(np.stack([lows, highs]), axis=1, return_inverse=True)
        texts = [fact.text(low, high) for low, high in pairs.T.tolist()]
        return {name: pa.array(texts, pa.string()).take(pa.array(place.ravel()))}
    made = {}
    for name, option in fact.columns:
        said = lows if option is None else lows >> (option - 1) & 1
        made[name] = pa.array(np.where(lows == REST, WITHHELD, said), mask=lows == MISSING)
    return made


def _telling(
    versions: Sequence[Published], columns: AnonymousColumns, people: People, found: Anonymous
) -> dict[str, NDArray[np.bool_]]:
    """Whose answer to an item would tell what is withheld of them, by column.

    An item that not all versions in a class have tells the version; one that is for women alone
    tells the sex.
    """
    hidden: dict[str, NDArray[np.bool_]] = {}
    numbers = sorted({each.form.version for each in versions})
    ids = {each.form.version: each.id for each in versions}
    width = int(found.group.max(initial=0)) + 1
    several = {}
    for number in numbers:
        there = np.zeros(width, dtype=np.bool_)
        there[found.group[(people.version == number) & (found.group >= 0)]] = True
        several[number] = there[np.maximum(found.group, 0)]
    withheld = found.version == REST
    by_item: dict[str, NDArray[np.bool_]] = {}
    for name, fact in columns.facts.items():
        rest = found.lows[name] == REST
        by_item[fact.item] = by_item.get(fact.item, np.zeros_like(rest)) | rest
    for item, before in conditions(versions):
        if before in by_item:
            of = by_item[before]
            by_item[item] = by_item.get(item, np.zeros_like(of)) | of
    for name, source in columns.sources.items():
        among = [several[number] for number in numbers if ids[number] not in source.versions]
        masks = [withheld & np.logical_or.reduce(among)] if among else []
        if source.item in by_item:
            masks.append(by_item[source.item])
        if masks and (mask := np.logical_or.reduce(masks)).any():
            hidden[name] = mask
    return hidden


def _indexed(versions: Sequence[Published]) -> set[str]:
    return {
        item.code for each in versions for factor in each.form.index_factors
        for item in each.form.index_items(factor)
    }  # fmt: skip


def _without(values: pa.Array, hidden: NDArray[np.bool_] | None) -> pa.Array:
    if hidden is None:
        return values
    return pc.if_else(pa.array(hidden), pa.scalar(None, values.type), values)


def stored(table: pa.Table) -> bytes:
    """The rows as Parquet, in an order that tells nothing: by what stands in them."""
    order = pc.sort_indices(table, sort_keys=[(name, "ascending") for name in table.schema.names])
    out = io.BytesIO()
    pa.parquet.write_table(table.take(order), out, compression="zstd")
    return out.getvalue()
