"""Options that several commands share, so that they mean the same everywhere."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from bluegreen.config.loader import Loaded

F = TypeVar("F", bound=Callable[..., Any])


_CONFIG = click.option(
    "--config", "config_path", type=click.Path(path_type=Path), help="File instead of ./bluegreen.yaml."
)
_FROM = click.option("--from", "from_context", metavar="CONTEXT", help="kubeconfig context of blue.")
_TO = click.option("--to", "to_context", metavar="CONTEXT", help="kubeconfig context of green.")
_KUBECONFIG = click.option("--kubeconfig", metavar="PATH", help="kubeconfig of both clusters.")


def options_to(verb: str) -> Callable[[F], F]:
    """Return what adds the options that a configuration can be given by.

    Args:
        verb: what the command does to the namespaces.
    """
    return _adding(_CONFIG, _FROM, _TO, _KUBECONFIG, *_which(f"Namespace to {verb}; repeatable."))


def options_of_blue(verb: str) -> Callable[[F], F]:
    """Return what adds the options of a command that knows blue only; `verb` as in options_to."""
    return _adding(_CONFIG, _FROM, _KUBECONFIG, *_which(f"Namespace to {verb}; repeatable."))


def route_options(command: F) -> F:
    """Add the options of a command that works on the routes; what they serve is split for all namespaces alike."""
    here = "It is taken in place of the file's and changes nothing here."
    return _adding(_CONFIG, _FROM, _TO, _KUBECONFIG, *_which(here, here))(command)


def _which(namespaces: str, selector: str = "Label selector.") -> tuple[Callable[[F], F], ...]:
    """Return the options that say which objects are meant."""
    return (
        click.option("-n", "--namespace", "namespaces", multiple=True, help=namespaces),
        click.option("-l", "--selector", help=selector),
    )


def _adding(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Return what adds options in their order."""

    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


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
