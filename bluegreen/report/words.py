"""Events and numbers in the words that people read, the same in lines, timeline and reports.

It must never say more than the event does, and every text of an event passes through reading.text.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bluegreen.model.durations import format_duration
from bluegreen.model.events import Event
from bluegreen.report.reading import number, records, text, texts, whole

IN_TIMELINE = frozenset(
    {
        "run.started", "run.resumed", "phase.started", "plan.made", "verify.checked", "step.started", "weight.written",
        "step.settled", "step.passed", "revert.started", "revert.finished", "run.paused", "run.interrupted",
        "run.crashed", "run.finished", "notice", "step.retried",
        "revert.held", "revert.retried", "weight.unsettled", "run.continued", "order.followed", "order.ignored",
        "route.refused", "weight.proven", "weight.unproven", "residual.seen", "ttl.lowered", "route.finalized",
    }
)  # fmt: skip
_MANY = 5
_MUCH = 1000
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_PRECISE = 0.9995


def share(value: float | None) -> str:
    """Return a share in per cent with as many digits as matter, such as 70.4%, 99.98% or 99.996%."""
    if value is None:
        return "no data"
    if value in (0.0, 1.0):
        return f"{value:.0%}"
    shown = f"{value:.3%}" if value >= _PRECISE else f"{value:.2%}"
    if float(shown[:-1]) >= 100:  # noqa: PLR2004 - a share below one never reads as all
        return "99.999%"
    digits = shown[:-1]
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) + "%"


def size(count: float) -> str:
    """Return bytes in binary units."""
    unit = 0
    while count >= 1024 and unit < len(_UNITS) - 1:  # noqa: PLR2004 - binary units
        count /= 1024
        unit += 1
    return f"{count:.0f} {_UNITS[unit]}" if unit == 0 else f"{count:.1f} {_UNITS[unit]}"


def amount(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def evidence(value: float) -> str:
    """Return an e-value with as many digits as matter."""
    return ">1000" if value > _MUCH else f"{value:.2g}"


def some(names: tuple[str, ...], most: int = _MANY) -> str:
    """Return the first names and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def words(event: Event) -> str:
    """Return an event in a few words; unknown events as their keys and scalars."""
    known = _WORDS.get(event.name)
    if known is not None:
        return known(event.data)
    return " ".join(f"{text({'': key}, '')}={text(event.data, key)}" for key in event.data if text(event.data, key))


def judged(one: Mapping[str, Any]) -> str:
    """Return a judgement in its JSON form as one clause with all its numbers."""
    bits = [
        f"{text(one, 'objective')} {text(one, 'verdict')}",
        f"{share(number(one, 'value'))} good, {share(number(one, 'threshold'))} asked",
        amount(whole(one, "samples"), "sample"),
    ]
    if whole(one, "bad"):
        bits.append(f"{whole(one, 'bad')} bad")
    if whole(one, "needed"):
        bits.append(f"about {whole(one, 'needed')} more to decide")
    return ", ".join(bits)


def _seconds(data: Mapping[str, Any], before: str = " in ") -> str:
    seconds = number(data, "seconds")
    return "" if seconds is None else f"{before}{format_duration(seconds)}"


def _started(data: Mapping[str, Any]) -> str:
    sides = [f"{text(data, key)} {text(data, key + '_version')}".strip() for key in ("from", "to")]
    bits = [f"{sides[0]} to {sides[1]}", f"namespaces {some(texts(data, 'namespaces'))}"]
    if texts(data, "steps"):
        bits.append(f"steps {','.join(texts(data, 'steps'))}")
    if text(data, "data_policy"):
        bits.append(f"data policy {text(data, 'data_policy')}")
    return ", ".join(bits)


def _phase_finished(data: Mapping[str, Any]) -> str:
    return text(data, "phase") + _seconds(data) + (", not done" if data.get("ok") is False else "")


def _finding(data: Mapping[str, Any]) -> str:
    action = text(data, "action")
    return f"{text(data, 'severity')} {text(data, 'subject')}: {text(data, 'reason')}" + (
        f"; {action}" if action else ""
    )


def _plan(data: Mapping[str, Any]) -> str:
    notes = texts(data, "notes")
    return amount(whole(data, "objects"), "object") + (f"; {some(notes, 3)}" if notes else "")


def _volume(data: Mapping[str, Any]) -> str:
    total = whole(data, "bytes_total")
    done = f"{size(whole(data, 'bytes_done'))} of {size(total)}" if total else ""
    return " ".join(bit for bit in (text(data, "stage"), text(data, "phase"), done, text(data, "message")) if bit)


def waiting(data: Mapping[str, Any]) -> str:
    """Return what is waited for: the names, or their number and the first of them."""
    count = number(data, "objects")
    if count is None:
        return some(texts(data, "objects"), 3)
    first = text(data, "first")
    return f"{amount(int(count), 'object')}{f', first {first}' if first else ''}" if count else ""


def _reasons(data: Mapping[str, Any]) -> str:
    return "; ".join(texts(data, "reasons"))


def _checked(data: Mapping[str, Any]) -> str:
    if data.get("equal") is True:
        return f"{text(data, 'name')} equal: {text(data, 'blue') or text(data, 'green') or 'yes'}"
    return f"{text(data, 'name')} DIFFERS: blue {text(data, 'blue')!r}, green {text(data, 'green')!r}"


def _weight(data: Mapping[str, Any]) -> str:
    was = (
        f", was {whole(data, 'from_blue')}/{whole(data, 'from_green')}"
        if number(data, "from_green") is not None
        else ""
    )
    return f"route {text(data, 'route')}: blue {whole(data, 'blue')}, green {whole(data, 'green')}{was}"


def _gate(data: Mapping[str, Any]) -> str:
    elapsed = number(data, "elapsed")
    after = f" after {format_duration(elapsed)}" if elapsed is not None else ""
    head = f"green at {whole(data, 'weight')}% {text(data, 'verdict')}{after}"
    seen = [observed(one) for one in records(data, "observed") if whole(one, "total")]
    return "; ".join([head, *(judged(one) for one in records(data, "judgements")), *seen])


def observed(one: Mapping[str, Any]) -> str:
    """Return where a probe has seen real users, in one clause."""
    green, total = whole(one, "green"), whole(one, "total")
    return f"{text(one, 'probe')} saw {share(green / total)} of {amount(total, 'request')} on green"


def _ordered(data: Mapping[str, Any]) -> str:
    return f"{text(data, 'command')} by {text(data, 'by')}"


def _proof(data: Mapping[str, Any]) -> str:
    asked, samples, green = whole(data, "asked"), whole(data, "samples"), whole(data, "green")
    seen = share(green / samples) if samples else "no"
    odd = f", {whole(data, 'other')} of neither side" if whole(data, "other") else ""
    answers = f"{samples:,} answers of {text(data, 'server')}"
    return f"route {text(data, 'route')}: {seen} of {answers} were green's, {asked}% asked{odd}"


def _residual(data: Mapping[str, Any]) -> str:
    return f"{share(number(data, 'share'))} of the users still come to blue ({text(data, 'probe')})"


def _revert(data: Mapping[str, Any]) -> str:
    broken = [judged(one) for one in records(data, "judgements") if one.get("verdict") == "FAIL"]
    return "; ".join([f"back to blue: {text(data, 'reason')}", *broken])


def _stopped(data: Mapping[str, Any]) -> str:
    bits = [text(data, "reason"), f"in phase {text(data, 'phase')}" if text(data, "phase") else ""]
    said = ", ".join(bit for bit in bits if bit)
    return f"{said}; next: {text(data, 'next')}" if text(data, "next") else said


def _finished(data: Mapping[str, Any]) -> str:
    code = number(data, "exit_code")
    return text(data, "outcome") + _seconds(data) + (f", exit code {int(code)}" if code is not None else "")


_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "run.started": _started,
    "run.resumed": lambda _: "went on where it had stopped",
    "phase.started": lambda data: text(data, "phase"),
    "phase.finished": _phase_finished,
    "finding": _finding,
    "plan.made": _plan,
    "object.applied": lambda data: f"{text(data, 'ref')} {text(data, 'action')}",
    "volume.progress": _volume,
    "ready.waiting": lambda data: f"for {waiting(data)}" if waiting(data) else "everything is ready",
    "verify.checked": _checked,
    "step.started": lambda data: f"green to {whole(data, 'weight')}%",
    "weight.written": _weight,
    "step.settled": lambda data: f"{whole(data, 'weight')}% took effect" + _seconds(data, " after "),
    "gate.judged": _gate,
    "step.passed": lambda data: f"{whole(data, 'weight')}%" + _seconds(data, " after "),
    "step.finished": lambda data: f"{whole(data, 'weight')}%" + _seconds(data),
    "revert.started": _revert,
    "revert.held": lambda data: f"blue is {text(data, 'blue')}, so nothing goes back to it; {_reasons(data)}",
    "revert.retried": lambda data: f"route {text(data, 'route')}: {text(data, 'reason')}",
    "blue.checked": lambda data: f"blue is {text(data, 'health')}; {_reasons(data)}".removesuffix("; "),
    "weight.unsettled": lambda data: f"not in effect on {some(texts(data, 'routes'))}" + _seconds(data, " after "),
    "revert.finished": lambda data: "blue serves again" + _seconds(data, " after "),
    "run.paused": _stopped,
    "run.continued": lambda data: text(data, "command") or text(data, "verdict"),
    "order.followed": _ordered,
    "order.ignored": lambda data: f"{_ordered(data)}: nothing to change in phase {text(data, 'phase')}",
    "route.refused": lambda data: text(data, "reason"),
    "weight.proven": _proof,
    "weight.unproven": lambda data: f"{_proof(data)}: not proven",
    "residual.seen": _residual,
    "ttl.lowered": lambda data: f"old answers are kept for {format_duration(number(data, 'seconds') or 0.0)} at most",
    "route.finalized": lambda data: f"route {text(data, 'route')}",
    "run.interrupted": _stopped,
    "run.crashed": _stopped,
    "run.finished": _finished,
    "notice": lambda data: text(data, "text"),
}
