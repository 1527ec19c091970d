"""The outcome of a run as a table or JSON, the ANN's accuracy beside it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from neurodeploy.files import read_bytes, write_atomically
from neurodeploy.program import Program
from neurodeploy.reporting.console import print_json, table, warn
from neurodeploy.reporting.inspection import fidelity
from neurodeploy.sample_checks import look_at_labels
from neurodeploy.samples import Samples
from neurodeploy.simulator.result import Result

__all__ = ["Reference", "show_result", "summary", "write_outputs"]


@dataclass(frozen=True)
class Reference:
    """What the float network predicts for the same samples."""

    predictions: np.ndarray

    @classmethod
    def compute(cls, model: str, program: Program, samples: Samples) -> Reference:
        """Run the ONNX model, through the importer, on the samples."""
        from neurodeploy.importing import load_network
        from neurodeploy.ledger.model import recorded_output
        from neurodeploy.network.evaluate import Evaluator

        same = sha256(read_bytes(model)).hexdigest() == program.recorded("model").get("sha256")
        if not same:
            warn(f"{model} is not the file that was compiled: its checksum is another")
        network = load_network(model, recorded_output(program) if same else None).network
        shape = (len(samples.x), *network.shapes[network.input.name])
        evaluator = Evaluator(network)
        found = []
        for start in range(0, len(samples.x), 256):
            part = samples.x.reshape(shape)[start : start + 256]
            outputs = evaluator.run(program.encoder.preprocessing.apply(part))
            found.append(outputs[network.output.name].reshape(len(part), -1).argmax(1))
        return cls(np.concatenate(found))


def summary(
    program: Program, result: Result, labels: np.ndarray | None, reference: Reference | None
) -> dict[str, Any]:
    """JSON-like numbers of a run."""
    data: dict[str, Any] = {
        "samples": result.samples,
        "steps": program.period,
        "latency_steps": program.latency,
        "steps_between_samples": program.period,
        "hardware": fidelity(program),
    }
    if labels is not None:
        data["accuracy"] = result.accuracy(labels)
    if reference is not None:
        if labels is not None:
            data["ann_accuracy"] = float(100 * np.mean(reference.predictions == labels))
        if result.outputs[0].size > 1:  # else both can only say class 0
            data["agreement"] = float(100 * np.mean(reference.predictions == result.predictions))
    data |= {
        "spikes_per_sample": result.spikes_per_sample,
        "spikes_per_neuron": result.spikes_per_sample / program.neurons,
        "synaptic_operations_per_sample": result.synaptic_operations_per_sample,
        "wrapped_currents": sum(result.wrapped.values()),
        "clipped_membranes": sum(result.clipped.values()),
        "seconds": result.seconds,
    }
    for name in (
        "compared_spikes",
        "mismatched_spikes",
        "compared_membranes",
        "mismatched_membranes",
    ):
        value = getattr(result, name, None)
        if value is not None:
            data[name] = int(value)
    for name in ("models", "lava_steps", "start_seconds", "step_seconds"):  # a run on Lava
        if hasattr(result, name):
            data[name] = getattr(result, name)
    return data


_TITLES = {
    "accuracy": "spiking accuracy (%)",
    "ann_accuracy": "ANN accuracy (%)",
    "agreement": "agreement with the ANN (%)",
    "spikes_per_sample": "spikes a sample",
    "spikes_per_neuron": "spikes a neuron and sample",
    "synaptic_operations_per_sample": "synaptic operations a sample",
    "compared_spikes": "spikes compared",
    "mismatched_spikes": "spikes that differ",
    "compared_membranes": "membranes compared",
    "mismatched_membranes": "membranes that differ",
    "models": "whose models of Lava's processes",
    "lava_steps": "steps on Lava",
    "start_seconds": "seconds before the first step",
    "step_seconds": "seconds while stepping",
    "latency_steps": "latency (steps)",
    "steps_between_samples": "a sample every (steps)",
    "wrapped_currents": "currents that wrapped",
    "clipped_membranes": "membranes that clipped",
}


def show_result(
    program: Program,
    result: Result,
    labels: np.ndarray | None,
    reference: Reference | None,
    as_json: bool,
    *,
    checksum: bool = False,
) -> None:
    """Print a run's numbers, its checksum if asked; warn of labels that fit no output."""
    data = summary(program, result, labels, reference)
    if checksum:
        data["checksum"] = result.checksum
    look_at_labels(program, labels, warn)
    if as_json:
        print_json(data)
        return
    rows = [(_TITLES.get(key, key), value) for key, value in data.items()]
    table(f"{result.samples:,} samples", ("", ""), rows)


def write_outputs(path: str, result: Result) -> None:
    """Outputs and predictions as `.npz`."""
    stream = io.BytesIO()
    np.savez_compressed(stream, outputs=result.outputs, predictions=result.predictions)
    write_atomically(path, stream.getvalue())
