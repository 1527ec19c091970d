"""The parts of `bench_simulator.py`: networks, rates, peers, timing, memory, ceiling, table."""
