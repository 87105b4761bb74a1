"""A complete bluegreen.yaml for the reference page; a test loads it, so that it stays true."""

EXAMPLE = """\
apiVersion: bluegreen/v1
kind: Migration
from: old                     # kubeconfig context of the cluster that serves today
to: new                       # kubeconfig context of the cluster that shall serve
namespaces: [shop]
steps:
  - 10                        # the short form of {weight: 10}
  - {weight: 50, hold: 60s, budget: 10m}
  - {weight: 100, approve: true}
hold: 10s
budget: 5m
bake: 10m
data:
  policy: copy                # writes on blue after the copy are not carried over
  mover: velero
  with: {namespace: velero, ttl: 72h}
export:
  exclude: [Ingress.networking.k8s.io]    # green has its own
  nodePorts: explicit
transform:
  storageClasses: {fast-old: fast-new}
  images: {registry.old.example/: registry.new.example/}
  patches:                    # what no map can say; applied last, shown by `bluegreen plan`
    - name: slower-rollout
      match: {group: apps, kind: Deployment, labels: "tier in (web, api)"}
      merge: {spec: {minReadySeconds: 10}}
    - name: no-local-disk
      match: {kind: StatefulSet, name: "postgres*"}
      json:
        - {op: remove, path: /spec/template/spec/nodeSelector/disk.example~1local}
routes:
  - name: shop
    router: haproxy
    with: {socket: /run/haproxy/admin.sock, backend: shop, blue: blue, green: green}
probes:
  - name: users               # what real users saw
    probe: haproxy
    with: {socket: /run/haproxy/admin.sock, backend: shop, blue: blue, green: green}
  - name: web                 # our own requests to both sides
    probe: http
    interval: 500ms
    with: {blue: "http://10.0.0.1:30080/", green: "http://10.1.0.1:30080/"}
objectives:
  - {name: users-availability, probe: users, good: 99.9%, minSamples: 200, compareWithBlue: true}
  - {name: web-speed, probe: web, good: 99%, minSamples: 50, below: 500ms}
verify:
  - name: rows
    exec:
      namespace: shop
      selector: app=postgres
      container: postgres
      command: [psql, -At, -c, "select count(*) from orders"]
      timeout: 60s
timeouts: {overall: 4h, import: 10m, volumes: 1h, ready: 10m, settle: 60s}
"""
