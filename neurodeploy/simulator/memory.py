"""What a simulation may take of the memory, and how it keeps within.

The limit is on buffers: what samples in flight need while they are computed. Besides there are
the program with its tables, the samples (a `.npy` file is mapped, not read) and the results,
which alone grow with the number of samples: about 16 bytes for each population and connection,
and the outputs.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path

from neurodeploy.errors import UsageError
from neurodeploy.program import Connection, Convolution, Program
from neurodeploy.simulator import kernels
from neurodeploy.simulator.closed_form import is_by_sample, is_closed_form, is_in_step
from neurodeploy.simulator.plan import BLOCK_BYTES
from neurodeploy.simulator.product import ROWS_BYTES
from neurodeploy.simulator.streaming import warm_up

__all__ = [
    "Share",
    "available",
    "batch",
    "default_limit",
    "need",
    "parse_size",
    "readable",
    "share",
]

_UNITS = {"": 1, "b": 1} | {
    f"{letter}{kind}": base**power
    for power, letter in enumerate("kmgt", 1)
    for kind, base in (("b", 1000), ("ib", 1024))
}
#: Samples that a thread takes at once: enough that handing them out costs nothing, of windows of a
#: few steps more, up to a limit.
BATCH, BATCH_STEPS, BATCH_MOST = 16, 512, 128
#: The same for closed forms, which divide them further as their layers ask for.
SWEPT = 32
#: Bytes of a thread's buffers that no batch is worth, if there is a way with less.
ENOUGH = 2**30
#: Where the system does not say how much memory there is.
_UNKNOWN = 4 * 2**30


def parse_size(text: str | int) -> int:
    """Bytes of a size such as ``2GiB``, ``500MB``, ``1.5 GB`` or ``100000000``.

    Raises
    ------
    UsageError
        Not a number with a unit of bytes, or less than one byte.
    """
    found = re.fullmatch(r"\s*([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([a-z]*)\s*", str(text).lower())
    unit = None if found is None else _UNITS.get(found[2])
    if found is None or unit is None or (size := int(float(found[1]) * unit)) < 1:
        raise UsageError(
            f"{text!r} is not a size", place="--memory", remedy="write it like 2GiB or 500MB"
        )
    return size


def readable(size: int) -> str:
    """A size for people, rounded up so that it suffices when it is given back."""
    for unit in ("KiB", "MiB"):
        if size < 1000 * _UNITS[unit.lower()]:
            return f"{-(-size // _UNITS[unit.lower()])}{unit}"
    return f"{-(-size * 10 // 2**30) / 10:.1f}GiB"


def available() -> int:
    """Bytes that this process could still take: of the machine, its control group, its limit."""
    found = [_machine(), _address_space(), *_groups()]
    return min((size for size in found if size is not None), default=_UNKNOWN)


def default_limit() -> int:
    """Half of what is available: the rest is left to results, samples and other processes."""
    return available() // 2


def _machine() -> int | None:
    """Memory that no process holds; all there is where the system tells no more."""
    try:
        kept = re.search(r"^MemAvailable:\s*(\d+) kB", Path("/proc/meminfo").read_text(), re.M)
        if kept is not None:
            return int(kept[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _address_space() -> int | None:
    """What is left under the limit that was set for this process (``ulimit -v``)."""
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return limit
    return max(0, limit - pages * os.sysconf("SC_PAGE_SIZE"))


def _groups(
    own: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> list[int]:
    """What is left under the limits of the control groups (versions 2 and 1) of this process."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return []
    left = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        top = root / controllers
        names = (
            ("memory.limit_in_bytes", "memory.usage_in_bytes")
            if controllers
            else ("memory.max", "memory.current")
        )
        # inside a container the path may be the host's: then only the top is to be seen
        folder = top / path.lstrip("/")
        for group in (folder, *folder.parents):
            if group == top.parent:
                break
            limit, used = (_number(group / name) for name in names)
            if limit is not None:
                left.append(max(0, limit - max(0, (used or 0) - _cached(group))))
    return left


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # there is none, or it says "max"
        return None


def _cached(group: Path) -> int:
    """Bytes of files that the system drops as soon as the memory is wanted."""
    try:
        text = (group / "memory.stat").read_text()
    except OSError:
        return 0
    return sum(map(int, re.findall(r"^(?:total_)?inactive_file (\d+)", text, re.M)[-1:]))


@dataclass(frozen=True)
class Share:
    """How a run divides its work.

    Attributes
    ----------
    threads
        Working at the same time.
    samples
        Handed to a thread at once.
    steps
        Of a sample, worked on at once by the engine.
    """

    threads: int
    samples: int
    steps: int


def share(program: Program, threads: int, limit: int) -> Share:
    """The fastest way to work within a limit.

    What is given up, in this order: samples a batch, steps at once, threads.

    Parameters
    ----------
    threads
        At most.
    limit
        Bytes for all buffers.

    Raises
    ------
    UsageError
        One sample on one thread does not fit.
    """
    most = SWEPT if is_closed_form(program) else batch(program.period)
    ways = [(most >> k, program.period) for k in range(most.bit_length())]
    # what fires a window after it reads needs all of a window first
    whole = bool(program.recurrent) or any(p.fire_phase(1) > p.phase for p in program.populations)
    cut = is_by_sample(program) and not whole
    if cut and not is_closed_form(program):
        while ways[-1][1] > 1:
            ways.append((1, -(-ways[-1][1] // 2)))
    for each in (min(limit, threads * ENOUGH), limit):
        for count in range(threads, 0, -1):
            for samples, steps in ways:
                if count * need(program, samples, steps) <= each:
                    return Share(count, samples, steps)
    least = readable(need(program, 1, ways[-1][1]))
    raise UsageError(
        f"one sample on one thread needs {least}, the limit is {readable(limit)}",
        place="--memory",
        remedy=f"give {least} or more, or compile with fewer --steps",
    )


def batch(period: int) -> int:
    """Samples that a thread takes at once, of windows of so many steps."""
    return max(BATCH, min(BATCH_MOST, BATCH_STEPS // period))


def need(program: Program, samples: int, steps: int) -> int:
    """Bytes that one thread takes at most, from shapes and steps alone.

    Parameters
    ----------
    samples
        In a batch.
    steps
        Worked on at once.
    """
    raw = samples * prod(program.encoder.sample_shape)
    # network input in float64, what rounding makes of it, and the integers
    reading = 32 * raw
    if program.decoder.code.membranes == "all":
        # every step's membranes of the readout, in the engine's order, in C order, and decoded
        readout = program.population(program.decoder.population)
        reading += 16 * readout.size * program.period * samples
    if not is_by_sample(program) and not (program.is_stream and is_in_step(program)):
        return reading + _streamed(program, samples)
    if is_closed_form(program):
        return reading + _swept(program, samples)
    return reading + _stepped(program, samples, steps)


def _stepped(program: Program, samples: int, steps: int) -> int:
    """The engine: layer by layer, `steps` of each sample at once."""
    rows = samples * steps
    current = program.encoder.code.steady
    # messages, twice, and the place of each that is not 0, in 64 and 32 bit
    total = 48 * prod(program.encoder.shape) * (samples if current else rows)
    cyclic = {c.target for c in program.connections if c.name in program.recurrent}
    for p in program.populations:
        positions = prod(p.shape[1:]) if len(p.shape) == 3 else 1
        total += (p.fire_phase(program.period) - p.phase) * (p.size // 8 + 32)
        # the list of spikes and where each position's begin; once more for pooled positions
        spikes = rows * (8 * p.size + 16 * (positions + 1) + 32)
        if p.neuron.is_graded:
            most = max(map(abs, p.neuron.sends))
            # what is sent, what each event carries, and its entries: for two tables of either sign
            # and before each message how many there are
            carried = 5 + (8 if most == 1 else 8 + 4 * most) if most <= kernels.MOST_UNITS else 8
            spikes += rows * p.size * carried
        # currents, and the spike flags of the same steps, which take less
        block = 2 * max(BLOCK_BYTES, 8 * p.size)
        state = p.size * (32 + 8 * samples)
        if p.name in cyclic:  # currents and messages of all steps, once more in a row
            block += 32 * p.size * rows
        kept = 8 * p.size * rows if p.name == program.decoder.population else 0
        total += spikes + block + state + kept
    return total + max(map(partial(_product, program), program.connections), default=0)


def _streamed(program: Program, samples: int) -> int:
    """A part of a stream: from the steps it depends on to the last window's end, at once."""
    period = program.period
    last = max(p.fire_phase(period) for p in program.populations)
    warm = warm_up(program)
    # with cycles there is no part: the whole stream is run, of which only the samples are counted
    steps = samples * period + last + (0 if math.isinf(warm) else int(warm)) + period
    # besides what the engine holds, messages that differ at every step and a byte a neuron and step
    copied = 64 * prod(program.encoder.shape) + 2 * program.neurons
    return _stepped(program, 1, steps) + steps * copied


def _product(program: Program, connection: Connection) -> int:
    """A block of a connection as a matrix product: rows, what they are made of, and products."""
    weights = connection.synapses.weights
    if weights.ndim == 1:
        return 0
    out = program.population(connection.target).shape[1:] if weights.ndim == 4 else ()
    step = weights[0].size * prod(out)
    return 2 * max(ROWS_BYTES, step) + 8 * len(weights) * prod(out)


def _swept(program: Program, samples: int) -> int:
    """The closed form: what every neuron of a few samples adds up to and fires."""
    inputs = prod(program.encoder.shape)
    # sums, levels and spikes in float32, and their counts
    values = 24 * samples * (inputs + program.neurons)
    patches = [
        4 * c.synapses.weights[0].size * prod(program.population(c.target).shape[1:])
        for c in program.connections
        if isinstance(c.synapses, Convolution)
    ]
    return values + 2 * max(patches, default=0)
