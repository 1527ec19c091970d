"""The outcome of a run as a table or JSON, the ANN's beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from math import prod
from typing import Any

import numpy as np

from neurodeploy.errors import DataError, ModelError
from neurodeploy.files import read_bytes, write_arrays
from neurodeploy.metrics import Labels, Task, against, judge, read_labels
from neurodeploy.metrics.label_checks import look_at_labels
from neurodeploy.program import Program
from neurodeploy.reporting.console import print_json, table, warn
from neurodeploy.reporting.inspection import fidelity
from neurodeploy.samples import Samples
from neurodeploy.simulator.result import Result

__all__ = [
    "SCORES",
    "Reference",
    "frames_of",
    "judged",
    "rows",
    "show_result",
    "summary",
    "with_interval",
    "write_outputs",
]


@dataclass(frozen=True, eq=False)
class Reference:
    """What the float network computes for the same samples.

    Attributes
    ----------
    outputs
        float32 (n, *output shape).
    task
        What they are, as for the program.
    """

    outputs: np.ndarray
    task: Task

    @property
    def predictions(self) -> np.ndarray:
        """What they say; see `Result.predictions`."""
        return self.task.predict(self.outputs)

    @classmethod
    def compute(cls, model: str, program: Program, samples: Samples) -> Reference:
        """Run the ONNX model, through the importer, on the samples."""
        from neurodeploy.importing import load_network
        from neurodeploy.ledger.source_model import recorded_output
        from neurodeploy.network.evaluate import Evaluator

        same = sha256(read_bytes(model)).hexdigest() == program.recorded("model").get("sha256")
        if not same:
            warn(f"{model} is not the file that was compiled: its checksum is another")
        network = load_network(model, recorded_output(program) if same else None).network
        task = Task.of(program)
        theirs = network.shapes[network.output.name]
        if prod(theirs) != task.size:
            raise ModelError(
                f"has outputs of shape {theirs}, the program {task.shape}",
                place=model,
                remedy="give the ONNX file that was compiled",
            )
        shape = (len(samples.x), *network.shapes[network.input.name])
        evaluator = Evaluator(network)
        found = []
        for start in range(0, len(samples.x), 256):
            part = samples.x.reshape(shape)[start : start + 256]
            outputs = evaluator.run(program.encoder.preprocessing.apply(part))
            found.append(task.shaped(outputs[network.output.name]))
        made = np.concatenate(found)
        if not np.isfinite(made).all():
            raise DataError(
                "the network computes NaN or infinity on these samples",
                remedy="check scale, mean and std, and the model itself",
            )
        return cls(made, task)


def judged(result: Result, labels: np.ndarray | Labels | None) -> tuple[Result, Labels | None]:
    """The result with its task as the labels have it, and the labels as the task has them."""
    if labels is None:
        return result, None
    known = read_labels(result.task, labels, result.samples)
    return replace(result, task=known.task), known


def frames_of(refresh: int) -> str:
    """What the samples of a stream are, in words."""
    every = f"a whole one every {refresh}" if refresh else "the first one whole"
    return f"frames of one stream, {every}"


def summary(
    program: Program,
    result: Result,
    labels: np.ndarray | Labels | None,
    reference: Reference | None,
) -> dict[str, Any]:
    """JSON-like numbers of a run."""
    result, known = judged(result, labels)
    task = result.task
    data: dict[str, Any] = {
        "samples": result.samples,
        "steps": program.period,
        "latency_steps": program.latency,
        "steps_between_samples": program.period,
        "hardware": fidelity(program),
        "task": task.kind,
        "task_reason": task.reason,
    }
    if program.is_stream:
        data["stream"] = frames_of(program.refresh)
    if task.by_element:
        data["elements"] = result.samples * prod(task.predicted_shape)
    if known is not None:
        data |= result.scores(known).as_dict()
    if reference is not None:
        if known is not None:
            ann = judge(task, reference.outputs, known).as_dict()
            data |= {f"ann_{key}": ann[key] for key in ann if key != "ignored_elements"}
        data |= against(task, result.outputs, reference.outputs).against_ann()
    data |= {
        "spikes_per_sample": result.spikes_per_sample,
        "spikes_per_neuron": result.spikes_per_sample / program.neurons,
        "synaptic_operations_per_sample": result.synaptic_operations_per_sample,
        "wrapped_currents": sum(result.wrapped.values()),
        "clipped_membranes": sum(result.clipped.values()),
        "seconds": result.seconds,
    }
    if result.unsettled:
        settling = sum(program.population(name).size for name in result.unsettled)
        data["unsettled_neurons"] = sum(result.unsettled.values())
        data["neurons_to_settle"] = settling * result.samples
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


#: Scores of a run in words; which of them there are depends on the task (docs/metrics.md).
SCORES = {
    "elements": "labels, pixels or steps judged",
    "ignored_elements": "of these not judged (255, -1 or -100)",
    "accuracy": "spiking accuracy (%)",
    "top5_accuracy": "spiking top-5 accuracy (%)",
    "mean_iou": "spiking mean IoU (%)",
    "rms_error": "spiking RMS error",
    "max_error": "spiking largest error",
    "rms_errors": "spiking RMS error by output",
    "r2": "spiking R2",
    "ann_accuracy": "ANN accuracy (%)",
    "ann_top5_accuracy": "ANN top-5 accuracy (%)",
    "ann_mean_iou": "ANN mean IoU (%)",
    "ann_rms_error": "ANN RMS error",
    "ann_max_error": "ANN largest error",
    "ann_rms_errors": "ANN RMS error by output",
    "ann_r2": "ANN R2",
    "agreement": "agreement with the ANN (%)",
    "agreement_mean_iou": "mean IoU with the ANN (%)",
    "rms_difference": "RMS difference from the ANN's output",
    "max_difference": "largest difference from the ANN's output",
    "rms_differences": "RMS difference by output",
}
_TITLES = SCORES | {
    "task_reason": "taken for that because of",
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
    "stream": "samples are",
    "wrapped_currents": "currents that wrapped",
    "clipped_membranes": "membranes that clipped",
    "unsettled_neurons": "neurons that had not settled",
    "neurons_to_settle": "of neurons times samples",
}


def rows(data: dict[str, Any], samples: int) -> list[tuple[str, Any]]:
    """Numbers of `summary` for people: an interval and n beside each share."""
    found: list[tuple[str, Any]] = []
    for key, value in data.items():
        if key.endswith("_interval"):
            continue
        shown = value
        if isinstance(value, list):
            shown = ", ".join(f"{number:.4g}" for number in value)
        interval = data.get(f"{key}_interval")
        if interval is not None:
            shown = with_interval(value, interval, samples)
        found.append((_TITLES.get(key, key), shown))
    return found


def with_interval(share: float, interval: Sequence[float], n: int) -> str:
    """``89.00 (84.95 to 92.06, n = 300)``."""
    low, high = interval
    return f"{share:.2f} (95 %: {low:.2f} to {high:.2f}, n = {n:,})"


def show_result(
    program: Program,
    result: Result,
    labels: np.ndarray | Labels | None,
    reference: Reference | None,
    as_json: bool,
    *,
    checksum: bool = False,
) -> None:
    """Print a run's numbers, its checksum if asked; warn of labels that fit no output."""
    result, known = judged(result, labels)
    data = summary(program, result, known, reference)
    if checksum:
        data["checksum"] = result.checksum
    look_at_labels(known, warn)
    if as_json:
        print_json(data)
        return
    table(f"{result.samples:,} samples", ("", ""), rows(data, result.samples))


def write_outputs(path: str, result: Result) -> None:
    """Outputs and predictions as `.npz`."""
    write_arrays(path, outputs=result.outputs, predictions=result.predictions)
