use crossbeam_channel::bounded;
use serde_json::{Value, json};

use super::*;
use crate::config::Mode;
use crate::scan::Question;
use crate::testing::*;

const REMOTE: [u8; 4] = [203, 0, 113, 9];

/// What a worker answers, asked between blocks; and how many blocks went by before the answer came.
fn asked(bench: &mut Bench) -> (Sums, usize) {
    let (reply, answer) = bounded(1);
    bench.queries.send(Question::Sums(SumQuery { reply })).expect("a worker");
    for blocks in 1.. {
        bench.feed(&[]);
        if let Ok(sums) = answer.try_recv() {
            return (sums, blocks);
        }
    }
    unreachable!()
}

fn told(sums: Sums, limit: usize) -> Value {
    serde_json::to_value(sums.into_rows(limit)).expect("JSON")
}

/// A datagram of 28 bytes of headers, in a VLAN.
fn tagged(from: End, to: End, vlan: u8) -> Vec<u8> {
    let mut frame = udp(from, to, b"");
    frame.splice(12..12, [0x81, 0, 0, vlan]);
    frame
}

#[test]
fn all_of_a_hundred_thousand_flows_count() {
    let mut bench = Bench::new(Mode::Read, 100_000);
    let frame = |n: u32| {
        let host = [10, 0, (n >> 8) as u8 & 3, n as u8];
        (0, tagged(End(host, (n >> 10) as u16 + 1000), End(REMOTE, 53), 20 + (n & 1) as u8))
    };
    for from in (0..100_000).step_by(10_000) {
        bench.feed(&(from..from + 10_000).map(frame).collect::<Vec<_>>());
    }
    let (sums, blocks) = asked(&mut bench);
    assert!(blocks > 10, "{blocks}: frames do not wait for the whole table");
    let rows = told(sums, 100);
    let [remote] = &rows["remotes"].as_array().expect("remotes")[..] else { panic!("{rows}") };
    assert_eq!(
        (&remote["flows"], &remote["hosts"], &remote["ports"]),
        (&json!(100_000), &json!(1024), &json!(["udp/53"]))
    );
    assert_eq!((&remote["bytes_out"], &remote["bytes_in"]), (&json!(2_800_000), &json!(0)));
    let vlans: Vec<_> =
        rows["vlans"].as_array().expect("vlans").iter().map(|row| (&row["vlan"], &row["flows"])).collect();
    assert_eq!(vlans, [(&json!([20]), &json!(50_000)), (&json!([21]), &json!(50_000))]);
}

#[test]
fn out_is_from_the_own_host_and_internal_ends_are_no_remotes() {
    let mut bench = Bench::new(Mode::Read, 10);
    let (own, other) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    bench.feed(&[
        (0, udp(End(REMOTE, 5000), End(own, 22), b"four")),
        (1, udp(End(own, 22), End(REMOTE, 5000), b"")),
        (2, udp(End(own, 5001), End(other, 445), b"")),
    ]);
    let rows = told(asked(&mut bench).0, 100);
    let [remote] = &rows["remotes"].as_array().expect("remotes")[..] else { panic!("{rows}") };
    assert_eq!((&remote["ip"], &remote["hosts"], &remote["flows"]), (&json!("203.0.113.9"), &json!(1), &json!(1)));
    assert_eq!((&remote["bytes_out"], &remote["bytes_in"]), (&json!(28), &json!(32)));
    assert_eq!((&rows["vlans"][0]["flows"], &rows["vlans"][0]["hosts"]), (&json!(2), &json!(1)));
}

#[test]
fn what_two_workers_say_of_the_same_is_one_row_and_the_limit_holds() {
    let mut all = Sums::default();
    for host in 1..=2 {
        let mut bench = Bench::new(Mode::Read, 20);
        let frames = (0..9).map(|port| (0, udp(End([10, 0, 0, host], 5000), End(REMOTE, 90 - port), b"")));
        bench.feed(&frames.collect::<Vec<_>>());
        bench.feed(&[(1, udp(End([10, 0, 0, 3], 5000), End([203, 0, 113, 10], 53), b""))]);
        all.merge(asked(&mut bench).0);
    }
    let rows = told(all, 1);
    let [remote] = &rows["remotes"].as_array().expect("remotes")[..] else { panic!("{rows}") };
    assert_eq!((&remote["flows"], &remote["hosts"]), (&json!(18), &json!(2)));
    assert_eq!(
        remote["ports"],
        json!(["udp/82", "udp/83", "udp/84", "udp/85", "udp/86", "udp/87", "udp/88", "udp/89"])
    );
    assert_eq!((&rows["vlans"][0]["flows"], &rows["vlans"][0]["hosts"]), (&json!(20), &json!(3)));
}
