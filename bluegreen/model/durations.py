"""Go durations (90s, 2h, 1m30s, 500ms) as users write them everywhere in Kubernetes."""

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = r"(\d+(?:\.\d+)?)(ms|s|m|h)"


def parse_duration(text: str) -> float:
    """Return the seconds of a Go duration.

    Args:
        text: such as 90s, 2h, 1m30s, 500ms, or 0.

    Raises:
        ValueError: not a duration.
    """
    if text == "0":
        return 0.0
    if not text or re.sub(_PART, "", text):
        raise ValueError(f"{text!r} is no duration; write it like 90s, 2m or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(_PART, text))


def format_duration(seconds: float) -> str:
    """Return seconds in short form for people, such as 1h02m, 3m05s, 12s, 0.4s."""
    if seconds < 10:  # noqa: PLR2004 - below ten a tenth matters
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"
