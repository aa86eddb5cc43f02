"""`FtlError`, how it is shown, and how it is made from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ftl_nb.errors.catalogue import CATALOGUE
from ftl_nb.errors.place import Place


class FtlError(Exception):
    """One error: `code` (`FTL-CNNN`), `slug`, one sentence, the place it points at, a hint, and others beside it."""

    def __init__(
        self, slug: str, message: str, place: Place | None = None, hint: str = "", others: Iterable[FtlError] = ()
    ) -> None:
        super().__init__(message)
        self.slug = slug
        self.message = message
        self.place = place
        self.hint = hint
        self.others = tuple(others)
        #: The traceback in the process where it happened, trimmed to the author's own cells.
        self.remote: str = ""
        #: What the call had written before it failed; stays in this process.
        self.output: Sequence[Any] = ()
        #: How many events the failed call has put on the timeline.
        self.recorded = 0

    @property
    def code(self) -> str:
        return CATALOGUE[self.slug].code

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The plain form: sentence, place, source line with a caret, hint, then the other errors."""
        out = [f"{self.code}: {self.message}", *self._where()]
        if self.hint:
            out.append(f"  hint: {self.hint}")
        for other in self.others:
            out += other.lines()
        return out

    def _where(self) -> list[str]:
        if self.place is None:
            return []
        shown = (self.place.source_line, self.place.caret()) if self.place.source_line else ()
        return [f"  at {self.place}", *(f"    {line}" for line in shown if line)]

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return str(self).splitlines()

    def to_dict(self) -> dict[str, object]:
        """JSON-able form, for the wire; `from_dict` is its inverse."""
        return {
            "type": type(self).__name__,
            "slug": self.slug,
            "message": self.message,
            "place": self.place.to_dict() if self.place else None,
            "hint": self.hint,
            "remote": self.remote,
            "recorded": self.recorded,
            "others": [other.to_dict() for other in self.others],
        }

    @staticmethod
    def from_dict(raw: Mapping[str, object]) -> FtlError:
        kind = VerbError if raw.get("type") == "VerbError" else FtlError
        place, others = raw.get("place"), raw.get("others")
        error = kind(
            str(raw["slug"]) if raw["slug"] in CATALOGUE else "internal",
            str(raw["message"]),
            Place.from_dict(place) if isinstance(place, dict) else None,
            str(raw.get("hint") or ""),
            [FtlError.from_dict(o) for o in others] if isinstance(others, list) else (),
        )
        error.remote = str(raw.get("remote") or "")
        recorded = raw.get("recorded")
        error.recorded = recorded if isinstance(recorded, int) else 0
        return error


class VerbError(FtlError):
    """A verb raised. `remote` is its traceback, trimmed to the lines of the author's own cells."""

    def _where(self) -> list[str]:
        """The traceback, and the place where that does not show it."""
        told = [f"  {line}" for line in self.remote.splitlines()]
        place = self.place
        if place is not None and f'"{place.filename}", line {place.line},' in self.remote:
            return told
        return told + super()._where()


def fail(slug: str, place: Place | None = None, hint: str = "", **fields: object) -> FtlError:
    """The error of the catalogue's entry `slug`, its sentence and hint filled with `fields`; the caller raises it."""
    entry = CATALOGUE[slug]
    kind = VerbError if slug == "verb-raised" else FtlError
    return kind(slug, entry.sentence.format(**fields), place, hint or entry.hint.format(**fields))
