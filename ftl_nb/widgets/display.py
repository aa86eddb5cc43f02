"""What every view shares: a plain form and an HTML form, handed to a front end as one MIME bundle."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container

from ftl_nb.widgets.html import Element


class Display(ABC):
    """A value that JupyterLab shows as HTML and a terminal as text. Both forms are pure functions of the value."""

    __slots__ = ()

    @abstractmethod
    def plain(self) -> str:
        """The text form, without a line end."""

    @abstractmethod
    def html(self) -> Element:
        """The HTML form: one element of class `ftl-nb` that brings its own style."""

    def metadata(self) -> dict[str, object]:
        """Output metadata: what differs from run to run and must not be compared."""
        return {}

    def __str__(self) -> str:
        return self.plain()

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> tuple[dict[str, str], dict[str, object]]:
        data = {"text/plain": self.plain(), "text/html": str(self.html())}
        wanted = {mime: text for mime, text in data.items() if include is None or mime in include}
        return {mime: text for mime, text in wanted.items() if exclude is None or mime not in exclude}, self.metadata()
