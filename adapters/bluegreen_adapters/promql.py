"""The series selectors that a PromQL query names, so that one which names nothing is found before it reads as zero.

Prometheus 2.42 has no call that parses a query, so this knows as much of the language as it takes to tell a metric from
a function, a keyword and a grouping label. It must never decide whether a query is right: Prometheus does that.
"""

import re

_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`')
_COMMENT = re.compile(r"#[^\n]*")
_RANGE = re.compile(r"\[[^\]]*\]")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", re.IGNORECASE)
_WORDS = frozenset(
    {
        *("and", "or", "unless", "atan2", "bool", "offset", "inf", "nan"),
        *("by", "without", "on", "ignoring", "group_left", "group_right"),
    }
)
_SELECTOR = re.compile(
    r"(?P<name>(?<![\w.:])[a-zA-Z_:][\w:]*)\s*(?P<matchers>\{[^}]*\})?(?P<call>\s*\()?|(?P<bare>\{[^}]*\})"
)
_LABEL = re.compile(r"([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)")


def selectors(query: str) -> tuple[str, ...]:
    """Return every selector of a query as written, without ranges and offsets, each once.

    Args:
        query: PromQL.
    """
    texts: list[str] = []

    def hide(found: re.Match[str]) -> str:
        texts.append(found[0])
        return f'"{len(texts) - 1}"'

    plain = _COMMENT.sub("", _STRING.sub(hide, query))
    plain = _GROUPING.sub(" ", _RANGE.sub("", plain))
    found = [_written(match) for match in _SELECTOR.finditer(plain)]
    shown = [re.sub(r'"(\d+)"', lambda mark: texts[int(mark[1])], selector) for selector in found if selector]
    return tuple(dict.fromkeys(shown))


def _written(match: re.Match[str]) -> str:
    """Return one selector, empty for a function or a word of the language."""
    if match["bare"]:
        return match["bare"]
    if match["matchers"]:
        return match["name"] + match["matchers"]
    return "" if match["call"] or match["name"].lower() in _WORDS else match["name"]


def metric_of(selector: str) -> str:
    """Return the metric name of a selector, empty where it has none in front."""
    return selector.partition("{")[0].strip()


def labels_of(selector: str) -> frozenset[str]:
    """Return the label names that a selector matches on."""
    return frozenset(_LABEL.findall(_STRING.sub("", selector.partition("{")[2])))
