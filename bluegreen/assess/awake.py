"""Which custom resources make pods on green as soon as they are imported, because nothing can put them to sleep. Pure.

What sleeps, and how, is one list with the importer's: bluegreen.model.sleeping.
"""

from collections.abc import Iterator

from bluegreen.assess.wider import Wider
from bluegreen.model.findings import Finding, Severity
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ref_of
from bluegreen.model.sleeping import group_of, is_custom, makes_pods, rule_of, scales_of, sleep_of


def starts_on_import(wider: Wider) -> Iterator[Finding]:
    """Find custom resources that make pods and cannot sleep."""
    scales = scales_of((*wider.definitions.values(), *wider.moved))
    makers = {(group_of(ref.api_version), ref.kind, ref.name) for ref in wider.makers}
    for obj in wider.moved:
        key = (str(obj["apiVersion"]), str(obj["kind"]))
        if not is_custom(key[0]) or sleep_of(obj, scales):
            continue
        rule = rule_of(*key)
        # An owner is named in the version that its controller uses, and namespaces may be renamed on the way.
        owns = (group_of(key[0]), key[1], str(obj["metadata"]["name"])) in makers
        if rule.starts if rule else (owns or makes_pods(obj)):
            yield _starts(obj, rule.why if rule else "its definition has no scale that may be 0")


def _starts(obj: Raw, why: str) -> Finding:
    return Finding(
        "starts-on-import",
        Severity.WARNING,
        str(ref_of(obj)),
        f"it will start on import ({why}); its pods write as soon as its operator runs on the target, while blue still "
        "serves, and before its data is brought over",
        "stop its operator on the target until the workloads are started, or leave it out of the migration",
    )
