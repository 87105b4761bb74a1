"""The rules for network, storage, identity and cluster-wide kinds (reference/export-import.md b3), as data.

Nothing here runs: clean.py carries the rules out.
"""

from bluegreen.exporter.rules import Rule, report, rewrite, strip

_ALLOCATED = "blue's address; on green it may be taken (provided IP is already allocated)"
_CLOUD = "names a thing in a cloud or DNS that two clusters would both claim"
_IDENTITY = "binds to the OIDC issuer of blue: let the cloud role trust green's issuer too"
_BIND = "says which volume of blue it was bound to, and by whom"
_CA = "cert-manager or OpenShift injects green's own"
_RBAC = "rbac.authorization.k8s.io"

NETWORK: tuple[Rule, ...] = (
    strip(
        "Service",
        "spec.clusterIP",
        _ALLOCATED,
        "apiserver ipallocator/interfaces.go:46; velero service_action.go:57",
        when="live and not headless",
        name="cluster-ip",
    ),
    strip(
        "Service",
        "spec.clusterIPs",
        _ALLOCATED,
        "apiserver ipallocator/interfaces.go:46; velero service_action.go:57",
        when="live and not headless",
        name="cluster-ips",
    ),
    rewrite(
        "Service",
        "spec.ports[].nodePort",
        "blue chose it and on green it may be taken; kept where a person asked for that number",
        "velero service_action.go:148-252; apiserver portallocator/allocator.go:43",
        name="node-port",
    ),
    rewrite(
        "Service",
        "spec.healthCheckNodePort",
        "blue chose it and it is immutable; kept where a person asked for that number",
        "velero service_action.go:82-143; apiserver validation.go:6577",
        name="health-check-node-port",
    ),
    rewrite(
        "Service",
        "spec.ipFamilies",
        "green serves other IP families",
        "apiserver service/storage/alloc.go:218",
        name="ip-families",
    ),
    strip(
        "Service",
        "spec.loadBalancerIP",
        "an address that blue's load balancer holds",
        "stork clears; velero keeps",
        when="live",
        name="load-balancer-ip",
    ),
    strip(
        "Service",
        "spec.externalIPs",
        "addresses of blue's load balancer",
        "crane-lib; openshift-velero-plugin",
        when="live and load balancer",
        name="external-ips",
    ),
    report(
        "Service",
        "spec.externalIPs",
        "addresses that must route to green's nodes",
        "Kubernetes API",
        when="not load balancer",
        name="external-ips-kept",
    ),
    report(
        "Service",
        "spec.loadBalancerClass",
        "green must run that load balancer",
        "Kubernetes API",
        name="load-balancer-class",
    ),
    report(
        "Service",
        "spec.loadBalancerSourceRanges",
        "check that the ranges fit green",
        "Kubernetes API",
        name="load-balancer-ranges",
    ),
    report(
        "Service",
        'metadata.annotations["service.*.kubernetes.io/*"]',
        _CLOUD,
        "velero#264, #3294",
        when="load balancer",
        name="load-balancer-annotation",
    ),
    report(
        "*",
        'metadata.annotations["external-dns.alpha.kubernetes.io/hostname"]',
        _CLOUD,
        "velero#264, #3294",
        name="external-dns",
    ),
    report(
        "EndpointSlice.discovery.k8s.io",
        "endpoints[].addresses",
        "written by hand: check that green reaches them",
        "stork endpoint.go",
        name="manual-endpointslice",
    ),
    report(
        "Endpoints",
        "subsets[].addresses",
        "written by hand: check that green reaches them",
        "stork endpoint.go",
        name="manual-endpoints",
    ),
    report(
        "NetworkPolicy.networking.k8s.io",
        "spec.ingress[].from[].ipBlock",
        "addresses of blue's surroundings",
        "stork",
        name="ingress-ip-block",
    ),
    report(
        "NetworkPolicy.networking.k8s.io",
        "spec.egress[].to[].ipBlock",
        "addresses of blue's surroundings",
        "stork",
        name="egress-ip-block",
    ),
    strip(
        "Route.route.openshift.io",
        "spec.host",
        "OpenShift made it from blue's domain",
        "crane-plugin-openshift",
        when="has annotation openshift.io/host.generated",
        name="route-host",
    ),
)

STORAGE: tuple[Rule, ...] = (
    rewrite(
        "PersistentVolumeClaim",
        "metadata.annotations",
        "its data is brought over by the volume mover",
        "bluegreen",
        when="live and bound",
        name="claim-moved",
    ),
    strip(
        "PersistentVolumeClaim",
        "spec.volumeName",
        "a volume of blue; a bound claim without its volume becomes Lost",
        "pv_controller.go:502,513; velero",
        when="live and bound",
        name="volume-name",
    ),
    strip(
        "PersistentVolumeClaim",
        "spec.selector",
        "selected a volume of blue",
        "mig-controller pvc",
        when="live and bound",
        name="claim-selector",
    ),
    strip(
        "PersistentVolumeClaim",
        "spec.dataSource",
        "names a snapshot or claim of blue",
        "velero csi/pvc_action.go",
        when="live and bound",
        name="data-source",
    ),
    strip(
        "PersistentVolumeClaim",
        "spec.dataSourceRef",
        "names a snapshot or claim of blue",
        "velero csi/pvc_action.go",
        when="live and bound",
        name="data-source-ref",
    ),
    *(
        report(
            "PersistentVolumeClaim",
            field,
            "waits for it on blue and will on green, unless green has it",
            "pv_controller.go syncUnboundClaim",
            when="live and not bound",
            name=name,
        )
        for name, field in (("volume-name-kept", "spec.volumeName"), ("data-source-kept", "spec.dataSourceRef"))
    ),
    *(
        strip(
            "PersistentVolumeClaim",
            f'metadata.annotations["{key}"]',
            _BIND,
            "velero pvc_action.go; stork; MTC",
            name="claim-" + key.rpartition("/")[2] + ("-beta" if ".beta." in key else ""),
        )
        for key in (
            "pv.kubernetes.io/bind-completed",
            "pv.kubernetes.io/bound-by-controller",
            "volume.kubernetes.io/storage-provisioner",
            "volume.beta.kubernetes.io/storage-provisioner",
            "volume.kubernetes.io/selected-node",
            "pv.kubernetes.io/migrated-to",
            "volume.kubernetes.io/storage-resizer",
        )
    ),
)

IDENTITY: tuple[Rule, ...] = (
    rewrite(
        "ServiceAccount",
        "secrets",
        "token Secrets that a controller of blue made",
        "crane-lib; velero; stork; MTC",
        name="account-secrets",
    ),
    rewrite(
        "ServiceAccount",
        "imagePullSecrets",
        "pull Secrets that OpenShift made on blue",
        "crane-plugin-openshift; MTC",
        name="account-pull-secrets",
    ),
    *(
        report("ServiceAccount", f'metadata.annotations["{key}"]', _IDENTITY, "cloud documentation", name=name)
        for name, key in (
            ("aws-role", "eks.amazonaws.com/role-arn"),
            ("gcp-account", "iam.gke.io/gcp-service-account"),
            ("azure-identity", "azure.workload.identity/*"),
        )
    ),
    strip(
        "Secret",
        'metadata.annotations["kubernetes.io/service-account.uid"]',
        "a UID of blue",
        "velero secret_action.go:95",
        name="token-account-uid",
    ),
    rewrite(
        "Secret",
        "data",
        "a token of blue; green's token controller fills in its own",
        "velero secret_action.go:95-97; tokens_controller.go:426-456",
        when="type in kubernetes.io/service-account-token",
        name="token-data",
    ),
    *(
        strip(
            "Secret",
            f'metadata.labels["{key}"]',
            "blue's bookkeeping",
            "pkg/serviceaccount/legacy.go",
            name=key.rpartition("/")[2],
        )
        for key in ("kubernetes.io/legacy-token-last-used", "kubernetes.io/legacy-token-invalid-since")
    ),
    report(
        "Secret",
        "type",
        "a Helm release record: it names the namespace of blue; helm on green goes on from it",
        "helm.sh/release.v1",
        when="type in helm.sh/release.v1",
        name="helm-record",
    ),
    rewrite(
        f"ClusterRoleBinding.{_RBAC}",
        "subjects",
        "subjects outside the exported namespaces stay behind",
        "stork clusterrole.go; velero",
        name="binding-subjects",
    ),
    strip(
        f"ClusterRole.{_RBAC}",
        "rules",
        "the aggregation controller fills them",
        "Kubernetes API",
        when="aggregated",
        name="aggregated-rules",
    ),
)

CLUSTER: tuple[Rule, ...] = (
    strip(
        "Namespace",
        "spec",
        "the finalizer 'kubernetes' is the server's",
        "namespace/strategy.go",
        name="namespace-spec",
    ),
    strip(
        "Namespace",
        'metadata.labels["kubernetes.io/metadata.name"]',
        "the server forces it",
        "namespace/strategy.go:129",
        name="namespace-name-label",
    ),
    strip(
        "Namespace",
        'metadata.annotations["openshift.io/sa.scc.*"]',
        "ranges that OpenShift gives per cluster",
        "openshift-docs known issues",
        name="scc-ranges",
    ),
    strip(
        "CustomResourceDefinition.apiextensions.k8s.io",
        "spec.conversion.webhook.clientConfig.caBundle",
        _CA,
        "cert-manager",
        when="has annotation */inject-*ca*",
        name="crd-ca-bundle",
    ),
    report(
        "CustomResourceDefinition.apiextensions.k8s.io",
        "spec.conversion.webhook.clientConfig.caBundle",
        "trusts a CA of blue: check that the webhook on green uses it",
        "cert-manager",
        when="not has annotation */inject-*ca*",
        name="crd-ca-bundle-kept",
    ),
    rewrite(
        "CustomResourceDefinition.apiextensions.k8s.io",
        "spec.preserveUnknownFields",
        "true is refused in v1; the schema says it instead",
        "velero crd_v1_preserve_unknown_fields",
        name="preserve-unknown-fields",
    ),
    *(
        rule
        for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
        for rule in (
            strip(
                f"{kind}.admissionregistration.k8s.io",
                "webhooks[].clientConfig.caBundle",
                _CA,
                "cert-manager",
                when="has annotation */inject-*ca*",
                name=f"{kind.partition('Webhook')[0].lower()}-ca-bundle",
            ),
            report(
                f"{kind}.admissionregistration.k8s.io",
                "webhooks[].clientConfig.caBundle",
                "trusts a CA of blue: check that the webhook on green uses it",
                "cert-manager",
                when="not has annotation */inject-*ca*",
                name=f"{kind.partition('Webhook')[0].lower()}-ca-bundle-kept",
            ),
            rewrite(
                f"{kind}.admissionregistration.k8s.io",
                "webhooks[].sideEffects",
                "v1 takes None and NoneOnDryRun only",
                "velero admissionwebhook_action.go",
                name=f"{kind.partition('Webhook')[0].lower()}-side-effects",
            ),
        )
    ),
    strip(
        "APIService.apiregistration.k8s.io",
        "spec.caBundle",
        _CA,
        "cert-manager",
        name="apiservice-ca-bundle",
        when="has annotation */inject-*ca*",
    ),
    report(
        "APIService.apiregistration.k8s.io",
        "spec.caBundle",
        "trusts a CA of blue: check that the server on green uses it",
        "cert-manager",
        name="apiservice-ca-bundle-kept",
        when="not has annotation */inject-*ca*",
    ),
    strip(
        "DeploymentConfig.apps.openshift.io",
        "spec.triggers[].imageChangeParams.lastTriggeredImage",
        "an image in blue's registry",
        "crane-plugin-openshift",
        name="last-triggered-image",
    ),
    strip(
        "BuildConfig.build.openshift.io",
        "spec.triggers[].imageChange.lastTriggeredImageID",
        "an image in blue's registry",
        "crane-plugin-openshift",
        name="last-triggered-image-id",
    ),
)

BY_KIND: tuple[Rule, ...] = NETWORK + STORAGE + IDENTITY + CLUSTER
