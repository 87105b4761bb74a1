"""Which node ports of a Service a person asked for: those stay, those that blue chose go.

Evidence is the last-applied annotation first, then managedFields; a manifest that was never in a cluster holds only
what a person wrote. An apply or create by a person lists the port; an allocation by the server has no owner.
"""

import json
from collections.abc import Iterator
from typing import Any

from bluegreen.exporter import paths
from bluegreen.exporter.conditions import LAST_APPLIED, CleanContext, is_live
from bluegreen.model.ports import Raw

PortKey = tuple[int, str]


def strip_node_ports(obj: Raw, copy: Raw, context: CleanContext) -> Iterator[tuple[str, str]]:
    """Remove the node ports that nobody asked for."""
    if context.node_ports == "all" or not is_live(obj, context):
        return
    explicit = explicit_node_ports(obj) if context.node_ports == "explicit" else frozenset()
    for index, port in enumerate(copy.get("spec", {}).get("ports") or ()):
        if "nodePort" in port and _key(port) not in explicit:
            del port["nodePort"]
            yield f"spec.ports[{index}].nodePort", ""


def strip_health_check_port(obj: Raw, copy: Raw, context: CleanContext) -> Iterator[tuple[str, str]]:
    """Remove healthCheckNodePort unless somebody asked for it."""
    if context.node_ports == "all" or not is_live(obj, context) or "healthCheckNodePort" not in copy.get("spec", {}):
        return
    if context.node_ports == "explicit" and _asked_for_health_port(obj):
        return
    del copy["spec"]["healthCheckNodePort"]
    yield "spec.healthCheckNodePort", ""


def explicit_node_ports(obj: Raw) -> frozenset[PortKey]:
    """Return (port, protocol) of the ports whose nodePort a person wrote."""
    applied = _last_applied(obj)
    if applied is not None:
        named = _named_ports(obj)
        return frozenset(
            named.get(port["name"], _key(port)) if port.get("name") else _key(port)
            for port in paths.get(applied, "spec", "ports") or ()
            if port.get("nodePort")
        )
    return frozenset(_managed_ports(obj))


def _named_ports(obj: Raw) -> dict[str, PortKey]:
    return {port["name"]: _key(port) for port in paths.get(obj, "spec", "ports") or () if port.get("name")}


def _key(port: dict[str, Any]) -> PortKey:
    return int(port.get("port") or 0), str(port.get("protocol") or "TCP")


def _last_applied(obj: Raw) -> Any:
    """Return the manifest of the last kubectl apply, None when there is none or it cannot be read."""
    text = paths.get(obj, "metadata", "annotations", LAST_APPLIED)
    try:
        applied = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return applied if isinstance(applied, dict) else None


def _managed_ports(obj: Raw) -> Iterator[PortKey]:
    for entry in paths.get(obj, "metadata", "managedFields") or ():
        for key, fields in (paths.get(entry, "fieldsV1", "f:spec", "f:ports") or {}).items():
            if key.startswith("k:") and isinstance(fields, dict) and "f:nodePort" in fields:
                yield _key(json.loads(key.removeprefix("k:")))


def _asked_for_health_port(obj: Raw) -> bool:
    applied = _last_applied(obj)
    if applied is not None:
        return bool(paths.get(applied, "spec", "healthCheckNodePort"))
    entries = paths.get(obj, "metadata", "managedFields") or ()
    return any("f:healthCheckNodePort" in (paths.get(e, "fieldsV1", "f:spec") or {}) for e in entries)
