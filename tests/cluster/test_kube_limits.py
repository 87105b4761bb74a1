"""The kube room at its limits, against the lab's real servers: big objects, tokens that end, lists that expire.

Each works in a namespace of its own and removes it. Without the lab they fail.
"""

import base64
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest
import yaml

from bluegreen.exporter.export import ExportOptions, export
from bluegreen.exporter.read import read_bundle
from bluegreen.exporter.write import write_bundle
from bluegreen.importer.apply import ApplyOptions, apply_objects
from bluegreen.importer.order import Phase
from bluegreen.kube import open_cluster
from bluegreen.kube.calls import Call
from bluegreen.kube.lists import PAGE, list_objects
from bluegreen.model.errors import BluegreenError, NotFoundError, RefusedError
from bluegreen.model.ports import ApiResource
from bluegreen.model.refs import ObjectRef
from scenarios.lab.layout import kubeconfig

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

KUBECONFIG = str(kubeconfig())
RBAC = "rbac.authorization.k8s.io/v1"
CONFIG_MAPS = ApiResource("v1", "ConfigMap", "configmaps", namespaced=True, verbs=frozenset())
MANY = PAGE + 120


def quiet(name, /, **data):
    pass


def make(kind, name, namespace="", version="v1", **more):
    meta = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": version, "kind": kind, "metadata": meta, **more}


class Own:
    """Makes objects in a cluster and removes them."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.made = []

    def create(self, obj):
        found = self.cluster.create(obj)
        meta = found["metadata"]
        self.made.append(
            (ObjectRef(obj["apiVersion"], obj["kind"], meta.get("namespace", ""), meta["name"]), meta["uid"])
        )
        return found

    def remove(self):
        for ref, uid in reversed(self.made):
            if not ref.namespace:
                self.cluster.delete(ref, uid)


@pytest.fixture
def name():
    return f"limits-{uuid.uuid4().hex[:8]}"


@pytest.fixture(params=["old", "new"])
def own(request):
    mine = Own(open_cluster(request.param, KUBECONFIG))
    yield mine
    mine.remove()


def fill(cluster, namespace):
    """Make more ConfigMaps than a page holds."""

    def some(numbers):
        for number in numbers:
            cluster.create(make("ConfigMap", f"c{number}", namespace))

    threads = [threading.Thread(target=some, args=(range(n, MANY, 12),)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def names_of(found):
    return sorted(one["metadata"]["name"] for one in found if one["metadata"]["name"].startswith("c"))


ALL_NAMES = sorted(f"c{number}" for number in range(MANY))


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def largest(name, *, binary):
    """Return a ConfigMap with as many bytes as the server takes (1 MiB of values), 1.4 MiB and more on the wire."""
    text = "no: 0o7\t12:30 \u2028 ü😀 'x' \"y\" # - \n" * 30_000
    raw = os.urandom(2**20) if binary else text.encode()[: 2**20 - 3]
    given = base64.b64encode(raw).decode() if binary else raw.decode(errors="ignore")
    obj = make("ConfigMap", "big", name, **{"binaryData" if binary else "data": {"a": given}})
    obj["metadata"]["annotations"] = {"example.com/note": "n" * 100_000}
    return obj


@pytest.mark.parametrize("binary", [False, True])
def test_a_config_map_as_large_as_the_server_takes_arrives_intact(name, tmp_path, binary):
    blue, green = Own(open_cluster("old", KUBECONFIG)), open_cluster("new", KUBECONFIG)
    big, namespace = largest(name, binary=binary), ObjectRef("v1", "Namespace", "", name)
    try:
        blue.create(make("Namespace", name))
        blue.create(big)
        write_bundle(export(blue.cluster, (name,), "", ExportOptions(hmac_key=b"k"), quiet), tmp_path / "b")
        bundle = read_bundle(tmp_path / "b", b"k")
        options = ApplyOptions("limits", time.monotonic, time.sleep)
        apply_objects(green, bundle.objects, Phase.IMPORT, options, quiet)
        there = green.get(ObjectRef("v1", "ConfigMap", name, "big"))
    finally:
        blue.remove()
        with contextlib.suppress(NotFoundError):
            green.delete(namespace, green.get(namespace)["metadata"]["uid"])

    assert len(json.dumps(big)) >= 1.4 * 2**20
    key = "binaryData" if binary else "data"
    assert digest(there[key]["a"]) == digest(big[key]["a"])
    assert there["metadata"]["annotations"]["example.com/note"] == "n" * 100_000


class Login:
    """A ServiceAccount whose tokens end when the Secret that they are bound to is deleted, and a kubeconfig for it."""

    def __init__(self, own, name, folder):
        self.own, self.name, self.folder = own, name, folder
        rules = [
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "get", "create", "patch"]},
            {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]},
        ]
        own.create(make("Namespace", name))
        own.create(make("ServiceAccount", "user", name))
        own.create(make("ClusterRole", name, version=RBAC, rules=rules))
        subject = {"kind": "ServiceAccount", "name": "user", "namespace": name}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
        own.create(make("ClusterRoleBinding", name, version=RBAC, subjects=[subject], roleRef=role))

    def issue(self, secret):
        """Let the command of the kubeconfig hand out a token that is bound to a new Secret; return the token."""
        bound = self.own.create(make("Secret", secret, self.name))
        spec = {
            "boundObjectRef": {"kind": "Secret", "apiVersion": "v1", "name": secret, "uid": bound["metadata"]["uid"]}
        }
        path = f"/api/v1/namespaces/{self.name}/serviceaccounts/user/token"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": [], **spec}}
        token = self.own.cluster._transport.send(Call("POST", path, "x", "create", body=body))["status"]["token"]
        (self.folder / "token").write_text(token)
        return token

    def revoke(self, secret, token):
        """Delete the Secret and wait until the server refuses the token: it remembers good ones for a while."""
        ref = next(one for one in self.own.made if one[0].name == secret)
        old = open_cluster("user", str(self.write("old", static=token)))
        self.own.cluster.delete(*ref)
        end = time.monotonic() + 90
        while True:
            try:
                old.get(ObjectRef("v1", "Namespace", "", "kube-system"))
            except RefusedError as refused:
                assert refused.code == "kube.unauthorized"
                return
            assert time.monotonic() < end
            time.sleep(0.5)

    def write(self, name, static=""):
        """Return a kubeconfig, whose credentials are a command unless a token is given."""
        given = yaml.safe_load(Path(KUBECONFIG).read_text())
        context = next(c for c in given["contexts"] if c["name"] == self.own.cluster.id.context)
        cluster = next(c for c in given["clusters"] if c["name"] == context["context"]["cluster"])
        script = self.folder / "login.py"
        script.write_text(
            "import json, pathlib\n"
            "here = pathlib.Path(__file__).parent\n"
            "with (here / 'calls').open('a') as calls:\n"
            "    calls.write('x')\n"
            "status = {'token': (here / 'token').read_text()}\n"
            "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1', 'kind': 'ExecCredential', "
            "'status': status}))\n"
        )
        command = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(script)],
            "interactiveMode": "Never",
        }
        config = {
            "clusters": [cluster],
            "users": [{"name": "u", "user": {"token": static} if static else {"exec": command}}],
            "contexts": [{"name": "user", "context": {"cluster": cluster["name"], "user": "u"}}],
        }
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(config))
        return path

    @property
    def calls(self):
        return len((self.folder / "calls").read_text())


def test_a_token_that_ends_in_the_middle_of_a_list_is_renewed_once(own, name, tmp_path):
    login = Login(own, name, tmp_path)
    fill(own.cluster, name)
    first = login.issue("one")
    session = open_cluster("user", str(login.write("config")))
    calls = login.calls
    listing = session.list(CONFIG_MAPS, name)
    found = [next(listing)]

    login.issue("two")
    login.revoke("one", first)
    found += listing
    session.apply(make("ConfigMap", "c0", name, data={"k": "v"}))

    assert names_of(found) == ALL_NAMES
    assert login.calls == calls + 1


def test_many_threads_renew_a_token_once_together(own, name, tmp_path):
    login = Login(own, name, tmp_path)
    first = login.issue("one")
    session = open_cluster("user", str(login.write("config")))
    calls, failed = login.calls, []
    login.issue("two")
    login.revoke("one", first)

    def write(number):
        try:
            session.apply(make("ConfigMap", f"c{number}", name, data={"k": "v"}))
        except BluegreenError as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert login.calls == calls + 1


def test_a_token_that_cannot_be_renewed_is_told_and_not_tried_for_ever(own, name, tmp_path):
    login = Login(own, name, tmp_path)
    first = login.issue("one")
    session = open_cluster("user", str(login.write("config")))
    calls, began = login.calls, time.monotonic()
    login.revoke("one", first)
    revoked = time.monotonic()

    with pytest.raises(RefusedError) as caught:
        session.get(ObjectRef("v1", "Namespace", "", "kube-system"))
    assert caught.value.code == "kube.unauthorized"
    assert first not in repr(caught.value.args)
    assert login.calls == calls + 1
    assert time.monotonic() - revoked < 30, began


def compact(context):
    """Let etcd forget every revision before now, as the API server does every five minutes."""

    def ask(path, body):
        url = f"http://127.0.0.1:2379/v3/kv/{path}"
        command = ["ip", "netns", "exec", f"bg-{context}", "curl", "-sf", "-m", "20", "-d", json.dumps(body), url]
        return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=30).stdout)

    ask("compaction", {"revision": ask("range", {"key": "eA=="})["header"]["revision"], "physical": True})


class Ageing:
    """The real transport, but some continue tokens are made as old as the cluster: the server itself says 410 to them.

    Servers since 1.34 serve young tokens from memory even after a compaction, so waiting would not make one expire.
    """

    def __init__(self, transport, expire):
        self.transport, self.where, self.expire = transport, transport.where, expire
        self.pages, self.gone = 0, 0

    def measured(self, call):
        query = dict(call.query)
        if "continue" in query and self.expire > 0:
            self.expire -= 1
            query["continue"] = aged(query["continue"])
        self.pages += 1
        try:
            return self.transport.measured(Call(call.method, call.path, call.what, call.verb, query=query))
        except RefusedError as error:
            self.gone += error.code == "kube.gone"
            raise


def aged(token):
    said = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    return base64.urlsafe_b64encode(json.dumps(said | {"rv": 1}).encode()).decode().rstrip("=")


def test_a_list_that_expired_is_begun_again_without_repeats(own, name):
    own.create(make("Namespace", name))
    fill(own.cluster, name)
    compact(own.cluster.id.context)
    ageing = Ageing(own.cluster._transport, expire=1)
    listing = list_objects(ageing, CONFIG_MAPS, name, "")
    found = [next(listing) for _ in range(PAGE)]
    own.cluster.create(make("ConfigMap", "c-later", name))
    found += listing

    assert ageing.gone == 1
    assert ageing.pages == 4
    assert names_of(found) == sorted([*ALL_NAMES, "c-later"])


def test_an_apply_keeps_characters_that_yaml_would_fold_or_refuse(own, name):
    """The server reads an apply as YAML: a line separator between spaces lost them, a NEL became a space."""
    traps = [*range(0x7F, 0xA1), 0x2028, 0x2029, 0xFEFF, 0xFFFD, 0x1F600]
    data = {f"u{code:x}": f"a {chr(code)} b\n {chr(code)}" for code in traps}
    own.create(make("Namespace", name))
    own.cluster.apply(make("ConfigMap", "traps", name, data=data))

    assert own.cluster.get(ObjectRef("v1", "ConfigMap", name, "traps"))["data"] == data
