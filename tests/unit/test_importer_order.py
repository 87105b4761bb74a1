"""The order of an import: each object in one wave, and what others need always before them."""

from hypothesis import given
from hypothesis import strategies as st

from bluegreen.importer.order import Phase, in_phase, order, wave_name

VERSIONS = {
    "Namespace": "v1", "CustomResourceDefinition": "apiextensions.k8s.io/v1", "PriorityClass": "scheduling.k8s.io/v1",
    "ResourceQuota": "v1", "LimitRange": "v1", "ServiceAccount": "v1", "Role": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1", "Secret": "v1", "ConfigMap": "v1", "PersistentVolumeClaim": "v1",
    "Service": "v1", "Endpoints": "v1", "EndpointSlice": "discovery.k8s.io/v1", "Deployment": "apps/v1",
    "StatefulSet": "apps/v1", "CronJob": "batch/v1", "Ingress": "networking.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1", "PodDisruptionBudget": "policy/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2", "Widget": "shop.example/v1", "Pod": "v1",
    "ValidatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
}  # fmt: skip


def thing(kind, name="x", version=""):
    return {"apiVersion": version or VERSIONS[kind], "kind": kind, "metadata": {"name": name, "namespace": "shop"}}


def test_the_order_that_the_decision_records():
    kinds = [obj["kind"] for wave in order([thing(kind) for kind in reversed(VERSIONS)]) for obj in wave.objects]
    for before, after in [
        ("Namespace", "CustomResourceDefinition"), ("CustomResourceDefinition", "PriorityClass"),
        ("PriorityClass", "ResourceQuota"), ("ResourceQuota", "ServiceAccount"), ("ServiceAccount", "Role"),
        ("Role", "RoleBinding"), ("RoleBinding", "Secret"), ("ConfigMap", "PersistentVolumeClaim"),
        ("PersistentVolumeClaim", "Service"), ("Service", "EndpointSlice"), ("Service", "Deployment"),
        ("Deployment", "Ingress"), ("NetworkPolicy", "PodDisruptionBudget"), ("HorizontalPodAutoscaler", "Widget"),
        ("Widget", "Pod"), ("Pod", "ValidatingWebhookConfiguration"),
    ]:  # fmt: skip
        assert kinds.index(before) < kinds.index(after), (before, after)


def test_pods_wait_for_the_start_and_webhooks_for_the_pods():
    waves = order(thing(kind) for kind in VERSIONS)
    assert [w.name for w in in_phase(waves, Phase.START)] == ["pods"]
    assert [w.name for w in in_phase(waves, Phase.LATE)] == ["webhooks"]


def test_a_namesake_of_another_group_is_a_custom_resource():
    assert wave_name(thing("Service", version="serving.knative.dev/v1")) == "custom resources"
    assert wave_name(thing("Service")) == "services"


OBJECTS = st.lists(
    st.builds(thing, st.sampled_from(sorted(VERSIONS)), st.sampled_from("abc")),
    max_size=12,
    unique_by=lambda o: (o["kind"], o["metadata"]["name"]),
)


@given(OBJECTS, st.randoms())
def test_every_object_stands_in_one_wave_whatever_the_input_order(objects, random):
    shuffled = objects[:]
    random.shuffle(shuffled)
    assert order(objects) == order(shuffled)
    flat = [(o["kind"], o["metadata"]["name"]) for wave in order(objects) for o in wave.objects]
    assert sorted(flat) == sorted((o["kind"], o["metadata"]["name"]) for o in objects)
