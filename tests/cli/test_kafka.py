"""The same commands on a real broker."""

import pytest

from .conftest import Cli, stop, until, working

pytestmark = pytest.mark.kafka


def test_a_run_goes_from_start_to_show_and_the_doctor_is_content(cli: Cli, kafka: str) -> None:
    store = f"kafka://{kafka}"
    with working(store, "--partitions", "2") as worker:
        words = ("start", "shop_app:shop", "Ordered", '{"item": "book"}', "--run-id", "on-kafka", "--timeout", "60s")
        # The worker may still be making the log, of another number of partitions than a client would.
        until(lambda: cli("runs", "-c", "shop", "-s", store).code == 0)
        assert cli(*words, "-s", store).code == 0
        lines = cli("tail", "-c", "shop", "on-kafka", "--json", "-s", store).lines
        assert [line["type"] for line in lines] == ["shop.Ordered", "shop.Paid", "shop.Sent"]
        said = cli("doctor", "shop_app:shop", "--json", "-s", store)
        assert said.code == 0, said.out
        checks = {f["check"]: f["severity"] for f in said.json["findings"]}
        assert checks["clock"] == "ok"
        assert checks["shop.events"] == "ok"
        assert stop(worker).code == 0


def test_the_doctor_names_the_cure_of_a_wrong_setting(cli: Cli, kafka: str) -> None:
    said = cli("doctor", "-c", "never_made", "--json", "-s", f"kafka://{kafka}")
    found = {f["check"]: f for f in said.json["findings"]}
    assert found["never_made.events"]["cure"] == "start a worker, which makes it"
