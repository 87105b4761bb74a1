"""Weights of two target groups of an Application Load Balancer: the per cent themselves, of the 0 to 999 that it takes.

One call changes both, and the balancer follows it request by request, a short time later that AWS does not publish; so
`settle_seconds` is an allowance and not a measurement. The API has no compare-and-set: we read before and after, and
claim the listener or rule with a tag that names the owner, looked at again between the claim and the first write. Two
people who both write within the same tenths of a second are noticed only by the look after it.

It must never raise a target group of which no target is healthy (ALB then sends users there all the same), nor move
users to green while group stickiness is on: a client stays where it once was, and could not be brought back.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bluegreen.model.errors import ConflictError, RefusedError, TransientError
from bluegreen.model.permissions import Permissions
from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen_adapters.alb_forward import Forward, Mark, short
from bluegreen_adapters.alb_listener import TAG, Listener
from bluegreen_adapters.alb_policy import NOTES, POLICY
from bluegreen_adapters.alb_settings import open_listener
from bluegreen_adapters.shares import holds, percent

RESOLUTION = 999
LOOK_SECONDS = 1.0
_CHECK_SECONDS = 10.0
PERMISSIONS = Permissions(NOTES, POLICY)


@dataclass(slots=True)
class AlbRouter:
    """A listener's default action or a rule that forwards to a target group for each side.

    Attributes:
        name: name of the route.
        listener: the listener or rule.
        owner: whose mark is set.
        settle: seconds that a change may take at the balancer.
        sticky: whether group stickiness is accepted.
        clock: monotonic seconds.
    """

    name: str
    listener: Listener
    owner: str
    settle: float
    sticky: bool
    clock: Callable[[], float] = time.monotonic
    resolution: int = RESOLUTION
    _looked: tuple[Weights, float, bool] | None = field(default=None, init=False)

    @property
    def settle_seconds(self) -> float:
        """Return the allowance for the balancer, or how long a client sticks to its group if that is longer."""
        return max(self.settle, float(self._look().sticky_seconds)) if self.sticky else self.settle

    def read(self) -> Weights:
        """Return the weights served now, in whole per cent."""
        return self._percent(self._look())

    def shift(self, to: Weights, expect: Weights) -> None:
        """Write both weights in one call if those served are the expected ones and the receiver can receive."""
        forward = self._look()
        if holds(forward.weights, to):
            return
        what, now = f"shifting to {to.blue}/{to.green} on route {self.name!r}", self._percent(forward)
        mark = self._own(what)
        if now != expect:
            raise self._conflict(what, expect, now, mark)
        self._check_sticky(what, forward, to.green > now.green)
        receiver = Side.GREEN if to.green > now.green else Side.BLUE
        if receiver in forward.absent:
            forward, mark = self._join(what, forward, now, receiver), Mark(self.owner, now.green)
        self._check_receiver(what, receiver)
        if mark is None:
            self._claim(what, now)
        self._write(what, forward, to)
        self.listener.set_tag(Mark(self.owner, to.green).text())

    def settled(self, to: Weights) -> bool:
        """Return whether the weights are there and every receiver has a healthy target; looks once a second at most."""
        at = self.clock()
        if self._looked and self._looked[0] == to and at - self._looked[1] < LOOK_SECONDS:
            return self._looked[2]
        receivers = [side for side in Side if to.of(side)]
        serves = holds(self._look().weights, to) and all(self.listener.health(side).healthy for side in receivers)
        self._looked = (to, at, serves)
        return serves

    def finalize(self) -> None:
        """Remove the mark; the weights stay, and a group with weight 0, too."""
        if self._own("finalizing") is not None:
            self.listener.drop_tag()

    def marked_by(self) -> str:
        """Return whose mark the listener or rule carries, empty when there is none."""
        mark = self._mark()
        return mark.owner if mark else ""

    def _write(self, what: str, forward: Forward, to: Weights) -> None:
        """Write and read back."""
        self._looked = None
        self.listener.write(forward.with_weights({side: to.of(side) for side in Side}))
        if not holds((now := self._look().weights), to):
            told = "/".join(str(now[side]) for side in Side)
            raise ConflictError("alb.not-read-back", what, f"{told} is there: somebody else writes, too")

    def _join(self, what: str, forward: Forward, now: Weights, side: Side) -> Forward:
        """Bring a group in with weight 0, so that the balancer begins to check its targets; nobody moves."""
        self._claim(what, now)
        self._write(what, forward, now)
        if not self.listener.health(side).healthy:
            group = short(self.listener.groups[side])
            why = f"{group} was not in use; it now is, with weight 0, and its targets are being checked"
            raise TransientError("alb.receiver-new", what, why, "nothing; it is tried again", _CHECK_SECONDS)
        return self._look()

    def _claim(self, what: str, now: Weights) -> None:
        """Set our mark before the first write, and look whether somebody did the same."""
        self.listener.set_tag(Mark(self.owner, now.green).text())
        mark, found = self._own(what), self._percent(self._look())
        if mark is None or found != now:
            raise self._conflict(what, now, found, mark)

    def _check_receiver(self, what: str, side: Side) -> None:
        health = self.listener.health(side)
        if not health.healthy:
            told = ", ".join(health.others) or "it has no targets"
            why = f"no target of {short(self.listener.groups[side])} is healthy: {told}"
            raise TransientError(
                "alb.receiver-down", what, why, "see the health check of the target group", _CHECK_SECONDS
            )

    def _check_sticky(self, what: str, forward: Forward, to_green: bool) -> None:
        """Refuse to move users to where they would have to stay; the way back is always open."""
        if to_green and forward.sticky_seconds and not self.sticky:
            raise RefusedError(
                "alb.sticky",
                what,
                f"stickiness of target groups is on: for {forward.sticky_seconds} s a client stays with its group, "
                f"whatever the weights are, also on the way back",
                "turn it off in the forward action, or set sticky: true and wait that long after each step",
            )

    def _look(self) -> Forward:
        """Return the actions, in a form that says weights."""
        forward = self.listener.forward()
        if fault := forward.fault():
            raise RefusedError("alb.no-weights", f"reading the weights of route {self.name!r}", *fault)
        return forward

    def _percent(self, forward: Forward) -> Weights:
        now = percent(forward.weights)
        if now is None:
            what, why = f"reading the weights of route {self.name!r}", "neither target group has a weight"
            raise RefusedError("alb.serves-nothing", what, why, "see blue and green in the route's settings")
        return now

    def _mark(self) -> Mark | None:
        """Return whoever's mark is there."""
        text = self.listener.tag()
        try:
            return Mark.parse(text) if text else None
        except ValueError as error:
            where = f"remove the tag {TAG} of {self.listener.arn}"
            raise RefusedError("alb.mark", f"reading the mark of route {self.name!r}", str(error), where) from None

    def _own(self, what: str) -> Mark | None:
        """Return our mark; another's is a conflict."""
        mark = self._mark()
        if mark and mark.owner != self.owner:
            raise ConflictError(
                "alb.owned",
                what,
                f"{self.listener.where} carries the mark of {mark.owner!r}, and we are {self.owner!r}",
                f"let that one end first, or remove the tag {TAG} of {self.listener.arn}",
            )
        return mark

    def _conflict(self, what: str, expect: Weights, now: Weights, mark: Mark | None) -> ConflictError:
        why = f"expected {expect.blue}/{expect.green}, but {self.listener.where} has {now.blue}/{now.green}"
        ours = f"; the last that we wrote gave green {mark.green}" if mark else ""
        then = "bluegreen traffic show; then resume, or: bluegreen revert"
        return ConflictError("alb.conflict", what, f"{why}{ours}; somebody else has written", then)


def open_router(name: str, options: Mapping[str, object]) -> AlbRouter:
    """Return a router for two target groups of an Application Load Balancer.

    Args:
        name: name of the route.
        options: listener or rule (ARN), blue and green (ARNs of target groups), owner (bluegreen), sticky (false),
            settle (5s), region (that of the ARN), profile, endpoint, timeout (5s). Credentials come from boto's own
            places.

    Raises:
        InvalidInputError: settings that cannot be used, all of them.
        RefusedError: there is no such profile.
    """
    listener, owner, settle, sticky = open_listener(name, options)
    return AlbRouter(name, listener, owner, settle, sticky)
