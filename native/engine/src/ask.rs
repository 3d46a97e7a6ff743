//! Questions to a running engine, answered by its workers and its merge thread.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded, unbounded};
use wire::Address;

use crate::counters::lock;
use crate::engine::{Engine, EngineError};
use crate::query::{Filter, FlowQuery, FlowRow, HostQuery, HostRow, MAX_ROWS, Order, to_arrow};
use crate::scan::Question;
use crate::sums::{SumQuery, Sums};
use crate::traffic::TrafficRows;

/// How long a question may take; a worker that reads files may be in the middle of a block.
const QUERY_TIMEOUT: Duration = Duration::from_secs(5);

impl Engine {
    /// The live flows that the filter admits, best first, as Arrow.
    ///
    /// # Errors
    /// The filter or order cannot be understood, or the workers do not answer.
    pub fn flows(&self, filter: &str, order: &str, limit: usize) -> Result<RecordBatch, EngineError> {
        let (filter, order) = question(filter, order)?;
        let (reply, answers) = unbounded();
        let query = FlowQuery { filter, order, limit: limit.min(MAX_ROWS), reply };
        let mut rows: Vec<(u64, FlowRow)> = Vec::new();
        self.ask_workers(Question::Flows(query), &answers, |answer| rows.extend(answer))?;
        rows.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.flow_id.cmp(&b.1.flow_id)));
        rows.truncate(limit);
        let mut rows: Vec<FlowRow> = rows.into_iter().map(|(_, row)| row).collect();
        self.name_rows(&mut rows);
        Ok(to_arrow(&rows)?)
    }

    /// All live flows summed up by remote end and by VLAN, as JSON: `remotes` and `vlans`, the fastest `limit` of each.
    ///
    /// # Errors
    /// The workers do not answer.
    pub fn sums(&self, limit: usize) -> Result<String, EngineError> {
        let (reply, answers) = unbounded();
        let mut sums = Sums::default();
        self.ask_workers(Question::Sums(SumQuery { reply }), &answers, |answer| sums.merge(answer))?;
        let rows = sums.into_rows(limit.min(MAX_ROWS));
        serde_json::to_string(&rows).map_err(|_| EngineError::State("sums cannot be told as JSON"))
    }

    /// All flow records so far added up, as JSON, with the `limit` busiest conversations and hosts: see [`TrafficRows`].
    ///
    /// # Errors
    /// The configuration does not ask for it.
    pub fn traffic(&self, limit: usize) -> Result<String, EngineError> {
        let traffic = self.shared.merge.traffic.as_ref().ok_or(EngineError::State("traffic is not added up"))?;
        let rows: TrafficRows = lock(traffic).rows(limit, &self.shared.interfaces);
        serde_json::to_string(&rows).map_err(|_| EngineError::State("traffic cannot be told as JSON"))
    }

    /// Asks every worker and takes what each one answers.
    fn ask_workers<T>(
        &self,
        question: Question,
        answers: &Receiver<T>,
        mut take: impl FnMut(T),
    ) -> Result<(), EngineError> {
        let guard = self.running();
        let running = guard.as_ref().ok_or(EngineError::State("the engine does not run"))?;
        for worker in &running.flow_queries {
            // A worker that is gone has no flows.
            let _ = worker.send_timeout(question.clone(), QUERY_TIMEOUT);
        }
        // What is left of the question would keep the answers open.
        drop(question);
        let until = Instant::now() + QUERY_TIMEOUT;
        loop {
            match answers.recv_deadline(until) {
                Ok(answer) => take(answer),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => return Err(EngineError::State("the workers do not answer")),
            }
        }
    }

    /// Gives flows without a name of their own the one that was looked up.
    fn name_rows(&self, rows: &mut [FlowRow]) {
        let address = |text: &str| text.parse::<IpAddr>().ok().map(Address::from);
        let names = lock(&self.shared.merge.names);
        for row in rows.iter_mut().filter(|row| row.name.is_none()) {
            if let (Some(orig), Some(resp)) = (address(&row.orig_ip), address(&row.resp_ip)) {
                row.name = names.name(orig, resp, row.start_ns).map(|name| name.to_string());
            }
        }
    }

    /// The hosts that the filter admits, best first, as Arrow.
    ///
    /// # Errors
    /// The filter or order cannot be understood, or the merge thread does not answer.
    pub fn hosts(&self, filter: &str, order: &str, limit: usize) -> Result<RecordBatch, EngineError> {
        let (filter, order) = question(filter, order)?;
        let guard = self.running();
        let running = guard.as_ref().ok_or(EngineError::State("the engine does not run"))?;
        let (reply, answer) = bounded(1);
        let interfaces = Arc::clone(&self.shared.interfaces);
        let query = HostQuery { filter, order, limit: limit.min(MAX_ROWS), interfaces, reply };
        let rows: Option<Vec<HostRow>> = running
            .host_queries
            .send_timeout(query, QUERY_TIMEOUT)
            .ok()
            .and_then(|()| answer.recv_timeout(QUERY_TIMEOUT).ok());
        Ok(to_arrow(&rows.ok_or(EngineError::State("the host table does not answer"))?)?)
    }
}

fn question(filter: &str, order: &str) -> Result<(Filter, Order), EngineError> {
    let filter = Filter::parse(filter).map_err(EngineError::Query)?;
    Ok((filter, Order::parse(order).map_err(EngineError::Query)?))
}
