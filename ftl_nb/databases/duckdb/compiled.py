"""A prepared query, ready to run: how its body becomes parameters and its rows become an answer, decided once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import msgspec

from ftl_nb.databases.duckdb.types import parse_type, scalar_text
from ftl_nb.databases.duckdb.values import Converter, from_json, to_json
from ftl_nb.databases.model import PreparedQuery, Slot
from ftl_nb.errors import FtlError, fail

NOTHING = b"{}"

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode

Row = Sequence[Any]


class CompiledQuery:
    """One query of one database. Thread-safe: it holds no state of a call."""

    def __init__(self, query: PreparedQuery, verb: str, connection: duckdb.DuckDBPyConnection) -> None:
        self.query = query
        self.verb = verb
        self.statement = connection.extract_statements(query.sql)[0]
        natives = [parse_type(slot.type, connection) for slot in query.parameters]
        self._parameters = [(slot, from_json(native)) for slot, native in zip(query.parameters, natives, strict=True)]
        self._types = [
            scalar_text(native) + "?" * slot.optional for slot, native in zip(query.parameters, natives, strict=True)
        ]
        columns = [to_json(parse_type(slot.type, connection)) for slot in query.columns]
        self._value = _row_reader(query.columns, columns)
        self._required = [i for i, slot in enumerate(query.columns) if not slot.optional]

    def parameters(self, body: bytes) -> dict[str, Any]:
        """The named parameters in a request. Raises `json-syntax` or `json-invalid`."""
        if not self._parameters:
            return {}
        try:
            request = _decode(body)
        except msgspec.DecodeError as error:
            raise fail("json-syntax", detail=str(error)) from None
        if len(self._parameters) == 1:
            slot, convert = self._parameters[0]
            return {slot.source: self._given(request, slot, convert)}
        return self._from_object(request)

    def _from_object(self, request: object) -> dict[str, Any]:
        """Keys that no parameter has are skipped, as verbs skip them: whoever calls may be of another version."""
        if not isinstance(request, dict):
            raise self._invalid("an object is expected")
        return {slot.source: self._given(request.get(slot.name), slot, convert) for slot, convert in self._parameters}

    def _given(self, value: object, slot: Slot, convert: Converter) -> Any:
        if value is None:
            if slot.optional:
                return None
            raise self._invalid(f"{slot.name} is missing")
        try:
            return convert(value)
        except ValueError as error:
            raise self._invalid(f"{slot.name}: {error}") from None

    def _invalid(self, detail: str) -> FtlError:
        bare = len(self._types) == 1
        fields = (f"{slot.name} {text}" for (slot, _), text in zip(self._parameters, self._types, strict=True))
        type_ = self._types[0] if bare else "{" + ", ".join(fields) + "}"
        return fail(
            "json-invalid", detail=f"The request of {self.verb} does not fit: {detail}", verb=self.verb, type=type_
        )

    def one(self, row: Row | None) -> bytes:
        """The JSON of a row. Raises `no-rows`, or `result-invalid` for a value that its type does not allow."""
        if row is None:
            raise fail("no-rows", verb=self.verb)
        return _encode(self._read([row])[0])

    def many(self, rows: Sequence[Row]) -> bytes:
        return _encode(self._read(rows))

    def _read(self, rows: Sequence[Row]) -> list[Any]:
        try:
            for row in rows:
                if None in row:
                    self._check_nulls(row)
            return [self._value(row) for row in rows]
        except ValueError as error:
            raise fail(
                "result-invalid", verb=self.verb, detail=str(error), type="values of the column's type"
            ) from None

    def _check_nulls(self, row: Row) -> None:
        for i in self._required:
            if row[i] is None:
                raise ValueError(f"{self.query.columns[i].name} is NULL")


def _row_reader(slots: Sequence[Slot], converters: Sequence[Converter | None]) -> Callable[[Row], Any]:
    if len(slots) == 1:
        convert = converters[0]
        if convert is None:
            return lambda row: row[0]
        return lambda row: None if row[0] is None else convert(row[0])
    names = [slot.name for slot in slots]
    changed = [(i, convert) for i, convert in enumerate(converters) if convert is not None]
    if not changed:
        return lambda row: dict(zip(names, row, strict=True))
    return lambda row: dict(zip(names, _changed(row, changed), strict=True))


def _changed(row: Row, converters: list[tuple[int, Converter]]) -> list[Any]:
    values = list(row)
    for i, convert in converters:
        if values[i] is not None:
            values[i] = convert(values[i])
    return values
