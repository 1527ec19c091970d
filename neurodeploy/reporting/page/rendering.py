"""Sections as a page, as Markdown; numbers as JSON. Texts of the user's files are escaped here."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from neurodeploy.errors import printable
from neurodeploy.reporting.console import SCHEMA
from neurodeploy.reporting.number_format import number, place
from neurodeploy.reporting.page.blocks import Section

__all__ = ["html", "json_text", "markdown"]

#: What Markdown (and the HTML in it) would read as more than text.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>&|#~])")


def _environment(escape: bool) -> Environment:
    made = Environment(
        loader=PackageLoader("neurodeploy.reporting.page"),
        autoescape=escape,
        finalize=_seen,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["number"] = number
    made.filters["place"] = place
    made.filters["plain"] = _plain
    made.filters["oneline"] = _one_line
    return made


def _seen(value: Any) -> Any:
    """Texts of the user's files without controls and marks of direction; ours stay."""
    return printable(value) if type(value) is str else value


def _one_line(value: Any) -> str:
    """Text without line breaks, which would end an indented block."""
    return " ".join(str(value).split())


def _plain(value: Any) -> str:
    """Text that Markdown leaves alone, on one line."""
    return _SPECIAL.sub(r"\\\1", printable(_one_line(value)))


def html(title: str, sections: Sequence[Section]) -> str:
    """One self-contained page."""
    template = _environment(True).get_template("page.html")
    return template.render(title=title, sections=sections)


def markdown(title: str, sections: Sequence[Section]) -> str:
    """Headings, sentences and tables."""
    template = _environment(False).get_template("page.md")
    return re.sub(r"\n{3,}", "\n\n", template.render(title=title, sections=sections))


def json_text(content: dict[str, Any]) -> str:
    """The content; what is not finite is null."""
    return json.dumps(_finite({"schema": SCHEMA, **content}), indent=1, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
