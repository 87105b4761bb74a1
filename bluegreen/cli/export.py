"""`bluegreen export`: blue's cleaned objects as a directory for git, and what was removed from them and why.

It only reads the cluster. A Secret is written encrypted or not at all.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluegreen.cli.options import options_of_blue
from bluegreen.cli.scope_options import from_file_option, load_scope

if TYPE_CHECKING:
    from bluegreen.exporter.bundle import Bundle


@click.command()
@options_of_blue("export")
@from_file_option
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="Directory of the bundle.")
@click.option("--age-recipient", multiple=True, metavar="age1…", help="Encrypt the Secrets to it; repeatable.")
@click.option(
    "--explain",
    is_flag=False,
    flag_value="table",
    type=click.Choice(["table", "json"]),
    help="Print per object what was removed or left out, and why; without -o nothing is written.",
)
@click.option("--dry-run", is_flag=True, help="Read, clean and follow, count what would be written; write nothing.")
def export(
    output: Path | None, age_recipient: tuple[str, ...], explain: str | None, *, dry_run: bool, **options: Any
) -> None:
    """Write the cleaned objects of namespaces as a bundle that kubectl apply -k takes.

    Secrets are left out unless --age-recipient encrypts them.

    \b
    Exit codes: 0 done, 1 a cluster or file failed, 2 usage or bad input.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
    from bluegreen.cli.bulk import hold_many_objects  # noqa: PLC0415 - loaded on use

    hold_many_objects()
    from bluegreen.cli.progress import tell  # noqa: PLC0415
    from bluegreen.exporter.write import write_bundle  # noqa: PLC0415
    from bluegreen.migration.bundles import read_source  # noqa: PLC0415
    from bluegreen.migration.scope import open_source  # noqa: PLC0415

    if output is None and explain is None and not dry_run:
        raise click.UsageError("name a directory with -o DIR, or look first with --explain or --dry-run.")
    scope = load_scope(options)
    bundle = read_source(open_source(scope), scope, tell)
    if dry_run:
        _counted(bundle)
    elif output is not None:
        _said(bundle, output, write_bundle(bundle, output, age_recipient), encrypted=bool(age_recipient))
    if explain is not None:
        _explain(bundle, explain)


def _counted(bundle: "Bundle") -> None:
    """Say how many objects of each kind would be written."""
    from bluegreen.cli.text import put  # noqa: PLC0415 - loaded on use
    from bluegreen.migration.objects import counts  # noqa: PLC0415
    from bluegreen.report.words import amount  # noqa: PLC0415

    for kind, count in counts(bundle).items():
        put(f"{count} {kind}")
    put(f"Would write {amount(len(bundle.items), 'object')}; nothing was written.", err=True)


def _said(bundle: "Bundle", output: Path, withheld: tuple[str, ...], *, encrypted: bool) -> None:
    """Say on stderr what was written and what was not."""
    from bluegreen.cli.text import put  # noqa: PLC0415 - loaded on use
    from bluegreen.report.words import amount  # noqa: PLC0415

    put(f"Wrote {amount(len(bundle.items) - len(withheld), 'object')} to {output}.", err=True)
    if withheld:
        put(f"Secrets not written: {', '.join(withheld)}.", err=True)
        put("Next: encrypt them with --age-recipient, or create them on green by other means.", err=True)
    elif encrypted:
        put("The Secrets are encrypted; bluegreen import needs --age-identity.", err=True)


def _explain(bundle: "Bundle", output: str) -> None:
    """Print what rules did to each object."""
    from bluegreen.cli.text import put, put_json  # noqa: PLC0415 - loaded on use
    from bluegreen.exporter.explain import explain  # noqa: PLC0415
    from bluegreen.migration.bundles import explanation  # noqa: PLC0415

    if output == "json":
        put_json({"apiVersion": "bluegreen/v1", "kind": "ExportExplanation", "items": explanation(bundle)})
        return
    for line in explain(bundle.reports):
        put(line.strip(), indent=len(line) - len(line.lstrip()))
