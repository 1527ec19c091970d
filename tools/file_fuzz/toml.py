"""Random changes of TOML files, line by line and value by value."""

from __future__ import annotations

import random
import re

__all__ = ["mutate_toml"]

_VALUES = ["0", "1", "-1", "2", "3", "7", "8", "24", "4096", "1099511627776", "1099511627777",
           "9" * 5000, "0x" + "f" * 5000, "0b1", "1e400", "inf", "-inf", "nan", "1.5", "true",
           '""', '"x"', "'\\'", '"\\u202e"', '"\\u001b[31m"', "[]", "{}", "[1, 2]", "{value = 3}",
           '{value = 3, source = "nowhere"}', "{value = {value = 3}}", "1979-05-27", "07:32:00",
           "[" * 2000 + "]" * 2000, "{a=" * 500 + "1" + "}" * 500, '"' + "x" * 5000 + '"', "9e99",
           '"<script>"', "", "=", "]", "'''", '"""', "\x00", "\ud7ff", "{inferred = 3}",
           "{value = 4, inferred = true, note = 5}"]  # fmt: skip
_LINES = ["[", "[core]", "[cost.x]", "[[core]]", "a.b.c = 1", "core = 3", "\x1b = 1",
          '"<b>" = 1', ".".join("a" * 2000) + " = 1", "name = 3", "[cost.a.energy_pj]\nspike = 1",
          "neurons = 1", "[memory]", "row_synapses = 1", "# " + "x" * 3000]  # fmt: skip


def mutate_toml(content: bytes, rng: random.Random) -> tuple[bytes, list[str]]:
    """Some changes."""
    lines, changes = content.decode().split("\n"), []
    for _ in range(rng.choice([1, 1, 2, 4])):
        at = rng.randrange(len(lines))
        assigned = [i for i, line in enumerate(lines) if "=" in line]
        kind = rng.choice(["value", "value", "value", "number", "number", "drop", "twice", "line",
                           "swap", "key"])  # fmt: skip
        if kind in ("value", "number") and assigned:
            at = rng.choice(assigned)
            key, _, old = lines[at].partition("=")
            if kind == "number":
                new = re.sub(r"-?\d[\d_.e]*", lambda _: rng.choice(_VALUES[:18]), old, count=1)
            else:
                new = " " + rng.choice(_VALUES)
            lines[at] = f"{key}={new}"
        elif kind == "drop" and len(lines) > 1:
            del lines[at]
        elif kind == "twice":
            lines.insert(at, lines[at])
        elif kind == "line":
            lines.insert(at, rng.choice(_LINES))
        elif kind == "swap":
            other = rng.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == "key" and assigned:
            at = rng.choice(assigned)
            lines[at] = (
                rng.choice(["x", "", '""', "neurons", "a.b"]) + " =" + (lines[at].partition("=")[2])
            )
        changes.append(f"{kind} {lines[min(at, len(lines) - 1)][:60]!r}")
    made = "\n".join(lines).encode("utf8", "surrogatepass")
    if rng.random() < 0.05:
        at = rng.randrange(len(made))
        made = made[:at] + rng.randbytes(rng.choice([1, 4])) + made[at:]
        changes.append("bytes")
    return made, changes
