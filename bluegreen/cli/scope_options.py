"""Options of the commands that work alone: clusters, namespaces, selector; no routes, probes or steps.

They mean what they mean in bluegreen.yaml, whose keys of that name they overrule.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bluegreen.cli.options import options_to

if TYPE_CHECKING:
    from bluegreen.migration.scope import Scope

F = TypeVar("F", bound=Callable[..., Any])
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

config_option = click.option(
    "--config", "config_path", type=click.Path(path_type=Path), help="File instead of ./bluegreen.yaml."
)
to_option = click.option("--to", "to_context", metavar="CONTEXT", help="kubeconfig context of green.")
kubeconfig_option = click.option("--kubeconfig", metavar="PATH", help="kubeconfig of both clusters.")
from_file_option = click.option("--from-kubeconfig", metavar="PATH", help="kubeconfig of blue only.")
to_file_option = click.option("--to-kubeconfig", metavar="PATH", help="kubeconfig of green only.")
mapping_option = click.option(
    "--map-namespace", "mapping", metavar="OLD:NEW", multiple=True, help="Rename a namespace on the way; repeatable."
)

timeout_option = click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=300.0,
    metavar="SECONDS",
    help="How long workloads may take before webhooks.",
)


def both_options(verb: str) -> Callable[[F], F]:
    """Return what adds the options of a command that reads blue and green.

    Args:
        verb: what the command does to the namespaces.
    """

    def add(command: F) -> F:
        for option in (mapping_option, to_file_option, from_file_option):
            command = option(command)
        return options_to(verb)(command)

    return add


def load_scope(options: dict[str, Any]) -> "Scope":
    """Return what a command works on, from its options.

    Raises:
        InvalidInputError: with every reason.
        click.UsageError: an empty namespace or an unreadable mapping was given.
    """
    from bluegreen.migration.scope import read_scope, with_namespaces  # noqa: PLC0415 - loaded on use

    namespaces = options.get("namespaces") or ()
    if any(not namespace for namespace in namespaces):
        raise click.UsageError("-n was given an empty name; leave it out, or name a namespace.")
    names = _mapping(options.get("mapping") or ())
    flags = {
        "from": options.get("from_context"),
        "to": options.get("to_context"),
        "kubeconfig": options.get("kubeconfig"),
        "fromKubeconfig": options.get("from_kubeconfig"),
        "toKubeconfig": options.get("to_kubeconfig"),
        "namespaces": list(namespaces) or None,
        "selector": options.get("selector"),
    }
    return with_namespaces(read_scope(options.get("config_path"), flags, os.environ, Path.cwd()), names)


def _mapping(given: tuple[str, ...]) -> dict[str, str]:
    """Return namespaces on blue to their names on green."""
    pairs = [text.partition(":") for text in given]
    bad = [text for text, (old, _, new) in zip(given, pairs, strict=True) if not _is_name(old) or not _is_name(new)]
    if bad:
        raise click.UsageError(
            f"--map-namespace takes OLD:NEW, two names of namespaces, not {', '.join(map(repr, bad))}."
        )
    return {old: new for old, _, new in pairs}


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None
