//! Which second's deltas are taken when.

use serde_json::json;
use wire::Address;

use super::*;
use crate::networks::Networks;
use crate::testing::{Bench, End, PC, SERVER, udp};

/// What a worker says of second number `second`: `PC` has sent a packet.
fn said(worker: usize, second: u64, ahead: bool) -> SecondDelta {
    let mut bench = Bench::new(Mode::Read, 1);
    bench.feed(&[(0, udp(End(PC.0, 1000 + worker as u16), SERVER, b"a"))]);
    let deltas = bench.finish().0.into_iter().flat_map(|own| own.deltas).collect();
    SecondDelta { worker, second, ahead, deltas, ..SecondDelta::default() }
}

fn merge(workers: usize) -> Merge {
    let beacon = json!({"calls": 20, "span_seconds": 1800, "jitter_ratio": 0.25, "fit_ratio": 0.9, "call_bytes": 1024,
        "popular_hosts": 10, "ignore_ports": [], "ignore_networks": [], "ignore_domains": []});
    let smtp = json!({"fanout_servers": 5, "bulk_servers": 20, "bulk_connections_10m": 30, "bulk_connections_1h": 300,
        "reject_ratio": 0.3, "reject_connections": 20, "reject_seconds": 5, "reject_bytes": 1024});
    let beacon = serde_json::from_value(beacon).expect("settings of beacons");
    let smtp = serde_json::from_value(smtp).expect("settings of mail");
    let none = Networks::default;
    let tables = Tables {
        hosts: HostTable::new(10),
        smtp: SmtpWatch::new(smtp, none()),
        beacons: BeaconWatch::new(beacon, none(), none()),
        clicks: ClickWatch::new(none()),
        web: None,
    };
    let (notices, _) = crossbeam_channel::unbounded();
    let outlets = Outlets { log: None, records: None, notices, acknowledged: crossbeam_channel::never() };
    Merge::new(Mode::Read, workers, tables, outlets, Arc::default())
}

/// Packets that `PC` has sent, and bytes that it sent in the newest second.
fn sent(merge: &Merge) -> (u64, u64) {
    let host = merge.hosts.get(&Address::v4(PC.0));
    host.map_or((0, 0), |host| (host.sent.packets, merge.hosts.rates(host)[0]))
}

#[test]
fn deltas_ahead_of_their_second_are_taken_once_all_seconds_before_it_are() {
    let mut merge = merge(2);
    merge.take(said(0, 7, false));
    merge.take(said(0, 8, true));
    assert_eq!(sent(&merge), (0, 0), "worker 1 has more to say of second 7");
    merge.take(said(1, 7, false));
    assert_eq!(sent(&merge), (3, 29));
    merge.take(said(1, 8, true));
    merge.take(said(1, 8, false));
    assert_eq!(sent(&merge), (4, 2 * 29));
    merge.take(said(1, 9, true));
    assert_eq!(sent(&merge), (4, 2 * 29), "worker 0 has more to say of second 8");
    merge.take(said(0, 8, false));
    assert_eq!(sent(&merge), (7, 29), "second 9 is the newest one");
}
