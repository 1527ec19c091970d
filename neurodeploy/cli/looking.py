"""Commands that look without running: check, doctor, targets."""

from __future__ import annotations

import click

from neurodeploy.cli.options import JSON

__all__ = ["check", "doctor", "targets"]


@click.command()
@click.argument("model", type=click.Path())
@click.option("--scheme", default="rate", show_default=True, help="rate or ttfs.")
@JSON
def check(model: str, scheme: str, as_json: bool) -> None:
    """Say of every node of MODEL.onnx whether it converts, and if not, why.

    Exit code 0 if the model compiles, 2 if not.
    """
    from dataclasses import asdict

    from neurodeploy.pipeline import check as examine
    from neurodeploy.reporting.console import print_json, table

    report = examine(model, scheme)
    if as_json:
        findings = [asdict(finding) for finding in report.findings]
        print_json({"model": model, "scheme": scheme, "ok": report.ok, "findings": findings})
    else:
        rows = [
            (f.node, f.op_type, f.verdict, f.reason + (f" -> {f.remedy}" if f.remedy else ""))
            for f in report.findings
        ]
        table(model, ("node", "operator", "verdict", "reason"), rows)
        refused = len(report.refused)
        print("compiles" if report.ok else f"does not compile: {refused} of {len(rows)} refused")
    if not report.ok:
        raise SystemExit(2)


@click.command()
@JSON
def doctor(as_json: bool) -> None:
    """Show what is installed here and what is missing."""
    from neurodeploy.reporting.console import print_json, table
    from neurodeploy.reporting.health import examine

    report = examine()
    if as_json:
        print_json(report)
        return
    rows = [(c["name"], "ok" if c["ok"] else "MISSING", c["detail"]) for c in report["checks"]]
    table("neurodeploy doctor", ("part", "state", "detail"), rows)


@click.command()
@JSON
def targets(as_json: bool) -> None:
    """List the hardware targets and their limits."""
    from dataclasses import asdict

    from neurodeploy.reporting.console import print_json, table
    from neurodeploy.targets import load_target, target_names

    found = [load_target(name) for name in target_names()]
    if as_json:
        print_json({"targets": [asdict(target) for target in found]})
        return
    rows = [
        (
            t.name,
            t.generation,
            "programmable" if t.microcode else "stock only",
            f"{t.weight_bits} bit",
            f"{t.threshold_bits} bit",
            f"{t.bias_mantissa_bits} bit << 0..{t.bias_exponent_max}",
            f"{t.graded_bits} bit" if t.graded_bits else "binary",
            t.chip["cores"],
            t.chip["neurons_per_core"],
        )
        for t in found
    ]
    columns = (
        "target",
        "generation",
        "neurons",
        "weights",
        "threshold",
        "bias",
        "spikes",
        "cores",
        "neurons a core",
    )
    table("targets (24-bit state)", columns, rows)
