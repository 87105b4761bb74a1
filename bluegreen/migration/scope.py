"""What the commands that work alone need to know: contexts, namespaces, selector, transform; no routes or probes.

Values come from flags over environment over a bluegreen.yaml, if there is one, of which only these keys are read. It
opens clusters and never writes to them. Without a file it must not load the models of the file: they cost a command
a tenth of a second, and flags and variables need none.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from bluegreen.config.layers import lay, settle_paths
from bluegreen.config.reader import FILE_NAME, Document, read_file
from bluegreen.exporter.choices import Choices
from bluegreen.importer.transform import TransformOptions
from bluegreen.kube.kubeconfig import is_plain
from bluegreen.kube.session import open_cluster
from bluegreen.migration.reasons import Reasons
from bluegreen.model.errors import InvalidInputError
from bluegreen.model.ports import Cluster


class Scope(msgspec.Struct, frozen=True):
    """What a command works on.

    Attributes:
        source: kubeconfig context of blue, empty when not given.
        target: kubeconfig context of green, empty when not given.
        kubeconfigs: kubeconfig of blue and of green, None for kubectl's own search.
        namespaces: namespaces on blue.
        selector: label selector, empty for everything.
        transform: what is rewritten on the way.
        choices: what is exported at all.
    """

    source: str = ""
    target: str = ""
    kubeconfigs: tuple[str | None, str | None] = (None, None)
    namespaces: tuple[str, ...] = ()
    selector: str = ""
    transform: TransformOptions = msgspec.field(default_factory=TransformOptions)
    choices: Choices = msgspec.field(default_factory=Choices)


def read_scope(path: Path | None, flags: Mapping[str, object], env: Mapping[str, str], cwd: Path) -> Scope:
    """Return the scope of a command.

    Args:
        path: the file of --config; None takes BLUEGREEN_CONFIG, or bluegreen.yaml in cwd when it is there.
        flags: values by the keys of bluegreen.yaml; None means not given.
        env: environment variables.
        cwd: working directory.

    Raises:
        InvalidInputError: every reason why a value cannot be used.
    """
    file = _find(path, env, cwd)
    document = read_file(file) if file else Document()
    layered = lay(document, file.name if file else "", flags, env)
    settle_paths(layered, file, cwd, env.get("HOME", ""))
    return _from_file(file, document, layered.data) if file else _scope(layered.data)


def with_namespaces(scope: Scope, names: dict[str, str]) -> Scope:
    """Return a scope that renames namespaces on the way."""
    if not names:
        return scope
    return structs.replace(scope, transform=structs.replace(scope.transform, namespaces=names))


def _from_file(file: Path, document: Document, data: Mapping[str, Any]) -> Scope:
    """Return the scope of data of which a part comes from a file, where a value may be anything.

    Raises:
        InvalidInputError: every reason why a value cannot be used.
    """
    from bluegreen.migration.scope_file import checked  # noqa: PLC0415 - pydantic is for files only

    values, parts, reasons = checked(data)
    reasons = [f"{p.place.line}:{p.place.column}: {p.why}" if p.place else p.why for p in document.problems] + reasons
    if reasons:
        hint = "every key is explained in docs/reference/config.md"
        raise InvalidInputError("config.invalid", f"reading {file}", tuple(reasons), hint)
    return structs.replace(_scope(values), **parts)


def _find(path: Path | None, env: Mapping[str, str], cwd: Path) -> Path | None:
    if path is None and env.get("BLUEGREEN_CONFIG"):
        path = Path(env["BLUEGREEN_CONFIG"])
    if path is not None:
        return cwd / path
    return cwd / FILE_NAME if (cwd / FILE_NAME).exists() else None


def _scope(data: Mapping[str, Any]) -> Scope:
    """Return the scope of values that are texts and lists of texts, by the keys of bluegreen.yaml."""
    both = data.get("kubeconfig")
    return Scope(
        source=data.get("from") or "",
        target=data.get("to") or "",
        kubeconfigs=(data.get("fromKubeconfig") or both, data.get("toKubeconfig") or both),
        namespaces=tuple(dict.fromkeys(data.get("namespaces") or ())),
        selector=data.get("selector") or "",
    )


def open_source(scope: Scope) -> Cluster:
    """Open blue.

    Raises:
        InvalidInputError: no context or no namespace is named, or blue cannot be reached.
    """
    reasons = Reasons()
    blue = _opened(scope.source, "--from", scope.kubeconfigs[0], reasons)
    _named(scope, reasons)
    reasons.raise_if_any("opening the source cluster")
    return _there(blue)


def open_target(scope: Scope) -> Cluster:
    """Open green.

    Raises:
        InvalidInputError: no context is named, or green cannot be reached.
    """
    reasons = Reasons()
    green = _opened(scope.target, "--to", scope.kubeconfigs[1], reasons)
    reasons.raise_if_any("opening the target cluster")
    return _there(green)


def opens_plainly(scope: Scope) -> bool:
    """Return whether opening green runs no program and writes no file, so that it does no harm to do it for nothing."""
    return is_plain(scope.target, scope.kubeconfigs[1])


def open_both(scope: Scope, *, named: bool = True) -> tuple[Cluster, Cluster]:
    """Open both clusters and make sure that they are two (law 8).

    Args:
        scope: names them.
        named: whether a namespace must be named, too.

    Raises:
        InvalidInputError: every reason why one cannot be opened, no namespace is named, or both are the same.
    """
    reasons = Reasons()
    blue, green = open_pair((scope.source, scope.target), scope.kubeconfigs, reasons)
    if named:
        _named(scope, reasons)
    reasons.raise_if_any("opening the clusters")
    return _there(blue), _there(green)


def open_pair(
    contexts: tuple[str, str], kubeconfigs: tuple[str | None, str | None], reasons: Reasons
) -> tuple[Cluster | None, Cluster | None]:
    """Open blue and green and make sure that they are two (law 8); None for one that cannot be used.

    Args:
        contexts: kubeconfig context of blue and of green.
        kubeconfigs: kubeconfig of blue and of green, None for kubectl's own search.
        reasons: takes what is wrong.
    """
    source, target = contexts
    blue = _opened(source, "--from", kubeconfigs[0], reasons)
    green = _opened(target, "--to", kubeconfigs[1], reasons)
    if blue and green and blue.id.uid == green.id.uid:
        reasons.found.append(
            f"--from {source} and --to {target} are the same cluster (kube-system UID {blue.id.uid}); "
            "name two different contexts, see: kubectl config get-contexts"
        )
        return None, None
    return blue, green


def _opened(context: str, flag: str, kubeconfig: str | None, reasons: Reasons) -> Cluster | None:
    if not context:
        reasons.found.append(f"no context is named; add {flag} CONTEXT, see: kubectl config get-contexts")
        return None
    return reasons.attempt(lambda: open_cluster(context, kubeconfig))


def _named(scope: Scope, reasons: Reasons) -> None:
    if not scope.namespaces:
        reasons.found.append("no namespace is named; add -n NAMESPACE")


def _there(cluster: Cluster | None) -> Cluster:
    if cluster is None:
        raise AssertionError("a cluster is missing without a reason")
    return cluster
