"""`bluegreen import`: a bundle, such as one kept in git, onto a cluster.

It shows on request what would happen, writes in order, and deletes only what bluegreen itself created.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import structs

from bluegreen.cli.scope_options import (
    config_option,
    kubeconfig_option,
    load_scope,
    mapping_option,
    timeout_option,
    to_file_option,
    to_option,
)

if TYPE_CHECKING:
    from bluegreen.importer.prune import Surplus


@click.command("import")
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@config_option
@to_option
@kubeconfig_option
@to_file_option
@mapping_option
@click.option("--age-identity", type=click.Path(path_type=Path), metavar="FILE", help="Key of encrypted Secrets.")
@click.option("--without-secrets", is_flag=True, help="Leave encrypted Secrets closed.")
@click.option("--edited", is_flag=True, help="Take files that were changed since the export.")
@click.option("--idle", is_flag=True, help="Scale to 0 and suspend, and remember what was; pods and webhooks wait.")
@click.option("--empty-claims", is_flag=True, help="Create claims without data instead of leaving them to a mover.")
@click.option("--prune", is_flag=True, help="Delete what bluegreen created there and the bundle no longer has.")
@click.option(
    "--dry-run",
    type=click.Choice(["none", "client", "server"]),
    default="none",
    help="Show only what would happen; server lets the API server judge every object.",
)
@timeout_option
@click.pass_context
def import_(ctx: click.Context, /, directory: Path, dry_run: str, **options: Any) -> None:
    """Apply the objects of a bundle to a cluster, in order and again without harm.

    A one-off Job is imported suspended unless it is annotated bluegreen.io/run-again=true.

    \b
    Exit codes: 0 done, 1 objects refused or in conflict, 2 usage or a bundle
    that cannot be used.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
    from bluegreen.cli.bulk import hold_many_objects  # noqa: PLC0415 - loaded on use

    hold_many_objects()
    from bluegreen.migration.reading import Reading  # noqa: PLC0415

    opened = {"edited": options["edited"], "without_secrets": options["without_secrets"]}
    reading = Reading(directory, options["age_identity"], **opened)
    # While the bundle is being read and green is being opened, the rest is loaded.
    from bluegreen.migration.early import EarlyTarget  # noqa: PLC0415
    from bluegreen.migration.scope import open_target, opens_plainly  # noqa: PLC0415

    scope = load_scope(options)
    renamed = scope.transform.namespaces
    early = EarlyTarget(lambda: open_target(scope), renamed, reading.counts, at_once=opens_plainly(scope))
    from bluegreen.cli.changes_view import warn  # noqa: PLC0415
    from bluegreen.cli.progress import means  # noqa: PLC0415
    from bluegreen.migration import bundles  # noqa: PLC0415
    from bluegreen.migration.lacking import lacking  # noqa: PLC0415

    bundle = reading.bundle()
    wanted = bundles.for_target(bundle, scope.transform, empty_claims=options["empty_claims"])
    warn(wanted.remarks)
    objects = wanted.objects
    green, resources, ahead = early.green(), early.resources(), early.lists()
    warn(lacking(green, objects, resources, ahead))
    surplus = bundles.surplus(green, bundle, objects, scope.transform) if options["prune"] else ()
    mark = bundles.mark_of(bundle.source)
    if dry_run != "none":
        from bluegreen.importer.plan import PlanOptions  # noqa: PLC0415

        how = PlanOptions(mark, dry_run=dry_run == "server", ahead=ahead)
        plan = bundles.foresee(green, wanted, how, idle=options["idle"])
        ctx.exit(_shown(plan.entries, surplus))
    work = structs.replace(means(options["timeout"]), ahead=ahead, resources=resources)
    results = bring_or_list(lambda: bundles.bring(green, objects, mark, work, idle=options["idle"]))
    last_words(results, bundle.withheld)
    if surplus:
        _prune(green, surplus, mark)


def _shown(entries: Any, surplus: "tuple[Surplus, ...]") -> int:
    """Print what would happen and return the exit code."""
    from bluegreen.cli.changes_view import bad, show_entries  # noqa: PLC0415 - loaded on use
    from bluegreen.cli.text import put  # noqa: PLC0415

    show_entries(entries, wide=False)
    for one in surplus:
        put(f"- prune    {one.ref}")
    return 1 if bad(entries) else 0


def bring_or_list(act: Any) -> Any:
    """Apply; on refusals list all of them on stderr before the error goes on."""
    from bluegreen.cli.text import put  # noqa: PLC0415 - loaded on use
    from bluegreen.importer.apply import ApplyFailedError  # noqa: PLC0415

    try:
        with writing():
            return act()
    except ApplyFailedError as error:
        for reason in error.reasons:
            put(f"- {reason}", err=True)
        raise


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Say after Ctrl-C in the middle of writes what is to be done."""
    from bluegreen.cli.main import StoppedError  # noqa: PLC0415 - loaded on use

    try:
        yield
    except KeyboardInterrupt:
        hint = "Stopped while writing; what is written stays. Run the same command again: it goes on with the rest."
        raise StoppedError(hint) from None


def last_words(results: Any, withheld: tuple[str, ...]) -> None:
    """Print what happened, the summary on stdout."""
    from collections import Counter  # noqa: PLC0415 - loaded on use

    from bluegreen.cli.text import put  # noqa: PLC0415

    counts = Counter(str(result.outcome) for result in results)
    put(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "nothing to do")
    left = [str(result.ref) for result in results if str(result.outcome) == "left out"]
    if left:
        put(f"Left out: {', '.join(left)}. Claims wait for a volume mover, or take --empty-claims.", err=True)
    if withheld:
        put(f"Secrets not in the bundle: {', '.join(withheld)}. Create them on green.", err=True)


def _prune(green: Any, surplus: "tuple[Surplus, ...]", mark: str) -> None:
    """Delete what is not wanted any more and name it."""
    from bluegreen.cli.progress import tell  # noqa: PLC0415 - loaded on use
    from bluegreen.cli.text import put  # noqa: PLC0415
    from bluegreen.importer.prune import prune  # noqa: PLC0415

    with writing():
        for ref in prune(green, surplus, mark, tell):
            put(f"pruned {ref}")
