"""What an export holds, for what is followed from outside its namespaces and calls or names things in them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from bluegreen.exporter.closure import Place
from bluegreen.exporter.conditions import group_kind
from bluegreen.exporter.uses import account_used
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ref_of


@dataclass(frozen=True, slots=True)
class Held:
    """What an export holds.

    Attributes:
        namespaces: the exported namespaces.
        selected: whether a label selector chose among their objects.
        objects: what was kept; without a selector only Services, since of others nobody asks then.
        accounts: (namespace, name) of the ServiceAccounts that were kept or that a kept workload runs as: the
            account `default` is left out, for green has its own. Without a selector all are wanted, and none is here.
    """

    namespaces: frozenset[str]
    selected: bool
    objects: frozenset[Place]
    accounts: frozenset[tuple[str, str]]

    def lacks(self, kind: str, namespace: str, name: str) -> bool:
        """Return whether an object of the exported namespaces was not kept.

        Args:
            kind: Kind.group.
            namespace: its namespace; an object of another one is not ours to hold.
            name: its name.
        """
        return namespace in self.namespaces and (kind, namespace, name) not in self.objects

    def has_account(self, namespace: str, name: str) -> bool:
        """Return whether rights of a ServiceAccount are wanted; an empty name stands for all of a namespace."""
        if namespace not in self.namespaces:
            return False
        return not self.selected or not name or (namespace, name) in self.accounts


def held(objects: Iterable[Raw], namespaces: frozenset[str], *, selected: bool) -> Held:
    """Return what an export holds.

    Args:
        objects: what was kept.
        namespaces: the exported namespaces.
        selected: whether a label selector chose among their objects.
    """
    places: set[Place] = set()
    accounts: set[tuple[str, str]] = set()
    for obj in objects:
        if not selected and obj["kind"] != "Service":
            continue
        ref = ref_of(obj)
        places.add((group_kind(obj), ref.namespace, ref.name))
        account = ref.name if ref.kind == "ServiceAccount" else account_used(obj)
        if account:
            accounts.add((ref.namespace, account))
    return Held(namespaces, selected, frozenset(places), frozenset(accounts))
