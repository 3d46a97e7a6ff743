//! What is told of a mirror, and when.

use arrayvec::ArrayVec;
use wire::{Address, EncapsulationKind};

use super::super::source::SessionKey;
use super::*;
use crate::config::SubnetConfig;
use crate::networks::Networks;

const FIRST: u64 = 1_000_000;

fn health(config: MirrorConfig) -> MirrorHealth {
    MirrorHealth::new(config, vec!["eth1".to_owned(), "eth2".to_owned()].into())
}

fn delta(interface: u16, change: impl Fn(&mut SourceCounts)) -> SourceDelta {
    let mut counts = SourceCounts { frames: 100, bytes: 10_000, unicast_frames: 100, ..Default::default() };
    change(&mut counts);
    let key = SourceKey { interface, session: None };
    SourceDelta { key, counts, sequences: SequenceRuns::default(), vlans: ArrayVec::new() }
}

fn told(changes: &[ConditionChange]) -> Vec<(&str, &str, bool)> {
    changes.iter().map(|change| (change.rule, change.source.as_str(), change.over)).collect()
}

#[test]
fn a_fault_is_told_once_repeated_after_ten_minutes_and_over_when_the_window_is_well() {
    let mut health = health(MirrorConfig::default());
    let mut changes = Vec::new();
    for second in 0..=1300 {
        let bad = delta(0, |counts| counts.duplicate_frames[0] = if second <= 700 { 40 } else { 0 });
        let now = health.take(FIRST + second, second, vec![bad]);
        changes.extend(now.into_iter().map(|change| (second, change.over)));
    }
    // 40 copies a second stay above 5 % of the window until fewer than 8 seconds with them are left in it.
    assert_eq!(changes, [(0, false), (600, false), (753, true)]);
    assert_eq!(health.report()["verdict"], "ok");
}

#[test]
fn what_is_quiet_stays_as_it_was() {
    let mut health = health(MirrorConfig::default());
    let one_sided = |counts: &mut SourceCounts| (counts.tcp_flows, counts.tcp_one_sided_flows) = (10, 10);
    assert_eq!(told(&health.take(FIRST, 0, vec![delta(0, one_sided)])), [("mirror.one-sided", "eth1", false)]);
    assert!(health.take(FIRST + 500, 0, vec![delta(0, |_| ())]).is_empty());
    assert_eq!(health.report()["verdict"], "blind");
    let both = |counts: &mut SourceCounts| counts.tcp_flows = 10;
    assert_eq!(told(&health.take(FIRST + 501, 0, vec![delta(0, both)])), [("mirror.one-sided", "eth1", true)]);
}

#[test]
fn one_blind_source_of_two_degrades() {
    let mut health = health(MirrorConfig::default());
    let flooded = delta(1, |counts| counts.unicast_frames = 0);
    health.take(FIRST, 0, vec![delta(0, |_| ()), flooded]);
    let report = health.report();
    assert_eq!((&report["verdict"], &report["reasons"][0]["source"]), (&json!("degraded"), &json!("eth2")));
}

#[test]
fn a_session_is_joined_over_workers() {
    let mut health = health(MirrorConfig::default());
    let session = SessionKey {
        kind: EncapsulationKind::ErspanII,
        origin: Address::v4([192, 0, 2, 1]),
        destination: Address::v4([192, 0, 2, 9]),
        number: 7,
    };
    let part = |numbers: &[u32]| {
        let mut own = delta(0, |_| ());
        own.key.session = Some(session);
        numbers.iter().for_each(|&number| {
            own.sequences.take(number);
        });
        own
    };
    health.take(FIRST, 0, vec![part(&[1, 3, 5]), part(&[2, 7])]);
    health.take(FIRST + 1, 0, vec![part(&[30]), part(&[31])]);
    let source = &health.report()["sources"][0];
    assert_eq!(source["source"], "eth1 erspan_ii 192.0.2.1 session 7");
    assert_eq!(source["sequence_lost_frames"], 24);
    assert_eq!(health.report()["reasons"][0]["rule"], "mirror.loss");
}

#[test]
fn what_is_expected_is_missed_after_a_minute() {
    let expected_subnets = vec![SubnetConfig {
        text: "10.9.0.0/16".into(),
        network: Networks::new(&[("10.9.0.0".parse().expect("an address"), 16)]),
    }];
    let mut health = health(MirrorConfig { expected_vlans: vec![20, 30], expected_subnets, ..Default::default() });
    let tagged = || {
        let mut own = delta(0, |_| ());
        own.vlans.push(20);
        own
    };
    assert!(health.take(FIRST, 0, vec![tagged()]).is_empty());
    assert!(health.take(FIRST + 59, 0, vec![tagged()]).is_empty());
    let changes = health.take(FIRST + 60, 0, vec![tagged()]);
    assert_eq!(told(&changes), [("mirror.degraded", "mirror", false)]);
    assert_eq!(changes[0].figures["missing_vlans"], json!([30]));
    assert_eq!(changes[0].figures["missing_subnets"], json!(["10.9.0.0/16"]));
}

#[test]
fn a_full_port_is_told_by_its_speed() {
    let mut health = health(MirrorConfig { port_speed_bits_per_second: Some(80_000.0), ..Default::default() });
    let seconds = (0..3).map(|second| health.take(FIRST + second, 0, vec![delta(0, |_| ())]).len());
    assert_eq!(seconds.collect::<Vec<_>>(), [0, 0, 1]);
}

#[test]
fn the_whole_of_a_capture_shows_what_no_window_did() {
    let mut health = health(MirrorConfig::default());
    for minute in 0..10 {
        let one = delta(0, |counts| (counts.tcp_flows, counts.tcp_one_sided_flows) = (1, 1));
        assert!(health.take(FIRST + 100 * minute, 0, vec![one]).is_empty());
    }
    assert_eq!(told(&health.finish(0)), [("mirror.one-sided", "eth1", false)]);
    assert_eq!(health.report()["verdict"], "blind");
}
