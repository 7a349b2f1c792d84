"""Every button that does something is pressed by a test in a browser: each act of each template is named here with its test."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api")

from farandole.dashboard.pages.site import TEMPLATES

from . import test_acts as acts

PRESSED: dict[tuple[str, str], Callable[..., Any]] = {
    ("failures", "Retry all "): acts.test_all_failures_of_a_cause_are_retried,
    ("map", "Go on"): acts.test_a_reactor_is_stopped_where_all_are_listed,
    ("map", "Let everything go on"): acts.test_everything_is_stopped_and_goes_on,
    ("map", "Stop everything"): acts.test_everything_is_stopped_and_goes_on,
    ("map", "Stop"): acts.test_a_reactor_is_stopped_where_all_are_listed,
    ("parts", "Retry"): acts.test_one_parked_step_is_retried_and_the_other_stays,
    ("reactor", "Let it go on"): acts.test_a_reactor_is_stopped_and_goes_on,
    ("reactor", "Stop"): acts.test_a_reactor_is_stopped_and_goes_on,
    ("reactors", "Go on"): acts.test_a_reactor_is_stopped_where_all_are_listed,
    ("reactors", "Stop"): acts.test_a_reactor_is_stopped_where_all_are_listed,
    ("run", "Cancel"): acts.test_a_run_is_paused_resumed_and_cancelled_with_a_reason,
    ("run", "Pause"): acts.test_a_run_is_paused_resumed_and_cancelled_with_a_reason,
    ("run", "Resume"): acts.test_a_run_is_paused_resumed_and_cancelled_with_a_reason,
    ("run", "Retry"): acts.test_a_run_is_retried_and_so_are_several_at_once,
    ("runs", "data-bulk=cancel"): acts.test_several_runs_are_selected_compared_and_cancelled,
    ("runs", "data-bulk=diff"): acts.test_several_runs_are_selected_compared_and_cancelled,
    ("runs", "data-bulk=none"): acts.test_a_selection_is_cleared,
    ("runs", "data-bulk=retry"): acts.test_a_run_is_retried_and_so_are_several_at_once,
    ("timers", "Pause"): acts.test_a_schedule_is_paused_resumed_and_started_now,
    ("timers", "Resume"): acts.test_a_schedule_is_paused_resumed_and_started_now,
    ("timers", "Start now"): acts.test_a_schedule_is_paused_resumed_and_started_now,
}
"""By template and label."""


def offered() -> set[tuple[str, str]]:
    """Whatever the templates offer."""
    found = set()
    for template in TEMPLATES.glob("*.html"):
        text = template.read_text()
        found |= {(template.stem, label) for label in re.findall(r"\bact\(\s*\"([^\"]+)\"", text)}
        found |= {(template.stem, f"data-bulk={verb}") for verb in re.findall(r'data-bulk="([^"]+)"', text)}
    return found


def test_each_act_of_each_template_has_its_test() -> None:
    assert offered() == set(PRESSED)


def test_no_template_makes_an_act_but_by_the_macro() -> None:
    assert [each.stem for each in TEMPLATES.glob("*.html") for _ in re.findall("data-act=", each.read_text())] == [
        "parts"
    ]


@pytest.mark.parametrize(("template", "label"), PRESSED)
def test_the_test_presses_it(template: str, label: str) -> None:
    source = inspect.getsource(PRESSED[template, label])
    kind, _, verb = label.partition("=")
    if verb:
        assert f"[{kind}='{verb}']\").click()" in source
    else:
        assert re.search(rf"""(look\.(act|press)\(|name=|has_text=)"{label.strip()}\b""", source)
