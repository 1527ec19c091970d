"""Samples spread over the workers of a dask cluster (the `cluster` extra).

Consecutive samples make a shard. A worker runs as many shards at once as it has threads, each on
one thread, so that no core is asked for twice. The program goes to every worker once, as the
bytes of its `.ndp` file, and is kept there, prepared, for the next shards. What a sample does
depends on the program and its index alone, so the result is that of one thread on one machine.

dask's own futures are used: joblib's back end on top of them waits for ever when a worker dies.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np

import neurodeploy
from neurodeploy.errors import DeploymentError, NeuroDeployError
from neurodeploy.program import Program
from neurodeploy.program.storage import from_bytes, to_bytes
from neurodeploy.simulator import encoding
from neurodeploy.simulator.memory import default_limit
from neurodeploy.simulator.preparing import check_by_sample
from neurodeploy.simulator.result import Result
from neurodeploy.simulator.simulation import Progress, simulate
from neurodeploy.simulator.sources import code_checksum

__all__ = ["simulate_on"]

#: Seconds within which the scheduler must answer, and again a worker be there.
PATIENCE = 10
#: Bytes of samples that travel at once, and samples of a shard, at most.
_SHARD_BYTES = 2**22
_SHARD_SAMPLES = 256
#: Shards for each thread of the cluster that are under way: one is computed, one is on its way.
_AHEAD = 2
_LOADING = threading.Lock()


def simulate_on(
    workers: str,
    program: Program,
    x: np.ndarray,
    *,
    memory: int | None = None,
    progress: Progress | None = None,
    gaps: Sequence[range] | None = None,
    keep: Callable[[int, Result], None] | None = None,
) -> Result:
    """Run samples through an aligned program on a cluster.

    Parameters
    ----------
    workers
        Address of the scheduler, ``tcp://host:8786`` or ``tls://host:8786``.
    x
        As for `simulation.simulate`.
    memory
        Bytes that the buffers of a worker may take; default: half of what is available to it.
    progress
        Called with the number of samples of each shard that is done.
    gaps
        Ranges of samples to run, at least one sample; default: all of them.
    keep
        Called with the first sample and the result of each shard that is done.

    Raises
    ------
    DeploymentError
        dask is missing; nothing or something else answers there; no worker, or one without
        neurodeploy or with another version of it; workers that die.
    DataError, ProgramError, UsageError
        As for `simulation.simulate`.
    """
    began = time.perf_counter()
    distributed = _distributed()
    check_by_sample(program)
    x = encoding.check_samples(x, program.encoder.sample_shape)
    _check_scheduler(workers)
    parts: dict[int, Result] = {}
    try:
        with (
            _silent("distributed", "distributed.client"),
            distributed.Client(workers, timeout=PATIENCE, set_as_default=False) as client,
            client.as_current(),
        ):
            client.wait_for_workers(1, timeout=PATIENCE)
            for first, part in _run(client, program, x, memory, gaps or [range(len(x))]):
                parts[first] = part
                if keep is not None:
                    keep(first, part)
                if progress is not None:
                    progress(part.samples)
    except NeuroDeployError:
        raise
    except Exception as error:  # whatever the cluster's machines and the network come up with
        raise _told(error, workers) from None
    return Result.join([parts[first] for first in sorted(parts)], time.perf_counter() - began)


@contextmanager
def _silent(*names: str) -> Iterator[None]:
    """Loggers that say nothing: what dask logs of a failure is told by the error raised."""
    loggers = {logging.getLogger(name): logging.getLogger(name).level for name in names}
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in loggers.items():
            logger.setLevel(level)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise DeploymentError(
            "dask is not installed",
            place="--workers",
            remedy="pip install 'neurodeploy-compiler[cluster]'",
        ) from None
    return distributed


def _check_scheduler(workers: str) -> None:
    """Ask who is there. `Client` would wait without end for one that accepts and says nothing.

    Raises
    ------
    DeploymentError
        No scheduler answers.
    """
    from distributed import rpc
    from distributed.security import Security

    async def identity() -> Any:
        async with rpc(
            workers, connection_args=Security().get_connection_args("client")
        ) as scheduler:
            return await scheduler.identity()

    def ask() -> Any:
        return asyncio.run(asyncio.wait_for(identity(), PATIENCE))

    remedy = "give the address that `dask scheduler` prints, like tcp://host:8786"
    try:
        with ThreadPoolExecutor(1) as pool:  # the caller may be in an event loop of its own
            found = pool.submit(ask).result()
    except (TimeoutError, asyncio.TimeoutError):
        raise DeploymentError(
            f"no dask scheduler answered within {PATIENCE} s", place=workers, remedy=remedy
        ) from None
    except Exception as error:  # bytes of a server of another kind raise anything
        raise DeploymentError(
            f"not the address of a dask scheduler ({error})", place=workers, remedy=remedy
        ) from None
    kind = found.get("type") if isinstance(found, dict) else type(found).__name__
    if kind != "Scheduler":
        raise DeploymentError(
            f"a {kind} answers, not a scheduler", place=workers, remedy=remedy
        ) from None


def _run(
    client: Any, program: Program, x: np.ndarray, memory: int | None, gaps: Sequence[range]
) -> Iterator[tuple[int, Result]]:
    """First sample and result of each shard, as they are done."""

    def there(*arguments: Any) -> Result:
        # a function inside a function travels as code: a worker without neurodeploy can say so,
        # where it would break off at a name that it cannot import
        from neurodeploy.simulator.sharding import _shard

        return _shard(*arguments)

    threads = sum(client.nthreads().values())
    data = client.scatter(to_bytes(program), broadcast=True, hash=False)
    size = min(
        -(-sum(map(len, gaps)) // (4 * threads)),
        _SHARD_SAMPLES,
        _SHARD_BYTES // max(1, x[0].nbytes) or 1,
    )
    shards = (gap[k : k + size] for gap in gaps for k in range(0, len(gap), size))
    under_way: dict[Any, int] = {}
    try:
        while True:
            for shard in islice(shards, _AHEAD * threads - len(under_way)):
                part, first = np.array(x[shard.start : shard.stop]), shard.start
                future = client.submit(
                    there, data, code_checksum(), part, first, memory, pure=False
                )
                under_way[future] = first
            if not under_way:
                return
            for future in _done(client, list(under_way)):
                yield under_way.pop(future), future.result()
    finally:
        if under_way and client.status == "running":
            client.cancel(list(under_way), force=True)


def _done(client: Any, futures: list[Any]) -> Iterable[Any]:
    """Those of the futures that are done; waits for one, as long as there are workers."""
    from distributed import wait

    while True:
        try:
            return wait(futures, timeout=PATIENCE, return_when="FIRST_COMPLETED").done
        except (TimeoutError, asyncio.TimeoutError):
            client.wait_for_workers(1, timeout=PATIENCE)


def _shard(data: bytes, code: str, x: np.ndarray, first: int, memory: int | None) -> Result:
    """On a worker: consecutive samples, the first of index `first`, on one thread."""
    from distributed import get_worker

    worker = get_worker()
    if code != code_checksum():
        raise DeploymentError(
            f"runs another neurodeploy ({neurodeploy.__version__})",
            place=worker.address,
            remedy="install the same version on all machines and start the workers again",
        )
    limit = memory
    if limit is None:
        limit = default_limit()
        if worker.memory_manager.memory_limit:
            limit = min(limit, worker.memory_manager.memory_limit // 2)
    with _LOADING:
        program = _program(data)
    share = max(1, limit // worker.state.nthreads)
    return simulate(program, x, threads=1, memory=share, first_index=first)[0]


@lru_cache(maxsize=2)
def _program(data: bytes) -> Program:
    """The program of these bytes, kept with what is prepared of it."""
    return from_bytes(data, "the program as it arrived")


def _told(error: Exception, workers: str) -> DeploymentError:
    """What went wrong on a cluster, in a sentence."""
    from distributed import KilledWorker

    if isinstance(error, ModuleNotFoundError):
        return DeploymentError(
            f"a worker has no module {error.name!r}",
            place=workers,
            remedy="install neurodeploy-compiler[cluster] on all machines, start the workers again",
        )
    if isinstance(error, KilledWorker):
        return DeploymentError(
            "workers died over the same shard, perhaps for want of memory",
            place=workers,
            remedy="see the workers' logs; give them more memory, or state --memory",
        )
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return DeploymentError(
            f"no worker came within {PATIENCE} s",
            place=workers,
            remedy="start one: dask worker ADDRESS",
        )
    if isinstance(error, CancelledError | asyncio.CancelledError | OSError):
        return DeploymentError(
            "the scheduler, or the workers that held the program, went away",
            place=workers,
            remedy="see that they run, and their logs; run again",
        )
    return DeploymentError(
        f"a worker failed: {type(error).__name__}: {error}",
        place=workers,
        remedy="see the workers' logs",
    )
