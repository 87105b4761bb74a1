"""What Gateways, routes, autoscalers and admission policies name is followed, in any version and across namespaces."""

import pytest
from fake_api import VERBS, FakeApi, quiet

from bluegreen.exporter.closure import select_with_needs
from bluegreen.exporter.export import ExportOptions, export
from bluegreen.exporter.needs import NEEDS, named_by
from bluegreen.exporter.paths import parse_path
from bluegreen.model.ports import ApiResource
from bluegreen.model.selectors import parse_selector

GATEWAY = "gateway.networking.k8s.io"
ADMISSION = "admissionregistration.k8s.io/v1"
OPTIONS = ExportOptions(hmac_key=b"k")
NAME_LABEL = "kubernetes.io/metadata.name"


def obj(kind, name, version="v1", namespace="shop", labels=None, **more):
    meta = {"name": name, **({"namespace": namespace} if namespace else {}), "labels": labels or {}}
    return {"apiVersion": version, "kind": kind, "metadata": meta, **more}


def gateway(kind, name, namespace="shop", version="v1", labels=None, **spec):
    return obj(kind, name, f"{GATEWAY}/{version}", namespace, labels, spec=spec)


def kept(*objects):
    return sorted(o["metadata"]["name"] for o in select_with_needs(objects, parse_selector("app=web"))[0])


WEB = {"app": "web"}


def test_every_row_has_a_path_that_can_be_read():
    assert all(parse_path(need.path) for need in NEEDS)


def test_a_route_keeps_its_gateway_in_another_version_with_its_certificate_and_its_services():
    route = gateway(
        "TLSRoute",
        "route",
        version="v1alpha2",
        labels=WEB,
        parentRefs=[{"name": "gw"}],
        rules=[
            {"backendRefs": [{"name": "api", "port": 80}, {"name": "own", "group": "shop.example", "kind": "Pool"}]}
        ],
    )
    listener = {"tls": {"certificateRefs": [{"name": "cert"}]}}
    needed = [
        route,
        gateway("Gateway", "gw", listeners=[listener]),
        obj("Secret", "cert"),
        obj("Service", "api"),
        obj("Pool", "own", "shop.example/v1"),
    ]
    others = [obj("Service", "gw-x"), obj("Secret", "api"), obj("Service", "own"), gateway("Gateway", "other")]
    assert kept(*needed, *others) == sorted(o["metadata"]["name"] for o in needed)


def test_a_reference_to_another_namespace_keeps_the_grant_that_allows_it_and_no_other():
    route = gateway("HTTPRoute", "route", labels=WEB, rules=[{"backendRefs": [{"name": "api", "namespace": "back"}]}])

    def grant(name, kind, namespace):
        allowed = [{"group": GATEWAY, "kind": kind, "namespace": namespace}]
        return gateway(
            "ReferenceGrant", name, "back", "v1beta1", **{"from": allowed, "to": [{"group": "", "kind": "Service"}]}
        )

    objects = [
        route,
        obj("Service", "api", namespace="back"),
        grant("yes", "HTTPRoute", "shop"),
        grant("no-kind", "GRPCRoute", "shop"),
        grant("no-namespace", "HTTPRoute", "else"),
        obj("Service", "api-here"),
    ]
    assert kept(*objects) == ["api", "route", "yes"]


@pytest.mark.parametrize(
    ("kind", "version", "field"),
    [
        ("HorizontalPodAutoscaler", "autoscaling/v2", "scaleTargetRef"),
        ("VerticalPodAutoscaler", "autoscaling.k8s.io/v1", "targetRef"),
        ("ScaledObject", "keda.sh/v1alpha1", "scaleTargetRef"),
    ],
)
def test_an_autoscaler_goes_with_its_target_and_does_not_pull_one(kind, version, field):
    def scaler(name, target):
        return obj(kind, name, version, spec={field: {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}})

    objects = [
        obj("Deployment", "web", "apps/v1", labels=WEB),
        obj("Deployment", "other", "apps/v1"),
        scaler("mine", "web"),
        scaler("theirs", "other"),
        {**scaler("labelled", "other"), "metadata": {"name": "labelled", "namespace": "shop", "labels": WEB}},
    ]
    assert kept(*objects) == ["labelled", "mine", "web"]


def test_a_scaled_object_without_kind_means_a_deployment_and_keeps_its_credentials():
    spec = {"scaleTargetRef": {"name": "web"}, "triggers": [{"authenticationRef": {"name": "auth"}}]}
    objects = [
        obj("Deployment", "web", "apps/v1", labels=WEB),
        obj("ScaledObject", "scaler", "keda.sh/v1alpha1", spec=spec),
        obj("TriggerAuthentication", "auth", "keda.sh/v1alpha1", spec={"secretTargetRef": [{"name": "key"}]}),
        obj("Secret", "key"),
        obj("Secret", "auth-not"),
    ]
    assert kept(*objects) == ["auth", "key", "scaler", "web"]


def test_a_reference_without_a_name_is_none():
    assert list(named_by(gateway("HTTPRoute", "r", parentRefs=[{}, {"name": None}, {"name": 7}, "x"]))) == []


def resource(kind, plural, version, *, namespaced):
    return ApiResource(version, kind, plural, namespaced, VERBS)


def test_classes_of_gateways_come_along_and_what_is_in_another_namespace_is_reported():
    extra = (
        resource("Gateway", "gateways", f"{GATEWAY}/v1", namespaced=True),
        resource("GatewayClass", "gatewayclasses", f"{GATEWAY}/v1", namespaced=False),
        resource("HTTPRoute", "httproutes", f"{GATEWAY}/v1", namespaced=True),
        resource("ReferenceGrant", "referencegrants", f"{GATEWAY}/v1beta1", namespaced=True),
    )
    blue = FakeApi(
        obj("Namespace", "shop", namespace=""),
        gateway("Gateway", "gw", gatewayClassName="envoy", listeners=[]),
        gateway("GatewayClass", "envoy", "", parametersRef={"kind": "ConfigMap", "name": "p", "namespace": "infra"}),
        gateway("GatewayClass", "unused", ""),
        gateway("ReferenceGrant", "grant", version="v1beta1", **{"from": [], "to": []}),
        gateway(
            "HTTPRoute",
            "route",
            parentRefs=[{"name": "shared", "namespace": "infra"}],
            rules=[{"backendRefs": [{"name": "api", "namespace": "back"}, {"name": "web", "namespace": "shop"}]}],
        ),
        extra=extra,
    )
    bundle = export(blue, ("shop",), "", OPTIONS, quiet)
    names = {(item.ref.kind, item.ref.name) for item in bundle.items}
    assert names >= {("GatewayClass", "envoy"), ("ReferenceGrant", "grant"), ("HTTPRoute", "route")}
    assert ("GatewayClass", "unused") not in names
    told = {(r.ref.name, r.removal.path, r.removal.why) for r in bundle.reports if r.removal.rule == "other-namespace"}
    assert told == {
        ("envoy", "spec.parametersRef", "names infra/p in another namespace"),
        ("route", "spec.parentRefs[0]", "names infra/shared in another namespace"),
        ("route", "spec.rules[0].backendRefs[0]", "names back/api in another namespace"),
    }


@pytest.mark.parametrize("sort", ["Validating", "Mutating"])
def test_admission_policies_that_name_the_namespace_come_along(sort):
    kind = f"{sort}AdmissionPolicy"

    def selector(operator, *names):
        return {"namespaceSelector": {"matchExpressions": [{"key": NAME_LABEL, "operator": operator, "values": names}]}}

    def binding(name, policy, **spec):
        return obj(f"{kind}Binding", name, ADMISSION, "", spec={"policyName": policy, **spec})

    label = {"namespaceSelector": {"matchLabels": {NAME_LABEL: "shop"}}}
    blue = FakeApi(
        obj("Namespace", "shop", namespace=""),
        *(obj(kind, name, ADMISSION, "", spec={}) for name in ("everywhere", "chosen", "params")),
        obj(kind, "own", ADMISSION, "", spec={"matchConstraints": label}),
        binding("b-everywhere", "everywhere"),
        binding("b-not", "everywhere", matchResources=selector("NotIn", "shop")),
        binding("b-else", "everywhere", matchResources=selector("In", "else")),
        binding("b-chosen", "chosen", matchResources=selector("In", "else", "shop")),
        binding("b-params", "params", paramRef={"name": "p", "namespace": "shop"}),
        binding("b-own", "own"),
        binding("b-orphan", "missing", matchResources=label),
        extra=(
            resource(kind, "policies", ADMISSION, namespaced=False),
            resource(f"{kind}Binding", "bindings", ADMISSION, namespaced=False),
        ),
    )
    bundle = export(blue, ("shop",), "", OPTIONS, quiet)
    found = sorted(item.ref.name for item in bundle.items if item.ref.kind.startswith(kind))
    assert found == ["b-chosen", "b-own", "b-params", "chosen", "own", "params"]
