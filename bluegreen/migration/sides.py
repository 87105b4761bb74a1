"""Both clusters for adapters that look into them, opened at the first look and never waited for long.

The run's own sessions wait up to minutes for an API server that restarts; a probe has to say soon that it is blind.
"""

import threading
from collections.abc import Iterator, Mapping

from bluegreen.config.models import Migration
from bluegreen.kube.retry import Patience
from bluegreen.kube.session import open_cluster
from bluegreen.model.ports import Cluster
from bluegreen.model.refs import Side

_SOON = Patience(total=5.0, one=5.0)


class SideClusters(Mapping[Side, Cluster]):
    """The cluster of each side; safe for several threads.

    Looking up a side raises TransientError or RefusedError when its cluster cannot be opened; the next one tries again.

    Args:
        config: the configuration with contexts and kubeconfigs.
        patience: budget of each call.
    """

    def __init__(self, config: Migration, patience: Patience = _SOON) -> None:
        self._places = {
            Side.BLUE: (config.from_context, config.from_kubeconfig or config.kubeconfig),
            Side.GREEN: (config.to_context, config.to_kubeconfig or config.kubeconfig),
        }
        self._patience = patience
        self._opened: dict[Side, Cluster] = {}
        self._locks = {side: threading.Lock() for side in Side}

    def __getitem__(self, side: Side) -> Cluster:
        with self._locks[side]:
            if side not in self._opened:
                self._opened[side] = open_cluster(*self._places[side], self._patience)
            return self._opened[side]

    def __iter__(self) -> Iterator[Side]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
