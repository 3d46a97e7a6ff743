//! What the table knows of a host.

use wire::{Endpoint, FiveTuple};

use super::*;

const PC: [u8; 4] = [10, 0, 0, 1];

fn delta(orig: [u8; 4], resp: [u8; 4], resp_port: u16, last_ns: u64) -> FlowDelta {
    FlowDelta {
        tuple: FiveTuple {
            orig: Endpoint { address: Address::v4(orig), port: 50_000 },
            resp: Endpoint { address: Address::v4(resp), port: resp_port },
            protocol: 6,
        },
        counts: [Counts { packets: 2, bytes: 100 }, Counts { packets: 1, bytes: 1000 }],
        start_ns: last_ns,
        last_ns,
        internal: [orig[0] == 10, resp[0] == 10],
        macs: [Mac([2, 0, 0, 0, 0, orig[3]]), Mac([2, 0, 0, 0, 0, resp[3]])],
        vlans: [20].into_iter().collect(),
        interface: 3,
        opened: true,
        answered: true,
        met: true,
        ended: None,
    }
}

#[test]
fn a_host_sums_up_its_flows() {
    let mut hosts = HostTable::new(10);
    hosts.open_second(7);
    hosts.apply(&delta(PC, [203, 0, 113, 9], 443, 5));
    hosts.apply(&delta(PC, [203, 0, 113, 10], 443, 9));
    let interim = FlowDelta { opened: false, met: false, ..delta(PC, [203, 0, 113, 10], 443, 12) };
    hosts.apply(&interim);
    assert_eq!(hosts.len(), 1, "only what is internal is a host");
    let host = hosts.get(&Address::v4(PC)).expect("the host");
    assert_eq!((host.flows, host.peers(), host.first_seen_ns, host.last_seen_ns), (2, 2, 5, 12));
    assert_eq!(host.sent, Counts { packets: 6, bytes: 300 });
    assert_eq!(host.received, Counts { packets: 3, bytes: 3000 });
    assert_eq!((host.mac, &host.vlans[..], host.interface), (Mac([2, 0, 0, 0, 0, 1]), &[20][..], 3));
    assert_eq!(hosts.rates(host), [300, 3000]);
    hosts.open_second(8);
    assert_eq!(hosts.rates(hosts.get(&Address::v4(PC)).expect("the host")), [0, 0]);
}

#[test]
fn a_served_port_is_one_that_was_answered() {
    let mut hosts = HostTable::new(10);
    hosts.apply(&delta([203, 0, 113, 9], PC, 80, 1));
    hosts.apply(&FlowDelta { answered: false, ..delta([203, 0, 113, 9], PC, 23, 2) });
    hosts.apply(&delta([203, 0, 113, 9], PC, 80, 3));
    assert_eq!(hosts.get(&Address::v4(PC)).expect("the host").served, [(6, 80)]);
}

#[test]
fn the_order_of_deltas_in_a_second_does_not_matter() {
    let deltas = [
        delta(PC, [203, 0, 113, 9], 443, 5),
        FlowDelta { macs: [Mac([9; 6]); 2], ..delta(PC, [203, 0, 113, 10], 443, 5) },
        FlowDelta { vlans: ArrayVec::new(), ..delta(PC, [203, 0, 113, 11], 443, 5) },
    ];
    let known = |order: [usize; 3]| {
        let mut hosts = HostTable::new(10);
        for index in order {
            hosts.apply(&deltas[index]);
        }
        let host = hosts.get(&Address::v4(PC)).expect("the host").clone();
        (host.mac, host.vlans, host.interface, host.sent)
    };
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert_eq!(known(order), known([0, 1, 2]), "{order:?}");
    }
}

#[test]
fn a_flood_evicts_the_unanswered_first_and_stays_bounded() {
    let mut hosts = HostTable::new(100);
    hosts.apply(&delta(PC, [203, 0, 113, 9], 443, 1));
    for scan in 0..10_000_u32 {
        let [_, a, b, c] = scan.to_be_bytes();
        let spoofed =
            FlowDelta { answered: false, ..delta([10, 1 + a, b, c], [203, 0, 113, 9], 443, 100 + u64::from(scan)) };
        hosts.apply(&spoofed);
    }
    assert!(hosts.len() <= 100);
    assert!(hosts.get(&Address::v4(PC)).is_some(), "who was answered stays");
    assert_eq!(hosts.len() as u64 + hosts.evicted(), 10_001);
    assert!(hosts.peers <= 100 * PEERS_PER_HOST);
}

#[test]
fn peers_are_bounded_over_all_hosts_and_what_is_left_out_is_counted() {
    let mut hosts = HostTable::new(2);
    for peer in 0..50 {
        hosts.apply(&delta(PC, [203, 0, 113, peer], 443, 1));
    }
    assert_eq!(hosts.get(&Address::v4(PC)).expect("the host").peers(), 2 * PEERS_PER_HOST);
    assert_eq!(hosts.peers_forgotten(), 50 - 2 * PEERS_PER_HOST as u64);
}

#[test]
fn a_host_that_was_forgotten_learns_its_peer_from_a_flow_that_goes_on() {
    let mut hosts = HostTable::new(10);
    hosts.apply(&FlowDelta { opened: false, met: false, ..delta(PC, [203, 0, 113, 9], 443, 5) });
    let host = hosts.get(&Address::v4(PC)).expect("the host");
    assert_eq!((host.flows, host.peers()), (0, 1));
}
