"""One move with everything that its steps need, so that they share no state but the clusters."""

from dataclasses import dataclass

from bluegreen.model.ports import Cluster, MoveStatus, VolumeRequest
from bluegreen_adapters.velero_names import Names, Options
from bluegreen_adapters.velero_survey import wanted_claims


@dataclass(frozen=True, slots=True)
class Move:
    """A request, the two clusters it is about, and the names that derive from it."""

    blue: Cluster
    green: Cluster
    options: Options
    names: Names
    request: VolumeRequest

    @property
    def wanted(self) -> tuple[tuple[str, str], ...]:
        """Return (namespace, name) of the claims to bring across."""
        return wanted_claims(self.request)

    def status(self, stage: str, phase: str, message: str) -> MoveStatus:
        """Return a status of work that goes on."""
        return MoveStatus(stage=stage, phase=phase, done=False, failed=False, message=message)
