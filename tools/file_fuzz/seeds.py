"""Files to mutate, each small: a mutant is judged in milliseconds."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from file_fuzz.arrays import archive, array_bytes, mutate_array, mutate_npz
from file_fuzz.programs import mutate_program
from file_fuzz.toml import mutate_toml
from neurodeploy.program.storage import to_bytes
from neurodeploy.testing.neurons import OUR_KINDS
from neurodeploy.testing.odd_programs import odd_program
from neurodeploy.testing.programs import random_program, random_ttfs_program
from neurodeploy.testing.recurrent import random_recurrent_program

__all__ = ["KINDS", "FileSeed", "file_seeds"]

KINDS = ("ndp", "npz", "npy", "toml", "onnx")
Mutate = Callable[[bytes, random.Random], tuple[bytes, list[str]]]
_ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class FileSeed:
    """A sound file, and how files of its kind are changed."""

    name: str
    suffix: str
    content: bytes
    mutate: Mutate


def _program_seeds() -> list[FileSeed]:
    """Every neuron kind, encoding and decoding; chains, skips and cycles; graded messages."""
    made = []
    for k in range(20):
        rng = np.random.default_rng(k)
        small = {"max_side": 5, "max_neurons": 20, "max_steps": 4}
        programs = {
            "program": random_program(rng, aligned=k % 4 > 0, timed=k % 2 > 0, **small)[0],
            "ttfs program": random_ttfs_program(rng)[0],
            "odd program": odd_program(rng),
            "cycle": random_recurrent_program(
                rng, among=OUR_KINDS, aligned=k % 4 > 0, max_period=6, max_steps=6
            )[0],
        }
        for name, program in programs.items():
            made.append(FileSeed(f"{name} {k}", ".ndp", to_bytes(program), mutate_program))
    return made


def _some_arrays() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [
        rng.integers(0, 256, (5, 1, 4, 4)).astype(np.uint8),
        rng.standard_normal((3, 7)).astype(np.float32),
        rng.standard_normal((2, 2, 3)),
    ]


def _one_array(content: bytes, rng: random.Random) -> tuple[bytes, list[str]]:
    changes = []
    for _ in range(rng.choice([1, 1, 2])):
        content, said = mutate_array(content, rng)
        changes.append(said)
    return content, changes


def file_seeds(kinds: list[str]) -> list[FileSeed]:
    """Seeds of these kinds, ONNX excepted: those are `importer_fuzz`'s."""
    seeds: list[FileSeed] = []
    if "ndp" in kinds:
        seeds += _program_seeds()
    for k, x in enumerate(_some_arrays()):
        if "npy" in kinds:
            seeds.append(FileSeed(f"array {k}", ".npy", array_bytes(x), _one_array))
        if "npz" in kinds:
            labels = array_bytes(np.arange(len(x)))
            packed = archive([("x.npy", array_bytes(x)), ("y.npy", labels)])
            seeds.append(FileSeed(f"samples {k}", ".npz", packed, mutate_npz))
    if "toml" in kinds:
        for path in sorted((_ROOT / "targets").glob("*.toml")):
            seeds.append(FileSeed(path.name, ".toml", path.read_bytes(), mutate_toml))
    return seeds
