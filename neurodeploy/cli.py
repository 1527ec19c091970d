"""The command line: a thin skin over the Python API."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from neurodeploy import __version__
from neurodeploy.errors import DataError, NeuroDeployError

__all__ = ["cli", "main"]

_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
_THREADS = click.option("--threads", type=click.IntRange(1), help="Default: all cores.")


def _numbers(text: str, option: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a list of numbers like 0.5,0.5", param_hint=option) from None  # fmt: skip


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="neurodeploy")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def cli(debug: bool) -> None:
    """Compile trained ReLU networks (ONNX) to spiking programs, run them, prove them."""


@cli.command()
@click.argument("model", type=click.Path())
@_JSON
def check(model: str, as_json: bool) -> None:
    """Say of every node of MODEL.onnx whether it converts, and if not, why.

    Exit code 0 if the model compiles, 2 if not.
    """
    from dataclasses import asdict

    from neurodeploy.pipeline import check as examine
    from neurodeploy.reporting.console import print_json, table

    report = examine(model)
    if as_json:
        findings = [asdict(finding) for finding in report.findings]
        print_json({"model": model, "ok": report.ok, "findings": findings})
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


@cli.command()
@_JSON
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


@cli.command()
@_JSON
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
    columns = ("target", "generation", "neurons", "weights", "threshold", "bias", "spikes", "cores", "neurons a core")  # fmt: skip
    table("targets (24-bit state)", columns, rows)


@cli.command(name="compile")
@click.argument("model", type=click.Path())
@click.option("--calibration", type=click.Path(), help=".npz with x: samples for thresholds.")
@click.option("--scheme", default="rate", show_default=True, help="How activations become spikes.")
@click.option("--steps", default=32, show_default=True, help="Time steps a sample.")
@click.option("--target", default="loihi2", show_default=True, help="loihi1, loihi2 or a .toml.")
@click.option("--reset", type=click.Choice(["subtract", "zero"]), help="Default: subtract, or zero where the target has no microcode.")  # fmt: skip
@click.option("--encoding", type=click.Choice(["current", "deterministic", "poisson"]), help="Default: current, or deterministic where spikes are binary.")  # fmt: skip
@click.option("--balance", type=click.Choice(["percentile", "max", "mmse"]), default="percentile", show_default=True, help="How thresholds are chosen.")  # fmt: skip
@click.option("--percentile", default=99.9, show_default=True, help="Of non-zero activations.")
@click.option("--l4/--no-l4", default=None, help="L4-norm correction; default: with Poisson input.")
@click.option("--seed", default=0, show_default=True, help="Of the Poisson encoder.")
@click.option("--scale", type=float, help="Integer samples are (x * scale - mean) / std; default 1/255.")  # fmt: skip
@click.option("--mean", default="0", help="One number, or one a channel: 0.49,0.48,0.45.")
@click.option("--std", default="1", help="Likewise.")
@click.option("--input-range", help="LOW,HIGH of the network's input; default: from the samples.")
@click.option("--overflow", type=click.Choice(["off", "warn", "error"]), default="warn", show_default=True, help="Where no overflow is not proved.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(), help="Default: MODEL.ndp in this folder.")
@_JSON
def compile_command(
    model: str,
    calibration: str | None,
    output: str | None,
    as_json: bool,
    mean: str,
    std: str,
    input_range: str | None,
    **options: Any,
) -> None:
    """Compile MODEL.onnx to a spiking program (.ndp)."""
    from neurodeploy.pipeline import compile as compile_model
    from neurodeploy.reporting.console import Progress, print_json, warn
    from neurodeploy.reporting.inspection import describe
    from neurodeploy.samples import load_samples

    ends = None if input_range is None else _numbers(input_range, "--input-range")
    if ends is not None and len(ends) != 2:
        raise click.BadParameter("give two numbers, like 0,1", param_hint="--input-range")
    samples = None if calibration is None else load_samples(calibration).x
    with Progress().running() as progress:
        program = compile_model(
            model,
            samples,
            mean=_numbers(mean, "--mean"),
            std=_numbers(std, "--std"),
            input_range=None if ends is None else (ends[0], ends[1]),
            progress=progress.stage,
            warn=warn,
            **options,
        )
    path = Path(output) if output else Path(Path(model).name).with_suffix(".ndp")
    program.save(path)
    if as_json:
        print_json({"program": str(path), **describe(program)})
    else:
        print(
            f"{path}: {program.neurons:,} neurons, {len(program.connections)} connections, "
            f"{program.period} steps a sample, latency {program.latency} steps"
        )


@cli.command()
@click.argument("program", type=click.Path())
@_JSON
def inspect(program: str, as_json: bool) -> None:
    """Show what a program (.ndp) holds."""
    from neurodeploy.program.storage import load
    from neurodeploy.reporting.console import print_json, table
    from neurodeploy.reporting.inspection import describe

    about = describe(load(program))
    if as_json:
        print_json(about)
        return
    rows = [
        (
            p["name"],
            "x".join(map(str, p["shape"])),
            p["neurons"],
            p["reset"],
            p["threshold"],
            p["shift"],
            p["phase"],
            p["spike_value"],
            "proved" if p["cannot_overflow"] else "possible",
        )
        for p in about["populations"]
    ]
    columns = ("population", "shape", "neurons", "reset", "threshold", "shift", "phase", "spike value", "overflow")  # fmt: skip
    table(program, columns, [(*r[:-1], "excluded" if r[-1] == "proved" else r[-1]) for r in rows])
    rows2 = [
        (
            c["source"],
            c["target"],
            c["kind"],
            "x".join(map(str, c["weights"])),
            c["synapses"],
            c["delay"],
            "graded" if c["graded"] else "binary",
        )
        for c in about["connections"]
    ]
    table("connections", ("source", "target", "kind", "weights", "synapses", "delay", "messages"), rows2)  # fmt: skip
    i = about["input"]
    facts = [
        ("hardware", about["fidelity"]),
        ("scheme", f"{about['scheme']}, {about['steps']} steps, {i['encoding']} input"),
        ("input integers", f"{i['low']}..{i['high']}, {i['unit']:.6g} each"),
        ("integer samples", f"(x * {i['scale']:.6g} - {i['mean']}) / {i['std']}"),
        ("latency", f"{about['latency_steps']} steps; a sample every {about['steps']}"),
        (
            "size",
            f"{about['neurons']:,} neurons, {about['synapses']:,} synapses, {about['weight_bytes']:,} weight bytes",
        ),  # fmt: skip
        (
            "model",
            "{file} (sha-256 {sha256:.12}...)".format(**about["provenance"]["model"])
            if "model" in about["provenance"]
            else "unknown",
        ),  # fmt: skip
        (
            "options",
            ", ".join(f"{k} {v}" for k, v in about["provenance"].get("options", {}).items()),
        ),  # fmt: skip
    ]
    table("program", ("", ""), facts)


def _load(program: str, data: str, limit: int | None) -> tuple[Any, Any]:
    from neurodeploy.program.storage import load
    from neurodeploy.samples import load_samples
    from neurodeploy.simulator.encoding import check_samples

    loaded = load(program)
    samples = load_samples(data).limit(limit)
    check_samples(samples.x, loaded.encoder.shape, data)
    return loaded, samples


@cli.command()
@click.argument("program", type=click.Path())
@click.option("--data", required=True, type=click.Path(), help=".npz with x and, optionally, y.")
@click.option("--limit", type=click.IntRange(1), help="Only the first so many samples.")
@click.option("--model", type=click.Path(), help="The ONNX model: its accuracy on the same samples.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(), help="Write outputs and predictions (.npz).")
@_THREADS
@_JSON
def simulate(
    program: str,
    data: str,
    limit: int | None,
    model: str | None,
    output: str | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Run samples through a program on the CPU."""
    from neurodeploy.pipeline import simulate as run
    from neurodeploy.reporting.console import Progress
    from neurodeploy.reporting.results import Reference, show_result, write_outputs

    loaded, samples = _load(program, data, limit)
    reference = None if model is None else Reference.compute(model, loaded, samples)
    with Progress().running() as progress:
        advance = progress.counter("simulate", len(samples.x))
        result = run(loaded, samples.x, threads=threads, progress=advance)
    if output is not None:
        write_outputs(output, result)
    show_result(loaded, result, samples.y, reference, as_json)


@cli.command()
@click.argument("program", type=click.Path())
@click.option("--data", required=True, type=click.Path(), help=".npz with x and, optionally, y.")
@click.option("--limit", type=click.IntRange(1), default=3, show_default=True, help="Only the first so many samples.")  # fmt: skip
@click.option("--verify", is_flag=True, help="Compare every spike with the simulator.")
@click.option("--membranes", is_flag=True, help="With --verify: compare every membrane as well.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds; default: by the size of the work.")  # fmt: skip
@_JSON
def deploy(
    program: str,
    data: str,
    limit: int,
    verify: bool,
    membranes: bool,
    timeout: float | None,
    as_json: bool,
) -> None:
    """Run samples on Intel's Lava runtime."""
    from neurodeploy.lava.deploy import deploy as run
    from neurodeploy.reporting.console import Progress
    from neurodeploy.reporting.results import show_result

    loaded, samples = _load(program, data, limit)
    with Progress().running() as progress:
        result = run(
            loaded,
            samples.x,
            verify=verify,
            membranes=membranes,
            timeout=timeout,
            progress=lambda done, total: progress.stage("lava", done, total),
        )
    show_result(loaded, result, samples.y, None, as_json)
    if verify and result.mismatched_spikes:
        raise SystemExit(1)


def _guarded(run: Callable[[], Any], debug: bool) -> int:
    """Run a command; every failure is one message and exit code 2."""
    try:
        run()
        sys.stdout.flush()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("interrupted; nothing was written\n")
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader left (head, less): not an error of ours
        return 0
    except NeuroDeployError as error:
        if debug:
            raise
        sys.stderr.write(f"error: {error}\n")
        return 2
    except MemoryError:
        if debug:
            raise
        sys.stderr.write(f"error: {DataError('not enough memory', remedy='use --limit')}\n")
        return 2
    except Exception as error:  # a bug of ours is still one message to the user
        if debug:
            raise
        sys.stderr.write(
            f"error: [ND-INTERNAL] {type(error).__name__}: {error}\n"
            "  what to do: this is a bug of neurodeploy; run again with "
            "`neurodeploy --debug ...` and report the traceback\n"
        )
        return 2
    return 0


def main() -> None:
    """Entry point of the `neurodeploy` command."""
    debug = "--debug" in sys.argv[1:2]
    sys.exit(_guarded(lambda: cli(standalone_mode=False), debug))


if __name__ == "__main__":
    main()
