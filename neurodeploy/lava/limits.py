"""What Lava's arithmetic and its processes can hold, and which of them are fast enough."""

from __future__ import annotations

from neurodeploy.errors import DeploymentError
from neurodeploy.lava.layout import row_bound
from neurodeploy.program import INPUT, Connection, Convolution, Program

__all__ = ["check_range", "default_timeout", "suits_conv"]

#: Lava's `Conv` keeps its parameters as int8 and wraps its sums to 24 bit signed.
_CONV_PARAMETER_MAX = 127
_CONV_SUM_LIMIT = 2**23
#: From so many pairs of channels on, a pair with fewer synapses is faster as `Sparse`, which
#: is chosen while its matrix stays small (8 bytes a synapse, a few times over).
_MANY_PAIRS = 512
_FEW_SYNAPSES = 900
_SPARSE_MAX = 2**24


def default_timeout(program: Program, steps: int, stock: bool) -> float:
    """A generous limit in seconds: some thirty times what two busy cores need.

    `stock`: with Lava's own models of connections.
    """
    step = 0.01 * (2 * len(program.populations) + len(program.connections) + 1)
    for c in program.connections:
        synapses = float(c.synapses.fan_out(program.shape_of(c.source)).sum())
        step += (2e-7 if stock else 2e-8) * synapses
        if stock and isinstance(c.synapses, Convolution):
            step += 3e-4 * c.synapses.weights.shape[0] * c.synapses.weights.shape[1]
    return 120.0 + steps * step


def check_range(program: Program, largest: int) -> None:
    """Refuse currents that leave the 32 bit that Lava computes in.

    Parameters
    ----------
    largest
        Largest magnitude among the input messages.

    Raises
    ------
    DeploymentError
        Some population's shifted input may exceed 32 bit.
    """
    for population in program.populations:
        shift = population.neuron.input_shift
        incoming = program.incoming(population.name)
        bound = sum(_bound(program, c, largest) for c in incoming)
        # `Dense` and `Sparse` sum up weights doubled, and shift by one less than the exponent
        doubled = any(_bound(program, c, largest) >> c.exponent >= 2**30 for c in incoming)
        if doubled or (bound << shift) + 2**24 >= 2**31:
            raise DeploymentError(
                f"synaptic input may reach {bound} << {shift}; Lava's 32 bit "
                "arithmetic would overflow",
                place=population.name,
                remedy="compile with a smaller input range, or fewer --bits or --weight-bits",
            )


def _bound(program: Program, connection: Connection, largest: int) -> int:
    """Largest magnitude that a connection can bring to one target."""
    message = 1
    if connection.graded and connection.source == INPUT:
        message = max(largest, 1)
    elif connection.graded:
        message = max(1, *map(abs, program.sends(connection.source)))
    return (row_bound(connection.synapses) * message) << connection.exponent


def suits_conv(program: Program, connection: Connection, largest: int, stock: bool) -> bool:
    """Whether Lava's `Conv` computes this connection exactly, and in reasonable time.

    Lava's own model (`stock`) calls SciPy once for every pair of channels at every step (about
    9 us, however small the image); its `Sparse` takes about 5 ns a synapse.
    """
    synapses = connection.synapses
    if not isinstance(synapses, Convolution):
        return False
    top, left, bottom, right = synapses.padding
    numbers = (
        *synapses.padding,
        *synapses.stride,
        *synapses.dilation,
        *synapses.weights.shape[2:],
        synapses.groups,
    )
    pairs = synapses.weights.shape[0] * synapses.weights.shape[1]
    count = int(synapses.fan_out(program.shape_of(connection.source)).sum())
    slow = stock and pairs >= _MANY_PAIRS and count < _FEW_SYNAPSES * pairs and count < _SPARSE_MAX
    return (
        not slow
        and (top, left) == (bottom, right)
        and max(numbers) <= _CONV_PARAMETER_MAX
        and _bound(program, connection, largest) < _CONV_SUM_LIMIT
    )
