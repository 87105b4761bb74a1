"""What a set of objects lacks on green beside what its server says of each: sums over quotas, storage classes."""

from fake_api import VERBS, FakeApi

from bluegreen.migration.lacking import lacking
from bluegreen.model.errors import RefusedError
from bluegreen.model.ports import ApiResource

CLASSES = ApiResource("storage.k8s.io/v1", "StorageClass", "storageclasses", namespaced=False, verbs=VERBS)


def obj(kind, name, api_version="v1", namespace="shop", **more):
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **more}


def claim(name, storage_class):
    return obj("PersistentVolumeClaim", name, spec={"storageClassName": storage_class})


def quota(hard, used):
    return obj("ResourceQuota", "objects", spec={"hard": hard}, status={"hard": hard, "used": used})


def said(green, *objects):
    return [(remark.subject, remark.text) for remark in lacking(green, objects, green.resources())]


def test_objects_that_each_fit_and_together_do_not():
    green = FakeApi(quota({"configmaps": "3"}, {"configmaps": "2"}), obj("ConfigMap", "a"), obj("ConfigMap", "z"))
    come = [obj("ConfigMap", name) for name in ("a", "b", "c")]

    assert said(green, *come[:2]) == []  # a is among what is used
    assert said(green, *come) == [
        (
            "ResourceQuota shop/objects",
            "configmaps: 2 used and 2 more of 3: raise it on green, or leave objects out",
        )
    ]


def test_a_quota_of_another_namespace_is_none_of_ours():
    elsewhere = obj("ResourceQuota", "q", namespace="other", status={"hard": {"configmaps": "0"}})

    assert said(FakeApi(elsewhere), obj("ConfigMap", "a")) == []


def test_a_quota_that_moves_along_counts_before_green_has_it():
    quota_of_blue = {**quota({"configmaps": "2"}, {}), "status": {}}
    come = [quota_of_blue, *(obj("ConfigMap", name) for name in ("a", "b"))]

    ((what, why),) = said(FakeApi(), *come)
    assert what == "ResourceQuota shop/objects"
    assert why.startswith("configmaps: 1 used and 2 more of 2: raise it on blue or by a patch, for it moves along")
    green = FakeApi(quota({"configmaps": "20"}, {"configmaps": "1"}))
    assert said(green, *come) == [(what, why)]  # it is what green's will be


def test_classes_that_are_not_there():
    green = FakeApi(obj("StorageClass", "fast", "storage.k8s.io/v1", namespace=""), extra=(CLASSES,))
    template = {"metadata": {"name": "d"}, "spec": {"storageClassName": "gone"}}
    database = obj("StatefulSet", "db", "apps/v1", spec={"volumeClaimTemplates": [template, template]})

    (found,) = said(green, claim("a", "fast"), claim("b", "gone"), claim("c", ""), database)

    assert found == (
        "StorageClass gone",
        (
            "green does not have it, and PersistentVolumeClaim shop/b, StatefulSet shop/db will wait for it: "
            "map it (transform.storageClasses) or make it"
        ),
    )


def test_a_claim_with_a_volume_waits_for_no_class():
    bound = {**claim("bound", "manual"), "status": {"phase": "Bound"}}
    named = claim("named", "manual")
    named["spec"]["volumeName"] = "pv-1"

    assert said(FakeApi(bound), claim("bound", "manual"), named) == []
    assert [what for what, _ in said(FakeApi(), claim("bound", "manual"))] == ["StorageClass manual"]


def test_what_may_not_be_read_is_said():
    green = FakeApi()
    green.unlistable["ResourceQuota"] = RefusedError("kube.forbidden", "listing quotas", "no right")

    ((what, why),) = said(green, obj("ConfigMap", "a"))

    assert what == "ResourceQuota in shop"
    assert "no right" in why


def test_claims_that_name_no_class_where_green_has_no_default():
    silent = obj("PersistentVolumeClaim", "a", spec={})
    template = obj("StatefulSet", "db", "apps/v1", spec={"volumeClaimTemplates": [{"metadata": {}, "spec": {}}]})
    fast = obj("StorageClass", "fast", "storage.k8s.io/v1", namespace="")
    mark = {"storageclass.kubernetes.io/is-default-class": "true"}
    marked = {**fast, "metadata": {**fast["metadata"], "annotations": mark}}

    ((what, why),) = said(FakeApi(fast, extra=(CLASSES,)), silent, claim("by-hand", ""), template)

    assert what == "StorageClass"
    assert why.startswith("green has no default one, and PersistentVolumeClaim shop/a, StatefulSet shop/db will wait")
    assert said(FakeApi(marked, extra=(CLASSES,)), silent, template) == []
    bound = {**silent, "status": {"phase": "Bound"}}
    assert said(FakeApi(fast, bound, extra=(CLASSES,)), silent) == []


def test_workloads_whose_pods_a_quota_does_not_take():
    green = FakeApi(quota({"limits.cpu": "4"}, {}))
    web = obj("Deployment", "web", "apps/v1", spec={"template": {"spec": {"containers": [{"name": "c"}]}}})
    default = obj("LimitRange", "l", spec={"limits": [{"type": "Container", "default": {"cpu": "1"}}]})
    greedy = obj("LimitRange", "l", spec={"limits": [{"type": "Container", "default": {"cpu": "5"}}]})

    ((_, why),) = said(green, web)
    assert why.startswith("not every container of Deployment shop/web says limits.cpu, and it takes no such pod: let")
    assert said(green, web, default) == []
    ((_, why),) = said(green, web, greedy)
    assert why.startswith("limits.cpu: 0 used and 5 more of 4: raise it on green")


def test_bindings_to_roles_that_neither_come_nor_are_there():
    rbac = "rbac.authorization.k8s.io/v1"

    def bound(name, kind, to, binding="RoleBinding", namespace="shop"):
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": to}
        return obj(binding, name, rbac, namespace=namespace, roleRef=role)

    view = obj("ClusterRole", "view", rbac, namespace="")
    kinds = [ApiResource(rbac, kind, f"{kind.lower()}s", kind[0] != "C", VERBS) for kind in ("Role", "ClusterRole")]
    green = FakeApi(view, extra=tuple(kinds))
    there = [bound("a", "ClusterRole", "view"), bound("b", "Role", "own"), obj("Role", "own", rbac)]

    assert said(green, *there) == []
    (first, second) = said(
        green,
        *there[:2],
        bound("c", "ClusterRole", "kept"),
        bound("d", "ClusterRole", "kept", "ClusterRoleBinding", ""),
    )
    assert first[0] == "ClusterRole kept"
    assert "so RoleBinding shop/c, ClusterRoleBinding d will give no right before it is there" in first[1]
    assert second[0] == "Role shop/own"
