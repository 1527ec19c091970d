"""Programs run on the CPU, bit for bit as `docs/semantics.md` defines."""

from neurodeploy.simulator.kernel_cache import provide

provide()
