"""Every field that names another namespace follows the mapping; free text is reported and left as it is."""

import copy
from fnmatch import fnmatchcase

import pytest

from bluegreen.importer.mentions import mentions
from bluegreen.importer.references import POD_REFERENCES, REFERENCES, Form
from bluegreen.importer.transform import TransformOptions, transform

NAMES = {"shop": "store"}
WRITTEN = {
    Form.NAME: ("shop", "store"),
    Form.QUALIFIED: ("shop/web", "store/web"),
    Form.ACCOUNT: ("system:serviceaccount:shop:web", "system:serviceaccount:store:web"),
    Form.PRINCIPAL: ("cluster.local/ns/shop/sa/web", "cluster.local/ns/store/sa/web"),
}
NAME_LABEL = "kubernetes.io/metadata.name"
GATEWAY = "gateway.networking.k8s.io/v1"


def obj(kind, version="v1", **more):
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "shop"}, **more}


def mapped(given, names=None):
    before = copy.deepcopy(given)
    after = transform(given, TransformOptions(namespaces=names or NAMES))
    assert given == before
    return after


def nested(path, value):
    step, _, rest = path.partition(".")
    inner = nested(rest, value) if rest else value
    return {step.removesuffix("[]"): [inner] if step.endswith("[]") else inner}


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda r: f"{r.kind} {r.path}")
@pytest.mark.parametrize("listed", [False, True])
def test_every_reference_of_the_table_is_rewritten(reference, listed):
    kind, _, group = reference.kind.replace("*", "X").partition(".")
    old, new = WRITTEN[reference.form]
    parts = ([old, "other"], [new, "other"]) if listed else (old, new)
    given = obj(kind, f"{group}/v1" if group else "v1", **nested(reference.path, parts[0]))
    expected = {**given, "metadata": {"name": "x", "namespace": "store"}, **nested(reference.path, parts[1])}
    assert mapped(given) == expected


@pytest.mark.parametrize("path", POD_REFERENCES)
def test_namespaces_of_pod_affinity_are_rewritten(path):
    given = obj("CronJob", "batch/v1", spec=nested(f"jobTemplate.spec.template.spec.{path}", ["shop", "b"]))
    assert mapped(given)["spec"] == nested(f"jobTemplate.spec.template.spec.{path}", ["store", "b"])


def selectors(name):
    return [
        {"matchLabels": {NAME_LABEL: name, "tier": "shop"}},
        {"matchExpressions": [{"key": NAME_LABEL, "operator": "NotIn", "values": [name, "b"]}]},
        {"matchExpressions": [{"key": "team", "operator": "In", "values": ["shop"]}]},
    ]


@pytest.mark.parametrize(
    ("kind", "version", "path"),
    [
        ("NetworkPolicy", "networking.k8s.io/v1", "spec.ingress[].from[].namespaceSelector"),
        ("NetworkPolicy", "networking.k8s.io/v1", "spec.egress[].to[].namespaceSelector"),
        ("Gateway", GATEWAY, "spec.listeners[].allowedRoutes.namespaces.selector"),
        ("ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1", "webhooks[].namespaceSelector"),
        ("MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1", "webhooks[].namespaceSelector"),
        ("ValidatingAdmissionPolicy", "admissionregistration.k8s.io/v1", "spec.matchConstraints.namespaceSelector"),
        (
            "ValidatingAdmissionPolicyBinding",
            "admissionregistration.k8s.io/v1",
            "spec.matchResources.namespaceSelector",
        ),
        ("MutatingAdmissionPolicy", "admissionregistration.k8s.io/v1beta1", "spec.matchConstraints.namespaceSelector"),
        ("MutatingAdmissionPolicyBinding", "admissionregistration.k8s.io/v1", "spec.matchResources.namespaceSelector"),
    ],
)
@pytest.mark.parametrize("which", range(3))
def test_selectors_of_namespaces_by_name_are_rewritten_and_no_others(kind, version, path, which):
    given = obj(kind, version, **nested(path, selectors("shop")[which]))
    assert mapped(given) == {
        **given,
        "metadata": {"name": "x", "namespace": "store"},
        **nested(path, selectors("store")[which]),
    }


def test_ciliums_label_of_a_namespace_is_rewritten():
    policy = obj("CiliumNetworkPolicy", "cilium.io/v2")
    peers = [{"matchLabels": {"k8s:io.kubernetes.pod.namespace": "shop"}}]
    assert mapped({**policy, "spec": {"ingress": [{"fromEndpoints": peers}]}})["spec"]["ingress"][0][
        "fromEndpoints"
    ] == [{"matchLabels": {"k8s:io.kubernetes.pod.namespace": "store"}}]


def test_a_workloads_own_selector_stays_with_its_pods_labels():
    selector = {"matchLabels": {NAME_LABEL: "shop"}}
    given = obj("Deployment", "apps/v1", spec={"selector": selector, "template": {"spec": {}}})
    assert mapped(given)["spec"]["selector"] == selector


def test_names_swap_without_being_mapped_twice():
    route = obj("HTTPRoute", GATEWAY, spec={"parentRefs": [{"namespace": "a"}, {"namespace": "b"}, {}]})
    assert mapped(route, {"a": "b", "b": "a"})["spec"]["parentRefs"] == [{"namespace": "b"}, {"namespace": "a"}, {}]


def test_a_grants_target_and_a_backends_name_are_no_namespaces():
    grant = obj(
        "ReferenceGrant", GATEWAY, spec={"from": [{"namespace": "shop"}], "to": [{"kind": "Secret", "name": "shop"}]}
    )
    assert mapped(grant)["spec"] == {"from": [{"namespace": "store"}], "to": [{"kind": "Secret", "name": "shop"}]}
    ingress = obj("Ingress", "networking.k8s.io/v1", spec={"defaultBackend": {"service": {"name": "shop"}}})
    assert mapped(ingress)["spec"] == ingress["spec"]


def test_an_ingress_names_secrets_of_other_namespaces_in_annotations():
    given = obj("Ingress", "networking.k8s.io/v1")
    given["metadata"]["annotations"] = {
        "nginx.ingress.kubernetes.io/auth-secret": "shop/basic",
        "haproxy.org/auth-secret": "basic",
        "example/text": "shop/basic",
    }
    assert mapped(given)["metadata"]["annotations"] == {
        "nginx.ingress.kubernetes.io/auth-secret": "store/basic",
        "haproxy.org/auth-secret": "basic",
        "example/text": "shop/basic",
    }


def test_roles_about_a_namespace_by_name_follow_it():
    rules = [
        {"resources": ["namespaces"], "resourceNames": ["shop"], "verbs": ["get"]},
        {"resources": ["secrets"], "resourceNames": ["shop"], "verbs": ["get"]},
    ]
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "r"},
        "rules": rules,
    }
    assert [rule["resourceNames"] for rule in mapped(role)["rules"]] == [["store"], ["shop"]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("db.shop.svc:5432", True),
        ("http://db.shop/path", True),
        ("postgres://u@db.shop.svc.cluster.local/x", True),
        ("a,db.shop,b", True),
        ("shop", False),
        ("db.shop.example", False),
        ("db.shop-two", False),
        ("db.shop2", False),
        ("db.workshop.svc", False),
        ("db.store.svc", False),
        (".shop", False),
    ],
)
def test_host_names_in_free_text_are_found_and_left(text, found):
    pod = {"containers": [{"name": "c", "env": [{"name": "DB", "value": text}], "args": ["--db", text]}]}
    given = obj("Deployment", "apps/v1", spec={"template": {"spec": pod}})
    assert mapped(given)["spec"] == given["spec"]
    assert [path for path, _ in mentions(given, NAMES)] == (
        ["containers[c].env[DB]", "containers[c].args[1]"] if found else []
    )
    config = obj("ConfigMap", data={"a": text})
    assert [path for path, _ in mentions(config, NAMES)] == (["data[a]"] if found else [])


def test_external_names_annotations_and_triggers_are_reported():
    service = obj("Service", spec={"type": "ExternalName", "externalName": "db.shop.svc.cluster.local"})
    assert mapped(service)["spec"] == service["spec"]
    ((path, text),) = mentions(service, NAMES)
    assert path == "spec.externalName"
    assert "shop, which is store on green" in text
    annotated = obj("Ingress", "networking.k8s.io/v1")
    annotated["metadata"]["annotations"] = {"auth-url": "http://auth.shop.svc/", "bluegreen.io/owners": "x.shop.svc"}
    assert [path for path, _ in mentions(annotated, NAMES)] == ["metadata.annotations[auth-url]"]
    scaled = obj("ScaledObject", "keda.sh/v1alpha1", spec={"triggers": [{"metadata": {"url": "http://p.shop:9090"}}]})
    assert [path for path, _ in mentions(scaled, NAMES)] == ["spec.triggers[0].metadata.url"]


def test_of_a_secret_only_the_key_is_told():
    secret = obj(
        "Secret", data={"URL": "ZGIuc2hvcC5zdmM=", "OTHER": "eA==", "BROKEN": "*"}, stringData={"S": "db.shop"}
    )
    told = list(mentions(secret, NAMES))
    assert [path for path, _ in told] == ["stringData[S]", "data[URL]"]
    assert not any("shop" in text or "db." in text for _, text in told)
    assert list(mentions(secret, {})) == []


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_what_holds_data_only_refers_to_nothing(kind):
    assert [r for r in REFERENCES if fnmatchcase(kind, r.kind)] == []
    obj = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a", "namespace": "shop", "labels": {"a": "b"}}}
    obj["data"] = {"namespace": "shop"}

    found = transform(obj, TransformOptions(namespaces={"shop": "store"}, labels={"c": "d"}))

    assert obj["metadata"] == {"name": "a", "namespace": "shop", "labels": {"a": "b"}}
    assert found["metadata"] == {"name": "a", "namespace": "store", "labels": {"a": "b", "c": "d"}}
    assert found["data"] == {"namespace": "shop"}
