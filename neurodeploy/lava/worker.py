"""The process in which Lava runs: ``python -m neurodeploy.lava.worker FOLDER``.

Leads a process group of its own, so that everything Lava starts can be ended with it. It
ends itself when standard input closes: then the process that started it has died.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import numpy as np

from neurodeploy.errors import NeuroDeployError
from neurodeploy.lava.compat import import_lava
from neurodeploy.lava.groups import end_others
from neurodeploy.lava.recording import Tape
from neurodeploy.program import Program
from neurodeploy.program.neurons.sources import import_kinds
from neurodeploy.program.storage import load

__all__ = ["main"]

#: Written last, when all recordings are complete.
DONE = "done.json"
ERROR = "error.json"
_POLL_SECONDS = 0.1
#: How long the other processes of the run may take to end after they were asked to.
_GRACE_SECONDS = 5.0


def main(folder: Path) -> None:
    """Run the job that a folder describes; errors end in its ``error.json``."""
    threading.Thread(target=_die_with_parent, args=(folder,), daemon=True).start()
    try:
        _run(folder)
    except NeuroDeployError as error:
        _fail(folder, error.message, error.place, error.remedy)
    except BaseException:
        _fail(folder, traceback.format_exc())


def _run(folder: Path) -> None:
    job = json.loads((folder / "job.json").read_text())
    import_kinds(job["kinds"])
    program = load(folder / "program.ndp")
    started = time.monotonic()
    import_lava()
    from lava.magma.core.run_conditions import RunSteps

    from neurodeploy.lava.lowering import lower

    lowered = lower(
        program,
        folder,
        largest=job["largest"],
        membranes=tuple(job["membranes"]),
        stock=job["stock"],
    )
    root = lowered.source
    choice = _stock_models() if job["stock"] else _fast_models(lowered.connections)
    stepped = threading.Event()
    watch = threading.Thread(target=_watch, args=(folder, root, stepped), daemon=True)
    watch.start()
    _begin(lowered, 1)
    root.create_runtime(run_cfg=choice)
    ready = time.monotonic()
    try:
        for first, last in _runs(lowered.begins, job["steps"]):
            if first > 1:
                _begin(lowered, first)
            root.run(condition=RunSteps(num_steps=last - first + 1))
    except RuntimeError:
        raised = [str(a.exception[1]) for a in _actors(root.runtime) if a.exception]
        _fail(folder, "".join(raised) or traceback.format_exc())
    finished = time.monotonic()
    stepped.set()
    watch.join()
    _read_sinks(program, folder, lowered.sinks, tuple(job["membranes"]))
    root.stop()
    # the last child: waited for here, nothing is left for `run` to wait for
    stop_tracker = getattr(resource_tracker._resource_tracker, "_stop", None)
    if stop_tracker is not None:
        stop_tracker()
    report = {"start_seconds": ready - started, "step_seconds": finished - ready}
    (folder / DONE).write_text(json.dumps(report))


def _runs(begins: Mapping[str, Any], steps: int) -> Iterator[tuple[int, int]]:
    """First and last step of the runs between which the host sets variables."""
    firsts = [t for t in range(2, steps + 1) if any(b.at(t) for b in begins.values())]
    return zip([1, *firsts], [*(t - 1 for t in firsts), steps], strict=True)


def _begin(lowered: Any, step: int) -> None:
    """Set the processes that begin anew at a step."""
    for name, begin in lowered.begins.items():
        if begin.at(step):
            for variable, values in begin.values.items():
                var = getattr(lowered.populations[name], variable)
                if step == 1:  # nothing runs yet
                    var.init = values
                else:
                    var.set(values)


def _read_sinks(
    program: Program, folder: Path, sinks: dict[str, Any], membranes: tuple[str, ...]
) -> None:
    """What Lava's ring buffers hold, as our recorders would have written it."""
    for k, p in enumerate(program.populations):
        if p.name not in sinks:
            continue
        files = (f"spikes-{k}.bin", f"membrane-{k}.bin" if p.name in membranes else "")
        tape = Tape(*(str(folder / f) if f else "" for f in (*files, f"messages-{k}.bin")))
        rows = np.moveaxis(np.asarray(sinks[p.name].data.get()), -1, 0)
        for row in rows.reshape(len(rows), -1).astype(np.int64):
            tape.write(row, np.zeros_like(row))  # a stock graded neuron keeps no membrane


def _stock_models() -> Any:
    from lava.magma.core.run_configs import Loihi2SimCfg

    return Loihi2SimCfg(select_tag="fixed_pt")


def _fast_models(connections: dict[str, list[Any]]) -> Any:
    from neurodeploy.lava.fast.selection import FastSimCfg, prepare

    prepare(process for processes in connections.values() for process in processes)
    return FastSimCfg()


def _watch(folder: Path, root: Any, stepped: threading.Event) -> None:
    """End the run when one of Lava's processes dies; the others would wait for it for ever."""
    while not stepped.wait(_POLL_SECONDS):
        for actor in _actors(root.runtime):
            # in this order: what it raised is sent before it dies
            alive, raised = actor.is_alive(), actor.exception
            if raised:
                _fail(folder, str(raised[1]))
            if not alive:
                _fail(folder, f"a process of Lava ended with exit code {actor.exitcode}")


def _actors(runtime: Any) -> list[Any]:
    """Lava's handles on the OS processes it has started so far."""
    infrastructure = getattr(runtime, "_messaging_infrastructure", None)
    return list(infrastructure.actors) if infrastructure else []


def _fail(folder: Path, message: str, place: str = "lava", remedy: str = "") -> None:
    """Leave word of what went wrong and end, without waiting for anyone."""
    error = folder / ERROR
    if not error.exists():
        error.write_text(json.dumps({"message": message, "place": place, "remedy": remedy}))
    os._exit(1)


def _die_with_parent(folder: Path) -> None:
    # not sys.stdin: its lock, held here while reading, would block every forked process
    while os.read(0, 1):
        pass
    # under another name nobody can add files to it while it is removed
    with contextlib.suppress(OSError):
        shutil.rmtree(folder.rename(f"{folder}-end"), ignore_errors=True)
    end_others(_GRACE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
