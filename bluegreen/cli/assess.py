"""`bluegreen assess`: what would stop or hurt a migration, what there is to move, and how risky each workload is."""

from typing import TYPE_CHECKING, Any

import click

from bluegreen.cli.scope_options import both_options, load_scope

if TYPE_CHECKING:
    from bluegreen.assess.assessment import Assessment


@click.command()
@both_options("look at")
@click.option("-o", "--output", type=click.Choice(["table", "json", "html"]), default="table", help="Output format.")
@click.option("--strict", is_flag=True, help="Warnings count as well for the exit code.")
@click.pass_context
def assess(ctx: click.Context, /, output: str, strict: bool, **options: Any) -> None:
    """Look for what would stop or hurt a migration.

    \b
    Exit codes: 0 no blocker (with --strict: and no warning), 1 blockers (with
    --strict: or warnings) or a failure, 2 usage or bad input.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
    from bluegreen.cli.progress import tell  # noqa: PLC0415 - loaded on use
    from bluegreen.migration.assessing import assess_scope  # noqa: PLC0415
    from bluegreen.migration.scope import open_both  # noqa: PLC0415
    from bluegreen.model.findings import Severity  # noqa: PLC0415

    scope = load_scope(options)
    blue, green = open_both(scope)
    found = assess_scope(blue, green, scope, tell)
    sides = {
        side: {"context": c.id.context, "version": c.id.version, "uid": c.id.uid}
        for side, c in (("from", blue), ("to", green))
    }
    _show(found, {**sides, "namespaces": list(scope.namespaces)}, output)
    failing = found.count(Severity.BLOCKER) + (found.count(Severity.WARNING) if strict else 0)
    ctx.exit(1 if failing else 0)


def _show(found: "Assessment", about: dict[str, Any], output: str) -> None:
    """Print the assessment on stdout."""
    if output == "table":
        _table(found)
        return
    data = {"apiVersion": "bluegreen/v1", "kind": "Assessment", **about, **found.to_json()}
    if output == "json":
        from bluegreen.cli.text import put_json  # noqa: PLC0415 - loaded on use

        put_json(data)
        return
    from bluegreen.cli.pages import assessment_page  # noqa: PLC0415

    click.echo(assessment_page(data), nl=False)


def _table(found: "Assessment") -> None:
    from bluegreen.cli.text import put, put_table  # noqa: PLC0415 - loaded on use
    from bluegreen.report.words import amount  # noqa: PLC0415

    for finding in found.findings:
        put(f"{str(finding.severity).ljust(8)} {finding.subject}")
        put(f"{finding.reason} [{finding.rule}]", 9)
        put(f"→ {finding.action}", 9)
    stock = found.inventory
    kinds = ", ".join(f"{count} {kind}" for kind, count in stock["objects"].items())
    click.echo("")
    put(f"objects  {kinds}")
    put(f"requests {stock['cpu']} CPU, {stock['memory']} memory")
    for volume in stock["volumes"]:
        put(f"volumes  {volume['claims']} of class {volume['storageClass']}, {volume['size']}")
    click.echo("")
    rows = [(str(w.risk), w.workload, f"{w.strategy}: {'; '.join(w.because)}") for w in found.workloads]
    put_table(("RISK", "WORKLOAD", "STRATEGY"), rows)
    counts = {
        severity: sum(f.severity == severity for f in found.findings) for severity in ("blocker", "warning", "info")
    }
    put(f"{', '.join(amount(count, severity) for severity, count in counts.items())}.")
