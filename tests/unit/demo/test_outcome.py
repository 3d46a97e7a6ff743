from sensor.alerts.incident import Event, Kind
from sensor.demo.outcome import Outcome
from sensor.demo.traffic import BULK_MAIL_HOST, C2_HOST


def event(rule: str, host: str, kind: Kind = Kind.OPEN) -> Event:
    return Event(kind, 1, ("text",), rule=rule, host=host)


def test_nothing_found_means_that_both_are_missing() -> None:
    assert len(Outcome().missing()) == 2


def test_both_found_means_that_nothing_is_missing() -> None:
    outcome = Outcome()
    outcome.take(event("watchlist.ip", C2_HOST))
    assert outcome.missing() == [f"smtp.bulk or smtp.fanout for {BULK_MAIL_HOST}"]
    outcome.take(event("smtp.fanout", BULK_MAIL_HOST))
    assert outcome.missing() == []


def test_an_alert_for_another_host_does_not_count() -> None:
    outcome = Outcome()
    outcome.take(event("watchlist.ip", BULK_MAIL_HOST))
    outcome.take(event("smtp.bulk", C2_HOST))
    assert len(outcome.missing()) == 2


def test_only_an_opening_counts() -> None:
    outcome = Outcome()
    outcome.take(event("watchlist.ip", C2_HOST, Kind.UPDATE))
    assert len(outcome.missing()) == 2


def test_the_latest_events_are_kept_and_bounded() -> None:
    outcome = Outcome()
    for number in range(50):
        outcome.take(event(f"rule{number}", "10.0.0.1"))
    assert [event.rule for event in outcome.latest][-1] == "rule49"
    assert len(outcome.latest) < 20
