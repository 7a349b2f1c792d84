"""Once more with the log in Kafka and the tables in PostgreSQL: every page stands, and every act is done."""

import pytest

from .conftest import Stage
from .looking import Look
from .test_acts import (
    test_a_failed_step_is_retried_with_another_input,
    test_a_field_that_is_needed_or_no_number_is_asked_for_again,
    test_a_question_is_answered_where_the_run_is_and_in_the_inbox,
    test_a_reactor_is_stopped_and_goes_on,
    test_a_run_is_paused_resumed_and_cancelled_with_a_reason,
    test_a_run_is_started_with_a_form_and_looked_at,
    test_a_schedule_is_paused_resumed_and_started_now,
    test_a_signal_is_sent_with_a_form,
    test_all_failures_of_a_cause_are_retried,
    test_several_runs_are_selected_compared_and_cancelled,
)
from .test_screens import PAGES, name_of

pytestmark = [pytest.mark.slow, pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(600)]

# What is imported is collected here, with the shop of this module.
__all__ = [
    "test_a_failed_step_is_retried_with_another_input",
    "test_a_field_that_is_needed_or_no_number_is_asked_for_again",
    "test_a_question_is_answered_where_the_run_is_and_in_the_inbox",
    "test_a_reactor_is_stopped_and_goes_on",
    "test_a_run_is_paused_resumed_and_cancelled_with_a_reason",
    "test_a_run_is_started_with_a_form_and_looked_at",
    "test_a_schedule_is_paused_resumed_and_started_now",
    "test_a_signal_is_sent_with_a_form",
    "test_all_failures_of_a_cause_are_retried",
    "test_several_runs_are_selected_compared_and_cancelled",
]


@pytest.fixture
def shop(shop_of_production: Stage) -> Stage:
    return shop_of_production


def test_every_page_stands(look: Look) -> None:
    for path in PAGES:
        assert look.to(path).status == 200, path
        if "graph" in path or path == "/map":
            look.page.locator("#graph[data-drawn]").wait_for()
        look.shoot(f"production/{name_of(path)}")
