"""The Grafana dashboard asks only for what workers and servers tell; so do the alert rules, which are tried, too."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from exposition import Exposition, of_a_server, of_a_worker, promtool

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
BOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/dashboards/farandole.json").read_text())
RULES: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "prometheus/rules.yml").read_text())["groups"][0]["rules"]
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]
OF_PROMETHEUS = {"up"}
"""What Prometheus says of each target by itself; of these it adds job and instance to all."""


@pytest.fixture
async def told(tmp_path: Path) -> list[Exposition]:
    return [await of_a_worker(), await of_a_server(tmp_path / "runs.db")]


def names(query: str) -> set[str]:
    return set(re.findall(r"\b(?:farandole|process)_\w+|\bup\b", query))


def selectors(query: str) -> Iterator[tuple[str, set[str]]]:
    """Each metric, and the labels that it is selected by."""
    for name, inner in re.findall(r"\b((?:farandole|process)_\w+)(?:\{([^}]*)\})?", query):
        yield name, set(re.findall(r"(\w+)\s*[=!]", inner))


def grouped_by(query: str) -> set[str]:
    return {label.strip() for inner in re.findall(r"\bby \(([^)]*)\)", query) for label in inner.split(",")}


async def test_every_query_is_for_metrics_that_there_are(told: list[Exposition]) -> None:
    there = OF_PROMETHEUS.union(*(each.names for each in told))
    assert len(QUERIES) > 30
    for query in [*QUERIES, *(rule["expr"] for rule in RULES)]:
        assert names(query), query
        assert names(query) <= there, query


async def test_every_query_is_by_labels_that_the_metrics_have(told: list[Exposition]) -> None:
    labels: dict[str, set[str]] = {}
    for each in told:
        for family, has in each.families.items():
            for suffix in ("", "_bucket", "_sum", "_count"):
                labels.setdefault(family + suffix, {"le", "job", "instance"}).update(has.labels)
    for query in [*QUERIES, *(rule["expr"] for rule in RULES)]:
        for name, selected in selectors(query):
            assert selected <= labels[name], (query, name)
        found = [labels[name] for name, _ in selectors(query)]
        if found:
            assert grouped_by(query) <= set().union(*found), query


async def test_every_metric_of_ours_is_on_the_dashboard(told: list[Exposition]) -> None:
    asked = {re.sub(r"_(bucket|sum|count)$", "", name) for query in QUERIES for name in names(query)}
    ours = {name for each in told for name in each.families if name.startswith("farandole_")}
    left_out = {
        "farandole_build_info",
        "farandole_runs_open",  # of a part of the log, and the whole of it is there
        "farandole_steps_owed",
        "farandole_steps_held",
        "farandole_steps_parked",
        "farandole_oldest_owed_seconds",
        "farandole_projected_timers_pending",
        "farandole_projection_database_up",  # there is an alert on each of these
        "farandole_projection_stopped_partitions",
        "farandole_records_folded_total",
        "farandole_records_rejected_total",
    }
    assert ours - asked == left_out


def test_panels_neither_overlap_nor_repeat() -> None:
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken
        taken |= cells
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
    for panel in PANELS:
        assert panel["description"] and panel["fieldConfig"]["defaults"]["unit"]


def test_the_data_source_is_the_one_that_is_provisioned() -> None:
    sources = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
    assert [source["type"] for source in sources] == ["prometheus"]
    variables = {each["name"]: each for each in BOARD["templating"]["list"]}
    assert variables["datasource"]["query"] == "prometheus"
    assert {panel["datasource"]["uid"] for panel in PANELS} == {"${datasource}"}
    used = set(re.findall(r"\$(\w+)", "".join(QUERIES)))
    assert used <= variables.keys() | {"__rate_interval"}


def test_rules_are_as_prometheus_wants_them() -> None:
    promtool("check", "rules", DEPLOY / "prometheus/rules.yml")


def test_the_configuration_is_as_prometheus_wants_it(tmp_path: Path) -> None:
    for name in ("prometheus.yml", "rules.yml"):
        (tmp_path / name).write_text((DEPLOY / "prometheus" / name).read_text())
    (tmp_path / "token").write_text("fa_token")
    promtool("check", "config", tmp_path / "prometheus.yml")


def test_alerts_fire_when_they_should_and_not_else() -> None:
    promtool("test", "rules", DEPLOY / "prometheus/rules_test.yml")


def test_every_alert_is_tried_both_ways() -> None:
    tests = yaml.safe_load((DEPLOY / "prometheus/rules_test.yml").read_text())["tests"]
    tried = [case for test in tests for case in test["alert_rule_test"]]
    for rule in RULES:
        cases = [case["exp_alerts"] for case in tried if case["alertname"] == rule["alert"]]
        assert any(cases), rule["alert"]
        # Where one of several series fires, the others are those that do not.
        quiet = any(not alerts for alerts in cases) or any(
            len(alerts) < len(test["input_series"])
            for test in tests
            for case in test["alert_rule_test"]
            if case["alertname"] == rule["alert"]
            for alerts in [case["exp_alerts"]]
        )
        assert quiet, rule["alert"]


def test_every_alert_is_told_of() -> None:
    page = (DEPLOY.parent / "docs/deploying.md").read_text()
    assert [rule["alert"] for rule in RULES if f"| `{rule['alert']}` |" not in page] == []
