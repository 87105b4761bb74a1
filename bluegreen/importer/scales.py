"""Finds out where the replicas of custom resources stand: from the definitions that are imported, else from green's.

It only reads. A definition that cannot be read is told, for its objects then start on import.
"""

from collections.abc import Iterable

from bluegreen.model.errors import NotFoundError, RefusedError
from bluegreen.model.events import Emit
from bluegreen.model.ports import Cluster, Raw
from bluegreen.model.refs import ObjectRef
from bluegreen.model.sleeping import Scales, group_of, is_custom, rule_of, scales_of

_DEFINITION = "apiextensions.k8s.io/v1"


def read_scales(cluster: Cluster, objects: Iterable[Raw], emit: Emit) -> Scales:
    """Return where the replicas of the objects' kinds stand.

    Args:
        cluster: green.
        objects: transformed objects, their definitions among them where those are imported as well.
        emit: told of definitions that could not be read.
    """
    known = tuple(objects)
    definitions = [obj for obj in known if obj["kind"] == "CustomResourceDefinition"]
    defined = {(str(d["spec"]["group"]), str(d["spec"]["names"]["kind"])) for d in definitions}
    kinds = {(str(obj["apiVersion"]), str(obj["kind"])) for obj in known if is_custom(str(obj["apiVersion"]))}
    missing = [one for one in sorted(kinds) if (group_of(one[0]), one[1]) not in defined and not rule_of(*one)]
    return scales_of((*definitions, *_of_green(cluster, missing, emit))) if kinds else {}


def _of_green(cluster: Cluster, kinds: list[tuple[str, str]], emit: Emit) -> Iterable[Raw]:
    plurals = {(r.api_version, r.kind): r.plural for r in cluster.resources()} if kinds else {}
    for api_version, kind in kinds:
        plural = plurals.get((api_version, kind))
        if plural is None:
            continue  # green does not serve it: the import tells
        try:
            yield cluster.get(
                ObjectRef(_DEFINITION, "CustomResourceDefinition", "", f"{plural}.{group_of(api_version)}")
            )
        except NotFoundError:
            continue  # an aggregated API
        except RefusedError as error:
            emit("notice", text=f"{kind} objects are not put to sleep, their definition cannot be read: {error}")
