"""`bluegreen apply`: just what a saved plan says, or the reason why not.

Both clusters are read again first; a stale plan, another cluster and an unsafe plan are refused before any write.
"""

from pathlib import Path
from typing import Any

import click

from bluegreen.cli.scope_options import (
    config_option,
    from_file_option,
    kubeconfig_option,
    load_scope,
    timeout_option,
    to_file_option,
    to_option,
)


@click.command()
@click.argument("plan", type=click.Path(path_type=Path, dir_okay=False), metavar="PLAN")
@config_option
@click.option(
    "--from", "from_context", metavar="CONTEXT", help="kubeconfig context of blue, if the plan's is another's."
)
@to_option
@kubeconfig_option
@from_file_option
@to_file_option
@click.option("--force", multiple=True, metavar="RULE", help="Go on although the plan breaks that rule; repeatable.")
@timeout_option
def apply(plan: Path, force: tuple[str, ...], timeout: float, **options: Any) -> None:
    """Do what a saved plan says, if it still holds.

    Namespaces, selector and transform come from the plan. Rules for --force: many-changes, another-manager,
    conflicts, refused.

    \b
    Exit codes: 0 done, 1 failed, 2 usage, another cluster or an unsafe plan,
    6 the plan is stale.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
    from bluegreen.cli.import_ import bring_or_list, last_words  # noqa: PLC0415 - loaded on use
    from bluegreen.cli.progress import means  # noqa: PLC0415
    from bluegreen.importer.saved import read_saved  # noqa: PLC0415
    from bluegreen.migration import plans  # noqa: PLC0415
    from bluegreen.migration.scope import open_both  # noqa: PLC0415

    saved = read_saved(_bytes(plan), str(plan))
    _known(force)
    scope = plans.scope_of(saved, load_scope(options))
    clusters = open_both(scope)
    try:
        results = bring_or_list(lambda: plans.apply_plan(saved, clusters, scope, frozenset(force), means(timeout)))
    except plans.PlanMovedError as error:
        _list_moved(error.moved)
        raise
    last_words(results, ())


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        from bluegreen.model.errors import InvalidInputError  # noqa: PLC0415 - loaded on use

        why, hint = error.strerror or "it failed", "name a file that bluegreen plan --out wrote"
        raise InvalidInputError("plan.unreadable", f"reading the plan {path}", (why,), hint) from None


def _known(force: tuple[str, ...]) -> None:
    """Refuse names of rules that there are not: a typing error must not look like consent."""
    from bluegreen.importer.unsafe import NAMES  # noqa: PLC0415 - loaded on use

    unknown = [name for name in force if name not in NAMES]
    if unknown:
        raise click.UsageError(f"--force knows {', '.join(NAMES)}, not {', '.join(map(repr, unknown))}.")


def _list_moved(moved: tuple[str, ...]) -> None:
    from bluegreen.cli.text import put  # noqa: PLC0415 - loaded on use

    for line in moved:
        put(f"- {line}", err=True)
