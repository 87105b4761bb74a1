"""The part of bluegreen.yaml that says what is exported of blue; commands that work alone read it, too."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bluegreen.config.fields import Listed, Section

_KIND = re.compile(r"[A-Z][A-Za-z0-9]*(\.[a-z0-9]([-a-z0-9.]*[a-z0-9])?)?")


def _kind(text: str) -> str:
    if not _KIND.fullmatch(text):
        raise ValueError("must be a kind as kubectl writes it, with its group: Deployment.apps, or Secret for the core")
    return text


Kind = Annotated[str, AfterValidator(_kind)]


class Export(Section):
    """What is exported, and what is left of it."""

    exclude: Annotated[tuple[Kind, ...], Listed] = Field(
        default=(),
        description="Kinds that stay on blue, such as `Ingress.networking.k8s.io`, even where an exported object needs "
        "them. With `Namespace`, green's namespaces are left to whoever made them.",
    )
    node_ports: Literal["explicit", "all", "none"] = Field(
        default="explicit",
        description="Which node ports of Services stay: those that a person asked for (`explicit`), `all`, or `none`.",
    )
    keep_status: Annotated[tuple[Kind, ...], Listed] = Field(
        default=(),
        description="Kinds whose status is kept, for controllers that would begin again without it. It is written "
        "once, while green has none, and not compared later.",
    )
