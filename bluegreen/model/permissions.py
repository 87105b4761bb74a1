"""What an adapter must be allowed to do, as data, so that a person can grant that and nothing more.

The module that an entry point names holds one as `PERMISSIONS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Permissions:
    """The least that an adapter needs.

    Attributes:
        lines: in words, one right or setting each.
        policy: the same as a document that the system takes as it is (an IAM policy, a Kubernetes Role), empty
            where the system has none. What must be filled in stands in capitals, such as ZONE_ID.
    """

    lines: tuple[str, ...]
    policy: Mapping[str, Any] = field(default_factory=dict)
