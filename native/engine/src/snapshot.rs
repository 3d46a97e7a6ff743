//! All numbers at one moment, as JSON.

use std::sync::atomic::{AtomicU64, Ordering};

use app::{AppError, AppProtocol};
use serde_json::{Value, json};
use wire::{DecodeErrorKind, EncapsulationKind, Layer};

use crate::counters::{WorkerCounters, lock};
use crate::engine::{Engine, Running, Shared};
use crate::flow::FlowEnd;
use crate::pcap_ring::{PcapRing, RingAccounts};
use crate::records::RecordReader;

impl Engine {
    /// All numbers, as JSON; both accounts of captured frames close to the frame.
    pub fn counters(&self) -> String {
        let guard = self.running();
        let running = guard.as_ref();
        // The order matters: the ring counts a frame only after the worker that handed it over has published.
        let ring = self.shared.ring.get();
        let accounts = ring.map_or_else(RingAccounts::default, |ring| ring.accounts());
        let workers: Vec<WorkerCounters> = self.shared.published.iter().map(|published| published.read()).collect();
        let mirror = lock(&self.shared.merge.mirror).report();
        let filtered = *lock(&self.shared.read.filtered);
        let sum = |of: fn(&WorkerCounters) -> u64| workers.iter().map(of).sum::<u64>();
        let handed = sum(|worker| worker.ring_handed);
        let settled = accounts.stored_frames + accounts.dropped_full_frames + accounts.dropped_error_frames;
        json!({
            "time_ns": number(&self.shared.merge.time_ns),
            "interfaces": interfaces(&self.shared, &workers, filtered),
            "fates": {
                "stored": accounts.stored_frames,
                "cut": sum(|worker| worker.ring_cut),
                "ring_off": sum(|worker| worker.ring_off) + filtered.0,
                "dropped_slow": sum(|worker| worker.ring_dropped_slow),
                "dropped_full": accounts.dropped_full_frames,
                "dropped_error": accounts.dropped_error_frames,
            },
            "ring_in_flight_frames": handed.saturating_sub(settled),
            "ring_cut_bytes": sum(|worker| worker.ring_cut_bytes),
            "analysis": analysis(&workers, filtered.0),
            "decode_errors": decode_errors(&workers),
            "encapsulations": encapsulations(&workers),
            "ring": ring.map(|ring| json!(ring.status())),
            "ring_notes": ring.map_or(&[][..], |ring| ring.notes()),
            "flows": {
                "active": sum(|worker| worker.flows_active),
                "max": self.shared.config.flows.max,
                "ended": flows_ended(&workers),
            },
            "hosts": hosts(&self.shared),
            "names": names(&self.shared, &workers),
            "mirror": mirror,
            "watchlist": watchlist(&self.shared, &workers),
            "sinks": sinks(&self.shared, &workers),
            "queues": running.map_or_else(Vec::new, |running| queues(running, ring.map(AsRef::as_ref), self.shared.records.get())),
            "workers": workers.iter().enumerate()
                .map(|(index, worker)| json!({"worker": index, "progress": worker.progress}))
                .collect::<Vec<_>>(),
            "punted": punted(&self.shared, &workers),
            "copies_forgotten": sum(|worker| worker.copies_forgotten),
            "fragments_forgotten": sum(|worker| worker.fragments_forgotten),
            "flows_without_layers": sum(|worker| worker.flows_without_layers),
            "frames_without_source": sum(|worker| worker.frames_without_source),
            "clock_jumps": sum(|worker| worker.clock_jumps),
            "read_bytes": number(&self.shared.read.read_bytes),
            "warnings": *lock(&self.shared.read.warnings),
            "error": *lock(&self.shared.read.error),
        })
        .to_string()
    }
}

fn number(atomic: &AtomicU64) -> u64 {
    atomic.load(Ordering::Relaxed)
}

fn interfaces(shared: &Shared, workers: &[WorkerCounters], filtered: (u64, u64)) -> Vec<Value> {
    let entry = |(index, name): (usize, &String)| {
        let link = &shared.links[index];
        let sum = |of: fn(&crate::counters::InterfaceCounters) -> u64| {
            workers.iter().map(|worker| of(&worker.interfaces[index])).sum::<u64>()
        };
        // Frames that a filter left out before they reached a worker belong to the first file.
        let (left_out, left_out_bytes) = if index == 0 { filtered } else { (0, 0) };
        json!({
            "name": name,
            "state": if link.up.load(Ordering::Relaxed) { "up" } else { "waiting" },
            "reason": *lock(&link.reason),
            "captured_frames": sum(|counters| counters.captured_frames) + left_out,
            "captured_bytes": sum(|counters| counters.captured_bytes) + left_out_bytes,
            "kernel_packets": sum(|counters| counters.kernel_packets),
            "kernel_dropped_frames": sum(|counters| counters.kernel_dropped),
            "kernel_freezes": sum(|counters| counters.kernel_freezes),
            "link_type": number(&link.link_type),
            "granted_ring_bytes": number(&link.granted_ring_bytes),
        })
    };
    shared.interfaces.iter().enumerate().map(entry).collect()
}

fn analysis(workers: &[WorkerCounters], filtered: u64) -> Value {
    let sum = |of: fn(&WorkerCounters) -> u64| workers.iter().map(of).sum::<u64>();
    json!({
        "flow": sum(|worker| worker.analysis.flow),
        "non_ip": sum(|worker| worker.analysis.non_ip),
        "duplicate": sum(|worker| worker.analysis.duplicate),
        "undecodable": sum(|worker| worker.analysis.undecodable),
        "filtered": sum(|worker| worker.analysis.filtered) + filtered,
        "table_full": sum(|worker| worker.analysis.table_full),
    })
}

fn decode_errors(workers: &[WorkerCounters]) -> Vec<Value> {
    let mut errors = Vec::new();
    for layer in Layer::ALL {
        for kind in DecodeErrorKind::ALL {
            let frames: u64 = workers.iter().map(|worker| worker.decode_errors[layer as usize][kind as usize]).sum();
            errors.push(json!({"layer": layer.to_string(), "error": kind.to_string(), "frames": frames}));
        }
    }
    errors
}

fn encapsulations(workers: &[WorkerCounters]) -> Vec<Value> {
    let frames = |kind: EncapsulationKind| workers.iter().map(|w| w.encapsulations[kind as usize]).sum::<u64>();
    EncapsulationKind::ALL
        .into_iter()
        .map(|kind| json!({"encapsulation": kind.to_string(), "frames": frames(kind)}))
        .collect()
}

fn flows_ended(workers: &[WorkerCounters]) -> Value {
    let records = |end: FlowEnd| workers.iter().map(|worker| worker.flows_ended[end as usize]).sum::<u64>();
    FlowEnd::ALL
        .into_iter()
        .map(|end| (end.name().to_owned(), json!(records(end))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn names(shared: &Shared, workers: &[WorkerCounters]) -> Value {
    let mut flows = Vec::new();
    let mut errors = Vec::new();
    for protocol in AppProtocol::ALL {
        let met: u64 = workers.iter().map(|worker| worker.names.flows[*protocol as usize]).sum();
        flows.push(json!({"app_proto": protocol.name(), "flows": met}));
        for error in AppError::ALL {
            let met: u64 = workers.iter().map(|worker| worker.names.errors[*protocol as usize][error as usize]).sum();
            // Most pairs cannot be.
            if met > 0 {
                errors.push(json!({"app_proto": protocol.name(), "error": error.name(), "errors": met}));
            }
        }
    }
    let resolved = lock(&shared.merge.names);
    json!({
        "flows": flows,
        "errors": errors,
        "held_bytes": workers.iter().map(|worker| worker.names.held_bytes).sum::<u64>(),
        "given_up": workers.iter().map(|worker| worker.names.given_up).sum::<u64>(),
        "smtp_messages": workers.iter().map(|worker| worker.names.smtp_messages).sum::<u64>(),
        "resolved": resolved.len(),
        "resolved_forgotten": resolved.forgotten(),
    })
}

fn punted(shared: &Shared, workers: &[WorkerCounters]) -> Value {
    let sum = |of: fn(&WorkerCounters) -> u64| workers.iter().map(of).sum::<u64>();
    let late = number(&shared.merge.punted_dropped);
    json!({
        "handed": sum(|worker| worker.punted.handed).saturating_sub(late),
        "repeated": sum(|worker| worker.punted.repeated),
        "dropped": sum(|worker| worker.punted.dropped) + late,
    })
}

fn hosts(shared: &Shared) -> Value {
    let merge = &shared.merge;
    json!({
        "active": number(&merge.hosts_active),
        "max": shared.config.hosts.max,
        "evicted": number(&merge.hosts_evicted),
        "peers_forgotten": number(&merge.peers_forgotten),
        "senders_evicted": number(&merge.senders_evicted),
        "askers_evicted": number(&merge.askers_evicted),
        "beacon_pairs": number(&merge.beacon_pairs),
        "beacon_pairs_evicted": number(&merge.beacon_pairs_evicted),
        "clicks_forgotten": number(&merge.clicks_forgotten),
    })
}

fn watchlist(shared: &Shared, workers: &[WorkerCounters]) -> Value {
    let mut lists = Vec::new();
    let mut hits = Vec::new();
    for summary in shared.watch.current().summary() {
        for (kind, indicators) in summary.by_kind.iter() {
            lists.push(json!({"list": summary.name, "type": kind.as_str(), "indicators": indicators}));
        }
        let flows = workers.iter().flat_map(|worker| &worker.list_hits);
        let met: u64 = flows.filter(|(list, _)| *list == summary.name).map(|(_, hits)| hits).sum();
        hits.push(json!({"list": summary.name, "hits": met}));
    }
    let forgotten: u64 = workers.iter().map(|worker| worker.meetings_forgotten).sum();
    json!({"generation": shared.watch.generation(), "lists": lists, "hits": hits, "forgotten": forgotten})
}

fn sinks(shared: &Shared, workers: &[WorkerCounters]) -> Vec<Value> {
    let error = lock(&shared.eve.error).clone();
    let behind: u64 = workers.iter().map(|worker| worker.records_dropped).sum();
    let notices: u64 = workers.iter().map(|worker| worker.hits_dropped).sum();
    let findings = number(&shared.merge.notices_dropped);
    let mut sinks = vec![
        json!({
            "sink": "eve",
            "written": number(&shared.eve.written),
            "dropped": number(&shared.eve.dropped) + behind,
            "error": if error.is_empty() { None } else { Some(error) },
        }),
        json!({"sink": "alerts", "written": null, "dropped": notices + findings, "error": null}),
    ];
    if !shared.config.records.is_empty() {
        let (written, dropped) = (number(&shared.records_state.written), number(&shared.records_state.dropped));
        sinks.push(json!({"sink": "records", "written": written, "dropped": dropped + behind, "error": null}));
    }
    sinks
}

fn queues(running: &Running, ring: Option<&PcapRing>, records: Option<&RecordReader>) -> Vec<Value> {
    let mut queues = vec![
        ("seconds", running.seconds.len(), running.seconds.capacity().unwrap_or(0)),
        ("notices", running.notices.len(), running.notices.capacity().unwrap_or(0)),
    ];
    if let Some(log) = &running.log {
        let (length, capacity) = log.queue();
        queues.push(("eve", length, capacity));
    }
    if let Some(records) = records {
        let (length, capacity) = records.queue();
        queues.push(("records", length, capacity));
    }
    if let Some(ring) = ring {
        let (length, capacity) = ring.queue();
        queues.push(("ring", length, capacity));
    }
    queues
        .into_iter()
        .map(|(queue, length, capacity)| json!({"queue": queue, "length": length, "capacity": capacity}))
        .collect()
}
