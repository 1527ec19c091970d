"""Which core holds what, and how full it is."""

from __future__ import annotations

from collections import Counter
from typing import Any

from neurodeploy.mapping import Mapping
from neurodeploy.reporting.number_format import number, percent
from neurodeploy.reporting.page.blocks import Block, Figure, Note, Table
from neurodeploy.reporting.page.hardware import Hardware
from neurodeploy.reporting.page.plots.cores import Tile, chips, cores
from neurodeploy.targets import Mesh, Target

__all__ = ["gather", "show"]

#: Chips and cores that are drawn; of more, the first.
_CHIPS, _CORES = 12, 4096
#: Places of a mesh that are drawn where no core is in use.
_PLACES = 1024


def gather(hardware: Hardware) -> dict[str, Any]:
    """The mapping as plain numbers, and each resource's fullest core."""
    mapping = hardware.mapping
    if mapping is None:
        return {"missing": f"The program could not be mapped: {hardware.unmapped}."}
    sharing: Counter[tuple[int, int, int]] = Counter()
    slots = []
    for core in mapping.cores:
        slots.append(sharing[core.chip, core.x, core.y])
        sharing[core.chip, core.x, core.y] += 1
    binding = Counter(core.binding.resource for core in mapping.cores)
    resources: dict[str, dict[str, Any]] = {}
    for core in mapping.cores:
        for use in core.uses:
            most = resources.get(use.resource)
            if most is None or use.value > most["value"]:
                resources[use.resource] = {
                    "value": use.value,
                    "limit": use.limit,
                    "core": core.index,
                }
    return {
        "target": mapping.target,
        "placement": mapping.placement,
        "ok": mapping.ok,
        "chips": mapping.chips,
        "cores": [
            {
                "index": core.index,
                "chip": core.chip,
                "x": core.x,
                "y": core.y,
                "slot": slot,
                "populations": list(core.populations),
                "share": core.binding.share,
                "resource": core.binding.resource,
            }
            for core, slot in zip(mapping.cores, slots, strict=True)
        ],
        "mesh": _mesh(mapping, hardware.target, max(sharing.values(), default=1)),
        "binding": dict(binding.most_common()),
        "fullest": resources,
        "broken": [str(finding) for finding in mapping.findings if not finding.ok],
        "notes": list(mapping.notes),
    }


def _mesh(mapping: Mapping, target: Target | None, sharing: int) -> list[int]:
    """Columns, rows, and cores that share a place; of a large mesh only what is in use."""
    columns = 1 + max((core.x for core in mapping.cores), default=0)
    rows = 1 + max((core.y for core in mapping.cores), default=0)
    mesh = Mesh() if target is None else target.mesh
    whole = max(columns, mesh.columns or 1), max(rows, mesh.rows or 1)
    if whole[0] * whole[1] > _PLACES:
        return [columns, rows, sharing]
    return [*whole, max(sharing, min(mesh.cores_per_tile, 16))]


def show(data: dict[str, Any]) -> list[Block]:
    """The map, the rules that are broken, and where the limits are near."""
    used = data["cores"]
    if not used:
        return [Note("No core is in use.")]
    drawn = [core for core in used if core["chip"] < _CHIPS][:_CORES]
    tiles = [
        Tile(
            core["chip"],
            core["x"],
            core["y"],
            core["slot"],
            core["share"],
            f"core {core['index']}: {', '.join(core['populations'])}; "
            f"{core['resource']} {percent(core['share'])}",
        )
        for core in drawn
    ]
    columns, rows, sharing = data["mesh"]
    title = f"Cores of {data['target']}"
    more = f" The first {len(drawn):,} are drawn." if len(drawn) < len(used) else ""
    chart = cores(
        title, f"{len(used)} cores on {data['chips']} chips.", tiles, (columns, rows, sharing)
    )
    held: dict[str, list[float]] = {}
    lies: dict[str, set[int]] = {}
    for core in used:
        for name in core["populations"]:
            held.setdefault(name, []).append(core["share"])
            lies.setdefault(name, set()).add(core["chip"])
    numbers = [
        (
            name,
            len(shares),
            _chips(lies[name]),
            percent(sum(shares) / len(shares)),
            percent(max(shares)),
        )
        for name, shares in held.items()
    ]
    figure = Figure(
        title,
        f"Each field is a core in its chip's mesh; darker is fuller, by the resource that is "
        f"nearest to its limit ({_list(data['binding'])}). {len(used):,} cores in use, placed by "
        f"the method {data['placement']}.{more}",
        chart,
        Table(
            "Cores by population", ("population", "cores", "chips", "mean use", "fullest"), numbers
        ),
    )
    fullest = Table(
        "Fullest core of each resource",
        ("resource", "used", "limit", "share", "core"),
        [
            (
                name,
                use["value"],
                "none stated" if use["limit"] is None else use["limit"],
                percent(use["value"] / use["limit"] if use["limit"] else None),
                use["core"],
            )
            for name, use in data["fullest"].items()
        ],
    )
    many = [_many_chips(data)] if data["chips"] > 1 else []
    blocks: list[Block] = [*many, figure, fullest]
    blocks += [Note(f"Does not fit: {broken}") for broken in data["broken"][:20]]
    blocks += [Note(note) for note in data["notes"]]
    return blocks


def _chips(numbers: set[int]) -> str:
    """``0 to 3``; ``0 to 7 (3)`` where only so many of these hold some of it."""
    low, high = min(numbers), max(numbers)
    if low == high:
        return str(low)
    some = "" if len(numbers) == high - low + 1 else f" ({len(numbers)})"
    return f"{low} to {high}{some}"


def _many_chips(data: dict[str, Any]) -> Block:
    """All chips at once: of a large program the map of cores shows the first only."""
    by_chip: dict[int, list[dict[str, Any]]] = {}
    for core in data["cores"]:
        by_chip.setdefault(core["chip"], []).append(core)
    columns, rows, sharing = data["mesh"]
    room = max(columns * rows * sharing, *(len(found) for found in by_chip.values()))
    lines, shares = [], []
    for chip in range(data["chips"]):
        found = by_chip.get(chip, [])
        fullest = max((core["share"] for core in found), default=0.0)
        names = list(dict.fromkeys(name for core in found for name in core["populations"]))
        shares.append(
            (len(found) / room, f"chip {chip}: {len(found)} cores; {', '.join(names[:8])}")
        )
        some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        lines.append((chip, len(found), percent(fullest), some))
    title = f"Chips of {data['target']}"
    beside = f" The map of cores shows the first {_CHIPS}." if data["chips"] > _CHIPS else ""
    return Figure(
        title,
        f"Each field is a chip, darker the more of its cores are in use: {len(data['cores']):,} "
        f"cores on {data['chips']:,} chips.{beside}",
        chips(title, f"{data['chips']} chips.", shares),
        Table("Chips", ("chip", "cores", "fullest core", "holds"), lines),
    )


def _list(binding: dict[str, int]) -> str:
    return ", ".join(f"{resource} on {number(count)}" for resource, count in binding.items())
