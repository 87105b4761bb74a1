"""The export as a whole: list, select, clean, follow, bundle.

It reads blue, never writes, and holds everything in memory, packed until it is cleaned; Secrets leave it only inside
the Bundle.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from bluegreen.exporter import admission, collect, follow, plain_status
from bluegreen.exporter.bundle import Bundle, Report, make_bundle, note, reports_on
from bluegreen.exporter.choices import Choices
from bluegreen.exporter.clean import clean
from bluegreen.exporter.closure import select_with_needs
from bluegreen.exporter.conditions import CleanContext, group_kind
from bluegreen.exporter.held import Held, held
from bluegreen.exporter.packed import Packed, one_by_one
from bluegreen.exporter.rules import Action, Removal
from bluegreen.exporter.uses import foreign_uses, storage_classes_used
from bluegreen.model.errors import InvalidInputError
from bluegreen.model.events import Emit
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of
from bluegreen.model.selectors import parse_selector

_CLUSTERS_OWN = frozenset({"kube-system", "kube-public", "kube-node-lease"})


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How to export.

    Attributes:
        hmac_key: key of the digests of Secrets, from the migration's own randomness.
        choices: what a person chose.
        workers: lists read at a time.
        families: IP families that green serves, None when not known.
    """

    hmac_key: bytes = field(repr=False)
    choices: Choices = field(default_factory=Choices)
    workers: int = 8
    families: frozenset[str] | None = None


def export(cluster: Cluster, namespaces: tuple[str, ...], selector: str, options: ExportOptions, emit: Emit) -> Bundle:
    """Export namespaces of blue with all that their objects need.

    Args:
        cluster: blue; only read.
        namespaces: namespaces to export.
        selector: label selector, empty for everything.
        options: how.
        emit: told how many objects were listed, kept and left out.

    Raises:
        InvalidInputError: unknown namespaces, a bad selector, or lists that could not be read; all reasons at once.
    """
    matches = parse_selector(selector)
    roots = _namespace_objects(cluster, namespaces)
    resources, choices = cluster.resources(), options.choices
    _require_known(resources, choices, cluster.id.context)
    if choices.exclude:
        emit("notice", text=f"left on blue, as export.exclude says: {', '.join(sorted(choices.exclude))}")
    listable, left = collect.worth_listing(resources)
    listed = collect.gather(cluster, listable, namespaces, options.workers)
    emit("export.listed", objects=len(listed), kinds=len(listable), kinds_left_out=len(left))
    data = plain_status.plain_status_kinds(cluster, listable, frozenset(packed.api_version for packed in listed))
    context = replace(_context(listed, namespaces, options), keep_status=choices.keep_status | data)
    sieve = _Sieve(context, choices.exclude)
    sieve.pour(roots)
    if selector.strip():
        chosen, unselected = select_with_needs((packed.unpack() for packed in one_by_one(listed)), matches)
        sieve.pour(chosen)
        sieve.reports += [note(ref_of(o), "selector", Action.LEAVE_OUT, "", "not selected") for o in unselected]
    else:
        for packed in one_by_one(listed):
            sieve.take(packed.unpack(), packed.unpack)
    _follow(cluster, resources, sieve, held(sieve.objects(), frozenset(namespaces), selected=bool(selector.strip())))
    emit("export.cleaned", objects=len(sieve.kept), reports=sieve.said)
    return sieve.bundle(namespaces, options.hmac_key, cluster.id.uid)


def _namespace_objects(cluster: Cluster, namespaces: Iterable[str]) -> list[Raw]:
    refs = [ObjectRef("v1", "Namespace", "", name) for name in sorted(set(namespaces))]
    found, missing = follow.follow_named(cluster, refs)
    reasons = tuple(f"namespace {ref.name} does not exist" for ref in missing)
    reasons += tuple(f"namespace {o['metadata']['name']} is being deleted" for o in found if _is_ending(o))
    reasons += tuple(f"namespace {ref.name} is the cluster's own" for ref in refs if ref.name in _CLUSTERS_OWN)
    if reasons or not refs:
        what = f"looking for namespaces in {cluster.id.context}"
        raise InvalidInputError("export.namespaces", what, reasons or ("none was named",), "kubectl get namespaces")
    return found


def _require_known(resources: Iterable[ApiResource], choices: Choices, context: str) -> None:
    """Refuse kinds that blue does not serve: a typing error would export what somebody wanted to keep back."""
    served = {resource.group_kind for resource in resources}
    reasons = [
        f"export.{key}: {context} serves no {kind}{_meant(kind, served)}"
        for key, kinds in (("exclude", choices.exclude), ("keepStatus", choices.keep_status))
        for kind in sorted(kinds - served)
    ]
    if reasons:
        hint = "write each as Kind.group, see: kubectl api-resources"
        raise InvalidInputError("export.kinds", f"looking for kinds in {context}", tuple(reasons), hint)


def _meant(kind: str, served: Iterable[str]) -> str:
    name, known = kind.partition(".")[0], sorted(served)
    close = [one for one in known if one.partition(".")[0] == name]
    close = close or difflib.get_close_matches(kind, known, n=1, cutoff=0.8)
    return f"; did you mean {close[0]}?" if close else ""


def _is_ending(obj: Raw) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


def _context(listed: list[Packed], namespaces: Iterable[str], options: ExportOptions) -> CleanContext:
    return CleanContext(
        namespaces=frozenset(namespaces),
        exists=frozenset(packed.uid for packed in listed),
        selecting_services=frozenset(packed.selecting for packed in listed if packed.selecting),
        node_ports=options.choices.node_ports,
        families=options.families,
    )


class _Sieve:
    """Cleans objects as they come and keeps what is left, with blue's version, and what is to be said of them."""

    def __init__(self, context: CleanContext, exclude: frozenset[str] = frozenset()) -> None:
        self._context = context
        self._exclude = exclude
        self._seen: set[ObjectRef] = set()
        self.kept: list[tuple[Raw, str]] = []
        self.reports: list[Report] = []
        self._cleaned: list[tuple[ObjectRef, tuple[Removal, ...]]] = []

    def pour(self, objects: Iterable[Raw]) -> None:
        """Clean raw objects; one that came before is ignored."""
        for obj in objects:
            self.take(obj)

    def take(self, obj: Raw, again: Callable[[], Raw] | None = None) -> None:
        """Clean one raw object, which `again` makes once more."""
        ref = ref_of(obj)
        if ref in self._seen:
            return
        self._seen.add(ref)
        if self._exclude and group_kind(obj) in self._exclude:
            self.reports.append(note(ref, "excluded", Action.LEAVE_OUT, "", "export.exclude names its kind"))
            return
        cleaned = clean(obj, self._context, again)
        self._cleaned.append((ref, cleaned.removals))
        if cleaned.obj is not None:
            self.kept.append((cleaned.obj, str(obj["metadata"].get("resourceVersion", ""))))

    def add(self, objects: Iterable[Raw], reports: Iterable[Report]) -> None:
        """Clean what was followed, and take over what is to be said of the rest."""
        self.pour(objects)
        self.reports += reports

    def objects(self) -> list[Raw]:
        """Return what is left so far."""
        return [obj for obj, _ in self.kept]

    def bundle(self, namespaces: Iterable[str], key: bytes, source: str) -> Bundle:
        """Return everything as a bundle."""
        classes = (name for obj in self.objects() for name in storage_classes_used(obj))
        excluded = self._exclude
        return make_bundle(namespaces, self.kept, self.tell, classes, key, source=source, excluded=excluded)

    @property
    def said(self) -> int:
        """Return how much is to be said."""
        return len(self.reports) + sum(len(removals) for _, removals in self._cleaned)

    def tell(self) -> Iterator[Report]:
        """Yield all that is to be said."""
        yield from self.reports
        for ref, removals in self._cleaned:
            yield from reports_on(ref, removals)


def _follow(cluster: Cluster, resources: tuple[ApiResource, ...], sieve: _Sieve, holding: Held) -> None:
    """Add what the kept objects need outside their namespaces."""
    sieve.add(*follow.follow_roles(cluster, resources, sieve.objects(), holding))
    sieve.add(*admission.follow_webhooks(cluster, resources, holding))
    sieve.add(*admission.follow_policies(cluster, resources, holding))
    classes, absent = follow.follow_named(cluster, follow.wanted_classes(sieve.objects()))
    sieve.pour(classes)
    definitions, views = follow.follow_named(cluster, follow.wanted_definitions(sieve.objects(), resources))
    sieve.pour(definitions)
    sieve.reports += [_missing(ref, "named by an exported object, but blue does not have it") for ref in absent]
    sieve.reports += [_missing(ref, "served by an aggregated API: green must serve it as well") for ref in views]
    sieve.reports += [
        note(ref_of(obj), "other-namespace", Action.REPORT, path, f"names {target} in another namespace")
        for obj in sieve.objects()
        for path, target in foreign_uses(obj)
        if target.partition("/")[0] not in holding.namespaces
    ]


def _missing(ref: ObjectRef, why: str) -> Report:
    return note(ref, "missing", Action.REPORT, "", why)
