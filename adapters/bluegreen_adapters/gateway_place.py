"""Where an HTTPRoute is, and the kubectl commands that show or mend it there; they are told, never run."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bluegreen.model.refs import ObjectRef


@dataclass(frozen=True, slots=True)
class Place:
    """One HTTPRoute in one cluster.

    Attributes:
        context: kubeconfig context of the cluster.
        kubeconfig: file that holds the context; empty for the usual one.
        ref: the HTTPRoute.
        manager: our field manager there.
    """

    context: str
    kubeconfig: str
    ref: ObjectRef
    manager: str = "bluegreen"

    def kubectl(self, *words: str) -> str:
        """Return a kubectl command line for the route's namespace, quoted for a shell."""
        file = ("--kubeconfig", self.kubeconfig) if self.kubeconfig else ()
        return shlex.join(("kubectl", *file, "--context", self.context, "-n", self.ref.namespace, *words))

    def show(self) -> str:
        """Return the command that shows the route."""
        return self.kubectl("get", "httproute", self.ref.name, "-o", "yaml")

    def mend(self, patch: Sequence[Mapping[str, Any]]) -> str:
        """Return the command that applies a JSON patch to the route."""
        return self.kubectl("patch", "httproute", self.ref.name, "--type=json", "-p", json.dumps(list(patch)))
