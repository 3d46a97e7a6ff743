//! PyO3 glue only: `sensor._native`. What each item means stands in `sensor/_native.pyi`.
#![allow(missing_docs)] // the stub file is the reference

mod columns;
mod search;

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::ffi::to_ffi;
use arrow_array::{Array, StructArray};
use engine::extract::{FrameFiles, Rotation};
use engine::mirror::source_name;
use engine::punt::PuntedFrame;
use engine::records::{RecordKind, Rows};
use engine::watchlist::{Description, ListFormat, ListText};
use engine::{EngineConfig, EngineError};
use pyo3::exceptions::{PyIndexError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyCapsule, PyDict, PyList};

#[allow(clippy::needless_pass_by_value)] // `map_err` hands it over
fn raise(error: EngineError) -> PyErr {
    let text = error.to_string();
    match error {
        EngineError::Config(_) | EngineError::Query(_) => PyValueError::new_err(text),
        EngineError::Capture(_) | EngineError::Ring(_) | EngineError::Extract(_) | EngineError::Thread(_) => {
            PyOSError::new_err(text)
        }
        EngineError::State(_) | EngineError::Dead(_) | EngineError::Arrow(_) | EngineError::Records(_) => {
            PyRuntimeError::new_err(text)
        }
    }
}

/// Arrow records that any library takes without a copy: the Arrow PyCapsule interface.
#[pyclass(frozen, module = "sensor._native")]
struct RecordBatch(arrow_array::RecordBatch);

#[pymethods]
impl RecordBatch {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        // The interface lets a producer ignore what the consumer would rather have.
        drop(requested_schema);
        let records = StructArray::from(self.0.clone()).into_data();
        let (array, schema) = to_ffi(&records).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        let schema = PyCapsule::new(py, schema, Some(c"arrow_schema".into()))?;
        Ok((schema, PyCapsule::new(py, array, Some(c"arrow_array".into()))?))
    }

    #[pyo3(signature = (names=None))]
    fn columns<'py>(&self, py: Python<'py>, names: Option<Vec<String>>) -> PyResult<Vec<Bound<'py, PyList>>> {
        columns::lists(py, &self.0, names)
    }

    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        columns::rows(py, &self.0)
    }

    fn __len__(&self) -> usize {
        self.0.num_rows()
    }
}

#[pyclass(frozen, module = "sensor._native")]
struct Watchlists(Arc<engine::watchlist::Watchlists>);

#[pymethods]
impl Watchlists {
    #[staticmethod]
    #[allow(clippy::needless_pass_by_value)] // the arguments of a Python call are owned
    fn compile(py: Python<'_>, lists: Vec<(String, String, PyBackedBytes, u8)>) -> PyResult<Self> {
        let lists = lists.iter().map(list_text).collect::<PyResult<Vec<_>>>()?;
        let compiled = py.detach(|| engine::watchlist::Watchlists::compile(&lists));
        Ok(Self(Arc::new(compiled)))
    }

    fn text<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyBytes>> {
        let text = self.0.text(index).ok_or_else(|| PyIndexError::new_err("no such list"))?;
        Ok(PyBytes::new(py, text))
    }

    fn find_url<'py>(&self, py: Python<'py>, url: &str, time_ns: u64) -> PyResult<Option<Bound<'py, PyDict>>> {
        self.0.link(url, time_ns).map(|found| described(py, self.0.describe(&found))).transpose()
    }

    #[allow(clippy::needless_pass_by_value)] // the arguments of a Python call are owned
    fn write_entries(&self, py: Python<'_>, path: PathBuf, first: u32) -> PyResult<u32> {
        Ok(py.detach(|| self.0.write_entries(&path, first))?)
    }

    #[allow(clippy::needless_pass_by_value)] // the arguments of a Python call are owned
    fn write_added(&self, py: Python<'_>, known: Option<PathBuf>, added: PathBuf, next: PathBuf) -> PyResult<u32> {
        py.detach(|| self.0.write_added(known.as_deref(), &added, &next)).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => PyValueError::new_err(error.to_string()),
            _ => error.into(),
        })
    }

    fn entry<'py>(&self, py: Python<'py>, number: u32) -> PyResult<Bound<'py, PyDict>> {
        let found = self.0.entry(number).ok_or_else(|| PyIndexError::new_err(number))?;
        described(py, self.0.describe(&found))
    }

    #[getter]
    fn lists<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let summaries = PyList::empty(py);
        for summary in self.0.summary() {
            let refused: Vec<_> = summary.refused.into_iter().map(|r| (r.line, r.column, r.reason)).collect();
            let indicators = PyDict::new(py);
            for (kind, entries) in summary.by_kind.iter() {
                indicators.set_item(kind.as_str(), entries)?;
            }
            let entry = PyDict::new(py);
            entry.set_item("name", summary.name)?;
            entry.set_item("entries", summary.entries)?;
            entry.set_item("indicators", indicators)?;
            entry.set_item("duplicates", summary.duplicates)?;
            entry.set_item("refused", refused)?;
            entry.set_item("refused_total", summary.refused_total)?;
            summaries.append(entry)?;
        }
        Ok(summaries)
    }
}

fn described(py: Python<'_>, entry: Description) -> PyResult<Bound<'_, PyDict>> {
    let listed = PyDict::new(py);
    listed.set_item("list", entry.list)?;
    listed.set_item("indicator", entry.indicator)?;
    listed.set_item("type", entry.kind.as_str())?;
    listed.set_item("severity", entry.severity)?;
    listed.set_item("metadata", engine::rows::metadata_json(entry.metadata))?;
    Ok(listed)
}

fn list_text(list: &(String, String, PyBackedBytes, u8)) -> PyResult<ListText<'_>> {
    let (name, format, text, default_severity) = list;
    let format = match format.as_str() {
        "plain" => ListFormat::Plain,
        "csv" => ListFormat::Csv,
        other => return Err(PyValueError::new_err(format!("list format '{other}' is neither plain nor csv"))),
    };
    Ok(ListText { name: name.clone(), format, text: Cow::Borrowed(text), default_severity: *default_severity })
}

type Punted<'a> = (u64, &'static str, u8, String, Vec<u16>, [Option<String>; 2], [Option<String>; 2], Cow<'a, [u8]>);

fn punted<'a>(frame: &'a PuntedFrame, interfaces: &[String]) -> Punted<'a> {
    let macs = frame.macs.map(|mac| (!mac.is_zero()).then(|| mac.to_string()));
    let addresses = frame.addresses.map_or_else(Default::default, |ends| ends.map(|end| Some(end.to_string())));
    let source = source_name(frame.source, interfaces);
    let (protocol, vlans) = (frame.protocol.name(), frame.vlans.to_vec());
    (frame.time_ns, protocol, frame.kind, source, vlans, macs, addresses, Cow::Borrowed(&frame.message))
}

#[allow(clippy::needless_pass_by_value)] // `map_err` hands it over
fn unwritten(error: serde_json::Error) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

#[pyclass(frozen, module = "sensor._native")]
struct Batch {
    polled: engine::Polled,
    interfaces: Arc<[String]>,
}

#[pymethods]
impl Batch {
    #[getter]
    fn time_ns(&self) -> u64 {
        self.polled.notice.time_ns
    }

    #[getter]
    fn ended(&self) -> bool {
        self.polled.ended
    }

    #[getter]
    fn hits(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| engine::rows::hits_to_json(&self.polled.notice.hits, &self.interfaces)).map_err(unwritten)
    }

    #[getter]
    fn findings(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| engine::rows::findings_to_json(&self.polled.notice.findings, &self.interfaces)).map_err(unwritten)
    }

    #[getter]
    fn mails(&self, py: Python<'_>) -> PyResult<RecordBatch> {
        let rows = py.detach(|| engine::rows::mails_to_arrow(&self.polled.notice.mails, &self.interfaces));
        Ok(RecordBatch(rows.map_err(|error| raise(error.into()))?))
    }

    #[getter]
    fn raw_mails(&self) -> Vec<Cow<'_, [u8]>> {
        engine::rows::raw_messages(&self.polled.notice.mails).map(Cow::Borrowed).collect()
    }

    #[getter]
    fn logins(&self, py: Python<'_>) -> PyResult<RecordBatch> {
        let rows = py.detach(|| engine::rows::logins_to_arrow(&self.polled.notice.logins, &self.interfaces));
        Ok(RecordBatch(rows.map_err(|error| raise(error.into()))?))
    }

    #[getter]
    fn web(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| engine::rows::web_to_json(&self.polled.notice.web, &self.interfaces)).map_err(unwritten)
    }

    #[getter]
    fn beacons(&self) -> String {
        engine::rows::beacons_to_json(&self.polled.notice.beacons, &self.interfaces)
    }

    #[getter]
    fn clicks(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| engine::rows::clicks_to_json(&self.polled.notice.clicks, &self.interfaces)).map_err(unwritten)
    }

    #[getter]
    fn conditions(&self) -> String {
        engine::rows::conditions_to_json(&self.polled.notice.conditions)
    }

    #[getter]
    fn punted(&self) -> Vec<Punted<'_>> {
        self.polled.notice.punted.iter().map(|frame| punted(frame, &self.interfaces)).collect()
    }

    #[getter]
    fn routers(&self) -> Vec<String> {
        self.polled.notice.routers.iter().map(ToString::to_string).collect()
    }

    fn __len__(&self) -> usize {
        self.polled.notice.len()
    }
}

#[pyfunction]
fn segment_of(file_name: &str) -> Option<(String, usize, u64)> {
    engine::find::segment_of(file_name)
}

#[pyfunction]
fn empty_records(kind: &str) -> PyResult<RecordBatch> {
    let batch = match kind {
        "mail" => engine::rows::mails_to_arrow(&[], &[]).map_err(EngineError::from),
        "login" => engine::rows::logins_to_arrow(&[], &[]).map_err(EngineError::from),
        _ => {
            let kind = RecordKind::ALL.into_iter().find(|known| known.name() == kind);
            let kind = kind.ok_or_else(|| PyValueError::new_err("there is no such kind of records"))?;
            kind.batch(&Rows::default(), &[]).map_err(EngineError::from)
        }
    };
    batch.map(RecordBatch).map_err(raise)
}

fn seconds(timeout_seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(timeout_seconds)
        .map_err(|error| PyValueError::new_err(format!("timeout_seconds: {error}")))
}

#[pyclass(frozen, module = "sensor._native")]
struct WebRules(Arc<engine::web::WebRules>);

type Found = (String, String, &'static str, String, String, String, bool);

#[pymethods]
impl WebRules {
    #[staticmethod]
    fn compile(py: Python<'_>, rules: &str) -> PyResult<Self> {
        let configs: Vec<engine::web::RuleConfig> =
            serde_json::from_str(rules).map_err(|error| PyValueError::new_err(format!("web rules: {error}")))?;
        let compiled = py.detach(|| engine::web::WebRules::compile(configs));
        let wrong = |error: engine::web::RuleError| PyValueError::new_err((error.index, error.reason));
        compiled.map(|rules| Self(Arc::new(rules))).map_err(wrong)
    }

    fn inspect(&self, py: Python<'_>, request: &[u8], response: &[u8]) -> Vec<Found> {
        let found = py.detach(|| engine::names::inspect(Arc::clone(&self.0), request, response));
        let row = |finding: &engine::web::WebFinding| {
            let label = &finding.label;
            let (parameter, excerpt) = (finding.parameter.to_string(), finding.excerpt.to_string());
            let (place, evidence) = (finding.place.name(), finding.evidence.to_string());
            (label.category.clone(), label.name.clone(), place, parameter, excerpt, evidence, finding.succeeded)
        };
        found.iter().map(row).collect()
    }
}

#[pyclass(frozen, module = "sensor._native")]
struct Engine {
    engine: engine::Engine,
    interfaces: Arc<[String]>,
}

#[pymethods]
impl Engine {
    #[new]
    fn new(config: &str) -> PyResult<Self> {
        let config: EngineConfig = serde_json::from_str(config)
            .map_err(|error| PyValueError::new_err(format!("engine configuration: {error}")))?;
        let engine = engine::Engine::new(config).map_err(raise)?;
        let interfaces = engine.interfaces();
        Ok(Self { engine, interfaces })
    }

    fn start(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.engine.start()).map_err(raise)
    }

    fn poll(&self, py: Python<'_>, timeout_seconds: f64) -> PyResult<Batch> {
        let timeout = seconds(timeout_seconds)?;
        let polled = py.detach(|| self.engine.poll(timeout)).map_err(raise)?;
        Ok(Batch { polled, interfaces: Arc::clone(&self.interfaces) })
    }

    fn records(&self, py: Python<'_>, timeout_seconds: f64) -> PyResult<Option<Vec<(&'static str, RecordBatch)>>> {
        let timeout = seconds(timeout_seconds)?;
        let batches = py.detach(|| self.engine.records(timeout)).map_err(raise)?;
        Ok(batches.map(|batches| batches.into_iter().map(|(kind, batch)| (kind.name(), RecordBatch(batch))).collect()))
    }

    fn replace_watchlists(&self, watchlists: &Watchlists) -> u32 {
        self.engine.replace_watchlists(Arc::clone(&watchlists.0))
    }

    fn replace_web_rules(&self, rules: &WebRules) {
        self.engine.replace_web_rules(Arc::clone(&rules.0));
    }

    fn counters(&self, py: Python<'_>) -> String {
        py.detach(|| self.engine.counters())
    }

    fn flows(&self, py: Python<'_>, filter: &str, order: &str, limit: usize) -> PyResult<RecordBatch> {
        py.detach(|| self.engine.flows(filter, order, limit)).map(RecordBatch).map_err(raise)
    }

    fn hosts(&self, py: Python<'_>, filter: &str, order: &str, limit: usize) -> PyResult<RecordBatch> {
        py.detach(|| self.engine.hosts(filter, order, limit)).map(RecordBatch).map_err(raise)
    }

    fn sums(&self, py: Python<'_>, limit: usize) -> PyResult<String> {
        py.detach(|| self.engine.sums(limit)).map_err(raise)
    }

    fn traffic(&self, py: Python<'_>, limit: usize) -> PyResult<String> {
        py.detach(|| self.engine.traffic(limit)).map_err(raise)
    }

    fn log_event(&self, py: Python<'_>, line: String) {
        py.detach(|| self.engine.log_event(line));
    }

    fn hand_in(&self, py: Python<'_>, interface: usize, frames: Vec<(u64, Bound<'_, PyBytes>)>) -> PyResult<()> {
        let frames: Vec<(u64, Vec<u8>)> =
            frames.into_iter().map(|(time_ns, data)| (time_ns, data.as_bytes().to_vec())).collect();
        py.detach(|| self.engine.hand_in(interface, &frames)).map_err(raise)
    }

    fn write_frames(&self, py: Python<'_>, path: &str, rotation: (u64, u64, usize)) -> PyResult<(u64, u64, bool)> {
        let (seconds, bytes, files) = rotation;
        let rotation = Rotation { duration_ns: seconds.saturating_mul(1_000_000_000), bytes, files };
        let output = FrameFiles::new(path.into(), rotation);
        let written = py.detach(|| self.engine.write_frames(output)).map_err(raise)?;
        Ok((written.frames, written.files, written.left_out))
    }

    fn stop(&self) {
        self.engine.stop();
    }
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Engine>()?;
    module.add_class::<Batch>()?;
    module.add_class::<RecordBatch>()?;
    module.add_class::<WebRules>()?;
    module.add_class::<Watchlists>()?;
    module.add_class::<search::PacketSearch>()?;
    module.add_function(wrap_pyfunction!(segment_of, module)?)?;
    module.add_function(wrap_pyfunction!(empty_records, module)?)
}
