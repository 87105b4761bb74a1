"""A first bluegreen.yaml as text: what both clusters show, each part with its reason and what to fill in. Pure.

What is not known stands as TODO, which the loader refuses with its line; all else is valid as it stands. What only a
person may decide, such as what happens to data that is written after the copy, is a comment and never in force.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bluegreen.assess.landscape import Ground, Landscape
from bluegreen.migration import starter_watch as watch
from bluegreen.migration.starter_classes import Proposal, propose
from bluegreen.migration.starter_text import TODO, comment, flow, line, scalar
from bluegreen.migration.starter_watch import Hints, Part, some

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Head:
    """What the file is told besides the clusters.

    Attributes:
        day: date, such as 2026-11-25.
        kubeconfigs: keys and paths of kubeconfig files that were named.
        routers: names of the routers that are installed.
        hints: what a person told.
    """

    day: str
    kubeconfigs: dict[str, str] = field(default_factory=dict)
    routers: tuple[str, ...] = ()
    hints: Hints = field(default_factory=Hints)


def starter(land: Landscape, head: Head) -> str:
    """Return the text of a first configuration."""
    routes = watch.routes(land, head.hints)
    users = watch.users(routes)
    own, left = watch.own_requests(land)
    blocks = (
        _top(land, head),
        _pace(),
        _data(land),
        _transform(land),
        _routes(routes, land, head),
        _probes(users, own, left),
        _objectives(users, own),
        _verify(land),
    )
    return "\n".join("\n".join(block) + "\n" for block in blocks)


def open_places(text: str) -> tuple[int, ...]:
    """Return the lines, from 1, where something is still to be filled in."""
    lines = enumerate(text.splitlines(), 1)
    return tuple(number for number, row in lines if TODO in row and not row.lstrip().startswith("#"))


def _top(land: Landscape, head: Head) -> Iterator[str]:
    blue, green = land.blue.id, land.green.id
    yield from comment(
        f"Written by bluegreen init on {head.day} from what {blue.context} ({blue.version}) and {green.context} "
        f"({green.version}) show. Fill in each {TODO}, read each comment, then look first: "
        "bluegreen migrate --dry-run=server. Every key: docs/reference/config.md"
    )
    for gap in land.gaps:
        yield from comment(f"Not read, so nothing is proposed from it: {gap}")
    yield "apiVersion: bluegreen/v1"
    yield "kind: Migration"
    yield line(f"from: {scalar(blue.context)}", "blue: serves today")
    yield line(f"to: {scalar(green.context)}", "green: shall serve")
    for key, path in head.kubeconfigs.items():
        yield f"{key}: {scalar(path)}"
    if land.guessed:
        yield from comment(f"Nobody named them: all of {blue.context} that hold workloads. Take out what stays.")
    yield f"namespaces: {flow(land.namespaces)}"


def _pace() -> Iterator[str]:
    yield from comment(
        "Green's shares of the traffic in per cent, in order. A step is passed when the objectives hold, and not "
        "before it was held that long; more steps and longer holds find more, and take longer."
    )
    yield "steps: [10, 50, 100]"
    yield "hold: 30s"
    yield from comment("How long green serves alone and is judged on before the run is done; blue stays as it was.")
    yield "bake: 10m"


def _data(land: Landscape) -> Iterator[str]:
    if not land.claims:
        yield from comment("No PersistentVolumeClaim is in these namespaces, so there is no data to copy.")
        return
    named = [f"{c.namespace}/{c.name} ({c.storage_class or 'no class'}, {c.size})" for c in land.claims]
    yield from comment(f"{len(named)} claim(s) hold data: {some(named, _SHOWN)}.")
    yield from comment(
        "What shall happen to it is yours to decide, so this is not in force. With policy copy blue keeps serving and "
        "writing while its volumes are copied once; what users write on blue after that is NOT on green. If that is "
        "not acceptable, stop the writers first. Without a decision a migration of these claims is refused."
    )
    yield from comment(_velero_words(land.blue, land.green))
    place = next(iter(land.blue.velero or land.green.velero), "velero")
    yield "# data:"
    yield "#   policy: copy"
    yield "#   mover: velero"
    yield f"#   with: {flow({'namespace': place})}"


def _velero_words(blue: Ground, green: Ground) -> str:
    """Return what is known of Velero on both clusters."""
    missing = [ground.id.context for ground in (blue, green) if not ground.velero]
    if missing:
        return f"Velero was not found on {' and '.join(missing)}: install it with velero install --use-node-agent."
    if not set(blue.velero) & set(green.velero):
        here, there = ", ".join(blue.velero), ", ".join(green.velero)
        return f"Velero is in {here} on blue and in {there} on green; the mover needs one namespace for both."
    return "Velero is on both clusters. What bluegreen needs there: bluegreen adapters permissions velero."


def _transform(land: Landscape) -> Iterator[str]:
    maps = {
        "storageClasses": propose(land.storage_used, land.blue.storage, land.green.storage),
        "ingressClasses": propose(land.ingress_used, land.blue.ingress, land.green.ingress),
    }
    if not any(maps.values()):
        yield from comment(
            "Every StorageClass and IngressClass that is used has its name on green, too: nothing to map."
        )
        yield "# transform: {images: {registry.old.example/: registry.new.example/}}"
        return
    yield from comment("Names that are other ones on green.")
    yield "transform:"
    for key, proposals in maps.items():
        if proposals:
            yield f"  {key}:"
            yield from _mapped(proposals)


def _mapped(proposals: Sequence[Proposal]) -> Iterator[str]:
    for one in proposals:
        yield from comment(f"{one.why}.", 4)
        yield f"    {scalar(one.source)}: {scalar(one.target or TODO)}"


def _routes(routes: Sequence[Part], land: Landscape, head: Head) -> Iterator[str]:
    yield from comment(
        "Where traffic is split. What stands in front of both clusters cannot be seen from within them; an HAProxy is "
        "assumed, with a backend that has a server for each side. socket: path of its runtime socket (stats socket … "
        "level admin) or host:port. backend: its name in haproxy.cfg. blue, green: names of the two server lines."
    )
    others = [name for name in head.routers if name != "haproxy"]
    if others:
        yield from comment(
            f"Other routers that are installed: {', '.join(others)}. See: bluegreen adapters permissions NAME."
        )
    published = sorted({h for one in land.exposed for h in one.hosts} | {e.host for e in land.entrances if e.published})
    if published:
        yield from comment(
            f"external-dns is told to publish {some(published)}. One that runs on green, too, would publish the "
            "same names as soon as the objects are there, past every step: stop it there until the migration is done."
        )
    yield "routes:"
    for route in routes:
        yield from _part(route, "router")


def _probes(users: Sequence[Part], own: Sequence[Part], left: Sequence[str]) -> Iterator[str]:
    yield "probes:"
    yield from comment("What users got, by the route's own counters: the judge that counts most.", 2)
    for probe in users:
        yield from _part(probe, "probe")
    if any(probe.adapter != "kubernetes" for probe in own):
        yield from comment(
            "Our own requests to both sides, so that green is judged before and beside its users, and blue is still "
            "seen when it has none: without that nothing goes back. Put in a path that says more than that a process "
            "runs, and that changes nothing.",
            2,
        )
    for probe in own:
        yield from _part(probe, "probe")
    if left:
        yield from comment(f"Left out, to keep this short: {some(left)}.", 2)


def _part(part: Part, key: str) -> Iterator[str]:
    """Yield a route or probe with its reasons."""
    for why in part.why:
        yield from comment(why, 2)
    yield f"  - name: {scalar(part.name)}"
    yield f"    {key}: {scalar(part.adapter)}"
    yield f"    with: {flow(part.settings)}"


def _objectives(users: Sequence[Part], own: Sequence[Part]) -> Iterator[str]:
    yield from comment(
        "What green must meet at every step, or everybody goes back to blue. 99 % is a start: put in what you promise "
        "your users. minSamples: requests that must be seen before a verdict; more make it surer and later."
    )
    yield "objectives:"
    for probe in users:
        objective = {"name": f"{probe.name}-availability", "probe": probe.name}
        yield f"  - {_with_share(objective, 200)}"
    for probe in own:
        yield f"  - {_with_share({'name': f'{probe.name}-answers', 'probe': probe.name}, 50)}"
    timed = next((probe.name for probe in own if probe.adapter == "http"), "")
    if timed:
        yield from comment(
            "Speed, where you promise one; a request is good only when it was answered within `below`:", 2
        )
        yield f"  # - {{name: speed, probe: {scalar(timed)}, good: 95%, below: 500ms, minSamples: 50}}"


def _with_share(named: dict[str, str], least: int) -> str:
    inside = ", ".join(f"{key}: {scalar(value)}" for key, value in named.items())
    return f"{{{inside}, good: 99%, minSamples: {least}}}"


def _verify(land: Landscape) -> Iterator[str]:
    yield from comment(
        "A command whose output must be equal on both sides before traffic moves, such as a count of what users own:"
    )
    yield "# verify:"
    yield "#   - name: rows"
    yield f"#     exec: {{namespace: {scalar(land.namespaces[0])}, selector: app=NAME, command: [COMMAND]}}"
