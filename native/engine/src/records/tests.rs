use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::{UInt16Type, UInt64Type};
use arrow_array::{Array, RecordBatch};

use super::*;
use crate::config::Mode;
use crate::counters::SinkState;
use crate::names::AppEvent;
use crate::names::testing::dns_response;
use crate::testing::*;

const NOW: Duration = Duration::ZERO;

fn flows(frames: usize) -> Arc<Vec<FlowRecord>> {
    let mut bench = Bench::new(Mode::Read, frames.max(1));
    let to = |port: usize| End([203, 0, 113, (port / 60_000) as u8], (port % 60_000) as u16 + 1);
    bench.feed(&(0..frames).map(|n| (n as u64, udp(PC, to(n), b"four"))).collect::<Vec<_>>());
    Arc::new(bench.records())
}

fn lookup() -> Arc<Vec<AppRecord>> {
    let bytes = dns_response(7, "www.example.com", "cdn.example.net", [203, 0, 113, 9]);
    let event = AppEvent::Dns(Box::new(app::dns::message(&bytes).expect("a message")));
    Arc::new(vec![AppRecord::sample(START, wire::Address::v4(PC.0), event)])
}

fn queue(mode: Mode, kinds: &[RecordKind]) -> (RecordFeed, RecordReader, Arc<SinkState>) {
    let state = Arc::new(SinkState::default());
    let (feed, reader) = record_queue(mode, kinds, vec!["eth1".to_owned()].into(), &state);
    (feed, reader, state)
}

fn taken(reader: &RecordReader) -> Vec<(&'static str, RecordBatch)> {
    let batches = reader.take(NOW).expect("columns of one length").expect("not over");
    batches.into_iter().map(|(kind, batch)| (kind.name(), batch)).collect()
}

fn text<'a>(batch: &'a RecordBatch, column: &str) -> Vec<Option<&'a str>> {
    batch.column_by_name(column).expect("a column").as_string::<i32>().iter().collect()
}

fn number(batch: &RecordBatch, column: &str) -> u64 {
    batch.column_by_name(column).expect("a column").as_primitive::<UInt64Type>().value(0)
}

#[test]
fn a_flow_tells_ends_counts_and_times() {
    let (feed, reader, _) = queue(Mode::Read, &[RecordKind::Flow]);
    feed.send(&flows(1), &lookup());
    let batches = taken(&reader);
    let [("flow", batch)] = &batches[..] else { panic!("{batches:?}") };
    assert_eq!((text(batch, "src_ip"), text(batch, "dest_ip")), (vec![Some("10.20.3.44")], vec![Some("203.0.113.0")]));
    let port = batch.column_by_name("src_port").expect("a column").as_primitive::<UInt16Type>().value(0);
    assert_eq!((port, number(batch, "start_ns"), number(batch, "packets_toserver")), (50_000, START, 1));
    assert_eq!(number(batch, "bytes_toserver"), 32);
    assert_eq!((text(batch, "in_iface"), text(batch, "reason")), (vec![Some("eth1")], vec![Some("shutdown")]));
    let internal = |column: &str| batch.column_by_name(column).expect("a column").as_boolean().value(0);
    assert!(internal("src_internal") && !internal("dest_internal"));
    assert!(batch.column_by_name("frame").expect("a column").is_null(0), "there is no file");
}

#[test]
fn lists_of_an_answer_belong_together() {
    let (feed, reader, _) = queue(Mode::Read, &[RecordKind::Dns, RecordKind::Http]);
    feed.send(&flows(1), &lookup());
    let batches = taken(&reader);
    let [("dns", batch)] = &batches[..] else { panic!("{batches:?}") };
    let list = |column: &str| {
        let lists = batch.column_by_name(column).expect("a column").as_list::<i32>().value(0);
        lists.as_string::<i32>().iter().map(|text| text.unwrap_or("").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(text(batch, "query"), [Some("www.example.com")]);
    assert_eq!(list("answer_type"), ["CNAME", "A"]);
    assert_eq!(list("answer_data"), ["cdn.example.net", "203.0.113.9"]);
}

#[test]
fn every_kind_has_a_schema_without_records() {
    for kind in RecordKind::ALL {
        let batch = kind.batch(&Rows::default(), &[]).expect("columns of one length");
        assert_eq!((batch.num_rows(), batch.schema().field(0).name().as_str()), (0, "time_ns"), "{}", kind.name());
    }
}

#[test]
fn a_long_second_is_given_in_pieces_and_whole() {
    let (feed, reader, state) = queue(Mode::Read, &[RecordKind::Flow, RecordKind::Dns]);
    let long = flows(20_000);
    feed.send(&long, &lookup());
    feed.send(&flows(3), &lookup());
    drop(feed);
    // A second look-up, and three flows more.
    let total = long.len() + 5;
    let mut sizes = Vec::new();
    let mut ids = Vec::new();
    while let Some(batches) = reader.take(NOW).expect("columns of one length") {
        sizes.push(batches.iter().map(|(_, batch)| batch.num_rows()).sum::<usize>());
        for (_, batch) in batches.iter().filter(|(kind, _)| *kind == RecordKind::Flow) {
            ids.extend_from_slice(batch.column_by_name("flow_id").expect("ids").as_primitive::<UInt64Type>().values());
        }
    }
    assert_eq!(sizes, [8192, 8192, total - 2 * 8192]);
    assert_eq!(ids[..long.len()], long.iter().map(|flow| flow.flow_id).collect::<Vec<_>>());
    assert_eq!(state.written.load(std::sync::atomic::Ordering::Relaxed), total as u64);
}

#[test]
fn live_a_full_queue_loses_its_own_records_and_counts_them() {
    let (feed, reader, state) = queue(Mode::Live, &[RecordKind::Flow]);
    for _ in 0..130 {
        feed.send(&flows(1), &lookup());
    }
    assert_eq!(state.dropped.load(std::sync::atomic::Ordering::Relaxed), 10);
    assert_eq!(taken(&reader)[0].1.num_rows(), 120);
    assert_eq!(reader.take(NOW).expect("no columns").map(|batches| batches.len()), Some(0));
}

#[test]
fn a_reader_that_is_gone_holds_nobody_up() {
    let (feed, reader, _) = queue(Mode::Read, &[RecordKind::Flow]);
    drop(reader);
    (0..100).for_each(|_| feed.send(&flows(1), &lookup()));
}
