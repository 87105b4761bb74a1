"""What an assessment reads from two clusters: everything once, and a gap with its reason where it may not."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from fake_api import VERBS, FakeApi
from test_assess_checks import deployment, obj

from bluegreen.assess.assessment import assess
from bluegreen.assess.checks import Subject
from bluegreen.assess.facts import read_facts
from bluegreen.assess.rights import Extras, ask, finding, needs
from bluegreen.assess.surroundings import read_clock
from bluegreen.assess.wider import widen
from bluegreen.model.errors import RefusedError
from bluegreen.model.findings import Severity
from bluegreen.model.ports import ApiResource, RawAnswer

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DATE = "Thu, 01 Jan 2026 12:00:00 GMT"
NO_RIGHT = RefusedError("kube.forbidden", "listing", 'user "a" cannot')
EVENTS = "/api/v1/events?fieldSelector=reason%3DFailed&limit=500"
ASKED = (
    'apiserver_requested_deprecated_apis{group="policy",removed_release="1.25",resource="pdbs",version="v1beta1"} 1\n'
)
EXTRA = tuple(
    ApiResource(version, kind, kind.lower() + "s", namespaced=namespaced, verbs=VERBS)
    for version, kind, namespaced in (
        ("v1", "Node", False),
        ("v1", "PersistentVolume", False),
        ("v1", "LimitRange", True),
        ("storage.k8s.io/v1", "StorageClass", False),
        ("coordination.k8s.io/v1", "Lease", True),
    )
)
PLURALS = {("apps/v1", "Deployment"): "deployments", ("v1", "PersistentVolumeClaim"): "persistentvolumeclaims"}


def cluster(*objects, **pages):
    api = FakeApi(*objects, extra=EXTRA)
    api.pages = {"/metrics": RawAnswer(""), "/version": RawAnswer("{}", DATE), EVENTS: RawAnswer('{"items": []}')}
    api.pages |= pages
    return api


def seen(blue, green, *objects, **more):
    subject = Subject("v1.34.0", objects, read_facts(green), {}, {})
    return widen(subject, blue, green, now=lambda: NOON, **more)


def test_kinds_of_other_groups_with_the_same_name_do_not_count():
    knative = ApiResource("serving.knative.dev/v1", "Service", "services", namespaced=True, verbs=VERBS)
    service = obj("Service", ports=[{"port": 80, "nodePort": 30080}])
    api = FakeApi(service, extra=(knative,))

    assert read_facts(api).node_ports == {30080: "n/x"}


def test_everything_that_may_not_be_read_is_a_gap_and_a_finding():
    blue, green = cluster(), cluster()
    green.unlistable = {"Node": NO_RIGHT, "Lease": NO_RIGHT}
    blue.pages["/metrics"] = green.pages[EVENTS] = green.pages["/version"] = NO_RIGHT
    wider = seen(blue, green)

    gaps = {"Node of green", "Lease of green", "/metrics of blue", "events of green", "clock of green"}
    assert set(wider.gaps) == gaps
    assert gaps <= {f.subject for f in assess(wider).findings if f.rule == "not-read"}
    assert wider.blue.requested is None
    assert "Node" not in wider.green.objects


def test_a_cluster_that_lets_everything_be_read_has_no_gaps():
    assert seen(cluster(), cluster(), deployment(containers=[])).gaps == {}


def test_a_deprecated_api_that_clients_ask_for_is_looked_up_on_green():
    answer = RawAnswer(json.dumps({"resources": [{"name": "pdbs"}]}))
    blue = cluster(**{"/metrics": RawAnswer(ASKED)})
    there, absent = cluster(**{"/apis/policy/v1beta1": answer}), cluster()

    assert seen(blue, there).unserved == frozenset()
    assert seen(blue, absent).unserved == {("policy", "v1beta1", "pdbs")}


def test_a_pull_secret_is_looked_for_on_green_and_its_value_is_not_kept():
    pods = deployment(containers=[], imagePullSecrets=[{"name": "pull"}])
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "pull", "namespace": "n"},
        "data": {"a": "canary"},
    }
    found = seen(cluster(), cluster(secret), pods)

    assert found.secrets == {("n", "pull")}
    assert "canary" not in repr(found)
    assert seen(cluster(), cluster(), pods).secrets == frozenset()


@pytest.mark.parametrize("ahead,took", [(0, 0), (120, 0.2), (-30, 3)])
def test_a_clock_is_read_as_exactly_as_a_header_with_whole_seconds_allows(ahead, took):
    moments = iter([NOON, NOON + timedelta(seconds=took)])
    said = (NOON + timedelta(seconds=ahead + took / 2)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    clock = read_clock(cluster(**{"/version": RawAnswer("{}", said)}), lambda: next(moments))

    assert abs(clock.ahead - ahead) <= clock.unsure
    assert clock.unsure == 0.5 + took / 2


def test_a_cluster_that_tells_no_time_has_no_clock():
    assert read_clock(cluster(**{"/version": RawAnswer("{}")}), lambda: NOON) is None


def test_the_clock_is_read_after_the_leases_that_it_judges():
    """A lease that is renewed between both would seem to come from the future, on a cluster that answers slowly."""
    green, order = cluster(), []

    class Slow(type(green)):
        def list(self, resource, *where):
            if resource.kind == "Lease":
                time.sleep(0.2)
                order.append("leases")
            return super().list(resource, *where)

        def raw(self, path):
            order.append(path)
            return super().raw(path)

    green.__class__ = Slow
    seen(cluster(), green)

    assert order.index("leases") < order.index("/version")


def test_one_question_is_enough_for_somebody_who_may_do_everything():
    asked = []
    blue, green = cluster(), cluster()
    green.may = lambda *right: asked.append(right) or True

    assert ask(blue, green, needs([deployment()], PLURALS, Extras()), {}) == ()
    assert asked == [("*", "*", "*", "")]


def test_missing_rights_are_told_by_resource_with_how_to_ask_again():
    green = cluster()
    green.forbidden = {("create", "deployments"), ("patch", "deployments"), ("delete", "deployments")}
    missing = ask(cluster(), green, needs([deployment()], PLURALS, Extras()), {})
    found = [finding(one) for one in missing]

    assert [(f.severity, f.subject) for f in found] == [
        (Severity.BLOCKER, "green: deployments.apps in n"),
        (Severity.WARNING, "green: deployments.apps in n"),
    ]
    assert "create, patch" in found[0].reason
    assert "auth can-i create deployments.apps -n n" in found[0].action


def test_what_is_on_green_already_need_not_be_created_or_removed():
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
    plurals = {**PLURALS, ("v1", "Namespace"): "namespaces"}

    def verbs(there):
        found = needs([space, deployment()], plurals, Extras(), there)
        return {need.verb for need in found if need.plural == "namespaces"}

    assert verbs({"Namespace": frozenset({"n"})}) == {"get", "list", "patch"}
    assert verbs({"Namespace": frozenset({"m"})}) == verbs(None) == {"create", "delete", "get", "list", "patch"}
    plain = {need.verb for need in needs([deployment()], PLURALS, Extras(), {"Deployment": frozenset({"x"})})}
    assert "create" in plain, "only cluster-wide names are known"


def test_claims_need_velero_s_namespace_and_commands_need_exec():
    claim, pods = obj("PersistentVolumeClaim"), deployment()

    def wanted(*objects, extras):
        return {(n.side, n.verb, n.plural, n.namespace, n.severity) for n in needs(objects, PLURALS, extras)}

    loose, strict = Severity.WARNING, Severity.BLOCKER
    assert ("blue", "create", "backups", "velero", loose) in wanted(claim, extras=Extras())
    assert ("green", "delete", "restores", "v", strict) in wanted(claim, extras=Extras(configured=True, velero="v"))
    assert not [n for n in wanted(pods, extras=Extras()) if n[2] == "backups"]
    assert not [n for n in wanted(claim, extras=Extras(configured=True, velero="")) if n[2] == "backups"]
    assert ("green", "create", "pods/exec", "n", Severity.INFO) in wanted(pods, extras=Extras())
    assert ("blue", "create", "pods/exec", "m", strict) in wanted(pods, extras=Extras(configured=True, commands=("m",)))
    assert not [n for n in wanted(pods, extras=Extras(configured=True)) if n[2] == "pods/exec"]


def test_a_cluster_that_does_not_answer_about_rights_is_a_gap():
    green, gaps = cluster(), {}

    def refuse(*right):
        raise NO_RIGHT

    green.may = refuse
    assert ask(cluster(), green, needs([deployment()], PLURALS, Extras()), gaps) == ()
    assert set(gaps) == {"our rights on green"}
