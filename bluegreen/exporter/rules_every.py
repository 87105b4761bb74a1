"""The rules for every object and for whole objects that stay behind (reference/export-import.md b1, b2), as data.

Nothing here runs: clean.py carries the rules out. An object is left out only when somebody on green makes it again, or
when it means nothing there.
"""

from bluegreen.exporter.rules import POD_TEMPLATE, Rule, keep, leave_out, report, rewrite, strip

_SERVER = "apiserver registry/rest/meta.go FillObjectMetaSystemFields; crane-lib kubernetes.go:72; velero resetMetadata"
_DELETED = "the object is being deleted on blue"
_GITOPS = "a controller owns this object and may prune or fight it on green: point it at green or pause it"
_BUILT_IN = "every cluster has its own"
_OLM = "belongs to the Operator Lifecycle Manager, which makes it again from the operator's package"
_OPENSHIFT = "OpenShift makes it again in every namespace"

EVERY_OBJECT: tuple[Rule, ...] = (
    strip(
        "*",
        "metadata.resourceVersion",
        "a create with a resourceVersion is refused",
        "apiserver storage/errors.go:29; crane-lib kubernetes.go:72; velero resetMetadata",
        name="resource-version",
    ),
    strip("*", "metadata.uid", "the server gives a new one", _SERVER, name="uid"),
    strip("*", "metadata.creationTimestamp", "the server sets it", _SERVER, name="creation-timestamp"),
    strip("*", "metadata.generation", "the server counts it", _SERVER, name="generation"),
    strip("*", "metadata.selfLink", "no longer served", _SERVER, name="self-link"),
    strip(
        "*",
        "metadata.managedFields",
        "must be empty for a server-side apply",
        "apimachinery managedfields structuredmerge.go:136; crane-lib; stork",
        name="managed-fields",
    ),
    leave_out(
        "*", _DELETED, "velero resetMetadata; rancher backup-restore-operator", when="being deleted", name="deleting"
    ),
    strip("*", "metadata.deletionTimestamp", "the server sets it", "velero resetMetadata", name="deletion-timestamp"),
    strip(
        "*",
        "metadata.deletionGracePeriodSeconds",
        "goes with the deletion",
        "velero resetMetadata",
        name="grace-period",
    ),
    strip("*", "metadata.generateName", "the name is set already", "velero resetMetadata", name="generate-name"),
    strip(
        "*",
        "status",
        "green's controllers report their own",
        "crane-lib; velero",
        when="not status is kept",
        name="status",
    ),
    keep(
        "*",
        "status",
        "asked for, or its definition has no status subresource: then it is data like any other field",
        "Kubernetes documentation, custom resource definitions, status subresource",
        when="status is kept",
        name="status-kept",
    ),
    leave_out(
        "*",
        "its controller makes it again on green",
        "crane-lib whiteout; stork; garbage collector deletes dependents of an absent owner UID",
        when="owned by a living controller that remakes it",
        name="owned",
    ),
    rewrite(
        "*",
        "metadata.ownerReferences",
        "an owner's UID means nothing on green: the garbage collector would delete the object",
        "velero#4707, #816; rancher backup-restore-operator relinks",
        name="owner-references",
    ),
    strip(
        "*",
        "metadata.finalizers",
        "a finalizer whose controller is not on green blocks every deletion; controllers add theirs again",
        "velero#5580; stork drops all; crane keeps",
        name="finalizers",
    ),
    strip(
        "*",
        'metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]',
        "says what was applied to blue; read first for explicit node ports",
        "crane-lib; kubectl-neat",
        name="last-applied",
    ),
    strip(
        "*", 'metadata.labels["velero.io/*"]', "left by a restore on blue", "velero restore.go", name="velero-labels"
    ),
    strip(
        "*",
        'metadata.annotations["controller-uid"]',
        "a UID of blue",
        "crane-lib kubernetes.go:79",
        name="controller-uid",
    ),
    strip(
        "*",
        'metadata.annotations["batch.kubernetes.io/controller-uid"]',
        "a UID of blue",
        "crane-lib kubernetes.go:82",
        name="batch-controller-uid",
    ),
    strip(
        "*",
        'metadata.annotations["bluegreen.io/migration"]',
        "the mark of an earlier migration would let this one force fields",
        "bluegreen",
        when="live",
        name="our-mark",
    ),
    strip(
        POD_TEMPLATE,
        "metadata.creationTimestamp",
        "a null that means nothing",
        "kubectl-neat#64",
        name="template-timestamp",
    ),
    keep(
        POD_TEMPLATE,
        'metadata.annotations["kubectl.kubernetes.io/restartedAt"]',
        "removing it would change the template and roll the pods",
        "kubectl-neat#74",
        name="restarted-at",
    ),
    report("*", 'metadata.annotations["argocd.argoproj.io/*"]', _GITOPS, "velero#7848", name="argo-cd"),
    report("*", 'metadata.labels["argocd.argoproj.io/*"]', _GITOPS, "velero#7848", name="argo-cd-label"),
    report("*", 'metadata.labels["kustomize.toolkit.fluxcd.io/name"]', _GITOPS, "velero#7848", name="flux-kustomize"),
    report("*", 'metadata.labels["helm.toolkit.fluxcd.io/name"]', _GITOPS, "velero#7848", name="flux-helm"),
    report(
        "*",
        'metadata.annotations["meta.helm.sh/release-name"]',
        "a Helm release owns this object; its release Secret goes along",
        "velero#7848",
        name="helm-release",
    ),
)


def _out(kinds: str, reason: str, source: str, *, when: str = "", name: str) -> tuple[Rule, ...]:
    rules = []
    for kind in kinds.split():
        short = kind.removeprefix("*.").partition(".")[0].lower()
        rules.append(leave_out(kind, reason, source, when=when, name=f"{name}-{short}"))
    return tuple(rules)


LEFT_OUT: tuple[Rule, ...] = (
    *_out("Event", "history of blue", "crane export.go; velero", name="history"),
    *_out(
        "Event.events.k8s.io", "history of blue, served a second time", "crane export.go; velero", name="history-new"
    ),
    *_out(
        "Node CSINode.storage.k8s.io VolumeAttachment.storage.k8s.io ComponentStatus CSIStorageCapacity.storage.k8s.io "
        "StorageVersion.internal.apiserver.k8s.io StorageVersionMigration.storagemigration.k8s.io "
        "IPAddress.networking.k8s.io ServiceCIDR.networking.k8s.io",
        "describes blue's own machinery",
        "velero; GKE Backup exclusion list",
        name="machinery",
    ),
    *_out(
        "CiliumEndpoint.cilium.io",
        "describes the network of a pod of blue",
        "cilium pkg/k8s/apis/cilium.io/client/crds/v2/ciliumendpoints.yaml",
        name="network",
    ),
    *_out(
        "Lease.coordination.k8s.io ControllerRevision.apps *.metrics.k8s.io",
        "a controller's scratch paper, made again at once",
        "velero; GKE Backup exclusion list",
        name="scratch",
    ),
    *_out(
        "PersistentVolume VolumeSnapshotContent.snapshot.storage.k8s.io VolumeSnapshot.snapshot.storage.k8s.io",
        "points at storage of blue; the volume mover makes new volumes",
        "crane; GKE Backup exclusion list",
        name="storage",
    ),
    leave_out(
        "Pod",
        "the kubelet of a node of blue runs it from a file",
        "velero restore.go:1505",
        name="mirror-pod",
        when="has annotation kubernetes.io/config.mirror",
    ),
    leave_out(
        "Pod", "it has finished and would run again", "velero isCompleted", when="finished pod", name="finished-pod"
    ),
    leave_out(
        "Job.batch",
        "it has finished and would run again",
        "velero isCompleted; velero#8800 (failed ones)",
        when="finished job",
        name="finished-job",
    ),
    leave_out(
        "JobSet.jobset.x-k8s.io",
        "it has finished and would run again",
        "jobset api/jobset/v1alpha2/jobset_types.go:70",
        when="finished job",
        name="finished-jobset",
    ),
    leave_out(
        "BroadcastJob.apps.kruise.io",
        "it has finished and would run again",
        "kruise apis/apps/v1alpha1/broadcastjob_types.go:187",
        when="finished job",
        name="finished-broadcastjob",
    ),
    leave_out(
        "Workflow.argoproj.io",
        "it has finished and would run again",
        "argo-workflows workflow/common/common.go:69",
        when="label workflows.argoproj.io/completed in true",
        name="finished-workflow",
    ),
    leave_out(
        "Endpoints",
        "the endpoints controller makes it from the Service's selector",
        "crane-lib; stork endpoint.go",
        when="its Service has a selector",
        name="selected-endpoints",
    ),
    leave_out(
        "Endpoints",
        "a leader election of blue",
        "client-go",
        name="leader-endpoints",
        when="has annotation control-plane.alpha.kubernetes.io/leader",
    ),
    leave_out(
        "EndpointSlice.discovery.k8s.io",
        "a controller makes it from the Service or the Endpoints",
        "discovery.k8s.io API",
        when="label endpointslice.kubernetes.io/managed-by in endpointslice-controller.k8s.io "
        "endpointslicemirroring-controller.k8s.io",
        name="managed-endpointslice",
    ),
    leave_out(
        "ConfigMap",
        "a controller puts green's own there",
        "crane-lib; stork configmap.go",
        name="root-ca",
        when="name in kube-root-ca.crt openshift-service-ca.crt",
    ),
    leave_out(
        "Secret",
        "a controller made it for a ServiceAccount and makes green's own",
        "crane-lib:257; velero",
        when="type in kubernetes.io/service-account-token and generated name",
        name="generated-token",
    ),
    leave_out(
        "Secret",
        "OpenShift makes green's own",
        "crane-lib:257; openshift-velero-plugin",
        name="dockercfg",
        when="type in kubernetes.io/dockercfg and generated name",
    ),
    leave_out(
        "Secret",
        "lets nodes join blue",
        "Kubernetes API",
        when="type in bootstrap.kubernetes.io/token",
        name="bootstrap-token",
    ),
    leave_out(
        "Secret",
        "a serving certificate that OpenShift makes again",
        "openshift-velero-plugin secret",
        when="has annotation service.*.openshift.io/originating-service-name",
        name="serving-certificate",
    ),
    leave_out(
        "ServiceAccount",
        "every namespace has it and it holds nothing of its own",
        "crane strip-default-rbac; stork",
        when="name in default and only generated fields",
        name="default-account",
    ),
    leave_out(
        "ServiceAccount",
        _OPENSHIFT,
        "crane-lib",
        name="openshift-account",
        when="name in builder deployer and only generated fields",
    ),
    leave_out(
        "Service",
        "every cluster has its own",
        "stork service.go",
        name="kubernetes-service",
        when="name in kubernetes and label component in apiserver",
    ),
    leave_out(
        "Endpoints",
        "the addresses of blue's API servers, which green's own would be overwritten with",
        "kubernetes pkg/controlplane/reconcilers/endpointsadapter.go",
        name="kubernetes-endpoints",
        when="name in kubernetes and label endpointslice.kubernetes.io/skip-mirror in true",
    ),
    leave_out(
        "EndpointSlice.discovery.k8s.io",
        "the addresses of blue's API servers, which green's own would be overwritten with",
        "kubernetes pkg/controlplane/reconcilers/endpointsadapter.go",
        name="kubernetes-endpointslice",
        when="name in kubernetes and label kubernetes.io/service-name in kubernetes",
    ),
    leave_out(
        "RoleBinding.rbac.authorization.k8s.io",
        _OPENSHIFT,
        "crane-plugin-openshift",
        name="openshift-binding",
        when="name in system:image-pullers system:image-builders system:deployers",
    ),
    *_out(
        "ClusterRole.rbac.authorization.k8s.io ClusterRoleBinding.rbac.authorization.k8s.io "
        "Role.rbac.authorization.k8s.io RoleBinding.rbac.authorization.k8s.io",
        _BUILT_IN,
        "stork clusterrole.go",
        name="built-in",
        when="label kubernetes.io/bootstrapping in rbac-defaults",
    ),
    *_out(
        "ClusterRole.rbac.authorization.k8s.io ClusterRoleBinding.rbac.authorization.k8s.io",
        _BUILT_IN,
        "stork clusterrole.go",
        name="system",
        when="name in system:* cluster-admin admin edit view",
    ),
    leave_out("PriorityClass.scheduling.k8s.io", _BUILT_IN, "stork", when="name in system-*", name="system-priority"),
    *_out(
        "FlowSchema.flowcontrol.apiserver.k8s.io PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io",
        _BUILT_IN,
        "apiserver flowcontrol",
        name="auto",
        when="has annotation apf.kubernetes.io/autoupdate-spec",
    ),
    leave_out(
        "APIService.apiregistration.k8s.io",
        _BUILT_IN,
        "velero apiservice_action.go",
        name="automanaged-apiservice",
        when="has label kube-aggregator.kubernetes.io/automanaged",
    ),
    leave_out(
        "ResourceQuota",
        "GKE makes it again",
        "stork resourcequota.go",
        when="name in gke-resource-quotas",
        name="gke-quota",
    ),
    *_out("*.operators.coreos.com", _OLM, "crane-lib; mig-operator", name="olm"),
    *_out(
        "ImageTag.image.openshift.io TemplateInstance.template.openshift.io *.authorization.openshift.io "
        "*.servicecatalog.k8s.io",
        "is a view of other objects, or gone",
        "mig-operator defaults",
        name="view",
    ),
    *_out("*.velero.io", "Velero's own; green has its Velero", "velero", name="velero"),
)
