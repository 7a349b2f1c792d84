"""Whether Prometheus hears of everything: that each target is up, and each question of dashboard and alerts has an answer."""

import asyncio
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import yaml

from .stack import DEPLOY, Stack

_PATIENCE = 120.0
_AGAIN = 0.5
_OF_TROUBLE = re.compile(r"\s*(?:>|<|==)\s*[\d.]+\s*$")
"""What an alert compares with; without it, its question has an answer while all is well, too."""


class Wrong(AssertionError):
    """Something is not as it should be; the message has all that is not."""


def queries(stack: Stack) -> Iterator[tuple[str, str]]:
    """Each question, and where it stands. Of a server that is not there nothing is asked."""
    board = json.loads((DEPLOY / "grafana/dashboards/farandole.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield f"panel {panel['title']!r}", _settled(target["expr"])
    for group in yaml.safe_load((DEPLOY / "prometheus/rules.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield f"alert {rule['alert']}", _settled(rule["expr"])


def _settled(query: str) -> str:
    """With what Grafana would put in."""
    for name, value in (("$choreography", "bakery"), ("$service", ".*"), ("$__rate_interval", "20s")):
        query = query.replace(name, value)
    return _OF_TROUBLE.sub("", query)


def of_the_server(query: str) -> bool:
    """Whether only a server tells what is asked for."""
    return bool(re.search(r"farandole_(?:projected|projection|http)_", query)) and " or " not in query


async def targets_are_up(stack: Stack) -> None:
    """Wait until Prometheus has heard from each process."""

    async def missing() -> list[str]:
        found = (await ask(stack, "targets"))["activeTargets"]
        up = {urllib.parse.urlsplit(each["scrapeUrl"]).netloc for each in found if each["health"] == "up"}
        errors = {urllib.parse.urlsplit(each["scrapeUrl"]).netloc: each["lastError"] for each in found}
        return [f"{name} is not up: {errors.get(at)}" for name, at in stack.targets.items() if at not in up]

    await until_none(stack, missing)


async def questions_have_answers(stack: Stack) -> int:
    """Wait until each question has an answer; how many there were."""
    asked = [(where, q) for where, q in queries(stack) if stack.server is not None or not of_the_server(q)]
    # The bakery has no agents, and a worker tells of models once one was called; nor has it projections of its own.
    untold = ("farandole_model_", "farandole_custom_projection_")
    asked = [(where, query) for where, query in asked if not any(each in query for each in untold)]

    async def missing() -> list[str]:
        found = []
        for where, query in asked:
            if not (await ask(stack, "query", query=query))["result"]:
                found.append(f"{where}: nothing answers {query}")
        return found

    await until_none(stack, missing)
    return len(asked)


async def rules_are_sound(stack: Stack) -> int:
    """Each rule was evaluated, and none of the critical ones fires; how many there are."""

    async def missing() -> list[str]:
        groups = (await ask(stack, "rules"))["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        if not rules:
            return ["no rules are loaded"]
        found = [f"{rule['name']}: {rule.get('lastError')}" for rule in rules if rule["health"] != "ok"]
        bad = [r["name"] for r in rules if r["labels"]["severity"] == "critical" and r["state"] == "firing"]
        return [*found, *(f"{name} fires" for name in bad)]

    await until_none(stack, missing)
    return sum(len(group["rules"]) for group in (await ask(stack, "rules"))["groups"])


async def until_none(stack: Stack, missing: Any) -> None:
    """Wait until nothing is missing.

    Raises:
        Wrong: something still was, after two minutes.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + _PATIENCE
    while lacking := await missing():
        stack.check()
        if loop.time() > until:
            raise Wrong("\n".join(lacking))
        await asyncio.sleep(_AGAIN)


async def ask(stack: Stack, what: str, **parameters: str) -> Any:
    """A question to Prometheus's HTTP API. A query that it cannot parse raises."""
    url = f"{stack.prometheus}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"

    def get() -> Any:
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as e:
            raise Wrong(f"{parameters}: {e.read().decode(errors='replace')}") from e
        except urllib.error.URLError:
            return {"data": {"activeTargets": [], "result": [], "groups": []}}  # not up yet

    return (await asyncio.to_thread(get))["data"]
