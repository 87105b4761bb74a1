"""Writes JSON data as YAML that Go and Python read as the same value: every string, keys too, in double quotes.

Unquoted, Go's reader turns `on`, `1e3`, `0o7`, `12:30` and others into something that is not the string it was. The
same value gives the same bytes. It never writes an alias.
"""

from typing import Any

import yaml

_WIDTH = 2**31 - 1


class QuotingDumper(yaml.CSafeDumper):
    """The C emitter with every string quoted and nothing shared."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Write a value that occurs twice two times."""
        return True


def _quoted(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


QuotingDumper.add_representer(str, _quoted)


def dump_yaml(value: Any) -> bytes:
    """Return a value as YAML in UTF-8.

    Args:
        value: JSON data.
    """
    dumped: bytes = yaml.dump(
        value,
        Dumper=QuotingDumper,
        encoding="utf-8",
        allow_unicode=True,
        sort_keys=True,
        width=_WIDTH,
        default_flow_style=False,
    )
    return dumped
