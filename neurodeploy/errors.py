"""The one family of errors a user sees: a code, a place, a rule, a value, and what to do next.

And the one family of warnings: one line each, through Python's `warnings` or the command line.
"""

from __future__ import annotations

from unicodedata import category

__all__ = [
    "CompileWarning",
    "ConversionError",
    "DataError",
    "DataWarning",
    "DeploymentError",
    "ModelError",
    "NeuroDeployError",
    "NeuroDeployWarning",
    "ProgramError",
    "RunWarning",
    "StorageError",
    "TargetError",
    "UnsupportedError",
    "UsageError",
    "printable",
    "shown",
]

#: Characters of a message, and of a value in it: a file may hold a name of megabytes.
_LONGEST_MESSAGE, _LONGEST_VALUE = 4000, 120
#: Controls, marks of direction and joining, halves of a pair, ends of lines and paragraphs.
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def printable(text: str) -> str:
    """The text with what is no printable character written as an escape; line ends stay.

    Names come from files: a control sequence must not reach a terminal, and marks that turn the
    direction of writing must not make one name look like another.
    """
    if text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode() if c not in "\n\t" and category(c) in _UNSEEN else c
        for c in text
    )


def shown(value: object) -> str:
    """`repr` of a value from a file, short; also of an integer that Python refuses to print."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return f"{type(value).__name__} that is too large to print"
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."


class NeuroDeployError(Exception):
    """Base of every error that neurodeploy raises on purpose.

    Parameters
    ----------
    message
        What is wrong, with the value that broke the rule.
    place
        Where: a file, a node, a layer or an option. Printed before the message.
    remedy
        What the user can do next.

    Attributes
    ----------
    code : str
        Stable identifier such as ``ND-MODEL``; documented in ``docs/errors.md``.
    """

    code = "ND-ERROR"

    def __init__(self, message: str, *, place: str = "", remedy: str = "") -> None:
        self.message = message
        self.place = place
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        place, message, remedy = (
            text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 3]}..."
            for text in (self.place.replace("\n", "\\n"), self.message, self.remedy)
        )
        where = f"{place}: " if place else ""
        todo = f"\n  what to do: {remedy}" if remedy else ""
        return printable(f"[{self.code}] {where}{message}{todo}")


class UsageError(NeuroDeployError):
    """An option or argument outside its range, or two that exclude each other."""

    code = "ND-USAGE"


class ModelError(NeuroDeployError):
    """The ONNX file cannot be read, or what it says is not a valid network."""

    code = "ND-MODEL"


class UnsupportedError(ModelError):
    """A valid ONNX network holds something that cannot become spikes."""

    code = "ND-UNSUPPORTED"


class DataError(NeuroDeployError):
    """Samples of the wrong shape, dtype or content."""

    code = "ND-DATA"


class TargetError(NeuroDeployError):
    """An unknown or malformed target, or a network beyond the target's limits."""

    code = "ND-TARGET"


class ConversionError(NeuroDeployError):
    """The network cannot be converted with the options given."""

    code = "ND-CONVERSION"


class ProgramError(NeuroDeployError):
    """A program whose parts contradict each other or leave their integer ranges."""

    code = "ND-PROGRAM"


class StorageError(NeuroDeployError):
    """A file that cannot be read or written whole."""

    code = "ND-STORAGE"


class DeploymentError(NeuroDeployError):
    """A back end (Lava, a dask cluster) is missing, failed, or did not finish in time."""

    code = "ND-DEPLOY"


class NeuroDeployWarning(UserWarning):
    """Base of every warning of neurodeploy: what it did is right, but may not be what is meant."""


class CompileWarning(NeuroDeployWarning):
    """Of the compiler: what it chose, could not prove, or what does not fit the target."""


class DataWarning(NeuroDeployWarning):
    """Of samples and labels: how they are taken, and where they are not like the calibration."""


class RunWarning(NeuroDeployWarning):
    """Of a run: registers that overflowed, a back end that ran otherwise than expected."""
