"""`bluegreen init`: a first bluegreen.yaml from what both clusters show.

It reads clusters and writes one file, never over another one without --force. What it proposes is decided below.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bluegreen.migration.starting import Started

_STDOUT = "-"
_KUBECONFIGS = {"kubeconfig": "kubeconfig", "from_kubeconfig": "fromKubeconfig", "to_kubeconfig": "toKubeconfig"}


@click.command()
@click.option("--from", "from_context", metavar="CONTEXT", envvar="BLUEGREEN_FROM", help="kubeconfig context of blue.")
@click.option("--to", "to_context", metavar="CONTEXT", envvar="BLUEGREEN_TO", help="kubeconfig context of green.")
@click.option("--kubeconfig", metavar="PATH", envvar="BLUEGREEN_KUBECONFIG", help="kubeconfig of both clusters.")
@click.option("--from-kubeconfig", metavar="PATH", envvar="BLUEGREEN_FROM_KUBECONFIG", help="kubeconfig of blue only.")
@click.option("--to-kubeconfig", metavar="PATH", envvar="BLUEGREEN_TO_KUBECONFIG", help="kubeconfig of green only.")
@click.option("-n", "--namespace", "namespaces", multiple=True, help="Namespace to move; else all with workloads.")
@click.option("--haproxy", metavar="SOCKET", default="", help="Runtime socket of the HAProxy in front of both.")
@click.option("--backend", metavar="NAME", default="", help="Its backend with a server for each side.")
@click.option(
    "-o", "--output", metavar="FILE", default="bluegreen.yaml", show_default=True, help="Where to; - is stdout."
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(*, namespaces: tuple[str, ...], haproxy: str, backend: str, output: str, force: bool, **options: Any) -> None:
    """Look at both clusters and write a starter bluegreen.yaml.

    Routes, probes, objectives and class mappings are proposed, each with a comment. What cannot be known stands as
    TODO, and no migration takes the file before it is filled in. What happens to data is a comment: yours to decide.

    \b
    Exit codes: 0 written, 1 a cluster or file failed, 2 usage or bad input, such
    as a file that is there.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
    from datetime import UTC, datetime  # noqa: PLC0415 - loaded on use

    from bluegreen.migration.scope import Scope  # noqa: PLC0415
    from bluegreen.migration.starter_watch import Hints  # noqa: PLC0415
    from bluegreen.migration.starting import start  # noqa: PLC0415

    if any(not namespace for namespace in namespaces):
        raise click.UsageError("-n was given an empty name; leave it out, or name a namespace.")
    _refuse_to_overwrite(output, force=force)
    files = {name: str(Path(path).expanduser().absolute()) for name in _KUBECONFIGS if (path := options[name])}
    common = files.get("kubeconfig")
    scope = Scope(
        source=options["from_context"] or "",
        target=options["to_context"] or "",
        kubeconfigs=(files.get("from_kubeconfig", common), files.get("to_kubeconfig", common)),
        namespaces=namespaces,
    )
    named = {_KUBECONFIGS[name]: path for name, path in files.items()}
    started = start(scope, named, Hints(haproxy, backend), datetime.now(UTC).date().isoformat())
    _write(started.text, output, force=force)
    _last_words(started, output)


def _refuse_to_overwrite(output: str, *, force: bool) -> None:
    """Refuse before the clusters are asked.

    Raises:
        click.UsageError: a file is there and may not be written over.
        InvalidInputError: it cannot be written.
    """
    from bluegreen.cli.files import check_target  # noqa: PLC0415 - loaded on use

    if output != _STDOUT:
        check_target(Path(output))
    if output != _STDOUT and not force and os.path.lexists(output):
        raise click.UsageError(f"{output} is there; name another file with -o, or write over it with --force.")


def _write(text: str, output: str, *, force: bool) -> None:
    """Write the file; one that came there meanwhile is not written over either, and --force replaces it as a whole."""
    if output == _STDOUT:
        click.echo(text, nl=False)
        return
    from bluegreen.cli.files import cannot_write  # noqa: PLC0415 - loaded on use

    path = Path(output)
    work = path.with_name(f".{path.name}.{os.getpid()}") if force else path
    try:
        with work.open("x", encoding="utf-8") as file:
            file.write(text)
        if force:
            work.replace(path)
    except FileExistsError:
        _refuse_to_overwrite(output, force=False)
        raise
    except OSError as error:
        raise cannot_write(path, error.strerror or "it failed") from None


def _last_words(started: "Started", output: str) -> None:
    """Say on stderr what was written and what is left to do."""
    from bluegreen.cli.text import put  # noqa: PLC0415 - loaded on use

    name = "stdout" if output == _STDOUT else output
    put(f"Wrote {name}, {started.text.count(chr(10))} lines.", err=True)
    for gap in started.gaps:
        put(f"not read: {gap}", 2, err=True)
    if started.open_lines:
        put(f"To fill in, marked TODO: lines {', '.join(map(str, started.open_lines))}.", err=True)
    put("Next: read its comments, then: bluegreen migrate --dry-run=server", err=True)
