"""The kinds of values a configuration is made of: durations, shares, names, references, each with its own words.

Errors raised here are read by people, so they say what to write; they must never quote what could be a secret.
"""

import re
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from bluegreen.model.durations import parse_duration

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_PERCENT = re.compile(r"\d{1,3}(?:\.\d{1,6})?%")
# The formats are words for the reference page; validators ignore formats that they do not know.
_DURATION_SCHEMA: dict[str, Any] = {
    "type": "string",
    "pattern": r"^(0|([0-9]+(\.[0-9]+)?(ms|s|m|h))+)$",
    "format": "go-duration",
    "examples": ["90s", "2m", "1h30m", "500ms"],
}


class Section(BaseModel):
    """Base of every part: camelCase in the file, nothing unknown, nothing converted, nothing changed later."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        strict=True,
        validate_by_alias=True,
        validate_by_name=False,
    )


def preset(value: Any, description: str) -> Any:
    """Return a field whose default is written as in the file and checked like one.

    Args:
        value: the default in the file's form, such as 10s.
        description: one sentence for the reference.
    """
    return Field(default=value, validate_default=True, description=description)


def _seconds(value: object) -> float:
    if not isinstance(value, str):
        raise ValueError("must be a duration with its unit, such as 90s, 2m or 1h30m")  # noqa: TRY004 - pydantic's way
    return parse_duration(value)


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise ValueError("must be longer than 0s")
    return seconds


def duration_text(seconds: float) -> str:
    """Return seconds exactly, in the file's own form, such as 4h, 1m30s or 0.5s."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    parts = [f"{hours}h" if hours else "", f"{minutes}m" if minutes else ""]
    if rest or seconds == 0:
        parts.append(f"{rest:.6f}".rstrip("0").rstrip(".") + "s")
    return "".join(parts)


def _share(value: object) -> float:
    if not isinstance(value, str) or not _PERCENT.fullmatch(value):
        raise ValueError("must be per cent with its sign, such as 99% or 99.9%")
    share = Decimal(value[:-1]) / 100
    if not 0 < share < 1:
        raise ValueError("must be above 0% and below 100%; no finite number of requests proves 100%")
    return float(share)


def share_text(share: float) -> str:
    """Return a share in per cent, such as 99.9%."""
    return f"{share * 100:.6f}".rstrip("0").rstrip(".") + "%"


def _name(value: str) -> str:
    if not DNS_LABEL.fullmatch(value):
        raise ValueError("must be lower-case letters, digits and '-', at most 63 (a DNS-1123 label), such as shop-web")
    return value


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty; write a value or remove the key")
    return value


def _state(value: str) -> str:
    if value == "sqlite" or value.startswith(("env:", "file:")):
        return value
    try:
        url = urlsplit(value)
        secret = url.password
    except ValueError:
        raise ValueError("is no URL") from None
    if url.scheme != "postgresql":
        raise ValueError("must be sqlite, a URL postgresql://…, or a reference env:NAME or file:PATH to such a URL")
    if secret is not None:
        raise ValueError(
            "holds a password; put the URL into a variable and write env:NAME, or into a file and file:PATH"
        )
    return value


Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    PlainSerializer(duration_text, when_used="json"),
    WithJsonSchema(_DURATION_SCHEMA),
]
PositiveDuration = Annotated[
    float,
    BeforeValidator(_seconds),
    AfterValidator(_positive),
    PlainSerializer(duration_text, when_used="json"),
    WithJsonSchema(_DURATION_SCHEMA),
]
Share = Annotated[
    float,
    BeforeValidator(_share),
    PlainSerializer(share_text, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "format": "percent",
            "pattern": r"^[0-9]{1,3}(\.[0-9]{1,6})?%$",
            "examples": ["99%", "99.9%"],
        }
    ),
]
Name = Annotated[
    str,
    AfterValidator(_name),
    WithJsonSchema({"type": "string", "format": "label", "pattern": f"^{DNS_LABEL.pattern}$", "maxLength": 63}),
]
Text = Annotated[str, AfterValidator(_text), WithJsonSchema({"type": "string", "minLength": 1})]
State = Annotated[
    str,
    AfterValidator(_state),
    WithJsonSchema({"type": "string", "pattern": "^(sqlite|postgresql://.+|env:.+|file:.+)$"}),
]
Listed = Strict(False)  # noqa: FBT003 - a YAML list may become a tuple; its items stay strict
