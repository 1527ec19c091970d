"""What was run, on what, and how well."""

from __future__ import annotations

from typing import Any

from neurodeploy.reporting.inspection import describe
from neurodeploy.reporting.number_format import compact, number
from neurodeploy.reporting.page.blocks import Block, Note, Table, Tiles
from neurodeploy.reporting.page.evidence import Evidence
from neurodeploy.reporting.results import SCORES, rows
from neurodeploy.reporting.results import summary as of_run

__all__ = ["gather", "show"]


def gather(evidence: Evidence) -> dict[str, Any]:
    """As `simulate --json` and `inspect --json` have them."""
    program = evidence.program
    about = describe(program)
    run = of_run(program, evidence.result, evidence.labels, evidence.ann)
    ledger = evidence.ledger
    known = program.recorded("model")
    return {
        "program": evidence.names.get("program", ""),
        "data": evidence.names.get("data", ""),
        "model": str(known.get("file", "unknown")),
        "model_sha256": str(known.get("sha256", "unknown")),
        "scheme": program.scheme,
        "encoding": program.encoder.encoding,
        "target": program.target,
        "hardware": run["hardware"],
        "steps": program.period,
        "latency_steps": program.latency,
        "populations": len(program.populations),
        "connections": len(program.connections),
        "neurons": program.neurons,
        "synapses": about["synapses"],
        "weight_bytes": about["weight_bytes"],
        "samples": evidence.result.samples,
        "samples_available": evidence.available,
        "task": run["task"],
        "task_reason": run["task_reason"],
        **dict.fromkeys(("accuracy", "ann_accuracy", "agreement")),
        **{key: run[key] for key in run if key.removesuffix("_interval") in SCORES},
        "spikes_per_sample": run["spikes_per_sample"],
        "spikes_per_neuron": run["spikes_per_neuron"],
        "synaptic_operations_per_sample": run["synaptic_operations_per_sample"],
        "wrapped_currents": run["wrapped_currents"],
        "clipped_membranes": run["clipped_membranes"],
        "unsettled_neurons": unsettled(run),
        "blame": None
        if ledger is None
        else {"layer": ledger.blame.layer, "cause": ledger.blame.cause},
    }


#: Scores in large figures, and which of them are in the output's units.
_NUMBERS = ("rms_error", "ann_rms_error", "rms_difference", "max_difference")
_TILES = (
    "accuracy",
    "ann_accuracy",
    "mean_iou",
    "ann_mean_iou",
    "agreement",
    "rms_error",
    "ann_rms_error",
    "rms_difference",
    "max_difference",
)
_SCORED = {*SCORES, *(f"{key}_interval" for key in SCORES)}
_FACTS = (
    ("program", "program"),
    ("samples from", "data"),
    ("compiled from", "model"),
    ("its sha-256", "model_sha256"),
    ("scheme", "scheme"),
    ("input", "encoding"),
    ("target", "target"),
    ("computes as", "hardware"),
    ("steps a sample", "steps"),
    ("latency (steps)", "latency_steps"),
    ("populations", "populations"),
    ("connections", "connections"),
    ("neurons", "neurons"),
    ("synapses", "synapses"),
    ("weight bytes", "weight_bytes"),
    ("task", "task"),
    ("taken for that because of", "task_reason"),
    ("samples simulated", "samples"),
    ("samples in the file", "samples_available"),
    ("spikes a neuron and sample", "spikes_per_neuron"),
    ("currents that wrapped", "wrapped_currents"),
    ("membranes that clipped", "clipped_membranes"),
    ("neurons that had not settled", "unsettled_neurons"),
)


def unsettled(run: dict[str, Any]) -> str:
    """``0 of 3,840,000``; empty where neurons cannot but settle."""
    if "neurons_to_settle" not in run:
        return ""
    return f"{run['unsettled_neurons']:,} of {run['neurons_to_settle']:,}"


def show(data: dict[str, Any]) -> list[Block]:
    """Headline numbers, a sentence, and all facts."""
    tiles = []
    for key in _TILES:
        numbers = key in _NUMBERS
        if data.get(key) is not None and numbers == (data["task"] == "regression"):
            label = SCORES[key].removesuffix(" (%)")
            shown = f"{data[key]:.4g}" if numbers else f"{data[key]:.2f}"
            tiles.append((label, shown, "" if numbers else "%"))
    tiles += [
        ("latency", number(data["latency_steps"]), "steps"),
        ("spikes a sample", compact(data["spikes_per_sample"]), ""),
        ("synaptic operations a sample", compact(data["synaptic_operations_per_sample"]), ""),
    ]
    if data.get("cores") is not None:
        unit = "on 1 chip" if data["chips"] == 1 else f"on {data['chips']:,} chips"
        tiles.append(("cores", number(data["cores"]), unit))
    if data.get("energy") is not None:
        tiles.append(("energy a sample", data["energy"], "estimated"))
    blocks: list[Block] = [Tiles(tiles)]
    overflows = data["wrapped_currents"] + data["clipped_membranes"]
    text = (
        f"Measured on {data['samples']:,} of the {data['samples_available']:,} samples, "
        "simulated bit for bit. "
    )
    text += (
        f"{overflows:,} values overflowed their registers."
        if overflows
        else "No value overflowed its register."
    )
    blame = data["blame"]
    if blame and blame["cause"] != "none":
        text += (
            f" Most of the error at the output is brought by {blame['layer']}: {blame['cause']}."
        )
    blocks.append(Note(text))
    facts = [(label, data[key]) for label, key in _FACTS if data[key] != ""]
    scores = {key: data[key] for key in data if data[key] is not None and key in _SCORED}
    place = 1 + [key for _, key in _FACTS if data[key] != ""].index("task_reason")
    facts[place:place] = rows(scores, data["samples"])
    blocks.append(Table("All facts", ("", ""), facts))
    return blocks
