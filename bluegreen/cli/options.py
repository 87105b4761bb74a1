"""Options that several commands share, so that they mean the same everywhere."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from bluegreen.config.loader import Loaded

F = TypeVar("F", bound=Callable[..., Any])


def config_options(command: F) -> F:
    """Add the options that a configuration can be given by."""
    for option in reversed(
        (
            click.option(
                "--config", "config_path", type=click.Path(path_type=Path), help="File instead of ./bluegreen.yaml."
            ),
            click.option("--from", "from_context", metavar="CONTEXT", help="kubeconfig context of blue."),
            click.option("--to", "to_context", metavar="CONTEXT", help="kubeconfig context of green."),
            click.option("--kubeconfig", metavar="PATH", help="kubeconfig of both clusters."),
            click.option("-n", "--namespace", "namespaces", multiple=True, help="Namespace to move; repeatable."),
            click.option("-l", "--selector", help="Label selector."),
        )
    ):
        command = option(command)
    return command


def load_config(options: dict[str, Any]) -> "Loaded":
    """Return the configuration of a command's options.

    Raises:
        InvalidInputError: with every reason.
        click.UsageError: an empty namespace was given.
    """
    from bluegreen.config.loader import load  # noqa: PLC0415 - pydantic is not for --help

    namespaces = options.get("namespaces") or ()
    if any(not namespace for namespace in namespaces):
        raise click.UsageError("-n was given an empty name; leave it out, or name a namespace.")
    flags = {
        "from": options.get("from_context"),
        "to": options.get("to_context"),
        "kubeconfig": options.get("kubeconfig"),
        "namespaces": list(namespaces) or None,
        "selector": options.get("selector"),
        "steps": options.get("steps"),
        "bake": options.get("bake"),
        "hold": options.get("hold"),
        "state": options.get("state"),
    }
    return load(options.get("config_path"), flags, os.environ, Path.cwd())


def state_root(given: Path | None) -> Path:
    """Return the directory of all migrations' state."""
    from bluegreen.migration.store import default_root  # noqa: PLC0415 - loaded on use

    return given or default_root(dict(os.environ))
