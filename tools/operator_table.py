"""Writes docs/operators.md: what converts, what is refused and why, proved on ONNX's own tests.

Every case of `onnx.backend.test` that is made of operators with a handler, and every converted
PyTorch model and light network that the onnx package ships, is imported and computed.

    python tools/operator_table.py                 # prints the page
    python tools/operator_table.py -o docs/operators.md
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable

import onnx

from neurodeploy.files import write_atomically
from neurodeploy.importing.constants.folding import FOLDABLE
from neurodeploy.importing.constants.pricing import EVALUATED
from neurodeploy.importing.outputs.class_decoder import DECODERS
from neurodeploy.importing.registry import HANDLERS
from neurodeploy.importing.report.refusals import FAMILIES
from neurodeploy.testing.backend import KINDS, Outcome, cases, covered, examine

HEADER = """# Operators

Which ONNX operators become spikes, which do not and why. This page is written by
`python tools/operator_table.py -o docs/operators.md` and proved by
`tests/importing/test_backend_cases.py`: each test below was imported and, where it is not
refused, gave the recorded output. The same verdicts for a network of your own:
`neurodeploy check MODEL.onnx` ([check.md](check.md)).

onnx {version}, operator sets 6 to {opset}.
"""


def first_sentence(text: str | None) -> str:
    """Of a docstring, on one line, with Markdown's backquotes."""
    paragraph = (text or "").strip().split("\n\n")[0]
    return re.sub(r"\s+", " ", paragraph).replace("``", "`").rstrip(".")


def grouped(outcomes: Iterable[Outcome]) -> dict[str, list[str]]:
    """Names of refused cases by reason; numbers and names in a reason do not tell reasons apart."""
    found: dict[str, list[str]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.verdict == "refused":
            found[outcome.reason].append(outcome.case.name)
    return dict(sorted(found.items()))


def heading(title: str, *columns: str) -> list[str]:
    """A section that begins with the head of a table."""
    return ["", f"## {title}", "", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]


def page(outcomes: dict[str, list[Outcome]]) -> str:
    """The whole page."""
    lines = [HEADER.format(version=onnx.__version__, opset=onnx.defs.onnx_opset_version())]
    lines += [
        "## ONNX's own tests",
        "",
        "| tests | reproduced | refused | wrong |",
        "|---|---|---|---|",
    ]
    for kind, found in outcomes.items():
        count = Counter(outcome.verdict for outcome in found)
        wrong = len(found) - count["equal"] - count["refused"]
        lines.append(f"| {kind} | {count['equal']} | {count['refused']} | {wrong} |")

    equal: Counter[str] = Counter()
    for found in outcomes.values():
        for outcome in found:
            if outcome.verdict == "equal":
                equal.update(outcome.case.operators)
    converts = defaultdict(list)
    for name, handler in HANDLERS.items():
        converts[first_sentence(handler.__doc__)].append(name)
    lines += [
        "",
        "## Converts",
        "",
        "| operators | becomes | tests that it is in |",
        "|---|---|---|",
    ]
    for becomes, names in sorted(converts.items(), key=lambda item: sorted(item[1])):
        tests = sum(equal[name] for name in names)
        lines.append(f"| {', '.join(sorted(names))} | {becomes} | {tests} |")

    lines += heading("Moved behind the output decoder", "operator", "why it changes nothing")
    lines += [f"| {name} | {reason} |" for name, reason in sorted(DECODERS.items())]
    only = sorted((FOLDABLE | EVALUATED) - set(HANDLERS))
    told = textwrap.fill(", ".join(only) + ".", 100, break_on_hyphens=False)
    lines += ["", "## Folded where their inputs are constants or shapes", "", told]

    lines += heading("Refused", "operators", "reason", "what to do")
    for family in FAMILIES:
        names = ", ".join(sorted(family.operators.split()))
        lines.append(f"| {names} | {family.reason} | {family.remedy} |")

    lines += heading("Tests that are refused", "reason", "tests")
    for reason, names in grouped(o for found in outcomes.values() for o in found).items():
        clean = reason.replace("|", "\\|").replace("\n", " ")
        lines.append(f"| {clean} | {', '.join(sorted(names))} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--out", help="file to write; default: standard output")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of the cases' own arithmetic
    outcomes = {kind: [examine(case) for case in cases(kind) if covered(case)] for kind in KINDS}
    text = page(outcomes)
    if options.out:
        write_atomically(options.out, text.encode())
    else:
        print(text, end="")
    mistakes = [o for found in outcomes.values() for o in found if o.is_mistake]
    for outcome in mistakes:
        print(f"{outcome.case.name}: {outcome.verdict}: {outcome.reason}", file=sys.stderr)
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
