"""How results look: a short line in a session, a small table in a notebook, rows for pandas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, TypeVar

from neurodeploy.errors import UsageError, printable, shown

if TYPE_CHECKING:
    import pandas

__all__ = ["Displayed", "named"]

T = TypeVar("T")

#: Rows that a notebook shows; the frame has all.
_MOST = 50


class Displayed:
    """Base of what users look at: says `facts` and `records`, and gets the rest from here."""

    def facts(self) -> Mapping[str, Any]:
        """What it is in a few words and numbers, for `repr`.

        Returns
        -------
        Mapping
            Words and numbers by name, in the order in which `repr` says them.
        """
        raise NotImplementedError(f"{type(self).__name__} has no facts")

    def records(self) -> Sequence[Mapping[str, Any]]:
        """Its rows, as `to_frame` and notebooks show them: layers, samples, cores, nodes.

        Returns
        -------
        Sequence of Mapping
            One a row, all with the same names; the class says what a row is.
        """
        raise NotImplementedError(f"{type(self).__name__} has no records")

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={_short(value)}" for name, value in self.facts().items())
        return f"{type(self).__name__}({told})"

    def _repr_html_(self) -> str:
        """For notebooks: facts in one line, and the first rows as a table."""
        rows = self.records()
        told = ", ".join(f"{name} {_short(value)}" for name, value in self.facts().items())
        parts = [f"<p><b>{escape(type(self).__name__)}</b> {escape(told)}</p>"]
        if rows:
            heads = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in rows[0])
            body = "".join(
                "<tr>" + "".join(f"<td>{escape(_short(v))}</td>" for v in row.values()) + "</tr>"
                for row in rows[:_MOST]
            )
            parts.append(f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>")
        if len(rows) > _MOST:
            parts.append(f"<p>{len(rows) - _MOST:,} further rows: to_frame()</p>")
        return "".join(parts)

    def to_frame(self) -> pandas.DataFrame:
        """Its rows as a ``pandas.DataFrame``.

        Returns
        -------
        pandas.DataFrame
            A row for each of `records`, a column for each of its names.

        Raises
        ------
        UsageError
            pandas is not installed; `to_dict` needs nothing.
        """
        try:
            import pandas
        except ImportError:
            raise UsageError(
                "pandas is not installed",
                place="to_frame",
                remedy="pip install pandas, or use to_dict()",
            ) from None
        return pandas.DataFrame([dict(row) for row in self.records()])


def named(parts: Iterable[T], name: str, what: str) -> T:
    """The one of that name.

    Parameters
    ----------
    parts
        Each with a `name`.
    name
        To look for.
    what
        What they are, in a word, for the message.

    Raises
    ------
    UsageError
        There is none.
    """
    found = {part.name: part for part in parts}  # type: ignore[attr-defined]
    if name not in found:
        known = ", ".join(map(printable, [*found][:30]))
        raise UsageError(f"{shown(name)} is no {what}; there are: {known}", place=what)
    return found[name]


def _short(value: Any) -> str:
    """A number as people write it, a text without controls."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e5 else f"{value:,.0f}"
    if isinstance(value, str) and "\n" in value:
        value = value.splitlines()[0]
    text = printable(str(value))
    return text if len(text) <= 80 else f"{text[:77]}..."
