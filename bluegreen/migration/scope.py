"""What the commands that work alone need to know: contexts, namespaces, selector, transform; no routes or probes.

Values come from flags over environment over a bluegreen.yaml, if there is one, of which only these keys are read. It
opens clusters and never writes to them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from bluegreen.config.explain import model_problems
from bluegreen.config.layers import Layered, lay, settle_paths
from bluegreen.config.problems import dotted
from bluegreen.config.reader import FILE_NAME, Document, read_file
from bluegreen.config.transform import Transform
from bluegreen.importer.transform import TransformOptions
from bluegreen.kube.session import open_cluster
from bluegreen.migration.reasons import Reasons
from bluegreen.migration.transforms import transform_options
from bluegreen.model.errors import InvalidInputError
from bluegreen.model.ports import Cluster


@dataclass(frozen=True, slots=True)
class Scope:
    """What a command works on.

    Attributes:
        source: kubeconfig context of blue, empty when not given.
        target: kubeconfig context of green, empty when not given.
        kubeconfigs: kubeconfig of blue and of green, None for kubectl's own search.
        namespaces: namespaces on blue.
        selector: label selector, empty for everything.
        transform: what is rewritten on the way.
    """

    source: str = ""
    target: str = ""
    kubeconfigs: tuple[str | None, str | None] = (None, None)
    namespaces: tuple[str, ...] = ()
    selector: str = ""
    transform: TransformOptions = field(default_factory=TransformOptions)


class _Part(BaseModel):
    """The keys of bluegreen.yaml that these commands use; the others are not looked at."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", strict=True, hide_input_in_errors=True)

    from_context: str = Field(default="", alias="from")
    to_context: str = Field(default="", alias="to")
    kubeconfig: str | None = None
    from_kubeconfig: str | None = None
    to_kubeconfig: str | None = None
    namespaces: list[str] = []
    selector: str | None = None
    transform: Transform = Field(default_factory=Transform)


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
    part, reasons = _validated(layered)
    reasons = [f"{p.place.line}:{p.place.column}: {p.why}" if p.place else p.why for p in document.problems] + reasons
    if reasons or part is None:
        what = f"reading {file}" if file else "reading flags and environment"
        raise InvalidInputError(
            "config.invalid", what, tuple(reasons), "every key is explained in docs/reference/config.md"
        )
    return _scope(part)


def _find(path: Path | None, env: Mapping[str, str], cwd: Path) -> Path | None:
    if path is None and env.get("BLUEGREEN_CONFIG"):
        path = Path(env["BLUEGREEN_CONFIG"])
    if path is not None:
        return cwd / path
    return cwd / FILE_NAME if (cwd / FILE_NAME).exists() else None


def _validated(layered: Layered) -> tuple[_Part | None, list[str]]:
    try:
        return _Part.model_validate(layered.data), []
    except ValidationError as error:
        return None, [f"{dotted(problem.path)}: {problem.why}" for problem in model_problems(error, _Part)]


def _scope(part: _Part) -> Scope:
    return Scope(
        source=part.from_context,
        target=part.to_context,
        kubeconfigs=(part.from_kubeconfig or part.kubeconfig, part.to_kubeconfig or part.kubeconfig),
        namespaces=tuple(dict.fromkeys(part.namespaces)),
        selector=part.selector or "",
        transform=transform_options(part.transform),
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


def open_both(scope: Scope, *, named: bool = True) -> tuple[Cluster, Cluster]:
    """Open both clusters and make sure that they are two (law 8).

    Args:
        scope: names them.
        named: whether a namespace must be named, too.

    Raises:
        InvalidInputError: every reason why one cannot be opened, no namespace is named, or both are the same.
    """
    reasons = Reasons()
    blue = _opened(scope.source, "--from", scope.kubeconfigs[0], reasons)
    green = _opened(scope.target, "--to", scope.kubeconfigs[1], reasons)
    if named:
        _named(scope, reasons)
    if blue and green and blue.id.uid == green.id.uid:
        reasons.found.append(
            f"--from {scope.source} and --to {scope.target} are the same cluster (kube-system UID {blue.id.uid}); "
            "name two different contexts, see: kubectl config get-contexts"
        )
    reasons.raise_if_any("opening the clusters")
    return _there(blue), _there(green)


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
