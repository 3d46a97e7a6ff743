//! What a worker says of the mirror.

use crate::config::{Deduplicate, Mode};
use crate::flow::{ORIG, RESP};
use crate::mirror::{CopyKind, SourceCounts};
use crate::testing::*;

const MS: u64 = 1_000_000;

fn counts(bench: Bench) -> SourceCounts {
    let mut sum = SourceCounts::default();
    for source in bench.finish().0.into_iter().flat_map(|second| second.sources) {
        sum.add(source.counts);
    }
    sum
}

/// A segment with an acknowledgement number.
fn segment(from: End, to: End, sequence: u32, acknowledgement: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = tcp(from, to, ACK, sequence, payload);
    frame[42..46].copy_from_slice(&acknowledgement.to_be_bytes());
    // Each packet of a real stack has an identification of its own.
    frame[18..20].copy_from_slice(&((sequence ^ acknowledgement) as u16 | 1).to_be_bytes());
    frame
}

fn one_direction(port: u16) -> Vec<(u64, Vec<u8>)> {
    let client = End(PC.0, port);
    vec![
        (0, tcp(client, SERVER, SYN, 100, b"")),
        (1, segment(client, SERVER, 101, 900, b"")),
        (2, segment(client, SERVER, 101, 901, b"GET /")),
    ]
}

#[test]
fn a_connection_of_which_one_end_shows_is_one_sided_until_the_other_does() {
    let mut bench = Bench::new(Mode::Read, 10);
    bench.feed(&one_direction(1000));
    bench.feed(&[(2 * SECOND, segment(SERVER, End(PC.0, 1000), 901, 106, b"200"))]);
    bench.feed(&one_direction(1001));
    let counts = counts(bench);
    assert_eq!((counts.tcp_flows, counts.tcp_one_sided_flows), (2, 1));
}

#[test]
fn offline_too_a_missing_direction_is_told_in_the_second_that_shows_it() {
    let mut bench = Bench::new(Mode::Read, 10);
    let told: Vec<_> = one_direction(1000).into_iter().map(|(second, frame)| (second * SECOND, frame)).collect();
    bench.feed(&told);
    bench.feed(&[(3 * SECOND, udp(PC, SERVER, b"on"))]);
    let seconds = bench.finish().0.into_iter();
    let one_sided = seconds.filter(|own| own.sources.iter().any(|source| source.counts.tcp_one_sided_flows > 0));
    assert_eq!(one_sided.map(|own| own.second - START / SECOND).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_scan_a_refusal_and_a_lone_acknowledgement_are_not_one_sided() {
    let mut bench = Bench::new(Mode::Read, 100);
    for port in 1..20 {
        bench.feed(&(0..4).map(|n| (n, tcp(PC, End(SERVER.0, port), SYN, 1, b""))).collect::<Vec<_>>());
        bench.feed(&(0..4).map(|n| (n, tcp(End(PC.0, port), SERVER, ACK, 1, b""))).collect::<Vec<_>>());
    }
    bench.feed(&[(9, tcp(PC, SERVER, SYN, 1, b"")), (10, tcp(SERVER, PC, RST, 0, b""))]);
    assert_eq!(counts(bench).tcp_one_sided_flows, 0);
}

#[test]
fn bytes_that_were_acknowledged_but_not_shown_are_told_and_repetitions_are_not() {
    let mut bench = Bench::new(Mode::Read, 10);
    let data = [0; 100];
    bench.feed(&[
        (0, segment(PC, SERVER, 101, 901, &data)),
        (MS, segment(SERVER, PC, 901, 201, &data)),
        // 201 to 300 never show, 301 on do, and come again.
        (2 * MS, segment(PC, SERVER, 301, 1001, &data)),
        (3 * MS, segment(PC, SERVER, 301, 1001, &data[..99])),
        (400 * MS, segment(SERVER, PC, 1001, 401, b"")),
        (401 * MS, segment(SERVER, PC, 1001, 401, &data)),
    ]);
    let counts = counts(bench);
    // The repetition may have been what filled the gap: in doubt nothing is claimed of its bytes.
    assert_eq!(counts.tcp_unseen_bytes, 1);
}

#[test]
fn a_gap_that_nothing_fills_counts_in_full() {
    let mut bench = Bench::new(Mode::Read, 10);
    let data = [0; 100];
    bench.feed(&[
        (0, segment(PC, SERVER, 101, 901, &data)),
        (MS, segment(SERVER, PC, 901, 201, &data)),
        (2 * MS, segment(PC, SERVER, 301, 1001, &data)),
        (3 * MS, segment(SERVER, PC, 1001, 401, b"ok")),
    ]);
    assert_eq!(counts(bench).tcp_unseen_bytes, 100);
}

#[test]
fn copies_are_counted_and_left_out_only_where_that_is_wanted() {
    for (deduplicate, packets, duplicate, found) in
        [(Deduplicate::Measure, 2, 0, 1), (Deduplicate::On, 1, 1, 1), (Deduplicate::Off, 2, 0, 0)]
    {
        let mut bench = Bench::deduplicating(Mode::Read, 10, deduplicate);
        let frame = udp(PC, SERVER, b"question");
        bench.feed(&[(0, frame.clone()), (MS, frame)]);
        let analysis = bench.published.read().analysis;
        assert_eq!((analysis.duplicate, analysis.flow + analysis.duplicate), (duplicate, 2));
        let (seconds, _) = bench.finish();
        let record = seconds.iter().flat_map(|second| &second.records).next().expect("a flow");
        assert_eq!(record.counts[ORIG].packets + record.counts[RESP].packets, packets);
        let copies =
            seconds.iter().flat_map(|s| &s.sources).map(|s| s.counts.duplicate_frames[CopyKind::Exact as usize]);
        assert_eq!(copies.sum::<i64>(), found);
    }
}

#[test]
fn a_packet_longer_than_its_frame_was_cut_and_a_group_is_not_a_station() {
    let mut bench = Bench::new(Mode::Read, 10);
    let mut cut = udp(PC, SERVER, &[1; 200]);
    cut.truncate(100);
    let mut flooded = udp(PC, SERVER, b"hello");
    flooded[0] = 0xff;
    bench.feed(&[(0, cut), (1, flooded)]);
    let counts = counts(bench);
    assert_eq!((counts.frames, counts.truncated_frames, counts.unicast_frames), (2, 1, 1));
}
