//! Answers a question about flows in bounded slices, so that no frame waits for it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use app::AppProtocol;
use wire::{Mac, Tunnel};

use crate::flow::{Flow, FlowFlags, FlowTable, ORIG, RESP};
use crate::output::{layers_json, protocol_name};
use crate::query::{FlowQuery, FlowRow};
use crate::sums::{SumQuery, SumScan};
use crate::tunnels::Tunnels;

/// Places that are looked at between two blocks.
const SLICE: u32 = 1 << 16;

/// What a worker can be asked about its flows.
#[derive(Debug, Clone)]
pub enum Question {
    /// Rows.
    Flows(FlowQuery),
    /// Sums over all of them.
    Sums(SumQuery),
}

/// A question on its way through the table.
#[derive(Debug)]
pub enum Scan {
    /// One for rows.
    Flows(FlowScan),
    /// One for sums.
    Sums(SumScan),
}

impl Scan {
    /// A question that has not begun.
    pub fn new(question: Question) -> Self {
        match question {
            Question::Flows(query) => Self::Flows(FlowScan::new(query)),
            Question::Sums(query) => Self::Sums(SumScan::new(query)),
        }
    }

    /// Looks at the next places; `true` when the answer has gone out.
    pub fn step(&mut self, flows: &FlowTable, tick: u32, names: (&Tunnels, &Arc<[String]>)) -> bool {
        match self {
            Self::Flows(scan) => scan.step(flows, tick, names),
            Self::Sums(scan) => scan.step(flows, tick),
        }
    }
}

/// A question for rows on its way through the table: the best places so far, the worst of them on top.
#[derive(Debug)]
pub struct FlowScan {
    query: FlowQuery,
    place: u32,
    best: BinaryHeap<Reverse<(u64, Reverse<u64>, u32)>>,
}

impl FlowScan {
    /// A question that has not begun.
    pub fn new(query: FlowQuery) -> Self {
        Self { query, place: 0, best: BinaryHeap::new() }
    }

    /// Looks at the next places; `true` when the answer has gone out. A flow that ends meanwhile is left out.
    pub fn step(&mut self, flows: &FlowTable, tick: u32, names: (&Tunnels, &Arc<[String]>)) -> bool {
        let end = flows.places().min(self.place.saturating_add(SLICE));
        for place in self.place..end {
            let Some(flow) = flows.at(place) else { continue };
            if let Some(rank) = self.query.rank(flow, tick) {
                self.best.push(Reverse((rank, Reverse(flow.id()), place)));
                if self.best.len() > self.query.limit {
                    self.best.pop();
                }
            }
        }
        self.place = end;
        if end < flows.places() {
            return false;
        }
        let live = |id: u64, place: u32| flows.at(place).filter(|flow| flow.id() == id);
        let rows = self.best.drain().filter_map(|Reverse((rank, Reverse(id), place))| {
            live(id, place).map(|flow| (rank, row(flow, tick, names)))
        });
        // Whoever asked may have gone.
        let _ = self.query.reply.send(rows.collect());
        true
    }
}

fn row(flow: &Flow, tick: u32, names: (&Tunnels, &Arc<[String]>)) -> FlowRow {
    let tuple = flow.tuple();
    let rates = flow.rates(tick);
    let layers = names.0.layers(flow.tunnel);
    let layers = layers.as_deref().unwrap_or_default();
    let tunnel = Tunnel::of(layers);
    let mac = |mac: Mac| (!mac.is_zero()).then(|| mac.to_string());
    FlowRow {
        flow_id: flow.id(),
        community_id: wire::community_id(&tuple),
        proto: protocol_name(tuple.protocol),
        orig_ip: tuple.orig.address.to_string(),
        orig_port: tuple.orig.port,
        resp_ip: tuple.resp.address.to_string(),
        resp_port: tuple.resp.port,
        orig_mac: mac(flow.macs[ORIG]),
        resp_mac: mac(flow.macs[RESP]),
        vlan: flow.vlans.to_vec(),
        tunnel: tunnel.map(|tunnel| format!("{} {} > {}", tunnel.protocol, tunnel.source, tunnel.destination)),
        encapsulation: layers_json(layers),
        interface: names.1.get(usize::from(flow.interface)).cloned().unwrap_or_default(),
        state: flow.state().name().to_owned(),
        alerted: flow.flags.contains(FlowFlags::ALERTED),
        start_ns: flow.start_ns,
        last_ns: flow.last_ns,
        orig_packets: flow.totals[ORIG].packets,
        resp_packets: flow.totals[RESP].packets,
        orig_bytes: flow.totals[ORIG].bytes,
        resp_bytes: flow.totals[RESP].bytes,
        orig_bytes_per_second: rates[ORIG],
        resp_bytes_per_second: rates[RESP],
        app_proto: (flow.app != AppProtocol::Unknown).then(|| flow.app.name().to_owned()),
        name: flow.name.as_ref().map(|name| String::from(&*name.text)),
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::bounded;
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Mode;
    use crate::query::{Filter, Order, to_arrow};
    use crate::testing::*;

    #[test]
    fn a_row_tells_the_layers_as_the_flow_events_do() {
        let plain = udp(PC, End(SERVER.0, 53), b"");
        let mut tagged = tcp(PC, SERVER, SYN, 1, b"");
        tagged.splice(12..12, [0x81, 0, 0, 20]);
        let mut bench = Bench::new(Mode::Read, 10);
        bench.feed(&[(0, tagged), (1, plain)]);
        let (reply, answer) = bounded(1);
        let query = FlowQuery { filter: Filter::default(), order: Order::Start, limit: 10, reply };
        bench.queries.send(Question::Flows(query)).expect("a worker");
        bench.feed(&[]);
        let mut rows: Vec<FlowRow> = answer.recv().expect("an answer").into_iter().map(|(_, row)| row).collect();
        rows.sort_by_key(|row| row.resp_port);
        let layers: Vec<Value> =
            rows.iter().map(|row| serde_json::from_str(&row.encapsulation).expect("a list")).collect();
        assert_eq!(layers, [json!([]), json!([{"kind": "vlan", "vlan": 20}])]);
        assert!(to_arrow(&rows).expect("rows").column_by_name("encapsulation").is_some());
    }
}
