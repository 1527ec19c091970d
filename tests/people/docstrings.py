"""What the docstring of a public name has to say, and what it lacks.

Held: a summary; each parameter and each field by its name; shape and dtype of arrays; a unit of
numbers; what comes back; what is raised; and the source of what somebody published.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
import textwrap
import types
from collections import Counter
from dataclasses import fields, is_dataclass
from pathlib import Path

import docstring_parser
from docstring_parser import DocstringStyle

import neurodeploy as nd

API = Path(__file__).resolve().parents[2] / "docs" / "api.md"
#: Parameters that take arrays, whatever their annotation.
ARRAYS = {"x", "calibration", "labels", "exact"}
SHAPE = re.compile(r"\([\w*]+(?: [\w/]+)*,[^()]*\)|one number")
DTYPE = re.compile(r"\b(u?int(8|16|32|64)|float(32|64)|bool|integers?|floats?)\b")
#: Units, and words for what has none.
UNIT = re.compile(
    r"\b(steps?|seconds?|bytes?|bits|joules|picojoules|percent|pixels|samples?|images|steps|cores|"
    r"chips|neurons?|synapses|spikes|messages|operations|overflows|candidates|populations|classes|"
    r"values|inputs|places|events|channels?|rows|units?|number of|numbered|indexe?s?|shares?|"
    r"factors?|seeds?|shapes?|threads)\b|%",
    re.I,
)
#: What the text of a name must say, wherever the name stands as a number.
NAMED = {
    r"steps|latency|period|delay|recurrent_delay|lead": r"\bsteps?\b",
    r"seconds|timeout|dt|\w+_seconds": r"\bseconds?\b",
    r"memory|weight_bytes": r"\bbytes\b",
    r"energy|least": r"\bjoules\b",
    r"agreement|percentile|accuracy": r"\b[Pp]ercent\b|%",
    r"limit": r"\bsamples\b|\bimages\b",
    r"threads": r"\bthreads\b",
    r"size": r"\bpixels\b|\bneurons\b",
    r"bin": r"``1ms``",
    r"bits|\w+_bits": r"\bbits\b",
}
#: Names whose work somebody published, and a word of the citation.
SOURCES = {
    "compile": "Rueckauer",
    "deploy": "Davies",
    "estimate_cost": "Davies",
    "export": "Pedersen",
    "map": "Karypis",
    "simulate": "Davies",
    "tune": "Jamieson",
    "Rate": "Rueckauer",
    "Rate.level": "Diehl",
    "Rate.largest": "Diehl",
    "SpikingLayer": "Davies",
    "Ttfs": "Stanojevic",
    "Ttfs.level": "Diehl",
    "Result.scores": "Wilson",
}


def said_on_the_page() -> list[type]:
    """The classes that docs/api.md names by their path: what functions return."""
    paths = re.findall(r"^::: ([\w.]+)$", API.read_text(encoding="utf-8"), re.M)
    parts = [path.rpartition(".") for path in paths]
    return [getattr(__import__(module, fromlist=[name]), name) for module, _, name in parts]


@functools.cache
def functions() -> dict[str, types.FunctionType]:
    """Public functions by name, those of public modules too."""
    found = {}
    for name in nd.__all__:
        value = getattr(nd, name)
        inside = {name: value}
        if isinstance(value, types.ModuleType):
            inside = {f"{name}.{part}": getattr(value, part) for part in value.__all__}
        found |= {k: v for k, v in inside.items() if isinstance(v, types.FunctionType)}
    return found


@functools.cache
def classes() -> dict[str, type]:
    """Public classes by name, and those that public functions return."""
    found = {name: getattr(nd, name) for name in nd.__all__ if inspect.isclass(getattr(nd, name))}
    for kind in said_on_the_page():
        name = kind.__name__
        found[name if name not in found else f"{kind.__module__.split('.')[1]}.{name}"] = kind
    return found


@functools.cache
def members() -> dict[str, tuple[type, str, object]]:
    """Methods and properties of public classes: (class, kind, function) by name."""
    found: dict[str, tuple[type, str, object]] = {}
    for title, kind in classes().items():
        for name in dir(kind):
            held = inspect.getattr_static(kind, name)
            owner = next(base for base in kind.__mro__ if name in vars(base))
            if name.startswith("_") or not owner.__module__.startswith("neurodeploy"):
                continue
            if isinstance(held, property):
                found[f"{title}.{name}"] = (kind, "property", held.fget)
            elif isinstance(held, functools.cached_property):
                found[f"{title}.{name}"] = (kind, "property", held.func)
            elif isinstance(held, classmethod | staticmethod):
                found[f"{title}.{name}"] = (kind, "method", held.__func__)
            elif inspect.isfunction(held):
                found[f"{title}.{name}"] = (kind, "method", held)
    return found


def parsed(text: str) -> docstring_parser.Docstring:
    return docstring_parser.parse(text, style=DocstringStyle.NUMPYDOC)


def texts(page: docstring_parser.Docstring, field: str = "param") -> dict[str, str]:
    """What is said of each parameter (or attribute), by name."""
    listed = [p for p in page.params if p.args[0] == field]
    return {part.strip(): p.description or "" for p in listed for part in p.arg_name.split(",")}


def source_of(kind: type | None, function: object) -> str:
    """Its docstring; of one that says "See `Base.method`" that one's, followed by its own."""
    text = inspect.getdoc(function) or ""
    told = re.match(r"See `(\w+)\.(\w+)`", text)
    if kind is None or told is None:
        return text
    base = next(base for base in kind.__mro__ if base.__name__ == told[1])
    other = inspect.getattr_static(base, told[2])
    other = other.fget if isinstance(other, property) else other
    return f"{source_of(base, other)}\n"


def lacking_text(name: str, annotation: str, text: str) -> list[str]:
    """What the text of one parameter, field or result lacks for its type."""
    text = " ".join(followed(name, text).split())
    lacks = []
    if "Callable" in annotation:
        return lacks
    if "ndarray" in annotation or (name in ARRAYS and annotation.startswith("Any")):
        lacks += [] if SHAPE.search(text) else ["no shape"]
        lacks += [] if DTYPE.search(text) else ["no dtype"]
    elif re.search(r"\b(int|float)\b", annotation) and not UNIT.search(text):
        lacks.append("no unit")
    for pattern, word in NAMED.items():
        number = name == "bin" or re.search(r"\b(int|float)\b", annotation)
        if number and re.fullmatch(pattern, name) and not re.search(word, text, re.I):
            lacks.append(f"not {word}")
    return lacks


def followed(name: str, text: str) -> str:
    """The text, and with "as for `compile`" what stands there of the same name."""
    for other in re.findall(r"[Aa]s (?:for|of) `(?:neurodeploy\.)?([\w.]+)`", text):
        base = functions().get(other) or members().get(other, (None, "", None))[2]
        if base is None:  # a function of the same name on a lower floor
            module, _, inside = f"neurodeploy.{other}".rpartition(".")
            base = getattr(__import__(module, fromlist=[inside]), inside)
        entries = texts(parsed(inspect.getdoc(base) or ""))
        text += " " + followed(name, entries.get(name, entries.get("options", "")))
    return text


def raises_in_its_body(function: object) -> bool:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return any(
        isinstance(node, ast.Raise) and "NotImplementedError" not in ast.unparse(node)
        for node in ast.walk(tree)
    )


def parameters(function: object) -> dict[str, str]:
    """Annotations by name, without the object itself."""
    listed = inspect.signature(function).parameters.values()
    return {p.name: str(p.annotation) for p in listed if p.name not in ("self", "cls")}


def returned(function: object) -> str:
    return str(inspect.signature(function).return_annotation)


def grouped_wrongly(page: docstring_parser.Docstring, function: object) -> list[str]:
    """Parameters of one entry have one type and default: the site shows those of the first."""
    there = inspect.signature(function).parameters
    found = []
    for entry in page.params:
        names = [name for part in entry.arg_name.split(",") if (name := part.strip()) in there]
        if len({(str(there[name].annotation), str(there[name].default)) for name in names}) > 1:
            found.append(f"{entry.arg_name}: types or defaults differ")
    return found


def lacking(
    name: str, what: str, kind: type | None, function: object, counts: Counter
) -> list[str]:
    """What the docstring of a function, method or property lacks."""
    text = source_of(kind, function)
    page = parsed(text)
    found = [] if page.short_description else ["no summary"]
    known = texts(page)
    for parameter, annotation in parameters(function).items():
        counts["parameters"] += 1
        if parameter not in known:
            found.append(f"{parameter} is not said")
            continue
        found += [
            f"{parameter}: {line}" for line in lacking_text(parameter, annotation, known[parameter])
        ]
    found += grouped_wrongly(page, function)
    back = returned(function)
    last = name.rpartition(".")[2]
    if what == "property":
        found += lacking_text(last, back, text)
    elif back != "None":
        counts["returns"] += 1
        if page.many_returns:
            parts = [part for r in page.many_returns for part in (r.type_name, r.description)]
            said = " ".join(filter(None, parts))
            found += [f"Returns: {line}" for line in lacking_text(last, back, said)]
        else:
            found.append("no Returns")
    if page.raises:
        counts["raises"] += 1
        bare = [r.type_name for r in page.raises if not r.description]
        found += [f"{r}: when?" for r in bare]
    elif kind is None or raises_in_its_body(function):
        found.append("no Raises")
    if name in SOURCES:
        counts["sources"] += 1
        found += [] if SOURCES[name] in text.partition("References\n---")[2] else ["no source"]
    counts[what] += 1
    return [f"{name}: {line}" for line in found]


def lacking_class(name: str, kind: type, counts: Counter) -> list[str]:
    """What the docstring of a class lacks: its fields, or what it is built with."""
    text = inspect.getdoc(kind) or ""
    said: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("neurodeploy"):
            page = parsed(inspect.getdoc(base) or "")
            said |= texts(page, "attribute") | texts(page)
    found = [] if parsed(text).short_description else ["no summary"]
    listed = fields(kind) if is_dataclass(kind) else ()
    for field in listed:
        if field.name.startswith("_"):
            continue
        counts["fields"] += 1
        if field.name not in said:
            found.append(f"{field.name} is not said")
            continue
        found += [
            f"{field.name}: {line}"
            for line in lacking_text(field.name, str(field.type), said[field.name])
        ]
    if name in SOURCES:
        counts["sources"] += 1
        found += [] if SOURCES[name] in text.partition("References\n---")[2] else ["no source"]
    counts["classes"] += 1
    return [f"{name}: {line}" for line in found]


def returned_classes() -> set[type]:
    """Classes of ours that public functions return."""
    found: set[type] = set()
    for function in functions().values():
        names = re.findall(r"[A-Z]\w+", returned(function))
        hidden = vars(__import__(function.__module__, fromlist=["x"]))
        for name in names:
            kind = hidden.get(name)
            if inspect.isclass(kind) and kind.__module__.startswith("neurodeploy"):
                found.add(kind)
    return found
