//! What is a beacon, and what only looks like one.

use std::time::Duration;

use app::AppProtocol;
use wire::{Endpoint, FiveTuple};

use super::*;
use crate::flow::{Counts, FlowEnd, FlowState};
use crate::names::NameSource;

const SECOND: u64 = 1_000_000_000;
const START: u64 = 1_700_000_000 * SECOND;
const MINUTE: f64 = 60.0;
const SERVER: [u8; 4] = [203, 0, 113, 9];

fn config() -> BeaconConfig {
    BeaconConfig {
        calls: 20,
        span: Duration::from_secs(1800),
        jitter_ratio: 0.25,
        fit_ratio: 0.9,
        call_bytes: 128 << 10,
        popular_hosts: 10,
        ignore_ports: vec![123],
        ignore_networks: Networks::new(&[("198.51.100.0".parse().expect("an address"), 24)]),
        ignore_domains: vec!["health.example".into()],
    }
}

/// Dice that fall the same in every run (Marsaglia's xorshift).
struct Dice(u64);

impl Dice {
    /// Between 0 and 1.
    fn roll(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Around `middle`, at most `share` of it away.
    fn around(&mut self, middle: f64, share: f64) -> f64 {
        middle * (1.0 + share * (2.0 * self.roll() - 1.0))
    }
}

fn record(host: u8, server: [u8; 4], start_seconds: f64, bytes: [u64; 2]) -> FlowRecord {
    let start_ns = START + (start_seconds * 1e9) as u64;
    let totals = bytes.map(|bytes| Counts { packets: 5, bytes });
    FlowRecord {
        time_ns: start_ns + SECOND,
        flow_id: 1,
        tuple: FiveTuple {
            orig: Endpoint { address: Address::v4([10, 20, 3, host]), port: 50_000 },
            resp: Endpoint { address: Address::v4(server), port: 443 },
            protocol: wire::protocol::TCP,
        },
        start_ns,
        last_ns: start_ns + SECOND / 2,
        counts: totals,
        totals,
        tcp_flags: [0; 2],
        state: FlowState::Closed,
        end: FlowEnd::Fin,
        alerted: false,
        macs: [Mac([2, 0, 0, 0, 0, host]), Mac::default()],
        vlans: [20].into_iter().collect(),
        layers: None,
        quoted: None,
        interface: 0,
        file_frame: 0,
        internal: [true, false],
        app: AppProtocol::Tls,
        app_before: None,
        name: None,
    }
}

fn named(mut record: FlowRecord, name: &str) -> FlowRecord {
    record.name = Some((name.into(), NameSource::Client(AppProtocol::Unknown)));
    record
}

fn watch() -> BeaconWatch {
    let internal = Networks::new(&[("10.0.0.0".parse().expect("an address"), 8)]);
    BeaconWatch::new(config(), internal, Networks::new(&[("203.0.113.25".parse().expect("an address"), 32)]))
}

/// What the watch says of these records, taken in the order in which they came.
fn judge(watch: &mut BeaconWatch, mut records: Vec<FlowRecord>) -> Vec<BeaconFinding> {
    records.sort_by_key(|record| record.time_ns);
    let mut findings = Vec::new();
    for record in records {
        let time_ns = record.time_ns;
        watch.take(&[record], time_ns, &mut findings);
    }
    findings
}

/// Calls with these distances in seconds, each of the usual size.
fn calls(distances: impl IntoIterator<Item = f64>) -> Vec<FlowRecord> {
    let mut at = 0.0;
    let mut next = |distance| {
        at += distance;
        record(44, SERVER, at, [900, 4200])
    };
    distances.into_iter().map(&mut next).collect()
}

/// Somebody reading: pages of several sites, each with connections side by side, at a reader's pace.
fn browsing(seconds: f64, dice: &mut Dice) -> Vec<FlowRecord> {
    let mut records = Vec::new();
    let mut at = 0.0;
    while at < seconds {
        at -= 25.0 * dice.roll().max(1e-9).ln();
        let site = (dice.roll() * dice.roll() * 12.0) as u8;
        for connection in 0..1 + (dice.roll() * 6.0) as u8 {
            let size = [600 + (dice.roll() * 4000.0) as u64, 2000 + (dice.roll() * 300_000.0) as u64];
            let moment = at + f64::from(connection) * 0.05;
            records.push(named(record(44, [192, 0, 2, site], moment, size), &format!("site{site}.example")));
        }
    }
    records
}

#[test]
fn a_call_a_minute_with_thirty_percent_of_jitter_shows_among_browsing_within_the_hour() {
    for seed in 1..=20 {
        let mut dice = Dice(seed * 7919);
        let mut records = browsing(3600.0, &mut dice);
        records.extend(calls((0..58).map(|_| dice.around(MINUTE, 0.3))));
        let findings = judge(&mut watch(), records);
        let last = findings.last().unwrap_or_else(|| panic!("seed {seed}: nothing was found"));
        assert!(findings.iter().all(|finding| finding.address == Address::v4(SERVER)), "seed {seed}: {findings:?}");
        assert!((56..=58).contains(&last.calls), "seed {seed}: {last:?}");
        assert_eq!((last.port, last.bytes), (443, [900, 4200].map(|bytes| bytes * last.calls)), "seed {seed}");
        assert!((50 * SECOND..70 * SECOND).contains(&last.interval_ns), "seed {seed}: {last:?}");
        assert!((0.08..0.25).contains(&last.jitter_ratio), "seed {seed}: {last:?}");
        assert_eq!((last.host, last.mac), (Address::v4([10, 20, 3, 44]), Mac([2, 0, 0, 0, 0, 44])));
    }
}

#[test]
fn five_minutes_with_ten_percent_of_jitter_show_over_six_hours() {
    let mut dice = Dice(5);
    let findings = judge(&mut watch(), calls((0..71).map(|_| dice.around(5.0 * MINUTE, 0.1))));
    let (first, last) = (findings.first().expect("a beacon"), findings.last().expect("a beacon"));
    assert_eq!((first.calls, last.calls), (20, 71));
    assert_eq!(last.since_ns, first.since_ns);
    assert!((270..330).contains(&((last.since_ns - START) / SECOND)), "the first call");
}

#[test]
fn missed_beats_do_not_hide_a_beacon() {
    let mut dice = Dice(77);
    let distances = (0..60).map(|_| {
        let beats = if dice.roll() < 0.25 { 2 + (dice.roll() * 2.0) as u32 } else { 1 };
        (0..beats).map(|_| dice.around(MINUTE, 0.1)).sum::<f64>()
    });
    let findings = judge(&mut watch(), calls(distances.collect::<Vec<_>>()));
    let last = findings.last().expect("a beacon");
    assert!((57 * SECOND..66 * SECOND).contains(&last.interval_ns), "{last:?}");
}

#[test]
fn a_name_whose_address_changes_is_one_remote() {
    let moving = |number: u8| {
        let name = if number % 2 == 0 { "C2.example." } else { "c2.example" };
        named(record(44, [203, 0, 113, number + 30], f64::from(number) * 120.0, [900, 900]), name)
    };
    let findings = judge(&mut watch(), (0..30).map(moving).collect());
    let last = findings.last().expect("a beacon");
    assert_eq!((last.name.as_deref(), last.address), (Some("c2.example"), Address::v4([203, 0, 113, 59])));
    let nameless = (0..30).map(|number| FlowRecord { name: None, ..moving(number) }).collect();
    assert_eq!(judge(&mut watch(), nameless), []);
}

#[test]
fn too_few_calls_or_too_short_a_time_are_none() {
    let watch_of = |count: usize, distance: f64| judge(&mut watch(), calls(vec![distance; count])).len();
    assert_eq!(watch_of(19, 5.0 * MINUTE), 0);
    assert_eq!(watch_of(20, 5.0 * MINUTE), 1);
    assert_eq!(watch_of(60, 10.0), 0, "a page that asks again and again for ten minutes");
    assert_eq!(watch_of(400, 1.0), 0, "a client at work");
    assert_eq!(watch_of(60, 3600.0), 0, "every hour");
}

#[test]
fn chance_and_people_are_no_beacon() {
    for seed in 1..=40 {
        let mut dice = Dice(seed * 104_729);
        let random = calls((0..200).map(|_| -40.0 * dice.roll().max(1e-9).ln()));
        assert_eq!(judge(&mut watch(), random), [], "seed {seed}: calls at random");
        let reading = browsing(4.0 * 3600.0, &mut dice);
        assert_eq!(judge(&mut watch(), reading), [], "seed {seed}: somebody reading");
    }
}

#[test]
fn who_fetches_or_stores_much_or_unlike_things_is_no_beacon() {
    let sized = |size: fn(u64) -> [u64; 2]| {
        let records = calls(vec![MINUTE; 60]).into_iter().zip(0..);
        let resized = records.map(|(old, number)| {
            let totals = size(number).map(|bytes| Counts { packets: 9, bytes });
            FlowRecord { counts: totals, totals, ..old }
        });
        judge(&mut watch(), resized.collect()).len()
    };
    assert!(sized(|_| [900, 4200]) > 0);
    assert_eq!(sized(|_| [900, 2_000_000]), 0, "updates");
    assert_eq!(sized(|_| [50_000_000, 4200]), 0, "a backup");
    assert_eq!(sized(|number| [400 << (number % 7), 4200]), 0, "sizes all over");
}

#[test]
fn what_many_hosts_call_alike_is_a_service() {
    let office = |hosts: u8, callers: u8| {
        let calling = |host: u8| {
            calls(vec![MINUTE; 60]).into_iter().map(move |call| FlowRecord {
                tuple: FiveTuple { orig: Endpoint { address: Address::v4([10, 20, 3, host]), port: 1 }, ..call.tuple },
                ..call
            })
        };
        let mut records: Vec<_> = (0..callers).flat_map(calling).collect();
        records.extend((0..hosts).map(|host| record(host, [192, 0, 2, host], 1.0, [1, 1])));
        judge(&mut watch(), records).len()
    };
    assert!(office(30, 9) > 0, "a few of many");
    assert_eq!(office(30, 10), 0, "popular");
    assert!(office(7, 3) > 0);
    assert_eq!(office(6, 3), 0, "half of a small place");
    assert!(office(2, 2) > 0, "two are not many");
}

#[test]
fn exempt_are_services_of_the_place_and_what_is_ignored() {
    let to = |server: [u8; 4], port: u16, name: Option<&str>| {
        let redirect = |call: FlowRecord| {
            let resp = Endpoint { address: Address::v4(server), port };
            let moved = FlowRecord { tuple: FiveTuple { resp, ..call.tuple }, ..call };
            name.map_or_else(|| moved.clone(), |name| named(moved.clone(), name))
        };
        judge(&mut watch(), calls(vec![MINUTE; 60]).into_iter().map(redirect).collect()).len()
    };
    assert!(to(SERVER, 443, None) > 0);
    assert!(to(SERVER, 443, Some("unhealth.example")) > 0, "another domain");
    for (server, port, name, why) in [
        (SERVER, 123, None, "the time"),
        ([10, 20, 0, 5], 443, None, "an internal backup or check"),
        ([203, 0, 113, 25], 443, None, "the own mail server"),
        ([198, 51, 100, 7], 443, None, "an ignored network"),
        (SERVER, 443, Some("eu.Health.example"), "in an ignored domain"),
        (SERVER, 443, Some("health.example"), "an ignored domain"),
        ([239, 255, 255, 250], 1900, None, "a group"),
        ([169, 254, 169, 254], 80, None, "the own link"),
        ([255, 255, 255, 255], 67, None, "everybody"),
    ] {
        assert_eq!(to(server, port, name), 0, "{why}");
    }
}

#[test]
fn a_lasting_connection_calls_once_and_connections_side_by_side_are_one_call() {
    let mut lasting = calls(vec![5.0 * MINUTE; 60]);
    for record in &mut lasting {
        record.totals[ORIG].bytes += 1;
    }
    assert_eq!(judge(&mut watch(), lasting), [], "later records of one flow");
    let pairs = calls(vec![2.0 * MINUTE; 30]).into_iter().flat_map(|call| {
        let beside = FlowRecord { start_ns: call.start_ns + SECOND, ..call.clone() };
        [beside, call]
    });
    assert_eq!(judge(&mut watch(), pairs.collect()).last().expect("a beacon").calls, 30);
}

#[test]
fn calls_of_which_is_heard_late_stand_where_they_began() {
    let late = calls(vec![MINUTE; 60]).into_iter().zip(0..).map(|(call, number)| {
        let wait = if number % 3 == 0 { 300 * SECOND } else { SECOND };
        FlowRecord { time_ns: call.start_ns + wait, ..call }
    });
    let findings = judge(&mut watch(), late.collect());
    let last = findings.last().expect("a beacon");
    assert_eq!((last.interval_ns, last.calls), (60 * SECOND, 60));
}

#[test]
fn a_beacon_is_said_again_once_a_minute_at_most() {
    let findings = judge(&mut watch(), calls(vec![10.0; 300]));
    let times: Vec<u64> = findings.iter().map(|finding| finding.time_ns).collect();
    assert!(times.len() > 10 && times.windows(2).all(|pair| pair[1] - pair[0] >= REPEAT_NS), "{times:?}");
}

#[test]
fn a_flood_of_remotes_stays_bounded_and_leaves_the_beacon() {
    let mut watch = watch();
    watch.max_pairs = 2048;
    let mut records = calls(vec![MINUTE; 40]);
    for number in 0..20_000_u32 {
        let [_, high, middle, low] = number.to_be_bytes();
        records.push(record(middle, [192, high, middle, low], f64::from(number) * 0.11, [1, 1]));
    }
    let findings = judge(&mut watch, records);
    assert!(findings.iter().any(|finding| finding.address == Address::v4(SERVER)));
    assert!(watch.len() <= 2048);
    assert_eq!(watch.evicted(), 0, "what was called once or twice went");
    assert_eq!(watch.callers.values().sum::<u32>() as usize, watch.len());
    assert_eq!(watch.hosts.values().sum::<u32>() as usize, watch.len());
    for number in 0..3000_u16 {
        let [high, low] = number.to_be_bytes();
        let often: Vec<_> =
            (0..4).map(|call| record(45, [192, 1, high, low], f64::from(call) * 10.0, [1, 1])).collect();
        watch.take(&often, START, &mut Vec::new());
    }
    assert!(watch.len() <= 2048 && watch.evicted() > 0);
}
