"""The results as Markdown."""

from __future__ import annotations

from typing import Any

from simulator_bench.contenders import OWN
from simulator_bench.measure import LAVA

__all__ = ["markdown"]

Cell = dict[str, Any]


def markdown(results: dict[str, Any]) -> str:
    """A table of speeds for each network, one of forms and memory, and the ceiling."""
    machine = results["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    of_work = " of the processor's work" if results["clock"] == "processor" else ""
    parts = [
        f"{machine['processor']} ({', '.join(machine['extensions'])}), {machine['threads']} "
        f"threads, load {machine['load']} before; {versions}. Samples a second{of_work}, median of "
        f"{results['repeat']} paired runs; in brackets how many times as fast neurodeploy is, "
        "median of the ratios of the runs." + _disturbed(results["cells"]),
        _ceiling(results["ceiling"]),
    ]
    for network in dict.fromkeys(cell["network"] for cell in results["cells"]):
        cells = [cell for cell in results["cells"] if cell["network"] == network]
        parts += [f"### {network}", _speeds(cells, results["ceiling"]["best"], machine["threads"])]
        if any(row.get("peak_mebibytes") for cell in cells for row in cell["simulators"].values()):
            parts.append(_forms(cells))
    parts.append(_agreement(results["cells"]))
    parts += [f"Left out: {name}: {reason}." for name, reason in results["left_out"].items()]
    return "\n\n".join(part for part in parts if part) + "\n"


def _disturbed(cells: list[Cell]) -> str:
    shares = [cell["used_by_others"] for cell in cells if cell["used_by_others"] is not None]
    if not shares:
        return ""
    return f" Other programs had at most {100 * max(shares):.0f} % of the cores meanwhile."


def _ceiling(ceiling: dict[str, Any]) -> str:
    rows = ceiling["adds_per_second"]
    return (
        "Ceiling, int8 rows added into int16 rows in memory by one core, G additions/s by length "
        "of the row: " + ", ".join(f"{width}: {speed / 1e9:.1f}" for width, speed in rows.items())
    )


def _line(values: list[str]) -> str:
    return f"| {' | '.join(values)} |"


def _speeds(cells: list[Cell], ceiling: float, threads: int) -> str:
    names = list(dict.fromkeys(name for cell in cells for name in cell["simulators"]))
    peers = [name for name in names if name != OWN]
    heads = ["steps", "rate (%)", OWN, *peers, "times the fastest"]
    heads += ["G events/s", "of the ceiling (%)"]
    lines = [_line(heads), _line(["--:"] * len(heads))]
    for cell in cells:
        rows = cell["simulators"]
        wanted = "as compiled" if cell["rate"] is None else f"for {cell['rate']:g}"
        values = [str(cell["steps"]), f"{100 * cell['mean_rate']:.1f} ({wanted})"]
        values.append(f"{rows[OWN]['samples_per_second']:.1f}")
        values += [_peer(rows.get(name)) for name in peers]
        fastest = cell["times_the_fastest_peer"]
        values.append("-" if fastest is None else f"{fastest:.1f}")
        events = cell["events_per_second"]
        values += [f"{events / 1e9:.2f}", f"{100 * events / (ceiling * threads):.0f}"]
        lines.append(_line(values))
    return "\n".join(lines)


def _peer(row: dict[str, Any] | None) -> str:
    if row is None:
        return "-"
    if "skipped" in row:
        return "skipped"
    ratio = row.get("paired_ratio", row["ratio_of_medians"])
    return f"{row['samples_per_second']:.3g} ({ratio:.3g})"


def _forms(cells: list[Cell]) -> str:
    lines = [
        _line(["steps", "simulator", "best form", "peak memory (MiB)"]),
        _line(["--:", "---", "---", "--:"]),
    ]
    for cell in cells:
        for name, row in cell["simulators"].items():
            if row.get("peak_mebibytes"):
                peak = f"{row['peak_mebibytes']:.0f}"
                lines.append(_line([str(cell["steps"]), name, row["form"] or "", peak]))
    return "\n".join(lines)


def _agreement(cells: list[Cell]) -> str:
    """The worst of each simulator over all cells."""
    lines = [
        _line(["simulator", "same predictions (%), worst cell", "largest membrane difference"]),
        _line(["---", "--:", "--:"]),
    ]
    names = dict.fromkeys(name for cell in cells for name in cell["simulators"])
    for name in [name for name in names if name != OWN]:
        rows = [cell["simulators"].get(name, {}) for cell in cells]
        rows = [row for row in rows if "same_predictions_percent" in row]
        if rows:
            same = min(row["same_predictions_percent"] for row in rows)
            difference = max(row["largest_membrane_difference"] for row in rows)
            lines.append(_line([name, f"{same:.2f}", f"{difference:g}"]))
    skipped = dict.fromkeys(
        f"{cell['network']}, {cell['steps']} steps: {cell['simulators'][LAVA]['skipped']}"
        for cell in cells
        if "skipped" in cell["simulators"].get(LAVA, {})
    )
    return "\n".join(lines) + "".join(f"\n\nLava skipped: {reason}" for reason in skipped)
