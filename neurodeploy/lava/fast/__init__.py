"""Our models of Lava's own processes, on the engine's kernels. Importing them needs Numba."""
