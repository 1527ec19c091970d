"""The rules of a target, one a function: all run, all are reported.

Each takes what is laid out and yields findings ``layer: rule: value, limit, what to change``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from neurodeploy.mapping.mapping import Finding
from neurodeploy.mapping.splitting import Cut
from neurodeploy.program import Connection, Population, Program
from neurodeploy.program.neurons import Register
from neurodeploy.targets import Target

__all__ = ["RULES", "Laid", "Rule", "check_rules", "tightest"]


@dataclass(frozen=True)
class Laid:
    """A program cut into parts.

    Attributes
    ----------
    cuts
        By population, the input's first.
    neurons_a_chip
        Of the fullest chip.
    chips
        In use.
    """

    program: Program
    target: Target
    cuts: Mapping[str, Cut]
    neurons_a_chip: int
    chips: int

    @property
    def cores(self) -> int:
        """In use."""
        return sum(cut.grid.parts for cut in self.cuts.values())


Rule = Callable[[Laid], Iterator[Finding]]


def _finding(layer: str, rule: str, value: float, limit: float | None, remedy: str) -> Finding:
    ok = limit is None or value <= limit
    return Finding(layer, rule, value, limit, ok, remedy)


def _of_parts(laid: Laid, resource: str, rule: str, remedy: str) -> Iterator[Finding]:
    """The fullest part of each population."""
    limit = getattr(laid.target.core, resource)
    for name, cut in laid.cuts.items():
        worst = cut.lone.get(resource, int(cut.uses[resource].max()))
        yield _finding(name, rule, worst, limit, remedy)


def neurons_a_core(laid: Laid) -> Iterator[Finding]:
    """No part has more neurons than a core."""
    return _of_parts(laid, "neurons", "neurons a core", "use a target with larger cores")


def input_axons_a_core(laid: Laid) -> Iterator[Finding]:
    """No part reads more sources than a core has input axons."""
    return _of_parts(
        laid,
        "input_axons",
        "input axons a core",
        "a single neuron reads more sources than a core has axons: give it fewer inputs (narrow "
        "or pool the layer before it, or use groups), or use a target with more axons",
    )


def output_axons_a_core(laid: Laid) -> Iterator[Finding]:
    """No part sends to more (neuron, core) pairs than a core has output axons."""
    return _of_parts(
        laid,
        "output_axons",
        "output axons a core",
        "a single neuron feeds more cores than a core has axons: make the layers that it feeds "
        "smaller, so that they take fewer cores, or use a target with more axons",
    )


def synaptic_words_a_core(laid: Laid) -> Iterator[Finding]:
    """No part's synapses take more words than a core has."""
    return _of_parts(
        laid,
        "synaptic_words",
        "synaptic words a core",
        "the synapses of a single neuron overfill a core: give it fewer inputs (fewer channels, a "
        "smaller kernel, groups) or smaller weights (fewer bits), or use a target with more memory",
    )


def cores_in_use(laid: Laid) -> Iterator[Finding]:
    """The parts fit the cores that there are."""
    mesh = laid.target.mesh
    limit = None if mesh.cores is None or mesh.chips is None else mesh.cores * mesh.chips
    name, cut = max(reversed(list(laid.cuts.items())), key=lambda item: item[1].grid.parts)
    limits = {key: getattr(laid.target.core, key) for key in cut.uses}
    totals = {key: float(cut.uses[key].sum()) / (limits[key] or np.inf) for key in cut.uses}
    binds = max(totals, key=totals.__getitem__).replace("_", " ")
    yield _finding(
        "program",
        "cores",
        laid.cores,
        limit,
        f"make the network smaller or use a target with more cores; {name} takes the most "
        f"({cut.grid.parts}), and its {binds} fill them: make it narrower",
    )


def chips_in_use(laid: Laid) -> Iterator[Finding]:
    """The parts fit the chips that there are."""
    yield _finding(
        "program",
        "chips",
        laid.chips,
        laid.target.mesh.chips,
        "make the network smaller, or use a target with more chips",
    )


def neurons_a_chip(laid: Laid) -> Iterator[Finding]:
    """No chip has more neurons than the target states."""
    yield _finding(
        "program",
        "neurons a chip",
        laid.neurons_a_chip,
        laid.target.mesh.neurons,
        "state fewer cores a chip in the target's file: its cores hold more than its chips may",
    )


def _registers(laid: Laid, name: str) -> Iterator[tuple[Population, Register]]:
    """The populations that have a register of that name, with what it has to hold."""
    for population in laid.program.populations:
        for register in population.neuron.registers():
            if register.name == name:
                yield population, register


def stock_neuron(laid: Laid) -> Iterator[Finding]:
    """A target without microcode has the stock neuron only."""
    limit = 1 if laid.target.microcode else 0
    for population in laid.program.populations:
        yield _finding(
            population.name,
            "needs microcode",
            int(not laid.program.is_stock(population.name)),
            limit,
            "compile for this target (--scheme rate --reset zero), or use one whose neurons are "
            "programs",
        )


def compartments(laid: Laid) -> Iterator[Finding]:
    """Neurons of several compartments, where the target joins them."""
    for population in laid.program.populations:
        yield _finding(
            population.name,
            "compartments a neuron",
            population.neuron.compartments,
            2 if laid.target.soft_reset else 1,
            "compile for this target: its neurons reset by subtraction in microcode, or to zero",
        )


def threshold_bits(laid: Laid) -> Iterator[Finding]:
    """Thresholds fit their register."""
    for population, register in _registers(laid, "threshold"):
        yield _finding(
            population.name,
            "threshold",
            register.high,
            laid.target.threshold_max,
            "compile for this target: it scales weights and thresholds together",
        )


def bias_mantissa(laid: Laid) -> Iterator[Finding]:
    """Bias mantissas fit their register."""
    half = 2 ** (laid.target.bias_mantissa_bits - 1)
    for population, register in _registers(laid, "bias_mantissa"):
        # one more below zero than above
        worst = max(register.high, -1 - register.low)
        yield _finding(
            population.name,
            "bias mantissa",
            worst,
            half - 1,
            "compile for this target: it chooses a larger exponent",
        )


def bias_exponent(laid: Laid) -> Iterator[Finding]:
    """Bias exponents fit their register."""
    for population, register in _registers(laid, "bias_exponent"):
        yield _finding(
            population.name,
            "bias exponent",
            register.high,
            laid.target.bias_exponent_max,
            "compile for this target: it scales biases to its registers",
        )


def weight_bits(laid: Laid) -> Iterator[Finding]:
    """Weights fit their register."""
    half = 2 ** (laid.target.weight_bits - 1)
    for connection in laid.program.connections:
        weights = connection.synapses.weights
        worst = max(int(weights.max(initial=0)), -1 - int(weights.min(initial=0)))
        yield _finding(
            connection.name,
            "weight",
            worst,
            half - 1,
            "compile for this target: it quantises weights to its bits",
        )


def weight_exponent(laid: Laid) -> Iterator[Finding]:
    """Weight exponents fit their register."""
    for connection in laid.program.connections:
        yield _finding(
            connection.name,
            "weight exponent",
            connection.exponent,
            laid.target.exponent_max,
            "compile for this target: it chooses smaller scales",
        )


def delay(laid: Laid) -> Iterator[Finding]:
    """Delays fit the delay buffer."""
    for connection in laid.program.connections:
        yield _finding(
            connection.name,
            "delay",
            connection.delay,
            laid.target.delay_max,
            "split the skip: a relay population in between halves its delay",
        )


def _payload(program: Program, connection: Connection) -> int:
    """Bits of a message beyond "a spike"."""
    if not program.is_graded(connection.source):
        return 0
    low, high = program.sends(connection.source)
    return max(abs(low), high).bit_length() + (low < 0)


def graded_payload(laid: Laid) -> Iterator[Finding]:
    """Graded messages fit a spike's payload."""
    for connection in laid.program.connections:
        yield _finding(
            connection.name,
            "payload bits",
            _payload(laid.program, connection),
            laid.target.graded_bits,
            "compile with spikes at the input (--encoding deterministic or poisson) and inputs "
            "that are not negative, use a scheme whose neurons send spikes only, or a target with "
            "graded spikes",
        )


RULES: tuple[Rule, ...] = (
    neurons_a_core,
    input_axons_a_core,
    output_axons_a_core,
    synaptic_words_a_core,
    cores_in_use,
    chips_in_use,
    neurons_a_chip,
    stock_neuron,
    compartments,
    threshold_bits,
    bias_mantissa,
    bias_exponent,
    weight_bits,
    weight_exponent,
    delay,
    graded_payload,
)


def check_rules(laid: Laid) -> tuple[Finding, ...]:
    """What every rule says."""
    return tuple(finding for rule in RULES for finding in rule(laid))


def tightest(findings: Iterable[Finding]) -> list[Finding]:
    """Every broken finding, then of each rule that holds the one nearest to its limit."""
    broken: list[Finding] = []
    found: dict[str, Finding] = {}

    def share(finding: Finding) -> float:
        return finding.value / finding.limit if finding.limit else finding.value

    for finding in findings:
        if not finding.ok:
            broken.append(finding)
        elif share(finding) >= share(found.setdefault(finding.rule, finding)):
            found[finding.rule] = finding
    return [*broken, *found.values()]
