//! Packets out of the ring: `sensor._native.PacketSearch`.

use std::io::ErrorKind;
use std::sync::{Mutex, MutexGuard, PoisonError};

use engine::find::{FindError, Form, Format};
use pyo3::exceptions::{PyBrokenPipeError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// A search holds one output and one place in each segment: one call at a time.
#[pyclass(frozen, module = "sensor._native")]
pub(crate) struct PacketSearch(Mutex<engine::find::PacketSearch>);

impl PacketSearch {
    fn lock(&self) -> MutexGuard<'_, engine::find::PacketSearch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl PacketSearch {
    #[new]
    fn new(py: Python<'_>, query: &str) -> PyResult<Self> {
        let query = serde_json::from_str(query).map_err(|error| PyValueError::new_err(format!("query: {error}")))?;
        let search = py.detach(|| engine::find::PacketSearch::new(query)).map_err(raise_find)?;
        Ok(Self(Mutex::new(search)))
    }

    #[getter]
    fn plan(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| serde_json::to_string(self.lock().plan()))
            .map_err(|error| PyRuntimeError::new_err(error.to_string()))
    }

    #[getter]
    fn read_bytes(&self, py: Python<'_>) -> u64 {
        py.detach(|| self.lock().read_bytes())
    }

    #[pyo3(signature = (path, *, pcapng=None, comment="", statistics="[]"))]
    fn write_to(
        &self,
        py: Python<'_>,
        path: &str,
        pcapng: Option<bool>,
        comment: &str,
        statistics: &str,
    ) -> PyResult<()> {
        let statistics =
            serde_json::from_str(statistics).map_err(|error| PyValueError::new_err(format!("statistics: {error}")))?;
        let format = pcapng.map(|pcapng| if pcapng { Format::PcapNg } else { Format::Pcap });
        let form = Form { format, comment: comment.to_owned(), statistics };
        py.detach(|| self.lock().write_to(path, form)).map_err(raise_find)
    }

    fn step(&self, py: Python<'_>) -> PyResult<bool> {
        py.detach(|| self.lock().step()).map_err(raise_find)
    }

    fn finish(&self, py: Python<'_>) -> PyResult<String> {
        let found = py.detach(|| self.lock().finish()).map_err(raise_find)?;
        serde_json::to_string(&found).map_err(|error| PyRuntimeError::new_err(error.to_string()))
    }
}

#[allow(clippy::needless_pass_by_value)] // `map_err` hands it over
fn raise_find(error: FindError) -> PyErr {
    match &error {
        FindError::Query(_) | FindError::Filter(_) => PyValueError::new_err(error.to_string()),
        FindError::Io { cause, .. } if cause.kind() == ErrorKind::BrokenPipe => {
            PyBrokenPipeError::new_err(error.to_string())
        }
        FindError::Io { .. } => PyOSError::new_err(error.to_string()),
    }
}
