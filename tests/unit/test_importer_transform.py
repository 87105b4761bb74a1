"""Rewriting for green: every container, the longest prefix, every reference, and the input stays as it was."""

import copy

import pytest

from bluegreen.importer.transform import TransformOptions, map_image, transform


def obj(kind, version="v1", **more):
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "x", "namespace": "shop", **more.pop("meta", {})},
        **more,
    }


def pods():
    return {
        "spec": {
            "containers": [{"image": "old.example/web:1"}],
            "initContainers": [{"image": "old.example/init"}],
            "ephemeralContainers": [{"image": "old.example/debug"}],
        }
    }


def images(template):
    spec = template["spec"]
    return [c["image"] for key in ("containers", "initContainers", "ephemeralContainers") for c in spec[key]]


def test_images_of_every_container_are_mapped_cron_jobs_too():
    # b5 defect 3
    how = TransformOptions(images={"old.example": "new.example/mirror"})
    expected = ["new.example/mirror/web:1", "new.example/mirror/init", "new.example/mirror/debug"]
    cron = obj("CronJob", "batch/v1", spec={"jobTemplate": {"spec": {"template": pods()}}})
    assert images(transform(cron, how)["spec"]["jobTemplate"]["spec"]["template"]) == expected
    assert (
        images(transform(obj("Deployment", "apps/v1", spec={"template": pods()}), how)["spec"]["template"]) == expected
    )
    assert images(transform(obj("Pod", **pods()), how)) == expected
    scaled = obj("ScaledJob", "keda.sh/v1alpha1", spec={"jobTargetRef": {"template": pods()}})
    assert images(transform(scaled, how)["spec"]["jobTargetRef"]["template"]) == expected


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        ("Rollout", "argoproj.io/v1alpha1"),
        ("DeploymentConfig", "apps.openshift.io/v1"),
        ("Service", "serving.knative.dev/v1"),
        ("StatefulSet", "apps.kruise.io/v1beta1"),
    ],
)
def test_images_of_workloads_of_others_are_mapped_and_no_namesakes(kind, version):
    how = TransformOptions(images={"old.example": "new.example"})
    mapped = transform(obj(kind, version, spec={"template": pods()}), how)
    assert images(mapped["spec"]["template"])[0] == "new.example/web:1"
    unknown = obj(kind, "somebody.example/v1", spec={"template": pods()})
    assert transform(unknown, how) == unknown


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("docker.io/library/nginx:1", "m/lib/nginx:1"),
        ("docker.io/other/x", "m/hub/other/x"),
        ("docker.io/library2/x", "m/hub/library2/x"),
        ("docker.io.evil/x", "docker.io.evil/x"),
        ("quay.io/x@sha256:1", "quay.io/x@sha256:1"),
        ("nginx", "nginx"),
    ],
)
def test_the_longest_prefix_wins_in_any_order(image, expected):
    # b5 defect 7
    prefixes = {"docker.io": "m/hub", "docker.io/library": "m/lib"}
    assert map_image(image, prefixes) == map_image(image, dict(reversed(prefixes.items()))) == expected


def test_storage_classes_of_claims_templates_ephemeral_volumes_and_annotations():
    how = TransformOptions(storage_classes={"old": "new"})
    claim = obj(
        "PersistentVolumeClaim",
        spec={"storageClassName": "old"},
        meta={"annotations": {"volume.beta.kubernetes.io/storage-class": "old"}},
    )
    assert transform(claim, how)["spec"]["storageClassName"] == "new"
    assert transform(claim, how)["metadata"]["annotations"] == {"volume.beta.kubernetes.io/storage-class": "new"}
    template = {"spec": {"volumes": [{"ephemeral": {"volumeClaimTemplate": {"spec": {"storageClassName": "old"}}}}]}}
    stateful = obj(
        "StatefulSet",
        "apps/v1",
        spec={"volumeClaimTemplates": [{"spec": {"storageClassName": "old"}}], "template": template},
    )
    spec = transform(stateful, how)["spec"]
    assert spec["volumeClaimTemplates"][0]["spec"]["storageClassName"] == "new"
    assert (
        spec["template"]["spec"]["volumes"][0]["ephemeral"]["volumeClaimTemplate"]["spec"]["storageClassName"] == "new"
    )


def test_ingress_classes_in_both_places():
    how = TransformOptions(ingress_classes={"nginx": "haproxy"})
    ingress = obj(
        "Ingress",
        "networking.k8s.io/v1",
        spec={"ingressClassName": "nginx"},
        meta={"annotations": {"kubernetes.io/ingress.class": "nginx"}},
    )
    assert transform(ingress, how)["spec"]["ingressClassName"] == "haproxy"
    assert transform(ingress, how)["metadata"]["annotations"]["kubernetes.io/ingress.class"] == "haproxy"


def test_namespaces_and_all_that_refers_to_them():
    how = TransformOptions(namespaces={"shop": "store"})
    rbac = "rbac.authorization.k8s.io/v1"
    binding = transform(
        obj(
            "RoleBinding",
            rbac,
            subjects=[
                {"kind": "ServiceAccount", "name": "a", "namespace": "shop"},
                {"kind": "Group", "name": "system:serviceaccounts:shop"},
                {"kind": "User", "name": "system:serviceaccount:shop:a"},
                {"kind": "User", "name": "shop"},
            ],
        ),
        how,
    )
    assert binding["metadata"]["namespace"] == "store"
    assert [s.get("namespace", s["name"]) for s in binding["subjects"]] == [
        "store",
        "system:serviceaccounts:store",
        "system:serviceaccount:store:a",
        "shop",
    ]
    hook = transform(
        obj(
            "ValidatingWebhookConfiguration",
            "admissionregistration.k8s.io/v1",
            webhooks=[{"clientConfig": {"service": {"namespace": "shop", "name": "s"}}}],
        ),
        how,
    )
    assert hook["webhooks"][0]["clientConfig"]["service"]["namespace"] == "store"
    policy = transform(
        obj(
            "NetworkPolicy",
            "networking.k8s.io/v1",
            spec={
                "ingress": [
                    {
                        "from": [
                            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}},
                            {
                                "namespaceSelector": {
                                    "matchExpressions": [
                                        {
                                            "key": "kubernetes.io/metadata.name",
                                            "operator": "In",
                                            "values": ["shop", "b"],
                                        }
                                    ]
                                }
                            },
                        ]
                    }
                ]
            },
        ),
        how,
    )
    peers = policy["spec"]["ingress"][0]["from"]
    assert peers[0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] == "store"
    assert peers[1]["namespaceSelector"]["matchExpressions"][0]["values"] == ["store", "b"]
    root = transform({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}, how)
    assert root["metadata"]["name"] == "store"


def test_the_input_is_not_changed_and_what_no_map_names_stays():
    stateful = obj("StatefulSet", "apps/v1", spec={"template": pods(), "volumeClaimTemplates": [{"spec": {}}]})
    before = copy.deepcopy(stateful)
    how = TransformOptions({"a": "b"}, {"a": "b"}, {"old.example": "n"}, {"shop": "store"}, {"l": "1"}, {"n": "2"})
    changed = transform(stateful, how)
    assert stateful == before
    assert changed["metadata"]["labels"] == {"l": "1"}
    assert transform(stateful, TransformOptions()) == before
