"""One cell of the table: a network, a number of steps, a spike rate, every simulator.

Each repetition runs every simulator once, one after the other, so that a machine that is busy for
a while is busy for all of them; ratios are taken within a repetition.
"""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import neurodeploy as nd
from neurodeploy.errors import NeuroDeployError
from neurodeploy.program import INPUT, Program
from simulator_bench.contenders import (
    CLOCKS,
    OWN,
    Clock,
    Contender,
    Form,
    best_form,
    own,
    torch_peer,
)
from simulator_bench.machine import used_by_others
from simulator_bench.memory import peak_mebibytes
from simulator_bench.peers import lava
from simulator_bench.rates import hidden_rates, mean_rate

__all__ = ["LAVA", "Bench", "say"]

LAVA = "lava"
TUNING_SAMPLES = 64
MEMORY_SAMPLES = 64


def say(text: str) -> None:
    """Progress, to stderr."""
    print(text, file=sys.stderr, flush=True)


@dataclass
class Bench:
    """How to measure.

    Attributes
    ----------
    peers
        Torch peers.
    threads
        Of every simulator.
    repeat
        Repetitions.
    seconds
        What a simulator's run should take at least, as far as the samples go.
    batches
        Batch sizes that torch peers try.
    lava_samples
        How many samples Lava runs; 0 for none.
    clock
        Of all but Lava.
    """

    peers: list[str]
    threads: int
    repeat: int
    seconds: float
    batches: list[int]
    lava_samples: int
    lava_timeout: float
    memory: bool
    clock: Clock = CLOCKS["wall"]
    forms: dict[tuple[str, str, int], tuple[Form, float]] = field(default_factory=dict)

    def cell(self, network: str, program: Program, x: np.ndarray, extras: bool) -> dict[str, Any]:
        """Measure every simulator on one program.

        Parameters
        ----------
        network
            Name: a peer's best form is looked for once for a network and number of steps.
        x
            All samples there are.
        extras
            Whether Lava runs and memory is measured; neither depends on the spike rate.
        """
        contenders, counts = self._prepare(network, program, x)
        speeds: dict[str, list[float]] = {name: [] for name in contenders}
        membranes: dict[str, np.ndarray] = {}
        others = used_by_others()
        for repetition in range(self.repeat):
            for name, contender in contenders.items():
                speed, membranes[name] = contender.timed(x[: counts[name]], self.clock)
                speeds[name].append(speed)
                say(f"  run {repetition + 1}: {name} {speed:.1f} samples/s")
        disturbed = others()
        result = self._activity(program, x[: counts[OWN]], speeds[OWN])
        result["used_by_others"] = disturbed
        result["simulators"] = {
            name: self._row(contender, speeds, membranes) for name, contender in contenders.items()
        }
        if extras and self.lava_samples:
            result["simulators"][LAVA] = self._lava(program, x, membranes[OWN], speeds[OWN])
        if extras and self.memory:
            for name, contender in contenders.items():
                count = contender.form.batch if contender.form else MEMORY_SAMPLES
                peak = peak_mebibytes(name, program, x[:count], contender.form, self.threads)
                result["simulators"][name]["peak_mebibytes"] = peak
                say(f"  {name}: {peak:.0f} MiB at most")
        result["times_the_fastest_peer"] = min(
            (result["simulators"][name]["paired_ratio"] for name in self.peers), default=None
        )
        return result

    def _prepare(
        self, network: str, program: Program, x: np.ndarray
    ) -> tuple[dict[str, Contender], dict[str, int]]:
        """Simulators, and how many samples each runs."""
        contenders = {OWN: own(program, self.threads)}
        contenders[OWN].run(x[:16])  # kernels are compiled or loaded, buffers made
        speed, _ = contenders[OWN].timed(x[:TUNING_SAMPLES], self.clock)
        counts = {OWN: min(len(x), max(TUNING_SAMPLES, round(self.seconds * speed)))}
        for name in self.peers:
            key = (name, network, program.period)
            if key not in self.forms:
                self.forms[key] = best_form(name, program, x, self.batches, self.clock)
                form, speed = self.forms[key]
                say(f"  {name}: {form} ({speed:.1f} samples/s)")
            form, speed = self.forms[key]
            contenders[name] = torch_peer(name, program, form)
            whole = max(1, round(self.seconds * speed / form.batch))
            counts[name] = form.batch * min(whole, len(x) // form.batch)
        counts[OWN] = max(counts.values())
        return contenders, counts

    def _activity(self, program: Program, x: np.ndarray, speeds: list[float]) -> dict[str, Any]:
        """What the program does on the samples, as the engine counts it."""
        result = nd.simulate(program, x, threads=self.threads)
        if any(result.wrapped.values()) or any(result.clipped.values()):
            say("  registers overflowed: float32 does not follow that, membranes may differ")
        # the constant input is no event: it is added up once for all steps
        inputs = {c.name for c in program.connections if c.source == INPUT}
        events = sum(
            float(n.mean()) for name, n in result.synaptic_operations.items() if name not in inputs
        )
        return {
            "mean_rate": mean_rate(program, result.spikes),
            "layer_rates": hidden_rates(program, result.spikes),
            "events_per_sample": events,
            "events_per_second": events * statistics.median(speeds),
            "samples": len(x),
        }

    def _row(
        self, contender: Contender, speeds: dict[str, list[float]], membranes: dict[str, np.ndarray]
    ) -> dict[str, Any]:
        own_speeds, its = speeds[OWN], speeds[contender.name]
        found = membranes[contender.name]
        expected = membranes[OWN][: len(found)]
        pairs = zip(own_speeds, its, strict=True)
        return {
            "samples_per_second": statistics.median(its),
            "runs": its,
            "samples": len(found),
            "form": str(contender.form) if contender.form else None,
            "same_predictions_percent": float(100 * _same(found, expected).mean()),
            "largest_membrane_difference": float(np.abs(found - expected).max()),
            "paired_ratio": statistics.median(ours / theirs for ours, theirs in pairs),
            "ratio_of_medians": statistics.median(own_speeds) / statistics.median(its),
        }

    def _lava(
        self, program: Program, x: np.ndarray, expected: np.ndarray, own_speeds: list[float]
    ) -> dict[str, Any]:
        """A few samples, once: Lava's rate of steps hardly varies beside the ratio."""
        try:
            done = lava.run(program, x[: self.lava_samples], self.lava_timeout)
        except NeuroDeployError as error:
            say(f"  lava: {error.message}")
            return {"skipped": error.message}
        speed = done.steps_per_second / program.period
        ratio = statistics.median(own_speeds) / speed
        found = np.rint(done.outputs / program.decoder.unit)
        expected = expected[: len(found)]
        say(f"  lava: {done.steps_per_second:.1f} steps/s, {speed:.3f} samples/s")
        return {
            "samples_per_second": speed,
            "steps_per_second": done.steps_per_second,
            "start_seconds": done.start_seconds,
            "samples": len(found),
            "same_predictions_percent": float(100 * _same(found, expected).mean()),
            "largest_membrane_difference": float(np.abs(found - expected).max()),
            "ratio_of_medians": ratio,
        }


def _same(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a.argmax(1) == b.argmax(1)
