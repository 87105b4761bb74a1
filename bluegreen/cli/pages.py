"""Plans and assessments as one HTML page each: no network, no script, and hostile names shown as the text they are."""

import functools
from collections.abc import Mapping
from typing import Any

import jinja2

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#1b1f24;background:#fff}
table{border-collapse:collapse;width:100%;display:block;overflow-x:auto}
p{overflow-wrap:anywhere}td,th{border-bottom:1px solid #d0d7de;padding:.35rem .6rem;text-align:left;
vertical-align:top;overflow-wrap:break-word}
td:first-child,th{white-space:nowrap}code{font-size:.9em}.create,.info,.lift{color:#116329}.change,.warning{color:#7d4e00}
.conflict,.refused,.blocker{color:#a40e26;font-weight:600}.equal{color:#57606a}svg{max-width:100%;height:auto}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}td,th{border-color:#30363d}.create,.info{color:#3fb950}
.change,.warning{color:#d29922}.conflict,.refused,.blocker{color:#ff7b72}.equal{color:#8b949e}}
"""
_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{ title }}</title><style>{{ style }}</style></head><body><h1>{{ title }}</h1>
{% block body %}{% endblock %}</body></html>
"""
_PLAN = """{% extends "frame" %}{% block body %}
<p>{{ plan.from.context }} ({{ plan.from.version }}) to {{ plan.to.context }} ({{ plan.to.version }}),
namespaces {{ plan.namespaces | join(", ") }}. sha256 <code>{{ plan.sha256 }}</code></p>
<p>{% for verdict, count in plan.summary.items() if count %}<span class="{{ verdict | replace(" ", "-") }}">{{ count }}
{{ verdict }}</span> {% endfor %}</p>
<table><tr><th>What</th><th>Object</th><th>Why</th><th>Fields</th></tr>
{% for e in plan.entries %}<tr><td class="{{ e.verdict | replace(" ", "-") }}">{{ e.verdict }}</td>
<td>{{ e.kind }} {{ e.namespace ~ "/" if e.namespace else "" }}{{ e.name }}</td>
<td>{{ e.cause ~ ": " if e.cause else "" }}{{ e.reason }}</td>
<td>{% for c in e.changes %}<code>{{ c.path }}: {{ c.actual }} → {{ c.expected }}</code><br>{% endfor %}
{% for p in e.patches %}{% for c in p.changes %}patch {{ p.patch }}: <code>{{ c.path }}: {{ c.actual }} →
{{ c.expected }}</code><br>{% endfor %}{% endfor %}</td></tr>
{% endfor %}</table>
{% if plan.warnings %}<h2>Look at</h2><table><tr><th>Object</th><th>Field</th><th>What</th></tr>
{% for w in plan.warnings %}<tr><td>{{ w.subject }}</td><td>{{ w.field }}</td><td>{{ w.text }}</td></tr>{% endfor %}
</table>{% endif %}
{% if plan.leftOut %}<h2>Stays on blue</h2><table><tr><th>Object</th><th>Why</th></tr>
{% for e in plan.leftOut %}<tr><td>{{ e.kind }} {{ e.namespace ~ "/" if e.namespace else "" }}{{ e.name }}</td>
<td>{{ e.reason }}</td></tr>{% endfor %}</table>{% endif %}{% endblock %}
"""
_ASSESSMENT = """{% extends "frame" %}{% block body %}
<p>{{ it.from.context }} ({{ it.from.version }}) to {{ it.to.context }} ({{ it.to.version }}),
namespaces {{ it.namespaces | join(", ") }}.</p>
<h2>Findings</h2><table><tr><th>Severity</th><th>Object</th><th>Reason</th><th>What to do</th></tr>
{% for f in it.findings %}<tr><td class="{{ f.severity }}">{{ f.severity }}</td><td>{{ f.subject }}</td>
<td>{{ f.reason }}</td><td>{{ f.action }}</td></tr>{% else %}<tr><td colspan="4">none</td></tr>{% endfor %}</table>
<h2>Workloads</h2><table><tr><th>Workload</th><th>Strategy</th><th>Risk</th><th>Because</th></tr>
{% for w in it.workloads %}<tr><td>{{ w.workload }}</td><td>{{ w.strategy }}</td><td>{{ w.risk }}</td>
<td>{% for b in w.because %}{{ b }}<br>{% endfor %}</td></tr>{% endfor %}</table>
<h2>What uses what</h2>
<svg viewBox="0 0 1000 {{ graph.height }}" role="img" aria-label="dependency graph">
{% for x1, y1, x2, y2 in graph.edges %}<line x1="{{ x1 }}" y1="{{ y1 }}" x2="{{ x2 }}" y2="{{ y2 }}"
 stroke="currentColor" stroke-opacity=".35"/>{% endfor %}
{% for x, y, text in graph.nodes %}<text x="{{ x }}" y="{{ y }}" font-size="12" fill="currentColor"
 text-anchor="{{ "end" if x < 500 else "start" }}">{{ text }}</text>{% endfor %}</svg>
<h2>Inventory</h2><table><tr><th>Kind</th><th>Count</th></tr>
{% for kind, count in it.inventory.objects.items() %}
<tr><td>{{ kind }}</td><td>{{ count }}</td></tr>{% endfor %}
</table><p>Requests: {{ it.inventory.cpu }} CPU, {{ it.inventory.memory }} memory.</p>
{% if it.inventory.volumes %}<table><tr><th>StorageClass</th><th>Claims</th><th>Size</th></tr>
{% for v in it.inventory.volumes %}<tr><td>{{ v.storageClass }}</td><td>{{ v.claims }}</td><td>{{ v.size }}</td></tr>
{% endfor %}</table>{% endif %}{% endblock %}
"""
_LEFT, _RIGHT, _ROW = 460, 540, 20


@functools.cache
def _pages() -> jinja2.Environment:
    loader = jinja2.DictLoader({"frame": _FRAME, "plan": _PLAN, "assessment": _ASSESSMENT})
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)


def plan_page(plan: Mapping[str, Any]) -> str:
    """Return the page of a saved plan's JSON form."""
    return _pages().get_template("plan").render(title="Import plan", style=_STYLE, plan=plan)


def assessment_page(assessment: Mapping[str, Any]) -> str:
    """Return the page of an assessment's JSON form."""
    graph = _drawn(assessment["uses"])
    return _pages().get_template("assessment").render(title="Assessment", style=_STYLE, it=assessment, graph=graph)


def _drawn(uses: list[Mapping[str, str]]) -> dict[str, Any]:
    """Return places for a two-column picture: users on the left, what they use on the right."""
    users = sorted({use["object"] for use in uses})
    used = sorted({use["uses"] for use in uses})
    left = {name: 15 + at * _ROW for at, name in enumerate(users)}
    right = {name: 15 + at * _ROW for at, name in enumerate(used)}
    return {
        "height": 20 + _ROW * max(len(left), len(right), 1),
        "edges": [(_LEFT + 5, left[u["object"]] - 4, _RIGHT - 5, right[u["uses"]] - 4) for u in uses],
        "nodes": [(_LEFT, y, name) for name, y in left.items()] + [(_RIGHT, y, name) for name, y in right.items()],
    }
