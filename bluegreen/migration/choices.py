"""What is exported, from bluegreen.yaml to the exporter's terms, and to a saved plan and back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bluegreen.exporter.choices import Choices

if TYPE_CHECKING:  # it needs pydantic, which a command without a file does without
    from bluegreen.config.export import Export


def choices_of(config: "Export") -> Choices:
    """Return what bluegreen.yaml says."""
    return Choices(frozenset(config.exclude), config.node_ports, frozenset(config.keep_status))


def describe_choices(choices: Choices) -> dict[str, Any]:
    """Return choices as JSON data, with the keys of bluegreen.yaml."""
    return {
        "exclude": sorted(choices.exclude),
        "nodePorts": choices.node_ports,
        "keepStatus": sorted(choices.keep_status),
    }


def choices_from(data: Mapping[str, Any]) -> Choices:
    """Return choices from what `describe_choices` made of them; what is missing is the default.

    Raises:
        ValueError: it is not what `describe_choices` writes.
    """
    from bluegreen.config.export import Export  # noqa: PLC0415 - see above

    return choices_of(Export.model_validate(dict(data)))
