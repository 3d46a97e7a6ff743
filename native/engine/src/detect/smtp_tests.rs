//! When a host counts as a bulk mailer, and when not.

use std::time::Duration;

use wire::{Endpoint, FiveTuple};

use super::*;
use crate::flow::Counts;

const SECOND_NS: u64 = 1_000_000_000;

fn config() -> SmtpConfig {
    SmtpConfig {
        fanout_servers: 5,
        bulk_servers: 20,
        bulk_connections_10m: 30,
        bulk_connections_1h: 300,
        reject_ratio: 0.3,
        reject_connections: 20,
        reject_time: Duration::from_secs(5),
        reject_bytes: 1024,
    }
}

/// A host that connects, and the windows that watch it.
struct Office {
    watch: SmtpWatch,
    findings: Vec<Finding>,
    connections: u16,
}

impl Office {
    fn new() -> Self {
        let exempt = Networks::new(&[("10.0.0.25".parse().expect("an address"), 32)]);
        Self { watch: SmtpWatch::new(config(), exempt), findings: Vec::new(), connections: 0 }
    }

    fn connect(&mut self, host: u8, server: u8, port: u16, second: u64, ended: Option<Ending>) {
        self.connections += 1;
        let own = Endpoint { address: Address::v4([10, 0, 0, host]), port: 10_000 + self.connections };
        let resp = Endpoint { address: Address::v4([198, 51, 100, server]), port };
        let delta = FlowDelta {
            tuple: FiveTuple { orig: own, resp, protocol: 6 },
            counts: [Counts { packets: 1, bytes: 60 }; 2],
            start_ns: second * SECOND_NS,
            last_ns: second * SECOND_NS,
            internal: [true, false],
            macs: [Mac([2, 0, 0, 0, 0, host]), Mac::default()],
            vlans: ArrayVec::new(),
            interface: 0,
            opened: true,
            answered: true,
            met: true,
            ended,
        };
        self.watch.apply(&delta, second);
        self.watch.judge(second, second * SECOND_NS, &mut self.findings);
    }

    fn rules(&self) -> Vec<&'static str> {
        self.findings.iter().map(|finding| finding.rule).collect()
    }
}

#[test]
fn five_servers_on_port_25_are_a_fanout_and_four_are_not() {
    let mut office = Office::new();
    for server in 1..=4 {
        office.connect(1, server, 25, 100 + u64::from(server), None);
    }
    assert!(office.findings.is_empty());
    office.connect(1, 5, 25, 110, None);
    assert_eq!(office.rules(), ["smtp.fanout"]);
    let finding = &office.findings[0];
    assert_eq!((finding.count, finding.servers, finding.mac), (5, 5, Mac([2, 0, 0, 0, 0, 1])));
    assert_eq!(finding.examples.len(), 5);
}

#[test]
fn what_lies_ten_minutes_back_no_longer_counts() {
    let mut office = Office::new();
    for server in 1..=20 {
        office.connect(1, server, 25, 1000 + u64::from(server) * 200, None);
    }
    assert!(office.findings.is_empty(), "{:?}", office.rules());
}

#[test]
fn many_connections_to_one_server_are_bulk_on_every_mail_port() {
    for port in MAIL_PORTS {
        let mut office = Office::new();
        for connection in 0..30 {
            assert!(office.findings.is_empty());
            office.connect(1, 1, port, 1000 + connection, None);
        }
        assert_eq!(office.rules(), ["smtp.bulk"]);
        assert_eq!((office.findings[0].count, office.findings[0].window_seconds), (30, 600));
    }
}

#[test]
fn a_slow_bulk_mailer_shows_in_the_hour() {
    let mut office = Office::new();
    for connection in 0..300_u64 {
        office.connect(1, 1, 587, 10_000 + connection * 11 + connection / 2, None);
    }
    assert!(office.rules().is_empty() || office.findings[0].window_seconds == 600);
    let mut office = Office::new();
    let config = SmtpConfig { bulk_connections_10m: 100, ..config() };
    office.watch = SmtpWatch::new(config, Networks::default());
    for connection in 0..300 {
        office.connect(1, 1, 587, 10_000 + connection * 11, None);
    }
    assert_eq!(office.rules(), ["smtp.bulk"]);
    assert_eq!((office.findings[0].count, office.findings[0].window_seconds), (300, 3600));
}

#[test]
fn rejects_are_connections_that_the_server_ended_early() {
    let orig = Counts { packets: 6, bytes: 6 * 40 + 200 };
    let early = Ending { by_responder: true, duration_ns: SECOND_NS, orig };
    let long = Counts { packets: 60, bytes: 60 * 40 + 90_000 };
    let delivered = Ending { by_responder: true, duration_ns: 30 * SECOND_NS, orig: long };
    let by_client = Ending { by_responder: false, ..early };
    for (ending, rejected) in [(early, true), (delivered, false), (by_client, false)] {
        let mut office = Office::new();
        for connection in 0..20 {
            office.connect(1, 1, 587, 100 + connection, Some(ending));
        }
        assert_eq!(office.rules().contains(&"smtp.rejects"), rejected, "{ending:?}");
    }
}

#[test]
fn mail_servers_and_other_ports_are_exempt() {
    let mut office = Office::new();
    for server in 1..=40 {
        office.connect(25, server, 25, 100, None);
        office.connect(1, server, 443, 100, None);
    }
    assert!(office.findings.is_empty());
}

#[test]
fn a_condition_that_lasts_is_told_every_ten_seconds() {
    let mut office = Office::new();
    for second in 0..31 {
        office.connect(1, (second % 6) as u8, 25, 1000 + second, None);
    }
    let told: Vec<_> =
        office.findings.iter().filter(|f| f.rule == "smtp.fanout").map(|f| f.time_ns / SECOND_NS).collect();
    assert_eq!(told, [1004, 1014, 1024]);
}

#[test]
fn a_flood_of_senders_and_servers_stays_bounded() {
    let mut office = Office::new();
    let mut delta_host = 1000_u32;
    for second in 0..(MAX_HOSTS as u64 + 500) {
        delta_host += 1;
        let bytes = delta_host.to_be_bytes();
        let tuple = FiveTuple {
            orig: Endpoint { address: Address::v4([10, bytes[1], bytes[2], bytes[3]]), port: 1 },
            resp: Endpoint { address: Address::v4([198, 51, bytes[2], bytes[3]]), port: 25 },
            protocol: 6,
        };
        let delta = FlowDelta {
            tuple,
            counts: [Counts::default(); 2],
            start_ns: 0,
            last_ns: second,
            internal: [true, false],
            macs: [Mac::default(); 2],
            vlans: ArrayVec::new(),
            interface: 0,
            opened: true,
            answered: false,
            met: true,
            ended: None,
        };
        office.watch.apply(&delta, second);
    }
    assert!(office.watch.senders.len() <= MAX_HOSTS);
    assert_eq!(office.watch.senders.len() as u64 + office.watch.evicted(), MAX_HOSTS as u64 + 500);
}
