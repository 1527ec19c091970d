"""What `mkdocs build` does besides (mkdocs.yml, `hooks`).

1. docs/api.md holds lines `<!-- public: NAME NAME -->`; each becomes the reference of these names,
   from where they are defined. A public name that no line has is an error.
2. A line `<!-- file: PATH -->` becomes the text of that file, below its title.
3. The path of a page, as docstrings and messages say it, becomes a link to that page.
4. Headers of tables without words become plain cells, for those who have the page read to them.
"""

from __future__ import annotations

import re
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["on_page_content", "on_page_markdown"]

_PUBLIC = re.compile(r"^<!-- public: ([\w ]+) -->$", re.M)
_FILE = re.compile(r"^<!-- file: (\S+) -->$", re.M)
_PAGE = re.compile(r"(<pre.*?</pre>|<[^>]+>)|docs/([\w/-]+)\.md", re.S)
_ROOT = Path(__file__).resolve().parents[1]


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """mkdocs calls this for each page."""
    markdown = _FILE.sub(lambda line: _below_the_title(_ROOT / line[1]), markdown)
    if page.file.src_uri != "api.md":
        return markdown
    import neurodeploy

    named = [name for line in _PUBLIC.findall(markdown) for name in line.split()]
    missing = sorted(set(neurodeploy.__all__) - set(named))
    if missing:
        raise ValueError(f"docs/api.md lacks {', '.join(missing)}")
    return _PUBLIC.sub(lambda line: "\n\n".join(map(reference, line[1].split())), markdown)


def reference(name: str) -> str:
    """The directive of one public name."""
    import neurodeploy

    found = attrgetter(name)(neurodeploy)
    if isinstance(found, ModuleType):  # nd.plot: each of its functions
        names = (f"{name}.{inside}" for inside in found.__all__)
        return "\n\n".join(map(reference, names))
    path = f"{found.__module__}.{found.__qualname__}"
    lines = [
        f"::: {path}",
        "    options:",
        f"      heading: nd.{name}",
        f"      toc_label: nd.{name}",
    ]
    if name == "Program":  # what people call; schemes' methods are for those who write one
        lines += ["      members: true", "      filters: public"]
    return "\n".join(lines) + "\n"


def _below_the_title(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[2]


def on_page_content(html: str, *, page: Any, files: Any, **_: Any) -> str:
    """mkdocs calls this with each page's own part as HTML."""
    up = "../" * page.file.src_uri.count("/")

    def link(found: re.Match[str]) -> str:
        name = found[2]
        if name is None or files.get_file_from_path(f"{name}.md") is None:
            return found[0]
        return f'<a href="{up}{name}.html">{name.replace("-", " ")}</a>'

    # the empty corner of a table is no header of anything
    corners = re.sub(r"<th([^>]*)></th>", r"<td\1></td>", html)
    return _PAGE.sub(link, corners)
