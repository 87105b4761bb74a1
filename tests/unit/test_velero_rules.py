"""What is asked of blue before a move, the rules that make carriers, the checks: pure or on one fake cluster."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bluegreen.model.errors import InvalidInputError
from bluegreen.model.ports import VolumePod, VolumeRequest
from bluegreen.model.refs import ObjectRef
from bluegreen_adapters.velero_carriers import GATE, rules
from bluegreen_adapters.velero_checks import check
from bluegreen_adapters.velero_handover import backup_record, volume_record
from bluegreen_adapters.velero_manifests import backup_manifest, policy_manifest
from bluegreen_adapters.velero_names import Names, Options
from bluegreen_adapters.velero_survey import SourceClaim, SourcePod, Survey, survey
from tests.unit.fake_cluster import FakeCluster
from tests.unit.fake_velero import cluster, namespace, object_, velero_object

POD = VolumePod("shop", "web-1", {"app": "web", "hash": "1"}, ("data",))
REQUEST = VolumeRequest("move-1", ("shop",), {"slow": "fast"}, (POD,))


def pod(name: str, labels: dict[str, str], claims: tuple[str, ...] = ("data",), phase: str = "Running") -> Any:
    mounts = [{"name": claim, "mountPath": f"/{claim}"} for claim in claims]
    volumes = [{"name": claim, "persistentVolumeClaim": {"claimName": claim}} for claim in claims]
    spec = {"containers": [{"name": "c", "volumeMounts": mounts}], "volumes": volumes}
    raw = object_("Pod", "shop", name, spec=spec, status={"phase": phase})
    raw["metadata"]["labels"] = labels
    return raw


@pytest.fixture
def blue() -> FakeCluster:
    made = cluster("old")
    made.seed(namespace("shop"))
    made.seed(object_("PersistentVolumeClaim", "shop", "data", spec={"storageClassName": "slow", "volumeName": "pv"}))
    return made


def reasons(blue: FakeCluster, request: VolumeRequest = REQUEST) -> str:
    with pytest.raises(InvalidInputError) as caught:
        survey(blue, request)
    return "; ".join(caught.value.reasons)


def test_a_good_request_is_read_completely(blue):
    blue.seed(pod("web-1", dict(POD.labels)))

    found = survey(blue, REQUEST)

    assert found.claims == [SourceClaim("shop", "data", "fast")]
    assert found.pods[0].volumes == (("data", "data"),)


def test_what_velero_skips_in_silence_is_refused_with_all_reasons(blue):
    blue.seed(pod("web-1", dict(POD.labels), ("data", "more"), "Pending"))
    blue.objects[ObjectRef("v1", "PersistentVolumeClaim", "shop", "data")]["spec"]["volumeMode"] = "Block"
    blue.seed(object_("PersistentVolume", "", "pv", spec={"hostPath": {"path": "/x"}}))

    text = reasons(blue)

    assert "is Pending" in text
    assert "also mounts the claim more" in text
    assert "block volume" in text
    assert "hostPath" in text


def test_a_claim_used_as_a_device_is_refused(blue):
    raw = pod("web-1", dict(POD.labels))
    del raw["spec"]["containers"][0]["volumeMounts"]
    blue.seed(raw)

    assert "no container mounts the files" in reasons(blue)


def test_what_is_gone_is_named(blue):
    text = reasons(blue, replace(REQUEST, pods=(replace(POD, claims=("gone",)),)))

    assert "Pod shop/web-1 is not on blue" in text
    assert "PersistentVolumeClaim shop/gone is not on blue" in text


def test_a_pod_without_labels_cannot_be_selected(blue):
    blue.seed(pod("web-1", {}))

    assert "has no labels" in reasons(blue, replace(REQUEST, pods=(replace(POD, labels={}),)))


def test_a_namespace_outside_the_move_is_refused(blue):
    blue.seed(pod("web-1", dict(POD.labels)))

    assert "outside the namespaces" in reasons(blue, replace(REQUEST, namespaces=("other",)))


def test_a_bystander_with_the_same_labels_and_claims_is_refused(blue):
    blue.seed(pod("web-1", dict(POD.labels)), pod("web-2", dict(POD.labels)))

    assert "Pod shop/web-2 mounts claims" in reasons(blue)


def test_a_bystander_without_claims_is_left_to_the_gate(blue):
    blue.seed(pod("web-1", dict(POD.labels)), pod("web-2", dict(POD.labels), ()))

    assert survey(blue, REQUEST).reasons == []


def test_equal_selectors_are_written_once():
    two = replace(REQUEST, pods=(POD, replace(POD, name="web-2")))

    spec = backup_manifest(Names("move-1", "velero"), two, Options(storage_location="far"))["spec"]

    assert spec["orLabelSelectors"] == [{"matchLabels": {"app": "web", "hash": "1"}}]
    assert spec["storageLocation"] == "far"


def test_the_policy_skips_sources_in_pods_and_no_persistent_volume():
    policy = json.loads(policy_manifest(Names("move-1", "velero"))["data"]["policy.yaml"])

    types = policy["volumePolicies"][0]["conditions"]["volumeTypes"]
    assert {"emptyDir", "configMap", "projected", "secret"} <= set(types)
    assert not {"csi", "local", "nfs"} & set(types)


def written(spec: dict[str, Any]) -> list[dict[str, Any]]:
    raw = object_("Pod", "shop", "web.1", spec=spec)
    found = Survey(pods=[SourcePod(raw, (("vol", "data"),))], claims=[SourceClaim("shop", "data", "fast")])
    return json.loads(rules("move-1", "pause:1", ("shop", "other"), found))["resourceModifierRules"]


def patch_of(rule: dict[str, Any]) -> dict[str, Any]:
    (patch,) = rule.get("strategicPatches") or rule["mergePatches"]
    return json.loads(patch["patchData"])


SPEC = {
    "nodeName": "n1",
    "priorityClassName": "high",
    "runtimeClassName": "gvisor",
    "serviceAccountName": "web",
    "tolerations": [{}],
    "readinessGates": [{}],
    "securityContext": {"fsGroup": 5, "sysctls": [{}]},
    "initContainers": [{"name": "first"}],
    "containers": [{"name": "web", "image": "secret-app"}],
    "volumes": [{"name": "conf", "configMap": {"name": "x"}}],
}


def test_first_every_pod_is_gated_then_the_known_ones_are_opened():
    gate, carrier, *_ = written(SPEC)

    assert gate["conditions"] == {"groupResource": "pods", "namespaces": ["shop", "other"]}
    assert patch_of(gate)["spec"]["schedulingGates"] == [{"name": GATE}]
    assert carrier["conditions"]["resourceNameRegex"] == "^web[.]1$"
    assert patch_of(carrier)["spec"]["schedulingGates"] is None
    for rule in (gate, carrier):
        assert patch_of(rule)["metadata"]["labels"]["$patch"] == "replace"
        assert patch_of(rule)["metadata"]["ownerReferences"] is None


def test_a_carrier_keeps_nothing_of_the_application():
    spec = patch_of(written(SPEC)[1])["spec"]

    assert spec["containers"][0] == {"$patch": "replace"}
    assert [c["image"] for c in spec["containers"][1:]] == ["pause:1"]
    assert spec["containers"][1]["resources"].keys() == {"requests", "limits"}
    assert spec["initContainers"] == [{"$patch": "delete", "name": "first"}]
    assert spec["volumes"][1:] == [{"name": "vol", "persistentVolumeClaim": {"claimName": "data"}}]
    assert spec["securityContext"] == {"$patch": "replace", "fsGroup": 5}
    assert all(spec[key] is None for key in ("nodeName", "priorityClassName", "tolerations", "readinessGates"))
    assert spec["serviceAccountName"] == "default"


@pytest.mark.parametrize(
    ("pod_context", "container_context", "wanted"),
    [({}, {}, True), ({"fsGroup": 1}, {}, True), ({"runAsUser": 0}, {}, False), ({}, {"runAsNonRoot": True}, False)],
)
def test_the_waiting_container_may_look_only_where_no_user_is_set(pod_context, container_context, wanted):
    containers = [{"name": "web", "securityContext": container_context}]

    found = [r for r in written({"securityContext": pod_context, "containers": containers}) if "matches" in str(r)]

    assert bool(found) is wanted


def test_a_claim_gets_its_class_and_forgets_where_it_was():
    patch = patch_of(written(SPEC)[-1])

    assert patch["spec"]["storageClassName"] == "fast"
    assert patch["spec"]["volumeName"] is None
    assert patch["metadata"]["annotations"]["bluegreen.io/move"] == "move-1"
    assert patch["metadata"]["annotations"]["bluegreen.io/claim-uid"] is None


def test_a_record_carries_status_and_no_hooks():
    spec = {"hooks": {"resources": [{"name": "rm -rf"}]}, "storageLocation": "here"}
    backup = velero_object("Backup", "b", spec=spec, status={"phase": "Completed"})
    backup["metadata"] |= {"resourceVersion": "7", "uid": "u", "labels": {"a": "b"}}

    record = backup_record(backup, "there")

    assert record["spec"] == {"storageLocation": "there"}
    assert record["status"] == {"phase": "Completed"}
    assert record["metadata"].keys() == {"name", "namespace", "labels"}

    volume = velero_object(
        "PodVolumeBackup", "v", spec={"backupStorageLocation": "here"}, status={"phase": "Completed"}
    )
    synced = record | {"metadata": record["metadata"] | {"uid": "green-uid"}}
    assert volume_record(volume, synced)["spec"]["backupStorageLocation"] == "there"
    assert volume_record(volume, synced)["metadata"]["ownerReferences"][0]["uid"] == "green-uid"


def test_a_healthy_pair_passes(blue):
    assert check(blue, cluster("new"), Options()) == ()


def test_every_fault_is_a_sentence_of_its_own(blue):
    green = cluster("new")
    location = ObjectRef("velero.io/v1", "BackupStorageLocation", "velero", "default")
    green.objects[location]["status"] = {"phase": "Unavailable", "message": "no route"}
    green.objects[location]["spec"]["objectStorage"]["prefix"] = "elsewhere"
    green.objects.pop(ObjectRef("apps/v1", "DaemonSet", "velero", "node-agent"))
    green.forbidden.add(("create", "restores"))
    blue.objects[ObjectRef("apps/v1", "Deployment", "velero", "velero")]["status"] = {}

    text = "\n".join(check(blue, green, Options()))

    assert "Velero is not available on blue; type: kubectl --context old -n velero" in text
    assert "green has no DaemonSet node-agent" in text
    assert "we may not create restores on green" in text
    assert "of green is Unavailable: no route" in text
    assert "blue backs up to lab, green reads lab/elsewhere" in text


def test_a_cluster_without_velero_is_told_how_to_install_it():
    text = "\n".join(check(cluster("old"), FakeCluster("new"), Options()))

    assert "velero install --kubecontext new" in text


def test_a_storage_location_that_is_named_must_exist(blue):
    text = "\n".join(check(blue, cluster("new"), Options(storage_location="far")))

    assert text.count("has no BackupStorageLocation 'far'") == 2
