"""What a neuron kind is: parameters with ranges, states, what it sends, one step, worst cases.

A kind is one frozen dataclass in one file. Nothing outside that file asks which kind a neuron is:
it asks the neuron, or looks up what is registered for its type (a kernel, a Lava process, a
closed form); what is not registered falls back on `Neuron.step`, exact and slower.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program.neurons.closed_form import ClosedForm
from neurodeploy.program.neurons.fields import PerNeuron, check_fields, rules
from neurodeploy.program.neurons.incoming import Incoming
from neurodeploy.program.neurons.worst_case import Bounds, Drive
from neurodeploy.program.window_codes import WindowCode

__all__ = ["Neuron", "Register", "State", "StateVariable", "Stepped"]

#: State of a population by the name of the variable, int64 (neurons,) each.
State = dict[str, np.ndarray]


@dataclass(frozen=True)
class StateVariable:
    """A variable that a neuron keeps from step to step: name, width in bits, what it is."""

    name: str
    bits: int
    meaning: str


@dataclass(frozen=True)
class Register:
    """A parameter as a target's register has to hold it: lowest and highest value that occurs.

    `name` is the register's in `mapping.rules`.
    """

    name: str
    low: int
    high: int


class Stepped(NamedTuple):
    """What a step yields: messages int64 (neurons,), 0 for none; overflows that happened."""

    messages: np.ndarray
    wrapped: int = 0
    clipped: int = 0


@dataclass(frozen=True, eq=False)
class Neuron:
    """Base of all kinds.

    Class attributes
    ----------------
    kind
        Its name in programs, in the registry and on the command line.
    description
        One line.
    states
        The variables it keeps. A variable ``u`` is what a trace calls current, ``v`` what it calls
        membrane; both are 0 in the trace of a kind without them.
    lag
        Windows between the one it integrates in and the one it sends in.
    sends_once
        Whether it sends at most one message a window.
    message
        What the messages of a window stand for, in a word: ``count``, their sum; ``time``, the
        steps that were left when the only one was sent; ``digits``, digits of an integer, highest
        first; ``signed_digits``, the same with digits of both signs. All but ``count`` come with
        a `window_code`.
    stock
        Values of its fields with which a chip (and Lava) has this neuron without microcode of
        ours; None: it never does.
    compartments
        Of the chip that a neuron takes.
    streams
        Whether it may go on from sample to sample (`Program.refresh`): nothing that it does hangs
        on the length of a window.
    """

    kind: ClassVar[str] = ""
    description: ClassVar[str] = ""
    states: ClassVar[tuple[StateVariable, ...]] = ()
    lag: ClassVar[int] = 0
    sends_once: ClassVar[bool] = False
    message: ClassVar[str] = "count"
    stock: ClassVar[Mapping[str, Any] | None] = None
    compartments: ClassVar[int] = 1
    streams: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def sends(self) -> tuple[int, int]:
        """Lowest and highest message; (0, 0) sends nothing, (0, 1) spikes, all else integers."""
        return 0, 1

    @property
    def fires(self) -> bool:
        """Whether it ever sends."""
        return self.sends != (0, 0)

    @property
    def is_graded(self) -> bool:
        """Whether its messages carry more than "a spike"."""
        low, high = self.sends
        return low < 0 or high > 1

    @property
    def is_stock(self) -> bool:
        """Whether a chip (and Lava) has this neuron without microcode of ours."""
        return self.stock is not None and all(
            getattr(self, name) == value for name, value in self.stock.items()
        )

    def is_stock_with(self, incoming: Sequence[Incoming]) -> bool:
        """Whether a chip has it without microcode of ours behind these connections."""
        return self.is_stock

    @property
    def synapse_shift(self) -> int:
        """Right shift of its input that a stock neuron leaves to its synapses (Lava)."""
        return 0

    @property
    def bias_synapses(self) -> int:
        """Synapses a neuron that bring a stock neuron its bias (Lava), where it has none itself."""
        return 0

    @property
    def shipped(self) -> str:
        """What of Intel's it runs as, in words; empty: nothing, it is microcode to be written."""
        return ""

    @property
    def size(self) -> int | None:
        """Number of neurons that the parameters are for; None for any."""
        for field, rule in rules(self):
            if isinstance(rule, PerNeuron):
                return int(getattr(self, field.name).size)
        return None

    @property
    def quiet_steps(self) -> int:
        """Steps at the end of each window in which it never sends (`docs/semantics.md`, 6).

        Its field `quiet`, where it has one.
        """
        return int(getattr(self, "quiet", 0))

    @property
    def answers_after(self) -> int:
        """Steps into its window at which it begins to send, besides the windows of `lag`."""
        return 0

    @property
    def settled_before(self) -> int:
        """Steps before the window's end from which on a membrane that only integrates stays."""
        return 0

    @property
    def input_shift(self) -> int:
        """Left shift of the synaptic input before it is added to the state."""
        return 0

    @property
    def membrane_scale(self) -> tuple[int, str] | None:
        """How a plot measures the membrane: integers of one unit, and the unit; None: no plot."""
        return None

    @property
    def membrane_bias(self) -> np.ndarray | None:
        """What is added to the membrane, int32 (neurons,): each step or window; None for none."""
        return None

    @property
    def always_active(self) -> int:
        """Neurons that change their state at every step, whatever arrives."""
        return 0

    @property
    def passes_sums(self) -> bool:
        """Whether it sends at each step what arrives, as far as that lies within `sends`."""
        return False

    def parameters(self) -> dict[str, Any]:
        """Scalar parameters by name, for descriptions."""
        return {
            field.name: getattr(self, field.name)
            for field, rule in rules(self)
            if not isinstance(rule, PerNeuron)
            and not isinstance(getattr(self, field.name), np.ndarray)
        }

    def registers(self) -> tuple[Register, ...]:
        """Parameters that a target's registers limit."""
        return ()

    def check_period(self, period: int) -> None:
        """Refuse parameters that do not fit a window of so many steps (ProgramError)."""

    def window_code(self, period: int) -> WindowCode | None:
        """How its messages of a window say an integer; None where only their sum matters."""
        return None

    def reads(self, code: WindowCode, period: int) -> bool:
        """Whether messages of a code, in its window, add up to weight times integer.

        Or, for a maximum: whether it passes on the code's integers.
        """
        return False

    def is_silenced(self, drive: Drive, inhibition: np.ndarray, period: int) -> bool:
        """Whether it is proved to send nothing at a step of such an inhibition.

        Parameters
        ----------
        drive
            Worst cases of all that arrives at a step besides.
        inhibition
            int64 (neurons,): what arrives at this step for certain.
        """
        return False

    def rests(self, steps: int) -> bool:
        """Whether it sends nothing in its first steps where nothing arrives."""
        return False

    def unsettled(self, v: np.ndarray, x: np.ndarray) -> np.ndarray | None:
        """Where the integers sent are not those of the closed form; None where they always are.

        Parameters
        ----------
        v, x
            Membranes at the window's end, and integers sent in answer to them (n, neurons).
        """
        return None

    def end_limit(self, weights: int, late: int) -> int | None:
        """Size of membranes at a window's end up to which none clipped in it; None: unknown.

        Parameters
        ----------
        weights
            Largest sum of the positive, or of the negative, weights of a neuron whose sources say
            their integers over the window.
        late
            The most that all others bring, at the window's last step.
        """
        return None

    def foretold(self, v: np.ndarray, steps: int, period: int) -> np.ndarray:
        """What a membrane (.., neurons), read after so many steps, says of the last step's."""
        return v

    def closed_form(self, period: int) -> ClosedForm | None:
        """What it computes in a window as a whole, if nothing overflows; None: it is stepped."""
        return None

    def start(self, neurons: int) -> State:
        """The state before the first step: zeros."""
        return {s.name: np.zeros(neurons, np.int64) for s in self.states}

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        """One step: `docs/semantics.md` in plain NumPy, kept naive; this is the definition.

        At tau = 0 the kind begins anew: the states ``u`` and ``v`` of a window depend on what
        arrives in it alone, the messages on the window `lag` windows before. Otherwise samples
        would mix (`docs/semantics.md`, section 6).

        Parameters
        ----------
        state
            As left by the step before; entries are replaced.
        a
            int64 (neurons,): what arrives.
        tau
            Steps since the window began, 0 ... period - 1.

        Returns
        -------
        Stepped
        """
        raise NotImplementedError(f"{type(self).__name__} has no step")

    def bounds(self, drive: Drive, period: int) -> Bounds:
        """Worst cases over a window; without a proof of its own a kind claims nothing."""
        return Bounds(drive.extremes, None, None)

    @classmethod
    def suited(cls, values: Mapping[str, Any], period: int) -> dict[str, Any]:
        """Values of fields that suit a window of so many steps, near those given.

        For generators of programs, where fields depend on one another.
        """
        return dict(values)

    @classmethod
    def check_kind(cls) -> None:
        """Refuse a class that lacks what a kind needs (ProgramError)."""
        if not cls.kind or not cls.kind.replace("_", "").isalnum() or not cls.description:
            raise ProgramError(f"{cls.__name__} needs a `kind` (a word) and a `description`")
        if cls.step is Neuron.step:
            raise ProgramError(f"{cls.__name__} has no `step`")
