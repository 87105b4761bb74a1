"""The gate: may green have more, must it go back, or is it not known yet.

Pure: windows in, judgements out. It may be asked every second at no cost in honesty, because the evidence is
anytime-valid (see evidence.py). It never passes on no data, never fails on a broken probe, and never blames
green for what blue suffers at the same time.
"""

import math
from collections.abc import Iterable, Sequence

from bluegreen.model.refs import Side
from bluegreen.model.verdicts import Judgement, Verdict
from bluegreen.slo.burn import Burn, worst_burn
from bluegreen.slo.explain import samples_to_decide, samples_to_meet
from bluegreen.slo.health import violates
from bluegreen.slo.objectives import Objective
from bluegreen.slo.window import SILENT_SECONDS, Tally, Window, Windows

_SHARE_OF_OBJECTIVE = 0.9
_NEGLIGIBLE = 0.1
_CLEARLY_WORSE = 6.0
_WORST_FIRST = (Verdict.FAIL, Verdict.PROBE_ERROR, Verdict.INCONCLUSIVE, Verdict.PASS)


def judge(objectives: Sequence[Objective], windows: Windows, now: float, hold_left: float) -> tuple[Judgement, ...]:
    """Judge green by every objective.

    With alpha per objective, which its burn rates have a part of, a green that meets k of them is sent back in at most
    k times alpha of all steps.

    Args:
        objectives: what is judged, in the order of the config.
        windows: a window per objective name, fed up to now.
        now: monotonic seconds.
        hold_left: seconds that the step must still be held before it can pass.
    """
    for window in windows.values():
        window.advance(now)
    return tuple(judge_one(windows[objective.name], now, hold_left) for objective in objectives)


def combine(judgements: Iterable[Judgement]) -> Verdict:
    """Return the worst verdict: FAIL, then PROBE_ERROR, INCONCLUSIVE, PASS; nothing judged is INCONCLUSIVE."""
    found = {judgement.verdict for judgement in judgements}
    return next((verdict for verdict in _WORST_FIRST if verdict in found), Verdict.INCONCLUSIVE)


def judge_one(window: Window, now: float, hold_left: float) -> Judgement:
    """Judge green by one objective.

    Args:
        window: counts and evidence, advanced to now.
        now: monotonic seconds.
        hold_left: seconds that the step must still be held.
    """
    objective, green, judged = window.objective, window.tallies[Side.GREEN], window.judged(Side.GREEN)
    verdict, reason, needed = _decide(window, now, hold_left)
    return Judgement(
        objective=objective.name,
        verdict=verdict,
        value=1.0 - judged.bad_share if judged.total else None,
        threshold=objective.good,
        samples=judged.total,
        bad=judged.bad,
        evidence=evidence_of(window) if green.total else None,
        needed=needed,
        reason=reason,
        example=green.example,
        p99=green.latencies.quantile(0.99),
    )


def evidence_of(window: Window) -> float:
    """Return the e-value against green; 1/alpha and more refutes it.

    With a comparison it is a weighted mean of two balances, so one alpha covers both: a green that meets the
    objective and is no worse than blue. A difference below a tenth of the error budget is nobody's reason to go back.
    """
    absolute = window.accounts[Side.GREEN].balance
    if not window.objective.compare_with_blue:
        return absolute
    relative = window.versus_blue.balance if _matters(window) else 0.0
    return _SHARE_OF_OBJECTIVE * absolute + (1.0 - _SHARE_OF_OBJECTIVE) * relative


def _matters(window: Window) -> bool:
    """Return whether green is worse than blue, lately or on the whole, by an amount that somebody would care about."""
    slack = _NEGLIGIBLE * window.objective.budget
    green, blue = window.tallies[Side.GREEN], window.tallies[Side.BLUE]
    if green.bad_share - blue.bad_share > slack:
        return True
    return window.recent(Side.GREEN).bad_share - window.recent(Side.BLUE).bad_share > slack


Ruling = tuple[Verdict, str, int | None]


def _decide(window: Window, now: float, hold_left: float) -> Ruling:
    """Ask in the order of the laws: can the probe be believed, is green refuted, has it shown enough."""
    green = window.tallies[Side.GREEN]
    return (
        _broken(green, now, "green")
        or _refuted(window, now)
        or _starved(window, now)
        or _undecided(window)
        or _held(hold_left)
        or (Verdict.PASS, "green meets the objective", None)
    )


def _broken(tally: Tally, now: float, side: str) -> Ruling | None:
    """Rule PROBE_ERROR while the probe cannot see a side."""
    if tally.broken:
        return Verdict.PROBE_ERROR, f"the probe cannot see {side}: {tally.broken}", None
    silent = now - tally.heard_at
    if silent >= SILENT_SECONDS:
        return Verdict.PROBE_ERROR, f"the probe has not answered for {silent:.0f} s about {side}", None
    return None


def _refuted(window: Window, now: float) -> Ruling | None:
    """Rule FAIL on enough evidence, unless the probe or something that both sides share may be to blame."""
    blue, enough = window.tallies[Side.BLUE], 1.0 / window.objective.sequential_alpha
    too_bad = window.accounts[Side.GREEN].balance >= enough and violates(window, Side.GREEN)
    worse = window.versus_blue.balance >= enough and _matters(window)
    burn = worst_burn(window.objective, window.history)
    if evidence_of(window) < enough or not (too_bad or worse):
        return _burned(window, now, burn) if burn and burn.proven else None
    if broken := _broken(blue, now, "blue"):
        return broken[0], f"green looks bad, but {broken[1]}; a probe that fails does not send green back", None
    if not worse and _blue_suffers(window):
        reason = f"blue breaks it too ({blue.bad_share:.1%} bad): a shared dependency or the probe, not green alone"
        return Verdict.INCONCLUSIVE, reason, None
    return Verdict.FAIL, _accusation(window, worse=worse and not too_bad), None


def _burned(window: Window, now: float, burn: Burn) -> Ruling:
    """Rule FAIL on errors that were spent too fast, unless the probe is blind on blue or blue spent them, too."""
    if broken := _broken(window.tallies[Side.BLUE], now, "blue"):
        return broken[0], f"green looks bad, but {broken[1]}; a probe that fails does not send green back", None
    if burn.shared or violates(window, Side.BLUE):
        return Verdict.INCONCLUSIVE, f"{burn.words()}; blue breaks it too: a shared dependency or the probe", None
    return Verdict.FAIL, burn.words(), None


def _blue_suffers(window: Window) -> bool:
    """Return whether blue breaks the objective, too, or has errors and green is not yet seen to have more."""
    erring = window.tallies[Side.BLUE].bad_share > window.objective.budget
    return violates(window, Side.BLUE) or (erring and window.versus_blue.balance < _CLEARLY_WORSE)


def _accusation(window: Window, *, worse: bool) -> str:
    """Say in one sentence why green goes back."""
    green, blue = window.tallies[Side.GREEN], window.tallies[Side.BLUE]
    if worse:
        return f"{green.bad_share:.2%} bad on green against {blue.bad_share:.2%} on blue at the same time"
    budget, recent = window.objective.budget, window.recent(Side.GREEN)
    if green.bad_share > budget:
        return f"{green.bad_share:.2%} bad, {budget:.2%} allowed"
    return f"{recent.bad} of the last {recent.total} bad, {budget:.2%} allowed"


def _starved(window: Window, now: float) -> Ruling | None:
    """Rule INCONCLUSIVE while green has answered too few requests, or none lately."""
    green, judged, least = window.tallies[Side.GREEN], window.judged(Side.GREEN), window.objective.min_samples
    if green.data_at is None:
        return Verdict.INCONCLUSIVE, green.empty or "no request has reached green yet", least
    if now - green.data_at >= SILENT_SECONDS:
        return Verdict.INCONCLUSIVE, f"no request has reached green for {now - green.data_at:.0f} s", None
    if judged.total < least:
        needed = max(least - judged.total, samples_to_meet(judged, window.objective))
        return Verdict.INCONCLUSIVE, f"{judged.total} of at least {least} requests", needed
    return None


def _undecided(window: Window) -> Ruling | None:
    """Rule INCONCLUSIVE while green is neither refuted nor good enough: on the whole and in the last half minute."""
    objective, green = window.objective, window.judged(Side.GREEN)
    evidence = evidence_of(window)
    if burn := worst_burn(objective, window.history):
        return Verdict.INCONCLUSIVE, f"{burn.words()}, but it may be chance", samples_to_meet(green, objective) or None
    if green.bad_share > objective.budget:
        reason = f"{green.bad_share:.2%} bad is more than the {objective.budget:.2%} allowed, but may be chance"
        return Verdict.INCONCLUSIVE, reason, samples_to_decide(green, objective, evidence)
    if violates(window, Side.GREEN) or evidence >= math.sqrt(1.0 / objective.alpha):
        return Verdict.INCONCLUSIVE, "good on the whole, but not in the last half minute", None
    return None


def _held(hold_left: float) -> Ruling | None:
    """Rule INCONCLUSIVE until the step was held long enough."""
    if math.isinf(hold_left):
        return Verdict.INCONCLUSIVE, "good so far", None
    if hold_left > 0:
        return Verdict.INCONCLUSIVE, f"good so far, held for {math.ceil(hold_left)} s more", None
    return None
