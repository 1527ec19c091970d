"""Where a program's neurons lie on a chip: parts, cores, rules, places."""

from neurodeploy.mapping.mapper import cut_program, map_program
from neurodeploy.mapping.mapping import Core, Finding, Flow, Mapping, Part, Use

#: The name of `map_program` in the package's own interface: ``neurodeploy.map``.
map = map_program

__all__ = ["Core", "Finding", "Flow", "Mapping", "Part", "Use", "cut_program", "map_program"]
