"""What may help against a cause: options of `compile` to try, most promising first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from neurodeploy.conversion import schemes

__all__ = ["Remedy", "remedies"]

#: So many are tried, at most.
_MOST = 6


@dataclass(frozen=True)
class Remedy:
    """Options of `compile` that differ from those of the program, and how a user writes them."""

    text: str
    options: Mapping[str, Any]


def remedies(
    cause: str,
    *,
    at_input: bool,
    scheme: str,
    options: Mapping[str, Any],
    input_range: tuple[float, float],
) -> tuple[Remedy, ...]:
    """Remedies for a cause, then those that help against most causes.

    Parameters
    ----------
    cause
        As in `Blame`.
    at_input
        Whether it is the input that is to blame.
    options
        The program's own, as it records them.
    input_range
        Of the samples at hand.
    """
    found: dict[str, Remedy] = {}
    own = _at_input if at_input else _OWN.get(cause, _nothing)
    for remedy in (*own(cause, scheme, options, input_range), *_general(scheme, options)):
        found.setdefault(remedy.text, remedy)
    return tuple(found.values())[:_MOST]


_Range = tuple[float, float]
_Options = Mapping[str, Any]


def _at_input(cause: str, _: str, options: _Options, ends: _Range) -> Iterator[Remedy]:
    if cause == "timing" and options.get("encoding") == "poisson":
        for encoding in ("current", "deterministic"):
            yield Remedy(f"use --encoding {encoding}", {"encoding": encoding})
    if cause in ("clipping", "steps", "silence") and ends[0] < ends[1]:
        yield Remedy(f"give --input-range {ends[0]:g},{ends[1]:g}", {"input_range": ends})
    yield from _more_steps(options, 2, 4)


def _clipping(_: str, __: str, options: _Options, ___: _Range) -> Iterator[Remedy]:
    percentile = options.get("percentile")
    if options.get("balance") == "percentile" and isinstance(percentile, float):
        for higher in (100 - (100 - percentile) / 10, 99.9):
            if higher > percentile:
                yield Remedy(
                    f"raise --percentile (now {percentile}) to {round(higher, 6):g}",
                    {"percentile": round(higher, 6)},
                )
    yield from _balance(options, "max")


def _coarse(_: str, __: str, options: _Options, ___: _Range) -> Iterator[Remedy]:
    yield from _lower_lambda(options)
    yield from _more_steps(options, 2, 4)


def _weights(_: str, __: str, options: _Options, ___: _Range) -> Iterator[Remedy]:
    if options.get("l4") is False:
        yield Remedy("use --l4", {"l4": True})
    yield from _fewer_steps(options)


def _timing(_: str, __: str, options: _Options, ___: _Range) -> Iterator[Remedy]:
    if options.get("reset") == "zero":
        changed = {"reset": "subtract", "target": "loihi2"}
        yield Remedy("use --reset subtract (--target loihi2)", changed)
    threshold = options.get("threshold")
    if isinstance(threshold, float) and threshold > 0:
        text = f"lower --threshold (now {threshold:g}) to {threshold / 2:g}"
        yield Remedy(text, {"threshold": threshold / 2})
    yield from _lower_lambda(options)
    yield from _more_steps(options, 2, 4)


def _overflow(_: str, __: str, options: _Options, ___: _Range) -> Iterator[Remedy]:
    yield from _fewer_steps(options)
    if options.get("reset") == "zero":
        changed = {"reset": "subtract", "target": "loihi2"}
        yield Remedy("use --reset subtract (--target loihi2)", changed)
    yield from _balance(options, "max")


def _nothing(*_: object) -> Iterator[Remedy]:
    yield from ()


_OWN = {
    "clipping": _clipping,
    "steps": _coarse,
    "silence": _coarse,
    "weights": _weights,
    "timing": _timing,
    "overflow": _overflow,
}


def _general(scheme: str, options: _Options) -> Iterator[Remedy]:
    """What lowers the error of most programs."""
    known = schemes()
    if scheme in known and not known[scheme].exact and not known[scheme].of_streams:
        for name, other in known.items():
            if other.is_remedy:
                yield Remedy(f"use --scheme {name}", {"scheme": name})
    yield from _more_steps(options, 2)
    yield from _lower_lambda(options)


def _more_steps(options: _Options, *times: int) -> Iterator[Remedy]:
    steps, bits = options.get("steps"), options.get("bits")
    if isinstance(bits, int) and bits < 8:
        yield Remedy(f"use more --bits (now {bits}): {bits + 1}", {"bits": bits + 1})
    if isinstance(steps, int):
        for factor in times:
            if steps * factor <= 65536:
                text = f"use more --steps (now {steps}): {steps * factor}"
                yield Remedy(text, {"steps": steps * factor})


def _fewer_steps(options: _Options) -> Iterator[Remedy]:
    steps = options.get("steps")
    if isinstance(steps, int) and steps > 1:
        yield Remedy(f"use fewer --steps (now {steps}): {steps // 2}", {"steps": steps // 2})


def _lower_lambda(options: _Options) -> Iterator[Remedy]:
    if "balance" not in options:
        return
    percentile = options.get("percentile")
    if options.get("balance") != "percentile":
        yield from _balance(options, "percentile")
    elif isinstance(percentile, float) and percentile > 99:
        yield Remedy(f"lower --percentile (now {percentile}) to 99", {"percentile": 99.0})
    yield from _balance(options, "mmse")


def _balance(options: _Options, balance: str) -> Iterator[Remedy]:
    if "balance" not in options:
        return
    if options.get("balance") != balance:
        yield Remedy(f"use --balance {balance}", {"balance": balance})
