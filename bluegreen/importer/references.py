"""Where objects name a namespace other than their own, as data: one row per field, from each API's own reference.

Nothing here runs; namespaces.py reads the rows. A field that is missing here is not rewritten, so a new API is a new
row. Names inside free text are no references: mentions.py reports them.
"""

import enum

import msgspec

_GATEWAY = "gateway.networking.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"
_PROMETHEUS = "monitoring.coreos.com"


class Form(enum.StrEnum):
    """How a namespace is written: alone, as namespace/name, as an account's user or group, as a mesh principal."""

    NAME = "name"
    QUALIFIED = "namespace/name"
    ACCOUNT = "system:serviceaccount(s):namespace"
    PRINCIPAL = "domain/ns/namespace/sa/account"


class Reference(msgspec.Struct, frozen=True):
    """One field that names namespaces.

    Attributes:
        kind: Kind.group as kubectl writes it, with * as a wildcard.
        path: where, with [] for each item; the last step holds one value or a list of them.
        form: how it is written.
    """

    kind: str
    path: str
    form: Form = Form.NAME


def _each(kind: str, *paths: str, form: Form = Form.NAME) -> tuple[Reference, ...]:
    return tuple(Reference(kind, path, form) for path in paths)


REFERENCES: tuple[Reference, ...] = (
    *_each(
        f"*Route.{_GATEWAY}",
        "spec.parentRefs[].namespace",
        "spec.rules[].backendRefs[].namespace",
        "spec.rules[].filters[].requestMirror.backendRef.namespace",
        "spec.rules[].filters[].externalAuth.backendRef.namespace",
        "spec.rules[].backendRefs[].filters[].requestMirror.backendRef.namespace",
    ),
    *_each(
        f"Gateway.{_GATEWAY}",
        "spec.listeners[].tls.certificateRefs[].namespace",
        "spec.listeners[].tls.frontendValidation.caCertificateRefs[].namespace",
        "spec.tls.backend.clientCertificateRef.namespace",
        "spec.tls.frontend.default.validation.caCertificateRefs[].namespace",
        "spec.tls.frontend.perPort[].tls.validation.caCertificateRefs[].namespace",
    ),
    *_each(f"ListenerSet.{_GATEWAY}", "spec.parentRef.namespace", "spec.listeners[].tls.certificateRefs[].namespace"),
    *_each(f"ReferenceGrant.{_GATEWAY}", "spec.from[].namespace"),
    *_each(f"GatewayClass.{_GATEWAY}", "spec.parametersRef.namespace"),
    *_each(f"*WebhookConfiguration.{_ADMISSION}", "webhooks[].clientConfig.service.namespace"),
    *_each(f"*AdmissionPolicyBinding.{_ADMISSION}", "spec.paramRef.namespace"),
    *_each("CustomResourceDefinition.apiextensions.k8s.io", "spec.conversion.webhook.clientConfig.service.namespace"),
    *_each("IngressClass.networking.k8s.io", "spec.parameters.namespace"),
    *_each("APIService.apiregistration.k8s.io", "spec.service.namespace"),
    *_each(
        "Endpoints",
        "subsets[].addresses[].targetRef.namespace",
        "subsets[].notReadyAddresses[].targetRef.namespace",
    ),
    *_each("EndpointSlice.discovery.k8s.io", "endpoints[].targetRef.namespace"),
    *_each(f"ServiceMonitor.{_PROMETHEUS}", "spec.namespaceSelector.matchNames"),
    *_each(f"PodMonitor.{_PROMETHEUS}", "spec.namespaceSelector.matchNames"),
    *_each(f"Probe.{_PROMETHEUS}", "spec.targets.ingress.namespaceSelector.matchNames"),
    *_each(
        "IngressRoute*.traefik.io",
        "spec.routes[].services[].namespace",
        "spec.routes[].middlewares[].namespace",
        "spec.tls.options.namespace",
        "spec.tls.store.namespace",
    ),
    *_each("VirtualService.networking.istio.io", "spec.exportTo"),
    *_each("DestinationRule.networking.istio.io", "spec.exportTo"),
    *_each("ServiceEntry.networking.istio.io", "spec.exportTo"),
    *_each("VirtualService.networking.istio.io", "spec.gateways", form=Form.QUALIFIED),
    *_each("Sidecar.networking.istio.io", "spec.egress[].hosts", form=Form.QUALIFIED),
    *_each(
        "AuthorizationPolicy.security.istio.io",
        "spec.rules[].from[].source.namespaces",
        "spec.rules[].from[].source.notNamespaces",
    ),
    *_each(
        "AuthorizationPolicy.security.istio.io",
        "spec.rules[].from[].source.principals",
        "spec.rules[].from[].source.notPrincipals",
        form=Form.PRINCIPAL,
    ),
    *_each("Kustomization.kustomize.toolkit.fluxcd.io", "spec.sourceRef.namespace", "spec.targetNamespace"),
    *_each(
        "HelmRelease.helm.toolkit.fluxcd.io",
        "spec.chart.spec.sourceRef.namespace",
        "spec.chartRef.namespace",
        "spec.targetNamespace",
        "spec.storageNamespace",
    ),
    *_each("SecurityContextConstraints.security.openshift.io", "users", "groups", form=Form.ACCOUNT),
)

POD_REFERENCES: tuple[str, ...] = tuple(
    f"affinity.{kind}.{path}.namespaces"
    for kind in ("podAffinity", "podAntiAffinity")
    for path in (
        "requiredDuringSchedulingIgnoredDuringExecution[]",
        "preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm",
    )
)
"""Fields of a pod's spec that name namespaces alone."""

NAME_LABELS = frozenset(
    {"kubernetes.io/metadata.name", "k8s:io.kubernetes.pod.namespace", "io.kubernetes.pod.namespace"}
)
"""Labels whose value is a namespace's own name, as selectors of NetworkPolicies (Cilium's too) ask for them."""

QUALIFIED_ANNOTATIONS = ("*/auth-secret", "*/auth-tls-secret", "*/proxy-ssl-secret", "*/secret")
"""Annotations of an Ingress that hold namespace/name of a Secret."""
