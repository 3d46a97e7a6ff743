use super::*;
use crate::config::Mode;
use crate::testing::*;

const OTHER: End = End([10, 20, 3, 45], 50_000);
const HTTPS: End = End([203, 0, 113, 9], 443);
const DNS: End = End([203, 0, 113, 9], 53);

fn records(frames: &[(u64, Vec<u8>)]) -> Vec<FlowRecord> {
    let mut bench = Bench::new(Mode::Read, 1000);
    bench.feed(frames);
    bench.records()
}

fn office() -> Vec<FlowRecord> {
    records(&[
        (0, udp(PC, DNS, b"what")),
        (SECOND, udp(DNS, PC, b"that and that")),
        (2 * SECOND, udp(OTHER, HTTPS, &[0; 1000])),
        (5 * SECOND, udp(HTTPS, OTHER, b"ok")),
        (9 * SECOND, udp(End(PC.0, 50_001), DNS, b"again")),
    ])
}

fn rows(records: &[FlowRecord], limit: usize) -> TrafficRows {
    let mut traffic = Traffic::default();
    traffic.take(records);
    traffic.rows(limit, &["day.pcap".to_owned()])
}

#[test]
fn flows_between_the_same_ends_are_one_conversation() {
    let rows = rows(&office(), 10);
    let [busy, quiet] = &rows.conversations[..] else { panic!("{rows:?}") };
    assert_eq!((&*busy.source, &*busy.destination, busy.port), ("10.20.3.45", "203.0.113.9", Some(443)));
    assert_eq!((busy.bytes_toserver, busy.bytes_toclient, busy.packets), (1028, 30, 2));
    assert_eq!((&*quiet.source, quiet.port, &*quiet.proto), ("10.20.3.44", Some(53), "UDP"));
    assert_eq!((quiet.flows, quiet.packets), (2, 3));
    assert_eq!((quiet.first_ns, quiet.last_ns), (START, START + 9 * SECOND));
    assert_eq!(&*quiet.file, "day.pcap");
    assert_eq!(rows.left_out, 0);
}

#[test]
fn hosts_are_the_internal_ends() {
    let rows = rows(&office(), 10);
    let hosts: Vec<_> = rows.hosts.iter().map(|host| (&*host.ip, host.bytes_out, host.bytes_in, host.flows)).collect();
    assert_eq!(hosts, [("10.20.3.45", 1028, 30, 1), ("10.20.3.44", 65, 41, 2)]);
}

#[test]
fn an_interim_record_is_no_flow_of_its_own() {
    let whole = office();
    let interim: Vec<_> = whole.iter().map(|record| FlowRecord { end: FlowEnd::Active, ..record.clone() }).collect();
    let both = rows(&[interim, whole].concat(), 10);
    let flows: Vec<_> = both.protocols.iter().map(|protocol| protocol.flows).collect();
    assert_eq!(flows.iter().sum::<u64>(), 3);
    assert_eq!(both.protocols.iter().map(|protocol| protocol.packets).sum::<u64>(), 10);
    assert_eq!(both.timeline.iter().map(|step| step.packets).sum::<u64>(), 10);
}

#[test]
fn the_busiest_are_told_and_the_rest_is_counted() {
    let rows = rows(&office(), 1);
    assert_eq!((rows.conversations.len(), rows.hosts.len()), (1, 1));
    let [record] = &records(&[(0, udp(PC, DNS, b"what"))])[..] else { panic!("one record") };
    let mut traffic = Traffic::default();
    for number in 0..MAX_CONVERSATIONS as u32 + 5 {
        let mut other = record.clone();
        other.tuple.resp.address = Address::v4(number.to_be_bytes());
        traffic.take(&[other.clone(), other]);
    }
    let rows = traffic.rows(usize::MAX, &[]);
    assert_eq!((rows.conversations.len(), rows.left_out), (MAX_CONVERSATIONS, 10));
    assert_eq!(rows.protocols[0].packets, 2 * (MAX_CONVERSATIONS as u64 + 5));
}
