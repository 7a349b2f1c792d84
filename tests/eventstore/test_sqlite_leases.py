"""A lease lapses when its holder is silent, not when a clock jumps."""

from farandole.eventstore.sqlite.lease import Lease, View, Watch

SESSION = 10_000


def a_view(until: int, incarnation: str = "1") -> View:
    return View({"cook": Lease("cook", incarnation, until, SESSION)}, {})


def names(leases: frozenset[Lease]) -> list[str]:
    return [lease.name for lease in leases]


def test_a_lease_that_is_renewed_stands() -> None:
    watch = Watch()
    for second in range(0, 60, 3):
        assert names(watch.lapsed(a_view(second * 1000 + SESSION), second * 1000, second)) == []


def test_a_lease_that_ended_before_anyone_looked_has_lapsed() -> None:
    assert names(Watch().lapsed(a_view(until=1_000), 50_000, 0)) == ["cook"]


def test_a_lease_that_is_no_longer_renewed_lapses_after_a_session() -> None:
    watch = Watch()
    assert names(watch.lapsed(a_view(10_000), 0, 0)) == []
    assert names(watch.lapsed(a_view(13_000), 3_000, 3)) == []
    assert names(watch.lapsed(a_view(13_000), 12_900, 12.9)) == []
    assert names(watch.lapsed(a_view(13_000), 13_100, 13.1)) == ["cook"]


def test_a_living_member_is_not_put_out_when_the_clock_jumps_forward() -> None:
    watch = Watch()
    watch.lapsed(a_view(10_000), 0, 0)
    watch.lapsed(a_view(13_000), 3_000, 3)
    assert names(watch.lapsed(a_view(13_000), 3_600_000, 4)) == []


def test_a_dead_member_is_put_out_though_the_clock_went_back() -> None:
    watch = Watch()
    assert names(watch.lapsed(a_view(3_610_000), 0, 0)) == []
    assert names(watch.lapsed(a_view(3_610_000), 9_000, 9)) == []
    assert names(watch.lapsed(a_view(3_610_000), 11_000, 11)) == ["cook"]


def test_a_living_member_stays_though_the_clock_went_back() -> None:
    watch = Watch()
    assert names(watch.lapsed(a_view(3_610_000), 3_600_000, 0)) == []
    assert names(watch.lapsed(a_view(13_000), 3_000, 3)) == []
    assert names(watch.lapsed(a_view(16_000), 6_000, 6)) == []


def test_a_name_that_comes_back_in_another_process_is_judged_anew() -> None:
    watch = Watch()
    watch.lapsed(a_view(10_000), 0, 0)
    watch.lapsed(a_view(13_000), 3_000, 3)
    assert names(watch.lapsed(a_view(14_000, incarnation="2"), 15_000, 4)) == ["cook"]
