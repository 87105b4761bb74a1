r"""Evidence that looking often cannot fake: betting accounts against "green is good enough".

An account starts with 1 and bets, block by block, that more is bad than the objective allows. If the hypothesis
H0 holds, no bet gains on average, so the balance is a non-negative supermartingale, and by Ville's inequality
P(the balance ever reaches 1/alpha) <= alpha, however often and whenever one looks. It must never bet on what
has been seen already: a stake is laid down before its block is read.

The bet. x in [0, 1] is the bad share of a block of one second, m the largest mean of x that H0 allows. For an
alternative p in (m, 1] the stake is multiplied by

    1 + (p - m) / (m (1 - m)) * (x - m)        which is p/m at x = 1 and (1-p)/(1-m) >= 0 at x = 0.

It is linear in x, so its mean is at most 1 whenever the mean of x given the past is at most m: for blocks of any
size, with any dependence between the requests of one block. With one request per block this is the likelihood ratio
of the beta-binomial e-process; alternatives at or below m are left out (the prior is truncated), as their factor
could grow under H0. Any mixture of stakes keeps the property. The mixture here is log-uniform over (m, 1]
rather than Beta(1, 20): in simulation (2 requests/s, objective 99 %, alpha 1 %) without the guard below
it finds 10 % errors in 22 s instead of 30 s and 50 % in 3 s instead of 5 s: it keeps more on catastrophes.

Late changes. Part of the balance is kept as cash and invested little by little, so that errors that begin after a
long good time meet fresh stakes instead of ruined ones. Cash earns nothing and investing it is no gain, so the balance
stays a supermartingale.

What it assumes, and the guard. H0 speaks of the mean of a block given the blocks before it, so a burst of
errors that lasts longer than a block would be counted several times. After a block with errors the account
therefore sits out until a second without any has passed, at most for the objective's `burst` seconds: a burst is one
bet. What is assumed is that after such a pause the next error is no longer a part of the same burst. Longer
bursts are taken as what they are to a user, an outage; who knows better sets `burst` higher, at the price of time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

BLOCK_SECONDS = 1.0
_FIRST_SHARE = 0.75
_PATIENCE_BLOCKS = 300
_ALTERNATIVES = 24
_CEILING = 1e280


@lru_cache(maxsize=64)
def bad_share_alternatives(most: float) -> tuple[float, ...]:
    """Return bad shares that are worse than the objective allows, log-uniform from 1.5 times it up to 1.

    Args:
        most: largest bad share that the objective allows.
    """
    lowest = math.log(min(1.5 * most, (1.0 + most) / 2))
    return tuple(math.exp(lowest * (1 - (i + 0.5) / _ALTERNATIVES)) for i in range(_ALTERNATIVES))


@lru_cache(maxsize=256)
def _factors(most: float, share: float) -> tuple[float, ...]:
    """Return the gain of each alternative on a block with that bad share; most blocks have none at all."""
    gain = (share - most) / (most * (1.0 - most))
    return tuple(1.0 + (p - most) * gain for p in bad_share_alternatives(most))


@dataclass(frozen=True, slots=True)
class Account:
    """The balance of one bettor.

    Attributes:
        stakes: what stands on each alternative.
        cash: what is not invested yet.
        blocks: blocks that were bet on.
        resting_until: number of the first block that may be bet on again.
    """

    stakes: tuple[float, ...] = (0.0,) * _ALTERNATIVES
    cash: float = 1.0
    blocks: int = 0
    resting_until: int = 0

    @property
    def balance(self) -> float:
        """Return the e-value: 1/alpha and more refutes the hypothesis."""
        return self.cash + sum(self.stakes)

    def bet(self, factors: Sequence[float]) -> "Account":
        """Invest some cash evenly, then multiply each stake.

        Args:
            factors: gain of each alternative on this block, its mean at most 1 under the hypothesis.
        """
        share = _FIRST_SHARE if self.blocks == 0 else 1.0 / (self.blocks + _PATIENCE_BLOCKS)
        fresh = self.cash * share / len(self.stakes)
        stakes = [(s + fresh) * f for s, f in zip(self.stakes, factors, strict=True)]
        if max(stakes) > _CEILING:
            stakes = [min(stake, _CEILING) for stake in stakes]
        return Account(tuple(stakes), self.cash * (1.0 - share), self.blocks + 1, self.resting_until)

    def rest(self, until: int) -> "Account":
        """Sit out the blocks before that number."""
        return self if until == self.resting_until else Account(self.stakes, self.cash, self.blocks, until)


def against_objective(account: Account, number: int, *, bad: int, total: int, most: float, rest: int) -> Account:
    """Bet one block against "the bad share of a block is at most `most` on average".

    Args:
        account: the balance so far.
        number: number of the block.
        bad: bad requests in the block.
        total: requests in the block; without any the block says nothing.
        most: largest bad share that the objective allows.
        rest: most blocks to sit out after one with errors.
    """
    if total == 0:
        return account
    if number < account.resting_until:
        return account if bad else account.rest(number)
    after = account.bet(_factors(most, bad / total))
    return after.rest(number + 1 + rest) if bad else after


def against_blue(account: Account, number: int, *, green: tuple[int, int], blue: tuple[int, int], rest: int) -> Account:
    """Bet one block against "green is no worse than blue", on whose errors they are.

    Of the errors of a block a part r belongs to green. If both sides fail alike, the mean of r is green's share of the
    requests when errors are independent, and one half when each side has bursts of its own; the larger of the two is
    taken, so the bet is valid for both. A shock that hits both sides at once moves nothing.

    Args:
        account: the balance so far.
        number: number of the block.
        green: bad requests and requests of green in the block.
        blue: the same of blue at the same time.
        rest: most blocks to sit out after one with errors.
    """
    errors = green[0] + blue[0]
    if not green[1] or not blue[1]:
        return account
    if not errors:
        return account.rest(number)
    if number < account.resting_until:
        return account
    most = max(green[1] / (green[1] + blue[1]), 0.5)
    gain = (green[0] / errors - most) / (most * (1.0 - most))
    factors = [1.0 + (_odds(most, worse) - most) * gain for worse in _WORSE]
    return account.bet(factors).rest(number + 1 + rest)


def _odds(share: float, times: float) -> float:
    """Return green's part of the errors when it fails that many times as often as blue."""
    return share * times / (share * times + 1.0 - share)


_WORSE = tuple(math.exp(math.log(64.0) * (i + 1) / _ALTERNATIVES) for i in range(_ALTERNATIVES))
