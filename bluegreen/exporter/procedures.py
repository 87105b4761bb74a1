"""What a rule does where a path alone cannot say it; found by the rule's id.

A procedure gets the object as blue has it (read only), the copy that it may change, and returns what it changed as
(path, why). An empty why stands for the rule's own reason.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from bluegreen.exporter import paths
from bluegreen.exporter.conditions import CleanContext, is_generated_token_name, is_live
from bluegreen.exporter.node_ports import strip_health_check_port, strip_node_ports
from bluegreen.exporter.owners import take_owners
from bluegreen.model import marks
from bluegreen.model.accounts import account_of
from bluegreen.model.ports import Raw

Changes = Iterator[tuple[str, str]]
Procedure = Callable[[Raw, Raw, CleanContext], Changes]

_TOKEN_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path
_TOKEN_KEYS = ("token", "ca.crt", "namespace")


def drop_families(obj: Raw, copy: Raw, context: CleanContext) -> Changes:
    """Remove ipFamilies and ipFamilyPolicy when green does not serve one of the families."""
    wanted = set(paths.get(obj, "spec", "ipFamilies") or ())
    if context.families is None or wanted <= context.families:
        return
    for key in ("ipFamilies", "ipFamilyPolicy"):
        if copy["spec"].pop(key, None) is not None:
            yield f"spec.{key}", ""


def restore_replicas(obj: Raw, copy: Raw, _context: CleanContext) -> Changes:
    """Put back the replicas that a migration took away, if nobody scaled since."""
    was = copy["metadata"]["annotations"].pop(marks.WAS_REPLICAS)
    if obj["spec"].get("replicas") == 0 and str(was).isdecimal():
        copy["spec"]["replicas"] = int(was)
        yield "spec.replicas", f"0 on blue since a migration scaled it down from {was}"
    _drop_if_empty(copy["metadata"], "annotations")


def restore_suspend(obj: Raw, copy: Raw, _context: CleanContext) -> Changes:
    """Put back the suspend that a migration changed."""
    was = copy["metadata"]["annotations"].pop(marks.WAS_SUSPENDED)
    if obj["spec"].get("suspend") is True and was == "false":
        copy["spec"]["suspend"] = False
        yield "spec.suspend", ""
    _drop_if_empty(copy["metadata"], "annotations")


def mark_claim(_obj: Raw, copy: Raw, _context: CleanContext) -> Changes:
    """Mark a bound claim as one whose data the volume mover brings."""
    copy["metadata"].setdefault("annotations", {})[marks.VOLUME] = marks.VOLUME_MOVED
    yield paths.join("metadata.annotations", marks.VOLUME), ""


def drop_token_volumes(_obj: Raw, copy: Raw, _context: CleanContext) -> Changes:
    """Remove the volumes and mounts that admission added for the ServiceAccount's token."""
    spec = copy.get("spec") or {}
    account = str(spec.get("serviceAccountName") or "default")
    gone = {
        volume["name"]
        for volume in spec.get("volumes") or ()
        if volume["name"].startswith("kube-api-access-") or _is_token_volume(volume["name"], account)
    }
    if not gone:
        return
    yield from _drop_items(spec, "volumes", "spec", lambda item: item["name"] in gone)
    for key in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(key) or ()):
            where = f"spec.{key}[{index}]"
            yield from _drop_items(
                container,
                "volumeMounts",
                where,
                lambda item: item["name"] in gone and item.get("mountPath") == _TOKEN_MOUNT,
            )


def _is_token_volume(name: str, account: str) -> bool:
    return is_generated_token_name(name) and name.startswith((f"{account}-token-", "default-token-"))


def drop_token_data(_obj: Raw, copy: Raw, _context: CleanContext) -> Changes:
    """Remove the token of blue from a Secret that a person made for a ServiceAccount."""
    data = copy.get("data") or {}
    for key in _TOKEN_KEYS:
        if key in data:
            del data[key]
            yield paths.join("data", key), ""
    _drop_if_empty(copy, "data")


def drop_account_secrets(obj: Raw, copy: Raw, _context: CleanContext) -> Changes:
    """Remove references to token Secrets that a controller made."""
    name = str(obj["metadata"].get("name", ""))
    yield from _drop_items(copy, "secrets", "", lambda item: _made_for(name, item.get("name", "")))


def drop_account_pull_secrets(obj: Raw, copy: Raw, _context: CleanContext) -> Changes:
    """Remove references to pull Secrets that OpenShift made."""
    name = str(obj["metadata"].get("name", ""))
    yield from _drop_items(
        copy,
        "imagePullSecrets",
        "",
        lambda item: "-dockercfg-" in item.get("name", "") and _made_for(name, item["name"]),
    )


def _made_for(account: str, secret: str) -> bool:
    return is_generated_token_name(secret) and secret.startswith(f"{account}-")


def narrow_subjects(obj: Raw, copy: Raw, context: CleanContext) -> Changes:
    """Keep the subjects that stand for ServiceAccounts of exported namespaces, and other users and groups never."""
    if not is_live(obj, context):
        return
    yield from _drop_items(copy, "subjects", "", lambda item: not is_subject_of(item, context.namespaces))


def is_subject_of(subject: Raw, namespaces: frozenset[str]) -> bool:
    """Return whether a subject is a ServiceAccount of one of the namespaces."""
    account = account_of(subject)
    return account is not None and account[0] in namespaces


def rewrite_preserve_unknown(obj: Raw, copy: Raw, _context: CleanContext) -> Changes:
    """Turn preserveUnknownFields into what v1 has for it; false is the default and goes."""
    if paths.get(obj, "spec", "preserveUnknownFields") is None:
        return
    del copy["spec"]["preserveUnknownFields"]
    yield "spec.preserveUnknownFields", ""
    if obj["spec"]["preserveUnknownFields"] is not True:
        return
    for index, version in enumerate(copy["spec"].get("versions") or ()):
        schema = paths.get(version, "schema", "openAPIV3Schema")
        if isinstance(schema, dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema["x-kubernetes-preserve-unknown-fields"] = True
            yield f"spec.versions[{index}].schema.openAPIV3Schema.x-kubernetes-preserve-unknown-fields", ""


def rewrite_side_effects(_obj: Raw, copy: Raw, _context: CleanContext) -> Changes:
    """Write None where a webhook says a value that v1 refuses."""
    for index, webhook in enumerate(copy.get("webhooks") or ()):
        if webhook.get("sideEffects") not in ("None", "NoneOnDryRun"):
            webhook["sideEffects"] = "None"
            yield f"webhooks[{index}].sideEffects", ""


def renew_target_version(obj: Raw, copy: Raw, _context: CleanContext) -> Changes:
    """Name the version that serves a Deployment or ReplicaSet since extensions/v1beta1 and apps/v1beta* are gone."""
    version = str(paths.get(obj, "spec", "scaleTargetRef", "apiVersion") or "")
    if version == "extensions/v1beta1" or version.startswith("apps/v1beta"):
        copy["spec"]["scaleTargetRef"]["apiVersion"] = "apps/v1"
        yield "spec.scaleTargetRef.apiVersion", ""


def relink_owners(obj: Raw, copy: Raw, context: CleanContext) -> Changes:
    """Remove owner references; those that live on blue are remembered by name for the importer to link again."""
    kept, gone = take_owners(obj, context.exists)
    if copy["metadata"].pop("ownerReferences", None) is None:
        return
    if kept:
        text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
        copy["metadata"].setdefault("annotations", {})[marks.OWNERS] = text
        yield "metadata.ownerReferences", "kept by name, to be linked to the owner's UID on green"
    for owner in gone:
        yield "metadata.ownerReferences", f"its owner {owner} is not among the exported objects"


def _drop_items(holder: Raw, key: str, where: str, test: Callable[[Any], bool]) -> Changes:
    """Remove the items of a list that pass the test, and the list when nothing is left."""
    items = holder.get(key)
    if not isinstance(items, list):
        return
    for index, item in enumerate(items):
        if test(item):
            yield paths.join(f"{where}.{key}".strip("."), index), ""
    holder[key] = [item for item in items if not test(item)]
    _drop_if_empty(holder, key)


def _drop_if_empty(holder: Raw, key: str) -> None:
    if not holder.get(key, True):
        del holder[key]


PROCEDURES: dict[str, Procedure] = {
    "owner-references": relink_owners,
    "node-port": strip_node_ports,
    "health-check-node-port": strip_health_check_port,
    "ip-families": drop_families,
    "claim-moved": mark_claim,
    "token-volumes": drop_token_volumes,
    "token-data": drop_token_data,
    "account-secrets": drop_account_secrets,
    "account-pull-secrets": drop_account_pull_secrets,
    "binding-subjects": narrow_subjects,
    "preserve-unknown-fields": rewrite_preserve_unknown,
    "validating-side-effects": rewrite_side_effects,
    "mutating-side-effects": rewrite_side_effects,
    "suspend-before-cronjob": restore_suspend,
    "hpa-target-version": renew_target_version,
    **{
        f"replicas-before-{kind}": restore_replicas
        for kind in ("deployment", "statefulset", "replicaset", "replicationcontroller")
    },
}
