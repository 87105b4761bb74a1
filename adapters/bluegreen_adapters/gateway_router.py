"""Weights on the backendRefs of a Gateway API HTTPRoute, in whichever cluster holds it: blue, green or a third.

All rules and the owner's mark go in one PATCH that names the resourceVersion it was made from, so a second writer is
noticed by the server itself, and no request meets half a change. A controller that writes the route's status moves the
resourceVersion, too: then the route is read again and judged anew. It must never write 0/0, over weights or a mark
that it did not expect, or more to green while a parent says that it cannot find a backend.

What the API server holds is not yet what a data plane does: `settled` asks the controllers' conditions, and they speak
of their translation, not of each proxy. `settle` in the settings is the time that the proxies may need after that.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bluegreen.model.errors import ConflictError, NotFoundError, RefusedError, TransientError
from bluegreen.model.permissions import Permissions
from bluegreen.model.ports import Raw, Weights
from bluegreen.model.refs import ObjectRef, Side
from bluegreen_adapters import gateway_settings
from bluegreen_adapters.gateway_place import Place
from bluegreen_adapters.gateway_route import (
    API_VERSION,
    KIND,
    Backend,
    Chosen,
    Split,
    UnfitRouteError,
    served,
    shares,
    splits,
    with_weights,
)
from bluegreen_adapters.gateway_status import doubts, parents, unresolved
from bluegreen_adapters.options import Options
from bluegreen_adapters.shares import holds

RESOLUTION = 1_000_000
MARK = "bluegreen.io/traffic-owner"
PERMISSIONS = Permissions(
    lines=(
        "get and patch of the one HTTPRoute, in the cluster that holds it; nothing in the other clusters",
        "the discovery of its API group, which every signed-in user has (ClusterRole system:discovery)",
    ),
    policy={
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "bluegreen-traffic", "namespace": "NAMESPACE"},
        "rules": [
            {
                "apiGroups": ["gateway.networking.k8s.io"],
                "resources": ["httproutes"],
                "resourceNames": ["HTTPROUTE"],
                "verbs": ["get", "patch"],
            }
        ],
    },
)
_LOOKS = 5


class Objects(Protocol):
    """Single objects of the cluster that holds the route."""

    def get(self, ref: ObjectRef) -> Raw:
        """Return one object."""

    def patch(self, ref: ObjectRef, patch: Raw) -> Raw:
        """Merge-patch an object; ConflictError when its resourceVersion is not the patch's."""


OpenObjects = Callable[[str, str | None, float], Objects]


@dataclass(frozen=True, slots=True)
class Look:
    """The route as it was read, and where the sides stand in it."""

    route: Raw
    found: tuple[Split, ...]
    parents: tuple[Mapping[str, Any], ...]

    @property
    def owner(self) -> str:
        """Return whose mark it carries, empty for nobody's."""
        return str((self.route["metadata"].get("annotations") or {}).get(MARK, ""))


@dataclass(frozen=True, slots=True)
class GatewayRouter:
    """One HTTPRoute whose rules split between the two sides.

    Attributes:
        name: name of the route in the config.
        objects: the cluster that holds the HTTPRoute.
        place: where it is.
        backends: what each side's backendRef refers to.
        rules: index or name of the rules that are moved; empty for all that have both sides.
        named: parents whose word is asked for; empty for all.
        owner: whose mark is set.
        settle_seconds: time that the data plane may need at least.
    """

    name: str
    objects: Objects
    place: Place
    backends: Mapping[Side, Backend]
    rules: Chosen
    named: Sequence[str]
    owner: str
    settle_seconds: float
    resolution: int = RESOLUTION

    def read(self) -> Weights:
        """Return the weights that the route has, in whole per cent."""
        what = "reading the weights"
        with self._fitting(what):
            return served(self._look(what).found)

    def shift(self, to: Weights, expect: Weights) -> None:
        """Write the weights of every rule and the mark at once, if those in the route are the expected ones."""
        what = f"shifting to {to.blue}/{to.green}"
        for _ in range(_LOOKS):
            look = self._look(what)
            with self._fitting(what):
                now = served(look.found)
                if holds(shares(look.found), to):
                    return
            self._check(what, look, to, expect, now)
            change = {"rules": with_weights(look.route, look.found, to)}
            if after := self._patch(look, self.owner, spec=change):
                self._check_stored(what, after, to)
                return
        raise self._busy(what)

    def settled(self, to: Weights) -> bool:
        """Return whether the route holds the weights and each parent's controllers have accepted just that."""
        what = "looking whether it settled"
        look = self._look(what)
        with self._fitting(what):
            return holds(shares(look.found), to) and not doubts(look.route, look.parents)

    def finalize(self) -> None:
        """Remove the mark; the weights stay."""
        what = "finalizing"
        for _ in range(_LOOKS):
            look = self._look(what)
            if not look.owner:
                return
            if look.owner != self.owner:
                raise self._owned(what, look)
            if self._patch(look, None):
                return
        raise self._busy(what)

    def marked_by(self) -> str:
        """Return whose mark the route carries, empty when there is none."""
        return self._look("reading the mark").owner

    def _look(self, what: str) -> Look:
        """Read the route and find the sides in it."""
        try:
            route = self.objects.get(self.place.ref)
        except NotFoundError as error:
            raise self._missing(what, error) from error
        with self._fitting(what):
            return Look(route, splits(route, self.backends, self.rules), parents(route, self.named))

    def _check(self, what: str, look: Look, to: Weights, expect: Weights, now: Weights) -> None:
        """Refuse a write over what was not expected, or more to green while a parent cannot find a backend."""
        if look.owner not in {"", self.owner}:
            raise self._owned(what, look)
        if now != expect:
            raise self._conflict(what, look, expect, now)
        why = unresolved(look.route, look.parents)
        if why and to.green > now.green:
            raise RefusedError(
                "gateway.unresolved",
                self._told(what),
                f"a parent cannot find a backend, and its share would be answered with errors: {why}",
                self.place.show(),
            )

    def _patch(self, look: Look, owner: str | None, **more: Raw) -> Raw | None:
        """Set the mark and more; return None when the route is another one since our look."""
        meta = {"resourceVersion": look.route["metadata"]["resourceVersion"], "annotations": {MARK: owner}}
        try:
            return self.objects.patch(self.place.ref, {"metadata": meta, **more})
        except ConflictError:
            return None

    def _check_stored(self, what: str, after: Raw, to: Weights) -> None:
        """Refuse to go on when the server has stored something else than we wrote."""
        with self._fitting(what):
            now = shares(splits(after, self.backends, self.rules))
        if not holds(now, to):
            why = f"the server stored {now[Side.BLUE]}/{now[Side.GREEN]}: an admission webhook changes what we write"
            raise RefusedError("gateway.not-stored", self._told(what), why, self.place.show())

    @contextlib.contextmanager
    def _fitting(self, what: str) -> Iterator[None]:
        """Tell people what makes the route unfit, and the command that would mend it."""
        try:
            yield
        except UnfitRouteError as error:
            mend = self.place.mend(error.patch) if error.patch else self.place.show()
            raise RefusedError(error.code, self._told(what), error.why, mend) from None

    def _busy(self, what: str) -> TransientError:
        why = f"it changed {_LOOKS} times between our look and our write"
        return TransientError("gateway.busy", self._told(what), why, f"see who writes: {self.place.show()}")

    def _missing(self, what: str, error: NotFoundError) -> NotFoundError:
        if error.code == "kube.no-such-kind":
            why = f"the cluster of context {self.place.context} does not serve {KIND} in {API_VERSION}"
            return NotFoundError("gateway.no-api", self._told(what), why, self.place.kubectl("api-resources"))
        why = f"there is none of that name in namespace {self.place.ref.namespace}"
        return NotFoundError("gateway.no-route", self._told(what), why, self.place.kubectl("get", "httproutes", "-A"))

    def _conflict(self, what: str, look: Look, expect: Weights, now: Weights) -> ConflictError:
        writer = last_writer(look.route, self.place.manager)
        told = f"; last writer of its spec: {writer}" if writer else ""
        return ConflictError(
            "gateway.conflict",
            self._told(what),
            f"expected {expect.blue}/{expect.green}, but it has {now.blue}/{now.green}: another has written{told}",
            "bluegreen traffic show; then resume, or: bluegreen revert",
        )

    def _owned(self, what: str, look: Look) -> ConflictError:
        why = f"it carries the mark of {look.owner!r}, and we are {self.owner!r}"
        mend = self.place.kubectl("annotate", "httproute", self.place.ref.name, f"{MARK}-")
        return ConflictError("gateway.owned", self._told(what), why, f"let that one end first, or: {mend}")

    def _told(self, what: str) -> str:
        return f"{what} of route {self.name!r} ({self.place.ref} in cluster {self.place.context})"


def last_writer(route: Raw, ours: str) -> str:
    """Return the field manager, other than ours, that wrote the spec last, as the server remembers it."""
    entries: list[Raw] = [
        entry
        for entry in route["metadata"].get("managedFields") or []
        if entry.get("manager") != ours and not entry.get("subresource") and "f:spec" in (entry.get("fieldsV1") or {})
    ]
    newest = sorted(entries, key=lambda entry: str(entry.get("time", "")))[-1:]
    return "".join(str(entry["manager"]) for entry in newest)


def open_router(name: str, options: Mapping[str, object], open_objects: OpenObjects) -> GatewayRouter:
    """Return a router for an HTTPRoute.

    Args:
        name: name of the route.
        options: context and kubeconfig of the cluster that holds the HTTPRoute, namespace, httproute (its name), blue
            and green (a backend: the name of a Service, or name, namespace, kind, group, port), rules (index or name,
            one or a list; every rule that has both sides), parents (names; all), owner (bluegreen), settle (1s),
            timeout (5s, of each call with its repeats).
        open_objects: opens the objects of a context, a kubeconfig (None for the configuration's) and a time in seconds.

    Raises:
        InvalidInputError: settings that cannot be used, all of them.
        RefusedError: no such context.
    """
    given = Options("router gateway-api", name, options)
    place, backends = gateway_settings.place(given), gateway_settings.backends(given)
    rules, named = gateway_settings.rules(given), gateway_settings.parents(given)
    owner, settle = gateway_settings.owner(given), given.seconds("settle", gateway_settings.SETTLE)
    timeout = given.seconds("timeout", gateway_settings.TIMEOUT)
    given.finish()
    objects = open_objects(place.context, place.kubeconfig or None, timeout)
    return GatewayRouter(name, objects, place, backends, rules, named, owner, settle)
