//! What a worker makes of frames.

use proptest::prelude::*;

use super::*;
use crate::detect::{HitEvent, Stage};
use crate::flow::{Counts, FlowState, ORIG, RESP};
use crate::testing::*;

fn counts(packets: u64, bytes: u64) -> Counts {
    Counts { packets, bytes }
}

fn handshake(at: u64) -> Vec<(u64, Vec<u8>)> {
    vec![
        (at, tcp(PC, SERVER, SYN, 100, b"")),
        (at + 1, tcp(SERVER, PC, SYN_ACK, 900, b"")),
        (at + 2, tcp(PC, SERVER, ACK, 101, b"hello")),
    ]
}

#[test]
fn both_directions_are_one_flow_from_its_originator() {
    let mut bench = Bench::new(Mode::Read, 10);
    bench.feed(&handshake(0));
    let records = bench.records();
    assert_eq!(records.len(), 1);
    let record = &records[0];
    assert_eq!(record.tuple.orig.port, PC.1);
    assert_eq!(record.counts, [counts(2, 85), counts(1, 40)]);
    assert_eq!((record.state, record.end), (FlowState::Established, FlowEnd::Shutdown));
    assert_eq!(record.macs.map(|mac| mac.0[5]), [44, 9]);
}

#[test]
fn a_later_syn_corrects_who_originated() {
    let mut bench = Bench::new(Mode::Read, 10);
    let high = End(SERVER.0, 40_000);
    bench.feed(&[(0, tcp(high, PC, ACK, 5, b"late")), (1, tcp(PC, high, SYN, 100, b""))]);
    let record = &bench.records()[0];
    assert_eq!(record.tuple.orig.port, PC.1);
    assert_eq!(record.counts, [counts(1, 40), counts(1, 44)]);
}

#[test]
fn an_answer_that_comes_first_is_told_by_its_kind_or_its_port() {
    for frame in [tcp(SERVER, PC, SYN_ACK, 1, b""), tcp(SERVER, PC, ACK, 1, b""), udp(SERVER, PC, b"")] {
        let mut bench = Bench::new(Mode::Read, 10);
        bench.feed(&[(0, frame)]);
        let record = &bench.records()[0];
        assert_eq!((record.tuple.orig.port, record.state), (PC.1, FlowState::New));
    }
}

/// A datagram in three fragments, and the answer in two.
fn fragmented_exchange(identification: u16) -> Vec<Vec<u8>> {
    let udp = |from: End, to: End| [from.1.to_be_bytes(), to.1.to_be_bytes(), [0, 32], [0, 0]].concat();
    vec![
        fragment(PC, SERVER, identification, (0, true), &udp(PC, SERVER)),
        fragment(PC, SERVER, identification, (1, true), &[1; 16]),
        fragment(PC, SERVER, identification, (3, false), &[2; 8]),
        fragment(SERVER, PC, identification, (0, true), &udp(SERVER, PC)),
        fragment(SERVER, PC, identification, (1, false), &[3; 24]),
    ]
}

#[test]
fn fragments_count_in_the_flow_of_the_first_one_in_their_own_direction() {
    for frames_between in [0, GROUP] {
        let mut bench = Bench::new(Mode::Read, 100);
        let mut time = 0;
        for frame in fragmented_exchange(7) {
            bench.feed(&[(time, frame)]);
            bench.feed(&vec![(time, tcp(PC, SERVER, ACK, 1, b"x")); frames_between]);
            time += SECOND;
        }
        let records = bench.records();
        let record = records.iter().find(|record| record.tuple.protocol == 17).expect("a flow");
        assert_eq!((record.tuple.orig.port, record.tuple.resp.port), (PC.1, SERVER.1));
        assert_eq!(record.counts, [counts(3, 28 + 36 + 28), counts(2, 28 + 44)]);
        assert_eq!(records.len(), 1 + usize::from(frames_between > 0));
    }
}

#[test]
fn fragments_of_one_block_find_their_first_too() {
    let mut bench = Bench::new(Mode::Read, 100);
    let frames: Vec<_> = fragmented_exchange(7).into_iter().map(|frame| (0, frame)).collect();
    bench.feed(&frames);
    let records = bench.records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].counts, [counts(3, 92), counts(2, 72)]);
}

#[test]
fn a_fragment_before_the_first_counts_without_ports() {
    let mut bench = Bench::new(Mode::Read, 100);
    let frames: Vec<_> = fragmented_exchange(7).into_iter().take(3).rev().map(|frame| (0, frame)).collect();
    bench.feed(&frames);
    let flows: Vec<_> =
        bench.records().iter().map(|record| (record.tuple.orig.port, record.counts[ORIG].packets)).collect();
    assert_eq!(flows, [(0, 2), (PC.1, 1)]);
}

#[test]
fn a_fragment_whose_flow_was_evicted_opens_it_again() {
    let mut bench = Bench::new(Mode::Read, 1);
    let mut frames: Vec<_> = fragmented_exchange(7).into_iter().take(2).map(|frame| (0, frame)).collect();
    frames.insert(1, (0, tcp(PC, SERVER, ACK, 1, b"x")));
    bench.feed(&frames);
    let records = bench.records();
    let udp: Vec<_> = records.iter().filter(|record| record.tuple.protocol == 17).collect();
    assert_eq!(udp.iter().map(|record| record.tuple.orig.port).collect::<Vec<_>>(), [PC.1, PC.1]);
    assert_eq!(udp[1].counts, [counts(1, 36), counts(0, 0)]);
}

#[test]
fn fin_from_both_ends_and_rst_end_a_flow_after_its_last_packets() {
    for (ending, end) in [
        (vec![tcp(PC, SERVER, FIN, 106, b""), tcp(SERVER, PC, FIN, 901, b"")], FlowEnd::Fin),
        (vec![tcp(SERVER, PC, RST, 901, b"")], FlowEnd::Rst),
    ] {
        let mut bench = Bench::new(Mode::Read, 10);
        let mut frames = handshake(0);
        frames.extend(ending.into_iter().map(|frame| (10, frame)));
        frames.push((SECOND, tcp(PC, SERVER, ACK, 107, b"")));
        frames.push((20 * SECOND, udp(PC, SERVER, b"time passes")));
        bench.feed(&frames);
        let seconds: Vec<_> = bench.seconds.try_iter().collect();
        let records: Vec<_> = seconds.iter().flat_map(|second| &second.records).collect();
        assert_eq!(records.len(), 1, "the end is told before the capture ends");
        assert_eq!((records[0].end, records[0].state), (end, FlowState::Closed));
        assert_eq!(records[0].counts[ORIG].packets + records[0].counts[RESP].packets, frames.len() as u64 - 1);
    }
}

#[test]
fn a_new_syn_on_old_ports_is_a_new_flow_and_a_repeated_one_is_not() {
    let mut bench = Bench::new(Mode::Read, 10);
    let mut frames = vec![(0, tcp(PC, SERVER, SYN, 100, b""))];
    frames.extend(handshake(5));
    frames.push((10, tcp(PC, SERVER, SYN, 7000, b"")));
    bench.feed(&frames);
    let packets: Vec<_> = bench.records().iter().map(|record| record.counts[ORIG].packets).collect();
    assert_eq!(packets, [3, 1]);
}

#[test]
fn silence_ends_a_flow_and_offline_also_without_frames_in_between() {
    let mut bench = Bench::new(Mode::Read, 10);
    bench.feed(&[(0, udp(PC, SERVER, b"one")), (61 * SECOND + 1, udp(PC, SERVER, b"two"))]);
    let records = bench.records();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].end, FlowEnd::Idle);
    assert_eq!(records[0].last_ns, START);
}

#[test]
fn a_long_flow_is_told_at_intervals_and_the_parts_add_up() {
    let mut bench = Bench::new(Mode::Read, 10);
    let frames: Vec<_> = (0..700).map(|second| (second * SECOND, udp(PC, SERVER, b"tick"))).collect();
    bench.feed(&frames);
    let records = bench.records();
    assert_eq!(
        records.iter().map(|record| record.end).collect::<Vec<_>>(),
        [FlowEnd::Active, FlowEnd::Active, FlowEnd::Shutdown]
    );
    assert!(records.windows(2).all(|pair| pair[0].flow_id == pair[1].flow_id));
    assert_eq!(records.iter().map(|record| record.counts[ORIG].packets).sum::<u64>(), 700);
    assert_eq!(records[2].totals[ORIG], counts(700, 700 * 32));
}

#[test]
fn a_full_table_evicts_the_unanswered_first_then_the_longest_silent() {
    let mut bench = Bench::new(Mode::Read, 3);
    let answered = |port: u16, at: u64| {
        let end = End(PC.0, port);
        [(at, udp(end, SERVER, b"q")), (at + 1, udp(SERVER, end, b"a"))]
    };
    bench.feed(&answered(1001, 0));
    bench.feed(&answered(1002, SECOND));
    bench.feed(&[(2 * SECOND, udp(End(PC.0, 1003), SERVER, b"scan"))]);
    bench.feed(&[(3 * SECOND, udp(End(PC.0, 1004), SERVER, b"scan"))]);
    bench.feed(&answered(1004, 4 * SECOND));
    bench.feed(&answered(1005, 5 * SECOND));
    let evicted: Vec<_> =
        bench.records().iter().filter(|r| r.end == FlowEnd::Evicted).map(|r| r.tuple.orig.port).collect();
    assert_eq!(evicted, [1003, 1001]);
}

#[test]
fn a_listed_contact_is_told_at_once_and_again_when_it_goes_further() {
    let mut bench = Bench::new(Mode::Live, 10);
    bench.watch("203.0.113.9\n");
    bench.feed(&handshake(0)[..1]);
    let first = bench.notices.try_recv().expect("told within the block").hits;
    assert_eq!((first[0].event, first[0].stage), (HitEvent::Open, Stage::Attempt));
    assert!(first[0].orig_first && first[0].internal == [true, false]);
    bench.feed(&handshake(0)[1..]);
    let second = bench.notices.try_recv().expect("told when answered").hits;
    assert_eq!((second[0].event, second[0].stage), (HitEvent::Progress, Stage::Contact));
    assert_eq!(second[0].counts, [counts(1, 45), counts(1, 40)]);
    bench.feed(&[(9, tcp(SERVER, PC, ACK, 901, b"orders"))]);
    assert_eq!(bench.notices.try_recv().expect("told when data came").hits[0].stage, Stage::Data);
    let (_, notices) = bench.finish();
    assert_eq!(notices[0].hits[0].event, HitEvent::End);
}

#[test]
fn a_refusal_is_an_attempt() {
    let mut bench = Bench::new(Mode::Live, 10);
    bench.watch("203.0.113.9\n");
    bench.feed(&[(0, tcp(PC, SERVER, SYN, 1, b"")), (1, tcp(SERVER, PC, RST, 0, b""))]);
    assert_eq!(bench.notices.try_recv().expect("a hit").hits[0].stage, Stage::Attempt);
}

#[test]
fn a_new_entry_hits_a_connection_that_is_open_and_only_once() {
    let mut bench = Bench::new(Mode::Live, 10);
    bench.feed(&handshake(0));
    assert!(bench.notices.is_empty());
    bench.watch("203.0.113.9:443\n");
    bench.feed(&[(5, tcp(PC, SERVER, ACK, 106, b"more"))]);
    let hits = bench.notices.try_recv().expect("a hit").hits;
    assert_eq!((hits[0].event, hits[0].counts[ORIG].packets), (HitEvent::Open, 3));
    bench.watch("203.0.113.9:443\n203.0.113.10\n");
    bench.feed(&[(6, tcp(PC, SERVER, ACK, 110, b"more"))]);
    assert!(bench.notices.is_empty());
}

#[test]
fn lists_that_were_replaced_judge_the_very_next_frame() {
    let mut bench = Bench::new(Mode::Live, 10);
    bench.watch("203.0.113.9\n");
    bench.feed(&handshake(0)[..1]);
    assert_eq!(bench.notices.len(), 1);
}

#[test]
fn frames_at_the_beginning_of_time_are_told_too() {
    let mut worker = Bench::new(Mode::Read, 10);
    worker.feed_at(&[(0, udp(PC, SERVER, b"1970")), (0, udp(SERVER, PC, b"indeed"))]);
    let (seconds, _) = worker.finish();
    assert_eq!(seconds.iter().map(|second| second.records.len()).sum::<usize>(), 1);
    assert_eq!(seconds.iter().filter(|second| second.last).count(), 1);
}

#[test]
fn the_last_second_is_handed_on_once_and_by_its_number() {
    let mut bench = Bench::new(Mode::Read, 10);
    bench.feed(&[(0, udp(PC, SERVER, b"a")), (SECOND, udp(PC, SERVER, b"b"))]);
    let (seconds, _) = bench.finish();
    let numbers: Vec<_> = seconds.iter().map(|second| (second.second, second.last)).collect();
    let first = START / SECOND;
    assert_eq!(numbers, [(first - 1, false), (first, false), (first + 1, true)]);
}

#[test]
fn offline_the_deltas_of_a_large_second_do_not_wait_for_its_end() {
    let frames: Vec<_> = (20_000..30_000).map(|port| (u64::from(port), udp(End(PC.0, port), SERVER, b"a"))).collect();
    for mode in [Mode::Read, Mode::Live] {
        let mut bench = Bench::new(mode, 20_000);
        bench.feed(&frames);
        bench.feed(&[(SECOND, udp(SERVER, PC, b"b"))]);
        let seconds: Vec<_> = bench.seconds.try_iter().skip(1).collect();
        let ahead: Vec<_> = seconds.iter().map(|second| second.ahead).collect();
        let expected: &[bool] = if mode == Mode::Read { &[true, true, false] } else { &[false] };
        assert_eq!(ahead, expected);
        assert!(seconds.iter().all(|second| second.second == START / SECOND));
        assert_eq!(seconds.iter().map(|second| second.deltas.len()).sum::<usize>(), 10_000);
        assert_eq!(bench.records().len(), 10_001);
    }
}

#[test]
fn ends_meet_when_a_flow_opens_and_when_it_is_answered() {
    let mut bench = Bench::new(Mode::Live, 10);
    let (asked, answered) = (udp(PC, SERVER, b"a"), udp(SERVER, PC, b"b"));
    bench.feed(&[(0, asked.clone()), (SECOND, asked.clone()), (2 * SECOND, answered), (3 * SECOND, asked)]);
    let (seconds, _) = bench.finish();
    let met: Vec<_> = seconds.iter().flat_map(|second| &second.deltas).map(|delta| delta.met).collect();
    assert_eq!(met[..4], [true, false, true, false]);
}

#[test]
fn offline_counts_wait_some_seconds_and_a_flow_that_opens_or_is_answered_does_not() {
    for (mode, expected) in [
        (Mode::Read, vec![(0, 1), (3, 3), (7, 4), (12, 5)]),
        (Mode::Live, (0..=12).map(|second| (second, 1)).chain([(12, 0)]).collect()),
    ] {
        let mut bench = Bench::new(mode, 10);
        let frame = |second| if second == 3 { udp(SERVER, PC, b"b") } else { udp(PC, SERVER, b"a") };
        bench.feed(&(0..=12).map(|second| (second * SECOND, frame(second))).collect::<Vec<_>>());
        let told = bench.finish().0.into_iter().flat_map(|own| {
            own.deltas.into_iter().map(move |delta| {
                (own.second - START / SECOND, delta.counts[ORIG].packets + delta.counts[RESP].packets)
            })
        });
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn frames_of_other_workers_move_the_clock_and_nothing_else() {
    let mut bench = Bench::with(WorkerSetup { workers: 2, ..setup(Mode::Read) }, 10, FrameStore::Off);
    let frames = [(0, udp(PC, SERVER, b"own")), (1, udp(PC, SERVER, b"theirs")), (SECOND, udp(PC, SERVER, b"own"))];
    bench.feed_to(&frames, &[0, 1, 0]);
    bench.feed_to(&[(SECOND + 5, udp(PC, SERVER, b"theirs")), (SECOND + 7, udp(PC, SERVER, b"theirs"))], &[1, 1]);
    let records = bench.records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].counts[ORIG].packets, 2);
    assert_eq!((records[0].last_ns, records[0].time_ns), (START + SECOND, START + SECOND + 7));
}

#[test]
fn a_reversed_clock_and_a_jump_end_no_tcp_flow() {
    for jump in [3_000_000 * SECOND, 40_000 * SECOND] {
        let mut bench = Bench::new(Mode::Read, 10);
        bench.feed(&handshake(jump));
        bench.feed(&(0..10).map(|n| (n, tcp(PC, SERVER, ACK, 106, b"after"))).collect::<Vec<_>>());
        bench.feed(&(0..10).map(|n| (jump + n, tcp(PC, SERVER, ACK, 106, b"again"))).collect::<Vec<_>>());
        let jumps = bench.published.read().clock_jumps;
        assert_eq!((bench.records().len(), jumps), (1, 2));
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_whatever_the_table_holds(
        steps in prop::collection::vec((0_u16..40, any::<bool>(), 0_u64..200, 0_u8..32), 1..400),
        max in 1_usize..20,
    ) {
        let mut bench = Bench::new(Mode::Read, max);
        let mut now = 0;
        let mut bytes = 0;
        let frames: Vec<_> = steps.iter().map(|&(port, there, step, flags)| {
            now += step * SECOND / 4;
            let end = End(PC.0, 1000 + port);
            let (from, to) = if there { (end, SERVER) } else { (SERVER, end) };
            bytes += 43;
            (now, tcp(from, to, flags, 1, b"abc"))
        }).collect();
        bench.feed(&frames);
        let (seconds, _) = bench.finish();
        let all = |side: fn(&FlowRecordSides) -> Counts| {
            let mut sum = Counts::default();
            for record in seconds.iter().flat_map(|second| &second.records) {
                sum.add(side(&record.counts));
            }
            sum
        };
        let (orig, resp) = (all(|sides| sides[ORIG]), all(|sides| sides[RESP]));
        prop_assert_eq!(orig.packets + resp.packets, frames.len() as u64);
        prop_assert_eq!(orig.bytes + resp.bytes, bytes);
        let mut deltas = 0;
        for delta in seconds.iter().flat_map(|second| &second.deltas) {
            deltas += delta.counts[ORIG].packets + delta.counts[RESP].packets;
        }
        prop_assert_eq!(deltas, frames.len() as u64);
    }
}

type FlowRecordSides = [Counts; 2];
