"""The part of bluegreen.yaml that says what is changed on the way; commands that work alone read only this of it.

It must never import the other sections: those cost such a command more than its own work.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from bluegreen.config.fields import Listed, Section
from bluegreen.config.patches import Patch, unique_names


class Transform(Section):
    """Changes to objects on their way from blue to green."""

    storage_classes: Mapping[str, str] = Field(
        default_factory=dict, description="StorageClass on blue to StorageClass on green."
    )
    ingress_classes: Mapping[str, str] = Field(
        default_factory=dict, description="IngressClass on blue to IngressClass on green."
    )
    images: Mapping[str, str] = Field(
        default_factory=dict, description="Prefix of image names on blue to prefix on green."
    )
    labels: Mapping[str, str] = Field(default_factory=dict, description="Labels that every object gets on green.")
    annotations: Mapping[str, str] = Field(
        default_factory=dict, description="Annotations that every object gets on green."
    )
    patches: Annotated[tuple[Patch, ...], Listed, AfterValidator(unique_names)] = Field(
        default=(), description="Patches of single objects, applied after all other changes, in this order."
    )
