//! Frames from capture files: one thread reads, and every worker sees every block.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use capture::{Block, CaptureError, LinkType, MergedReader, OfflineFilter, OwnedBlock};
use crossbeam_channel::{Receiver, Sender};
use wire::TunnelPorts;

use crate::counters::lock;
use crate::pipeline::{Worker, worker_of};

/// How far the files have been read.
#[derive(Debug, Default)]
pub struct ReadState {
    /// Bytes taken from the files so far, as they lie there: of compressed ones the compressed bytes.
    pub read_bytes: AtomicU64,
    /// Frames that did not pass the filter, and their wire lengths in bytes.
    pub filtered: Mutex<(u64, u64)>,
    /// What is wrong with the files.
    pub warnings: Mutex<Vec<String>>,
    /// Why reading ended before the end of the files.
    pub error: Mutex<Option<String>>,
}

/// Reads capture files in the order of time.
pub struct FileSource {
    reader: MergedReader,
    expression: String,
    filters: Vec<(LinkType, OfflineFilter)>,
    /// How many workers share the frames, and what tells whose a frame is, if they do not find out by themselves.
    sharing: Option<(usize, TunnelPorts)>,
    state: Arc<ReadState>,
}

impl FileSource {
    /// Opens the files. The filter is compiled for Ethernet at once, so that a wrong one is told before anything starts.
    ///
    /// # Errors
    /// No file can be read, or the filter is wrong.
    pub fn open(paths: &[String], expression: &str, state: Arc<ReadState>) -> Result<Self, CaptureError> {
        let mut filters = Vec::new();
        if !expression.is_empty() {
            filters.push((LinkType::ETHERNET, OfflineFilter::compile(expression, LinkType::ETHERNET)?));
        }
        let reader = MergedReader::open(paths)?;
        *lock(&state.warnings) = reader.warnings().to_vec();
        Ok(Self { reader, expression: expression.to_owned(), filters, sharing: None, state })
    }

    /// Tells of most frames which of so many workers takes them, so that only that one decodes them.
    #[must_use]
    pub fn shared_by(self, workers: usize, ports: TunnelPorts) -> Self {
        Self { sharing: Some((workers, ports)), ..self }
    }

    /// Reads to the end, or until `stop` is set. A block goes to all workers; `recycled` gives used ones back.
    pub fn run(mut self, workers: &[Sender<Arc<OwnedBlock>>], recycled: &Receiver<OwnedBlock>, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) {
            match self.next_block(recycled.try_recv().unwrap_or_default()) {
                Ok(Some(block)) => {
                    self.state.read_bytes.store(self.reader.taken_bytes(), Ordering::Relaxed);
                    let block = Arc::new(self.share(block));
                    for worker in workers {
                        // A worker that is gone has taken the process with it.
                        let _ = worker.send(Arc::clone(&block));
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    *lock(&self.state.error) = Some(error.to_string());
                    break;
                }
            }
        }
        *lock(&self.state.warnings) = self.reader.warnings().to_vec();
    }

    /// The next frames that pass the filter, in a block that was used before; `None` at the end.
    ///
    /// # Errors
    /// The only file cannot be read, or the filter does not fit a link type.
    pub fn next_block(&mut self, used: OwnedBlock) -> Result<Option<OwnedBlock>, CaptureError> {
        self.reader.next_block(used)?.map(|block| self.filter(block)).transpose()
    }

    fn share(&self, mut block: OwnedBlock) -> OwnedBlock {
        let Some((workers, ports)) = &self.sharing else { return block };
        for position in 0..block.frames.len() {
            let ends = block.frame(position).and_then(|frame| wire::plain_ends(frame.data, frame.link_type.0, ports));
            block.frames[position].worker = ends.map(|ends| worker_of(ends, *workers) as u8);
        }
        block
    }

    fn filter(&mut self, mut block: OwnedBlock) -> Result<OwnedBlock, CaptureError> {
        if self.expression.is_empty() {
            return Ok(block);
        }
        let mut passes = Vec::with_capacity(block.frames.len());
        let mut filtered = (0, 0);
        for frame in block.frames() {
            let pass = filter_for(&mut self.filters, &self.expression, frame.link_type)?.matches(&frame);
            if !pass {
                filtered = (filtered.0 + 1, filtered.1 + u64::from(frame.origlen));
            }
            passes.push(pass);
        }
        let mut passes = passes.into_iter();
        block.frames.retain(|_| passes.next().unwrap_or(true));
        let mut total = lock(&self.state.filtered);
        *total = (total.0 + filtered.0, total.1 + filtered.1);
        drop(total);
        Ok(block)
    }
}

fn filter_for<'a>(
    filters: &'a mut Vec<(LinkType, OfflineFilter)>,
    expression: &str,
    link_type: LinkType,
) -> Result<&'a OfflineFilter, CaptureError> {
    let place = match filters.iter().position(|(known, _)| *known == link_type) {
        Some(place) => place,
        None => {
            filters.push((link_type, OfflineFilter::compile(expression, link_type)?));
            filters.len() - 1
        }
    };
    Ok(&filters[place].1)
}

/// Processes blocks until the reader has no more.
pub fn run(mut worker: Worker, blocks: &Receiver<Arc<OwnedBlock>>, recycle: &Sender<OwnedBlock>) {
    let now = Instant::now();
    for block in blocks {
        worker.process_block(&*block, now);
        if let Some(block) = Arc::into_inner(block) {
            // A full channel has blocks enough.
            let _ = recycle.try_send(block);
        }
    }
    worker.finish();
}
