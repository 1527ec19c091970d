"""One 3x3 layer at many activities: each way to compute it, the engine's choice, and the ceiling.

For each number of channels and each activity a layer of so many channels and as many outputs runs
over a window of time, neuron update and collection of its spikes included: gathered, stamped, as a
matrix product, and as the engine chooses. Useful synaptic events are spikes times fan-out; the
ceiling is how many int8 weights one core adds into int16 sums in memory. One thread; medians of
several runs, the ways one after the other in each run, in processor time of the thread.

    python tools/bench_layers.py --channels 64,128 --plot layers.svg
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from math import prod
from pathlib import Path

import numpy as np
from numba import njit
from rich.console import Console
from rich.progress import track
from rich.table import Table

from neurodeploy.program import (
    INPUT,
    Connection,
    Convolution,
    Decoder,
    Encoder,
    Lif,
    Population,
    Program,
)
from neurodeploy.program.codec import PROBABILITY_ONE
from neurodeploy.simulator.buffers import aligned
from neurodeploy.simulator.choice import Way
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.events import Events

#: Beside one another in a plot.
STYLES = {"gather": "o-", "stamp": "^-", "product": "s-", "chosen": "k--"}


def layer_program(channels: int, side: int, steps: int, seed: int) -> Program:
    """Binary input, and one layer whose sums need 16 bit and whose neurons fire about as often."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(-24, 25, (channels, channels, 3, 3)).astype(np.int8)
    encoder = Encoder(
        (channels, side, side), "deterministic", 1 / PROBABILITY_ONE, 0, PROBABILITY_ONE
    )
    size = channels * side * side
    neuron = Lif(np.full(size, 40, np.int16), 800, reset="subtract", shift=0, v_initial=400)
    return Program(
        (Population("layer", (channels, side, side), neuron, 2),),
        (Connection(INPUT, "layer", Convolution(weights, padding=(1, 1, 1, 1))),),
        encoder,
        Decoder("layer", 1.0),
        steps,
    )


@njit(nogil=True)
def _add_rows(sums: np.ndarray, rows: np.ndarray, order: np.ndarray) -> None:
    for r in order:
        for k in range(sums.size):
            sums[k] += rows[r, k]


def ceiling(length: int = 192, count: int = 64) -> float:
    """Int8 weights a second that one core adds into one row of int16 sums in memory."""
    rng = np.random.default_rng(0)
    rows = aligned((count, length), np.int8)
    rows[:] = rng.integers(-24, 25, (count, length))
    sums, order = aligned((length,), np.int16), rng.integers(0, count, 200_000)
    sums[:] = 0
    _add_rows(sums, rows, order[:1])
    return order.size * length / min(timed(lambda: _add_rows(sums, rows, order)) for _ in range(5))


def timed(work: Callable[[], object]) -> float:
    """Processor seconds of this thread."""
    began = time.thread_time()
    work()
    return time.thread_time() - began


def compare(program: Program, messages: np.ndarray, repeat: int) -> dict[Way | None, float]:
    """Median seconds of the layer for each way that there is; all give the same spikes."""
    prescribed, free = Engine(program), Engine(program)
    ways = [*prescribed.plan.layers[0].arrivals[0].choice.ways, None]
    found = free.events(INPUT, messages.astype(np.int8))
    sent = {INPUT: Events(found.index, found.start, found.place, bits=found.bits)}
    spikes = {}
    seconds: dict[Way | None, list[float]] = {way: [] for way in ways}

    def run(way: Way | None) -> None:
        engine = prescribed if way else free
        (layer,) = engine.plan.layers
        layer.arrivals[0].choice.only = way
        found = engine.run_layer(layer, sent)
        spikes[way] = found.index[: found.start[-1]].copy()

    for way in (*ways, *[None] * 40):  # tables are made, the choice is settled
        run(way)
    for _ in range(repeat):
        for way in ways:
            seconds[way].append(timed(partial(run, way)))
    for way in ways:
        np.testing.assert_array_equal(spikes[way], spikes["gather"])
    return {way: statistics.median(times) for way, times in seconds.items()}


def measure(options: argparse.Namespace) -> dict:
    """Rows of the table."""
    rng = np.random.default_rng(options.seed)
    rows = []
    cases = [(c, a) for c in options.channels for a in options.activities]
    console = Console(stderr=True)
    for channels, activity in track(cases, "layers", console=console, transient=True):
        program = layer_program(channels, options.side, options.steps, options.seed)
        messages = rng.random((options.steps, prod(program.encoder.shape))) < activity / 100
        fan_out = program.connections[0].synapses.fan_out(program.encoder.shape)
        useful = float(messages.sum(0) @ fan_out)
        found = compare(program, messages, options.repeat)
        rows.append(
            {
                "channels": channels,
                "activity_percent": activity,
                "spikes": int(messages.sum()),
                "milliseconds": {str(way or "chosen"): 1e3 * t for way, t in found.items()},
                "events_per_second": {str(way or "chosen"): useful / t for way, t in found.items()},
                "chosen_over_better": found[None] / min(t for way, t in found.items() if way),
            }
        )
    return {
        "side": options.side,
        "steps": options.steps,
        "ceiling_adds_per_second": ceiling(),
        "layers": rows,
    }


def linearity(rows: list[dict]) -> float:
    """R squared of a straight line through the chosen way's time over spikes, up to 10 %."""
    sparse = [r for r in rows if r["activity_percent"] <= 10]
    x = np.array([r["spikes"] for r in sparse], float)
    y = np.array([r["milliseconds"]["chosen"] for r in sparse])
    return float(np.corrcoef(x, y)[0, 1] ** 2)


def show(result: dict) -> None:
    """The table."""
    table = Table(
        title=f"3x3 layers on {result['side']} x {result['side']}, {result['steps']} steps, "
        "G useful events/s a core"
    )
    for name in ("channels", "activity %", *STYLES, "chosen / better time"):
        table.add_column(name, justify="right")
    for row in result["layers"]:
        found = row["events_per_second"]
        rates = (f"{found[way] / 1e9:.1f}" if way in found else "-" for way in STYLES)
        table.add_row(
            str(row["channels"]),
            f"{row['activity_percent']:g}",
            *rates,
            f"{row['chosen_over_better']:.2f}",
        )
    console = Console()
    console.print(table)
    top = result["ceiling_adds_per_second"]
    console.print(f"ceiling: {top / 1e9:.1f} G int8-into-int16 adds/s in memory, one core")
    for channels in sorted({row["channels"] for row in result["layers"]}):
        of = [row for row in result["layers"] if row["channels"] == channels]
        best = max(row["events_per_second"]["gather"] for row in of)
        console.print(f"{channels} channels: gathering reaches {best / top:.2f} of it")
        if sum(row["activity_percent"] <= 10 for row in of) > 2:
            console.print(
                f"  up to 10 % the chosen way's time is linear in the spikes: "
                f"R squared {linearity(of):.4f}"
            )


def plot(result: dict, path: str) -> None:
    """Time over spikes, a line for each way."""
    from matplotlib import pyplot

    sizes = sorted({row["channels"] for row in result["layers"]})
    figure, axes = pyplot.subplots(1, len(sizes), figsize=(5 * len(sizes), 4), squeeze=False)
    for axis, channels in zip(axes[0], sizes, strict=True):
        of = [row for row in result["layers"] if row["channels"] == channels]
        for way, style in STYLES.items():
            x = [row["spikes"] for row in of]
            if all(way in row["milliseconds"] for row in of):
                axis.plot(x, [row["milliseconds"][way] for row in of], style, label=way)
        axis.set_title(f"{channels} channels, 3x3, {result['steps']} steps")
        axis.set_xlabel("spikes that arrive")
        axis.set_ylabel("milliseconds")
        axis.legend()
    figure.tight_layout()
    figure.savefig(path)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])

    def numbers(text: str) -> list[float]:
        return [float(part) for part in text.split(",")]

    parser.add_argument(
        "--channels", type=lambda t: [int(n) for n in t.split(",")], default=[64, 128]
    )
    parser.add_argument("--activities", type=numbers, default=[0.5, 1, 2, 5, 10, 20, 30, 50])
    parser.add_argument("--side", type=int, default=14)
    # as many as a batch of a few samples has in a row
    parser.add_argument("--steps", type=int, default=512)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures")
    parser.add_argument("--plot", help="write a plot (needs matplotlib)")
    options = parser.parse_args()
    if options.plot and importlib.util.find_spec("matplotlib") is None:
        parser.error("--plot needs matplotlib (make setup-bench)")
    result = measure(options)
    show(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))
    if options.plot:
        plot(result, options.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
