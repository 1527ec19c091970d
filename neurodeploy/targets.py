"""Hardware as data: one TOML file a target, checked when it is read."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurodeploy.errors import NeuroDeployError, TargetError
from neurodeploy.files import read_bytes

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["Target", "load_target", "target_names"]


@dataclass(frozen=True)
class Target:
    """What a chip's registers hold.

    Attributes
    ----------
    microcode
        Whether neurons beyond the stock one can be programmed.
    graded_bits
        Bits of a spike's payload; 0 where spikes are binary.
    chip
        Capacities (cores, neurons, synapses, ...) as the file states them.
    """

    name: str
    title: str
    generation: str
    state_bits: int
    threshold_bits: int
    bias_mantissa_bits: int
    bias_exponent_max: int
    microcode: bool
    weight_bits: int
    exponent_max: int
    delay_max: int
    graded_bits: int
    chip: dict[str, int]

    @property
    def weight_max(self) -> int:
        """Largest magnitude of a weight, the same on both sides of zero."""
        return int(2 ** (self.weight_bits - 1) - 1)

    @property
    def threshold_max(self) -> int:
        """Largest threshold."""
        return int(2**self.threshold_bits - 1)


def _folder() -> Path:
    """Where the target files lie: in the installed package, or in a source checkout."""
    here = Path(__file__).resolve().parent
    installed = here / "_targets"
    return installed if installed.is_dir() else here.parent / "targets"


def target_names() -> tuple[str, ...]:
    """Names of the targets that come with neurodeploy."""
    return tuple(sorted(path.stem for path in _folder().glob("*.toml")))


def load_target(name: str) -> Target:
    """A target by name, or by the path of a TOML file of the user's own.

    Raises
    ------
    TargetError
        Unknown name, missing file, malformed TOML, a key missing or out of range.
    """
    if name in target_names():
        path = _folder() / f"{name}.toml"
    elif name.endswith(".toml"):
        path = Path(name)
    else:
        raise TargetError(
            f"no target is called {name!r}; there are {', '.join(target_names())}",
            place="--target",
            remedy="choose one of these, or give the path of a .toml file of your own",
        )
    try:
        data = tomllib.loads(read_bytes(path, 2**20).decode())
    except NeuroDeployError as error:
        raise TargetError(error.message, place=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TargetError(f"not valid TOML: {error}", place=str(path)) from None
    return _checked(data, str(path))


def _checked(data: dict[str, Any], place: str) -> Target:
    """The target in a parsed file; every key present, of its type and in range."""

    def section(name: str) -> dict[str, Any]:
        table = data.get(name)
        if not isinstance(table, dict):
            raise TargetError(f"section [{name}] is missing", place=place)
        return table

    def number(table: str, key: str, low: int, high: int) -> int:
        value = section(table).get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise TargetError(
                f"[{table}] {key} is {value!r}, not an integer of {low}..{high}", place=place
            )
        return value

    def text(key: str) -> str:
        value = data.get(key)
        if not isinstance(value, str) or not value:
            raise TargetError(f"{key} is {value!r}, not a text", place=place)
        return value

    microcode = section("neuron").get("microcode")
    if not isinstance(microcode, bool):
        raise TargetError(f"[neuron] microcode is {microcode!r}, not true or false", place=place)
    return Target(
        name=text("name"),
        title=text("title"),
        generation=text("generation"),
        # the semantics (docs/semantics.md) are those of 24-bit state; others need their own
        state_bits=number("neuron", "state_bits", 24, 24),
        threshold_bits=number("neuron", "threshold_bits", 2, 17),
        bias_mantissa_bits=number("neuron", "bias_mantissa_bits", 2, 13),
        bias_exponent_max=number("neuron", "bias_exponent_max", 0, 7),
        microcode=microcode,
        weight_bits=number("synapse", "weight_bits", 2, 8),
        exponent_max=number("synapse", "exponent_max", 0, 7),
        delay_max=number("synapse", "delay_max", 1, 62),
        graded_bits=number("synapse", "graded_bits", 0, 32),
        chip={key: number("chip", key, 1, 2**62) for key in section("chip")},
    )
