"""The cleaning rules for workloads and their pods (reference/export-import.md b3), as data.

Nothing here runs: clean.py carries the rules out. Default values stay: removing them changes a pod template.
"""

from bluegreen.exporter.rules import POD_TEMPLATE, Rule, report, rewrite, strip

_REVISION = "counts revisions of blue; the controller counts its own"
_JOB_UID = "a UID of blue; the job controller writes its own"

WORKLOADS: tuple[Rule, ...] = (
    *(
        strip(
            kind,
            f'metadata.annotations["{key}"]',
            _REVISION,
            "deployment_util.go:295; kubectl-neat#74",
            name=f"{kind.partition('.')[0].lower()}-{key.rpartition('/')[2]}",
        )
        for kind in ("Deployment.apps", "ReplicaSet.apps")
        for key in (
            "deployment.kubernetes.io/revision",
            "deployment.kubernetes.io/revision-history",
            "deployment.kubernetes.io/desired-replicas",
            "deployment.kubernetes.io/max-replicas",
        )
    ),
    strip(
        "Rollout.argoproj.io",
        'metadata.annotations["rollout.argoproj.io/revision"]',
        _REVISION,
        "argo-rollouts utils/annotations/annotations.go:108",
        name="rollout-revision",
    ),
    *(
        strip(
            "*.serving.knative.dev",
            f'metadata.annotations["serving.knative.dev/{key}"]',
            "the user on blue; green writes its own, and refuses another one from then on",
            "knative.dev/pkg apis/metadata_validation.go:76",
            name=f"knative-{key.lower()}",
        )
        for key in ("creator", "lastModifier")
    ),
    *(
        strip(
            "Workflow.argoproj.io",
            f'metadata.labels["workflows.argoproj.io/{key}"]',
            "how far blue's run is; the controller passes over what is labelled as done",
            "argo-workflows workflow/controller/controller.go:771",
            name=f"workflow-{key}",
        )
        for key in ("phase", "completed")
    ),
    strip(
        "Deployment.apps",
        'metadata.annotations["deprecated.deployment.rollback.to"]',
        _REVISION,
        "deployment_util.go:295",
        name="deployment-rollback-to",
    ),
    strip(
        "DaemonSet.apps",
        'metadata.annotations["deprecated.daemonset.template.generation"]',
        _REVISION,
        "Kubernetes API",
        name="daemonset-generation",
    ),
    *(
        rewrite(
            kind,
            "spec.replicas",
            "blue was scaled down by a migration: what it had before counts",
            "stork migrationReplicas; MTC preQuiesceReplicas",
            when="live and has annotation bluegreen.io/was-replicas",
            name=f"replicas-before-{kind.partition('.')[0].lower()}",
        )
        for kind in ("Deployment.apps", "StatefulSet.apps", "ReplicaSet.apps", "ReplicationController")
    ),
    rewrite(
        "CronJob.batch",
        "spec.suspend",
        "blue was suspended by a migration: what it had before counts",
        "stork; mig-controller quiesce.go",
        when="live and has annotation bluegreen.io/was-suspended",
        name="suspend-before-cronjob",
    ),
    strip(
        "StatefulSet.apps",
        "spec.volumeClaimTemplates[].metadata.creationTimestamp",
        "a null that means nothing",
        "Kubernetes API",
        name="claim-template-timestamp",
    ),
    strip(
        "StatefulSet.apps",
        "spec.volumeClaimTemplates[].status",
        "written by blue",
        "Kubernetes API",
        name="claim-template-status",
    ),
    strip(
        "CronJob.batch",
        "spec.jobTemplate.metadata.creationTimestamp",
        "a null that means nothing",
        "kubectl-neat#64",
        name="job-template-timestamp",
    ),
    strip(
        "Job.batch",
        "spec.selector",
        "holds a UID of blue; the server makes a new one",
        "batch job/strategy.go:217-272",
        when="not manual selector",
        name="job-selector",
    ),
    *(
        strip(
            "Job.batch",
            f'{where}["{key}"]',
            _JOB_UID,
            "crane-lib:951; velero job_action.go:55-59",
            name=f"job-{place}-{key.replace('.kubernetes.io/', '-')}",
        )
        for place, where in (("selector", "spec.selector.matchLabels"), ("label", "metadata.labels"))
        for key in ("controller-uid", "batch.kubernetes.io/controller-uid")
    ),
    *(
        strip(
            "Job.batch",
            f'spec.template.metadata.labels["{key}"]',
            _JOB_UID,
            "batch job/strategy.go",
            when="not manual selector" if "name" in key else "",
            name=f"job-template-{key.replace('.kubernetes.io/', '-')}",
        )
        for key in ("controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name")
    ),
    strip(
        "Job.batch",
        'metadata.annotations["batch.kubernetes.io/job-tracking"]',
        "blue's bookkeeping",
        "Kubernetes API",
        name="job-tracking",
    ),
    strip("Pod", "spec.nodeName", "a node of blue", "crane-lib; velero pod_action.go", name="node-name"),
    strip(
        "Pod",
        "spec.priority",
        "admission computes it and refuses another number",
        "admission/priority:187-198",
        name="pod-priority",
    ),
    strip(
        "Pod",
        "spec.preemptionPolicy",
        "comes from the priority class",
        "admission/priority:187-198",
        when="a priority class is set",
        name="preemption-policy",
    ),
    strip(
        "Pod",
        "spec.overhead",
        "comes from the runtime class, another value is refused",
        "admission/runtimeclass:177,232",
        when="a runtime class is set",
        name="overhead",
    ),
    strip(
        "Pod",
        "spec.ephemeralContainers",
        "can only be added to a running pod",
        "Kubernetes API",
        name="ephemeral-containers",
    ),
    rewrite(
        "Pod",
        "spec.volumes",
        "token volumes of blue; admission adds green's own",
        "velero pod_action.go; admission/serviceaccount:416-482",
        when="live",
        name="token-volumes",
    ),
    report(
        POD_TEMPLATE,
        "spec.nodeSelector",
        "green's nodes must carry these labels",
        "crane-lib:682 removes it",
        name="node-selector",
    ),
    report(
        POD_TEMPLATE,
        "spec.volumes[].hostPath",
        "a path on a node: its data does not come along",
        "velero",
        name="host-path",
    ),
    rewrite(
        "HorizontalPodAutoscaler.autoscaling",
        "spec.scaleTargetRef.apiVersion",
        "names an API version that no server has any more; the autoscaler would find no target",
        "mig-controller; Kubernetes 1.16 removals",
        name="hpa-target-version",
    ),
    strip(
        "HorizontalPodAutoscaler.autoscaling",
        'metadata.annotations["autoscaling.alpha.kubernetes.io/conditions"]',
        "status of blue in the v1 form",
        "autoscaling API",
        name="hpa-conditions",
    ),
    strip(
        "HorizontalPodAutoscaler.autoscaling",
        'metadata.annotations["autoscaling.alpha.kubernetes.io/current-metrics"]',
        "status of blue in the v1 form",
        "autoscaling API",
        name="hpa-current-metrics",
    ),
)
