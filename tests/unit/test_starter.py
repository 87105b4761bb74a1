"""The first configuration: loads when all is known, fails only at its TODOs otherwise, and decides nothing of data."""

import re

import pytest
from click.testing import CliRunner
from fake_cluster import FakeCluster, resource
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.assess.entrances import entrances, exposed
from bluegreen.assess.landscape import Class, survey
from bluegreen.cli.main import main
from bluegreen.config.loader import load
from bluegreen.config.reader import read_text
from bluegreen.migration import starter_classes
from bluegreen.migration.connect import open_probe
from bluegreen.migration.objectives import objectives_of
from bluegreen.migration.starter import Head, open_places, starter
from bluegreen.migration.starter_text import comment, flow, scalar
from bluegreen.migration.starter_watch import MOST_PROBES, Hints
from bluegreen.migration.watched import unwatched
from bluegreen.model.errors import InvalidInputError, RefusedError

SERVED = (
    resource("v1", "Node", namespaced=False),
    resource("batch/v1", "CronJob"),
    resource("networking.k8s.io/v1", "Ingress"),
    resource("networking.k8s.io/v1", "IngressClass", namespaced=False),
    resource("gateway.networking.k8s.io/v1", "HTTPRoute"),
    resource("gateway.networking.k8s.io/v1", "Gateway"),
    resource("velero.io/v1", "BackupStorageLocation"),
    resource("serving.knative.dev/v1", "Service"),
)
HINTS = Hints("/run/haproxy/admin.sock", "shop")
ALL_KNOWN = Head("2026-01-01", routers=("haproxy", "powerdns"), hints=HINTS)
DNS = "external-dns.alpha.kubernetes.io/hostname"


def obj(kind, name, api="v1", namespace="shop", **more):
    meta = {"name": name, **({"namespace": namespace} if namespace else {}), **more.pop("meta", {})}
    return {"apiVersion": api, "kind": kind, "metadata": meta, **more}


def node(address):
    status = {"addresses": [{"type": "Hostname", "address": "n"}, {"type": "InternalIP", "address": address}]}
    return obj("Node", f"node-{address}", namespace="", status=status)


def service(name, kind="NodePort", namespace="shop", ports=(("http", 80, 30080),), **more):
    given = [{"name": word, "port": number, "nodePort": node_port} for word, number, node_port in ports]
    return obj("Service", name, namespace=namespace, spec={"type": kind, "ports": given}, **more)


def balanced(address):
    return {"loadBalancer": {"ingress": [{"ip": address}]}}


def ingress(name="shop", host="shop.example.com", backend="web", **more):
    paths = [{"path": "/items", "backend": {"service": {"name": backend, "port": {"number": 80}}}}]
    spec = {"rules": [{"host": host, "http": {"paths": paths}}], **more.pop("spec", {})}
    return obj("Ingress", name, "networking.k8s.io/v1", spec=spec, **more)


def storage_class(name, driver="d", *, default=False):
    marks = {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}} if default else {}
    return obj("StorageClass", name, "storage.k8s.io/v1", namespace="", provisioner=driver, meta=marks)


def claim(name="data", storage="slow"):
    spec = {"storageClassName": storage, "resources": {"requests": {"storage": "1Gi"}}}
    return obj("PersistentVolumeClaim", name, spec=spec)


def velero(namespace="velero"):
    return obj("BackupStorageLocation", "default", "velero.io/v1", namespace=namespace)


def cluster(context, *objects):
    made = FakeCluster(context, SERVED)
    namespaces = {one["metadata"].get("namespace") for one in objects} - {None} | {"shop", "kube-system", "velero"}
    made.seed(*(obj("Namespace", name, namespace="") for name in sorted(namespaces)))
    made.seed(*objects)
    return made


@pytest.fixture
def blue():
    return cluster("old", node("10.0.0.1"), obj("Deployment", "web", "apps/v1"), service("web"), ingress())


@pytest.fixture
def green():
    return cluster("new", node("10.1.0.1"))


def text_of(blue, green, head=ALL_KNOWN, namespaces=("shop",)):
    return starter(survey(blue, green, namespaces), head)


def loaded(tmp_path, text):
    (tmp_path / "bluegreen.yaml").write_text(text)
    return load(None, {}, {}, tmp_path).config


def test_with_all_known_it_loads_as_it_is(blue, green, tmp_path):
    text = text_of(blue, green)
    config = loaded(tmp_path, text)

    assert open_places(text) == ()
    assert (config.from_context, config.to_context, config.namespaces) == ("old", "new", ("shop",))
    assert config.routes[0].settings == {
        "socket": "/run/haproxy/admin.sock", "backend": "shop", "blue": "blue", "green": "green"
    }  # fmt: skip
    assert [probe.name for probe in config.probes] == ["users", "web-shop-example-com"]
    assert config.probes[1].settings == {
        "blue": "http://10.0.0.1:30080/items",
        "green": "http://10.1.0.1:30080/items",
        "send": {"Host": "shop.example.com"},
    }
    assert {objective.probe for objective in config.objectives} == {"users", "web-shop-example-com"}


def test_what_is_not_known_is_the_only_thing_that_the_loader_refuses(blue, green, tmp_path):
    text = text_of(blue, green, Head("2026-01-01"))
    with pytest.raises(InvalidInputError) as caught:
        loaded(tmp_path, text)

    lines = {int(re.match(r"bluegreen\.yaml:(\d+):", reason)[1]) for reason in caught.value.reasons}
    assert lines == set(open_places(text)) != set()
    assert all("is still to be filled in" in reason for reason in caught.value.reasons)
    assert loaded(tmp_path, text.replace("socket: TODO", "socket: /s").replace("backend: TODO", "backend: b"))


def test_every_proposed_adapter_takes_its_settings(blue, green, tmp_path):
    """What is proposed are settings that the adapters know, as far as they look at them without a connection."""
    from bluegreen.migration.plugins import load_adapter  # noqa: PLC0415 - beside its one use

    blue.seed(
        service("db", ports=(("sql", 5432, 30432),)),
        ingress("tls", "s.example.com", spec={"tls": [{"hosts": ["s.example.com"]}]}),
    )
    config = loaded(tmp_path, text_of(blue, green))
    assert {probe.probe for probe in config.probes} == {"haproxy", "http", "tcp"}
    for route in config.routes:
        load_adapter("bluegreen.routers", route.router)(route.name, route.settings)
    for probe in config.probes:
        load_adapter("bluegreen.probes", probe.probe)(probe.name, probe.settings).close()


def test_data_is_never_decided_and_the_comment_is_a_valid_section(blue, green, tmp_path):
    blue.seed(claim(), velero())
    green.seed(velero(), storage_class("fast"))
    text = text_of(blue, green)

    assert loaded(tmp_path, text).data is None
    assert "shop/data (slow, 1Gi)" in text
    data = loaded(tmp_path, re.sub(r"^# (data:|  (policy|mover|with):)", r"\1", text, flags=re.MULTILINE)).data
    assert (data.policy, data.mover, data.settings) == ("copy", "velero", {"namespace": "velero"})


@pytest.mark.parametrize(
    ("here", "there", "words"),
    [
        ((), (), "Velero was not found on old and new"),
        ((velero(),), (), "Velero was not found on new"),
        ((velero(),), (velero(),), "Velero is on both clusters"),
        ((velero("a"),), (velero("b"),), "Velero is in a on blue and in b on green"),
    ],
)
def test_velero_is_looked_for(here, there, words):
    text = text_of(cluster("old", claim(), *here), cluster("new", *there))

    assert words in " ".join(line.strip("# ") for line in text.splitlines())


def test_no_claims_no_data_section(blue, green):
    text = text_of(blue, green)

    assert "there is no data to copy" in text
    assert "policy:" not in text


def test_classes_are_mapped_where_one_answer_stands_out_and_left_open_else(blue, green, tmp_path):
    blue.seed(claim(), storage_class("slow"), ingress("other", "b.example.com", spec={"ingressClassName": "nginx"}))
    green.seed(storage_class("fast"), storage_class("faster", "other"))
    config = loaded(tmp_path, text_of(blue, green).replace("nginx: TODO", "nginx: x"))

    assert config.transform.storage_classes == {"slow": "fast"}
    assert config.transform.ingress_classes == {"nginx": "x"}
    assert "    nginx: TODO" in text_of(blue, green)


@pytest.mark.parametrize(
    ("green", "target"),
    [
        ({"slow": Class("d", default=False)}, None),
        ({"a": Class("d", default=False), "b": Class("e", default=True)}, "a"),
        ({"a": Class("e", default=False), "b": Class("e", default=True)}, "b"),
        ({"a": Class("e", default=False)}, "a"),
        ({"a": Class("d", default=False), "b": Class("d", default=False)}, ""),
        ({}, ""),
    ],
)
def test_the_class_with_the_same_driver_then_the_default_then_the_only_one(green, target):
    found = starter_classes.propose(("slow",), {"slow": Class("d", default=True)}, green)

    assert [one.target for one in found] == ([] if target is None else [target])


def test_claim_templates_count_as_users_of_a_class():
    template = [{"metadata": {"name": "d"}, "spec": {"storageClassName": "slow"}}]
    sts = obj("StatefulSet", "db", "apps/v1", spec={"volumeClaimTemplates": template})

    assert survey(cluster("old", sts), cluster("new"), ("shop",)).storage_used == ("slow",)


def test_hosts_of_ingresses_with_path_tls_and_backend():
    tls = {"tls": [{"hosts": ["shop.example.com"]}]}
    (one,) = entrances([ingress(spec=tls, status=balanced("192.0.2.7"))], [], [])

    assert (one.host, one.path, one.tls, one.service) == ("shop.example.com", "/items", True, "web")
    assert (one.addresses, one.via) == (("192.0.2.7",), "Ingress shop/shop")


def test_an_ingress_with_a_default_backend_alone_serves_any_host():
    spec = {"rules": [], "defaultBackend": {"service": {"name": "web"}}}
    (one,) = entrances([ingress(spec=spec)], [], [])

    assert (one.host, one.path, one.service) == ("", "/", "web")


def test_hosts_of_http_routes_with_the_gateway_s_address():
    spec = {
        "hostnames": ["a.example.com", "b.example.com"],
        "parentRefs": [{"name": "front", "namespace": "edge"}],
        "rules": [{"matches": [{"path": {"value": "/v1"}}], "backendRefs": [{"name": "api"}]}],
    }
    route = obj("HTTPRoute", "api", "gateway.networking.k8s.io/v1", spec=spec)
    listeners, status = [{"protocol": "HTTPS"}], {"addresses": [{"value": "192.0.2.9"}]}
    gateway = obj("Gateway", "front", namespace="edge", spec={"listeners": listeners}, status=status)
    first, second = entrances([], [route], [gateway])

    assert (first.host, second.host) == ("a.example.com", "b.example.com")
    assert (first.path, first.tls, first.service, first.addresses) == ("/v1", True, "api", ("192.0.2.9",))


def test_hosts_that_external_dns_publishes_are_hosts_and_warned_of(blue, green):
    blue.seed(service("api", meta={"annotations": {DNS: "api.example.com., API.example.com, bad host,"}}))
    (api,) = exposed([obj for ref, obj in blue.objects.items() if ref.name == "api"])

    assert api.hosts == ("api.example.com",)
    assert "external-dns is told to publish api.example.com" in text_of(blue, green)


@pytest.mark.parametrize(
    ("ports", "number", "http"),
    [
        ((("http", 8123, 30001),), 8123, True),
        ((("sql", 5432, 30001),), 5432, False),
        ((("https", 443, 30001), ("http", 80, 30002)), 80, True),
    ],
)
def test_the_port_that_speaks_http_is_asked(ports, number, http):
    from bluegreen.migration.starter_places import chosen_port  # noqa: PLC0415 - beside its one use

    port = chosen_port(exposed([service("x", ports=ports)])[0])
    assert (port.number, port.http) == (number, http)


def test_a_load_balancer_s_address_on_green_is_not_guessed(green, tmp_path):
    blue = cluster("old", service("web", "LoadBalancer", status=balanced("192.0.2.7")))
    text = text_of(blue, green)

    assert '{blue: "http://192.0.2.7:80/", green: TODO}' in text
    assert loaded(tmp_path, text.replace("green: TODO", 'green: "http://192.0.2.8:80/"'))


def test_both_ingress_controllers_are_asked_with_the_host(tmp_path):
    def front(address):
        return service("controller", "LoadBalancer", "ingress-nginx", status=balanced(address))

    config = loaded(
        tmp_path, text_of(cluster("old", ingress(), front("192.0.2.7")), cluster("new", front("192.0.2.8")))
    )

    assert config.probes[1].settings == {
        "blue": "http://192.0.2.7:80/items",
        "green": "http://192.0.2.8:80/items",
        "send": {"Host": "shop.example.com"},
    }


def test_an_open_service_of_another_application_is_no_ingress_controller(blue, green):
    blue.seed(obj("Namespace", "other", namespace=""), service("web", namespace="other", ports=(("http", 80, 30999),)))

    assert "30999" not in text_of(blue, green)
    assert "http://10.0.0.1:30080/items" in text_of(blue, green)


def test_nothing_that_is_open_still_gives_a_route_to_fill_in(green):
    text = text_of(cluster("old", obj("Deployment", "web", "apps/v1")), green, Head("2026-01-01"))

    assert "Nothing open to the outside was found in shop." in text
    assert "socket: TODO, backend: TODO" in text


@pytest.mark.parametrize("open_", [True, False])
def test_blue_is_seen_when_it_has_no_users(green, tmp_path, open_):
    more = (service("web"), ingress()) if open_ else ()
    blue = cluster("old", node("10.0.0.1"), obj("Deployment", "web", "apps/v1"), *more)
    config = loaded(tmp_path, text_of(blue, green))
    probes = {probe.name: open_probe(probe, config) for probe in config.probes}

    assert len(probes) == 2
    assert unwatched(objectives_of(config), probes) == ()


def test_many_hosts_are_cut_short_and_counted(blue, green, tmp_path):
    blue.seed(*(ingress(f"i{n}", f"h{n:02}.example.com") for n in range(40)))
    text = text_of(blue, green)

    assert len(loaded(tmp_path, text).probes) == 1 + MOST_PROBES
    assert "and 30 more" in text
    assert max(map(len, text.splitlines())) <= 140


def test_long_and_like_names_stay_unique_labels(green, tmp_path):
    names = [f"{'x' * 50}-{n}" for n in range(3)]
    blue = cluster("old", *(service(f"{'s' * 50}-{n}", namespace=name) for n, name in enumerate(names)))
    config = loaded(tmp_path, text_of(blue, green, Head("d", hints=Hints("/s")), names).replace(": TODO", ": b"))

    assert len(config.routes) == 3
    assert len(config.objectives) == 6


def test_namespaces_are_guessed_from_workloads_and_said_to_be(green):
    system = [obj("Deployment", "dns", "apps/v1", namespace=name) for name in ("kube-system", "velero")]
    blue = cluster("old", obj("CronJob", "c", "batch/v1", namespace="jobs"), obj("Deployment", "w", "apps/v1"), *system)
    land = survey(blue, green)

    assert (land.namespaces, land.guessed) == (("jobs", "shop"), True)
    assert "Nobody named them" in text_of(blue, green, namespaces=())
    assert "Nobody named them" not in text_of(blue, green)


def test_nothing_to_move_and_unknown_namespaces_are_refused(green):
    with pytest.raises(InvalidInputError, match="holds workloads"):
        survey(cluster("old"), green)
    with pytest.raises(InvalidInputError, match="namespace shp is not on old"):
        survey(cluster("old"), green, ("shop", "shp"))


def test_what_cannot_be_read_is_told_and_does_not_stop_it(blue, green, monkeypatch, tmp_path):
    listed = green.list

    def refusing(resource, namespace="", selector=""):
        if resource.kind == "StorageClass":
            raise RefusedError("kube.forbidden", "listing storageclasses", "no\nright")
        return listed(resource, namespace, selector)

    monkeypatch.setattr(green, "list", refusing)
    text = text_of(blue, green)

    assert "Not read, so nothing is proposed from it: storageclasses of new" in text
    assert loaded(tmp_path, text)


HOSTILE = 'x"}\n- evil: [#\x1b[31m\u2028\x85: {'


def test_hostile_texts_are_inert(green, tmp_path):
    tls = {"rules": [{"host": HOSTILE}, {"host": "ok.example.com", "http": {"paths": [{"path": HOSTILE}]}}]}
    annotated = {"annotations": {DNS: HOSTILE}}
    bad_class = claim(storage=HOSTILE)
    blue = cluster("old", ingress(spec=tls, meta=annotated), service("w", meta=annotated), bad_class)
    text = text_of(blue, green)

    assert "\x1b" not in text
    assert "evil" not in read_text(text).data
    config = loaded(tmp_path, text.replace(": TODO", ": x"))
    assert list(config.transform.storage_classes) == [HOSTILE]
    assert [p.settings.get("send") for p in config.probes[1:]] == [{"Host": "ok.example.com"}, None]


def test_contexts_of_any_text_come_back(green, tmp_path):
    blue = cluster("arn:aws:eks:eu-1:1:cluster/a: b", obj("Deployment", "w", "apps/v1"))

    assert loaded(tmp_path, text_of(blue, green)).from_context == "arn:aws:eks:eu-1:1:cluster/a: b"


# A key of YAML has 1,024 characters at most, and each may be written as ten.
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=100))
def test_a_scalar_is_read_as_the_text_it_was(text):
    assert read_text(f"a: {scalar(text)}\nb: {flow({text: (text, text)})}\n").data == {
        "a": text,
        "b": {text: [text, text]},
    }


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_comment_never_ends_early(text):
    assert read_text("\n".join([*comment(text, 2), "a: 1", ""])).data == {"a": 1}


@pytest.fixture
def run(blue, green, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = {"old": blue, "new": green}
    monkeypatch.setattr("bluegreen.migration.scope.open_cluster", lambda context, kubeconfig=None: found[context])
    return lambda *arguments: CliRunner().invoke(main, ["init", *arguments])


BOTH = ("--from", "old", "--to", "new")


def test_init_writes_the_file_and_says_what_is_left(run, tmp_path):
    done = run(*BOTH, "-n", "shop")
    text = (tmp_path / "bluegreen.yaml").read_text()

    assert (done.exit_code, done.stdout) == (0, ""), done.output
    assert f"lines {', '.join(map(str, open_places(text)))}." in done.stderr
    assert "bluegreen migrate --dry-run=server" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bluegreen.yaml"]


def test_init_takes_what_it_is_told_of_the_router_and_of_kubeconfigs(run, tmp_path):
    done = run(*BOTH, "--haproxy", "/s", "--backend", "b", "--kubeconfig", "k.yaml")
    config = loaded(tmp_path, (tmp_path / "bluegreen.yaml").read_text())

    assert done.exit_code == 0
    assert config.routes[0].settings["socket"] == "/s"
    assert config.kubeconfig == str(tmp_path / "k.yaml")


def test_init_never_writes_over_a_file_but_by_force(run, tmp_path):
    (tmp_path / "bluegreen.yaml").write_text("mine")
    done = run(*BOTH)

    assert done.exit_code == 2
    assert "--force" in done.stderr
    assert (tmp_path / "bluegreen.yaml").read_text() == "mine"
    assert run(*BOTH, "-o", "other.yaml").exit_code == 0
    assert run(*BOTH, "--force").exit_code == 0
    assert "kind: Migration" in (tmp_path / "bluegreen.yaml").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bluegreen.yaml", "other.yaml"]


def test_a_file_that_came_meanwhile_is_not_written_over(run, tmp_path, monkeypatch):
    from bluegreen.cli import init as module  # noqa: PLC0415 - the module, not the command

    def came(output, *, force):
        (tmp_path / "bluegreen.yaml").write_text("mine")

    first = module._refuse_to_overwrite
    calls = []

    def once(output, *, force):
        calls.append(output)
        (came if len(calls) == 1 else first)(output, force=force)

    monkeypatch.setattr(module, "_refuse_to_overwrite", once)
    assert run(*BOTH).exit_code == 2
    assert (tmp_path / "bluegreen.yaml").read_text() == "mine"


def test_init_to_stdout_is_the_file_alone(run, tmp_path):
    done = run(*BOTH, "--haproxy", "/s", "--backend", "b", "-o", "-")

    assert loaded(tmp_path, done.stdout).namespaces == ("shop",)
    assert "Wrote stdout" in done.stderr


def test_a_directory_that_is_not_there_is_an_error_without_a_trace(run):
    done = run(*BOTH, "-o", "none/bluegreen.yaml")

    assert isinstance(done.exception, InvalidInputError)
    assert "none/bluegreen.yaml" in str(done.exception)


def test_init_needs_two_different_contexts(run):
    assert len(run().exception.reasons) == 2
    assert "same cluster" in str(run("--from", "old", "--to", "old").exception)
    assert run(*BOTH, "-n", "").exit_code == 2


def test_migrate_without_a_file_names_init(tmp_path):
    with pytest.raises(InvalidInputError) as caught:
        load(None, {}, {}, tmp_path)

    assert "bluegreen init" in caught.value.next_step
    assert any(reason.startswith("routes: no route") and "bluegreen init" in reason for reason in caught.value.reasons)


def test_migrate_without_a_route_names_init(tmp_path):
    (tmp_path / "bluegreen.yaml").write_text("from: a\nto: b\nnamespaces: [shop]\nroutes: []\n")
    with pytest.raises(InvalidInputError) as caught:
        load(None, {}, {}, tmp_path)

    assert any("routes: no route" in reason and "bluegreen init" in reason for reason in caught.value.reasons)
