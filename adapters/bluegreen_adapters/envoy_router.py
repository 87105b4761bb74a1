"""Weights in Envoy's runtime: absolute, both in one write, only if what is served is what we expect.

A route of weighted_clusters with a `runtime_key_prefix` takes a cluster's weight from the key `<prefix>.<cluster>`, or
from its config when the key is not set. One call of the admin interface sets both keys and our mark; Envoy hands each
worker a whole new snapshot, so no request ever sees one key without the other and the sum is never 0. A weight here
is the per cent itself, so nothing is rounded.

The runtime has no compare-and-set: between our look and our write lie a few milliseconds in which another writer would
not be noticed; the mark tells whose the weights are, and the read-back after the write is the second look.

Runtime values live as long as the process: a restart brings back the weights of the config. `read` shows that, `shift`
then refuses with the reason. `finalize` must never remove the weights, for the same reason: their last values should
be written into Envoy's config before it restarts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bluegreen.model.errors import BluegreenError, ConflictError, NotFoundError, RefusedError, TransientError
from bluegreen.model.permissions import Permissions
from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen_adapters.envoy_admin import EnvoyAdmin, admin_of, open_admin
from bluegreen_adapters.envoy_runtime import (
    LARGEST_SUM,
    OWNER_KEY,
    Look,
    Runtime,
    UnusableError,
    pair_of,
    without_hosts,
)
from bluegreen_adapters.options import Options

RESOLUTION = LARGEST_SUM
PERMISSIONS = Permissions(
    (
        "Envoy's admin interface, which has no passwords: GET /runtime, /clusters, /config_dump; POST /runtime_modify",
        "in Envoy's config: an admin_layer in layered_runtime, runtime_key_prefix in the route's weighted_clusters",
    ),
    {
        "admin": {
            "allow_paths": [
                {"exact": "/runtime"},
                {"prefix": "/runtime_modify"},
                {"prefix": "/clusters"},
                {"prefix": "/config_dump"},
            ]
        }
    },
)
_OWNER = re.compile(r"[A-Za-z0-9._:@/-]{1,63}")
_NAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,200}")
_MISSING = frozenset({"no-route", "no-cluster"})


@dataclass(frozen=True, slots=True)
class EnvoyRouter:
    """One weighted route with a cluster for each side.

    Attributes:
        name: name of the route.
        admin: Envoy's admin interface.
        prefix: runtime_key_prefix of its weighted clusters.
        clusters: name of the cluster of each side.
        owner: whose mark is set.
    """

    name: str
    admin: EnvoyAdmin
    prefix: str
    clusters: Mapping[Side, str]
    owner: str
    resolution: int = RESOLUTION
    settle_seconds: float = 0.0

    def read(self) -> Weights:
        """Return the weights served now, in whole per cent; a side that serves anything has at least 1."""
        look = self._look("reading the weights")
        if look.served is None:
            raise self._refused("serves-nothing", "reading the weights", f"nobody is served: {look.told}")
        return look.served

    def shift(self, to: Weights, expect: Weights) -> None:
        """Write both weights and the mark in one call if those served are the expected ones, and read them back."""
        what = f"shifting to {to.blue}/{to.green}"
        look = self._look(what)
        if look.holds(to):
            return
        if look.owner and look.owner != self.owner:
            raise self._owned(what, look)
        if look.served != expect:
            raise self._conflict(what, expect, look)
        self._check_layers(what, look)
        self._check_receivers(what, look, to)
        weights = {self._key(look.pair[side].name): str(to.of(side)) for side in Side}
        self.admin.set_runtime({**weights, self._key(OWNER_KEY): self.owner})
        self._check_written(what, to)

    def settled(self, to: Weights) -> bool:
        """Return whether Envoy holds the weights and every receiver has a healthy host; the next request follows."""
        look = self._look("looking whether the weights took effect")
        return look.holds(to) and not any(to.of(side) for side in look.without_hosts)

    def finalize(self) -> None:
        """Remove our mark; the weights stay, for without their keys those of the config would come back."""
        look = self._look("finalizing")
        if not look.owner:
            return
        if look.owner != self.owner:
            raise self._owned("finalizing", look)
        self.admin.set_runtime({self._key(OWNER_KEY): ""})

    def marked_by(self) -> str:
        """Return whose mark the runtime holds, empty when there is none."""
        return self._look("reading the mark").owner

    def _look(self, what: str) -> Look:
        """Return what Envoy serves now; weights that cannot be governed are refused."""
        bootstrap = self._bootstrap()
        routes = [self.admin.ask("config_dump", resource=f"{kind}_route_configs") for kind in ("static", "dynamic")]
        either = "|".join(re.escape(name) for name in self.clusters.values())
        hosts = self.admin.ask("clusters", format="json", filter=f"^({either})$")
        try:
            runtime = Runtime.parse(self.prefix, self.admin.ask("runtime"), bootstrap.get("bootstrap", {}))
            pair = pair_of(routes, runtime, self.clusters)
        except UnusableError as error:
            kind = NotFoundError if error.code in _MISSING else RefusedError
            raise kind(f"envoy.{error.code}", self._what(what), error.why, error.next_step) from None
        started = str(bootstrap.get("last_updated", ""))
        return Look(pair, runtime.value(OWNER_KEY).text, started, without_hosts(hosts, self.clusters))

    def _bootstrap(self) -> Mapping[str, Any]:
        """Return when Envoy was started and the layers of its runtime."""
        answer = self.admin.ask("config_dump", mask="last_updated,bootstrap.layered_runtime")
        return next((config for config in answer.get("configs", ()) if "last_updated" in config), {})

    def _check_layers(self, what: str, look: Look) -> None:
        """Refuse a key that another layer sets: our write would be kept, and would count for nothing."""
        for target in look.pair.values():
            if target.value.above:
                raise self._refused(
                    "overridden",
                    what,
                    f"the runtime layer {target.value.above!r} sets {self._key(target.name)} above the admin layer",
                    f"move the admin layer behind {target.value.above!r} in layered_runtime.layers",
                )

    def _check_receivers(self, what: str, look: Look, to: Weights) -> None:
        """Refuse to give more to a side that can take nothing."""
        now = look.served or to
        for side, reason in look.without_hosts.items():
            if to.of(side) > now.of(side):
                cluster = look.pair[side].name
                raise TransientError(
                    "envoy.receiver-down",
                    self._what(what),
                    f"cluster {cluster} would answer errors: {reason}",
                    f"GET {self.admin.address}/clusters tells its hosts",
                )

    def _check_written(self, what: str, to: Weights) -> None:
        look = self._look(f"{what}, reading back")
        if not look.holds(to) or look.owner != self.owner:
            owner = f" with the mark of {look.owner!r}" if look.owner else " without a mark"
            raise ConflictError(
                "envoy.not-read-back",
                self._what(what),
                f"{look.told}{owner} is there right after our write: somebody else writes, too",
                "bluegreen traffic show",
            )

    def _conflict(self, what: str, expect: Weights, look: Look) -> ConflictError:
        """Return an error that tells a restart from another writer."""
        why = f"expected {expect.blue}/{expect.green}, but {look.told}"
        if look.from_config:
            why += f"; Envoy was started at {look.started} and has no weights of ours: its runtime does not outlive it"
        else:
            why += "; somebody else has written"
        return ConflictError(
            "envoy.restarted" if look.from_config else "envoy.conflict",
            self._what(what),
            why,
            "bluegreen traffic show; then resume, or: bluegreen revert",
        )

    def _owned(self, what: str, look: Look) -> ConflictError:
        key = self._key(OWNER_KEY)
        return ConflictError(
            "envoy.owned",
            self._what(what),
            f"the runtime carries the mark of {look.owner!r}, and we are {self.owner!r}",
            f"let that one end first, or remove its mark: POST {self.admin.address}/runtime_modify?{key}=",
        )

    def _key(self, name: str) -> str:
        return f"{self.prefix}.{name}"

    def _what(self, what: str) -> str:
        return f"{what} on route {self.name!r} at Envoy {self.admin.address}"

    def _refused(self, code: str, what: str, why: str, next_step: str = "") -> BluegreenError:
        return RefusedError(f"envoy.{code}", self._what(what), why, next_step)


def open_router(name: str, options: Mapping[str, object]) -> EnvoyRouter:
    """Return a router over Envoy's runtime.

    Args:
        name: name of the route.
        options: admin (http://127.0.0.1:9901; or the path of a UNIX socket), prefix (the route's
            runtime_key_prefix), blue and green (names of the clusters), owner (bluegreen), timeout (2s).

    Raises:
        InvalidInputError: settings that cannot be used, all of them.
    """
    given = Options("router envoy", name, options)
    address, timeout = admin_of(given)
    prefix, clusters, owner = given.text("prefix"), clusters_of(given), given.text("owner", "bluegreen")
    if prefix and not _NAME.fullmatch(prefix):
        given.refuse("prefix", "holds a character that no runtime key has")
    if not _OWNER.fullmatch(owner):
        given.refuse("owner", "must be 1 to 63 letters, digits or . _ : @ / -")
    given.finish()
    return EnvoyRouter(name, open_admin(address, timeout), prefix, clusters, owner)


def clusters_of(given: Options) -> dict[Side, str]:
    """Read the name of each side's cluster, and note what is wrong with them."""
    clusters = {side: given.text(side.value, side.value) for side in Side}
    for side, name in clusters.items():
        if not _NAME.fullmatch(name):
            given.refuse(side.value, "holds a character that no cluster's name has")
    if clusters[Side.BLUE] == clusters[Side.GREEN]:
        given.refuse("green", "is the same cluster as blue")
    return clusters
