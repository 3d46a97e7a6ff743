//! Arrow columns as lists of Python objects: what a script loops over.

use arrow_array::cast::AsArray;
use arrow_array::types::{UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyList;

/// The columns with these names, or all, in their order.
pub(crate) fn lists<'py>(
    py: Python<'py>,
    batch: &RecordBatch,
    names: Option<Vec<String>>,
) -> PyResult<Vec<Bound<'py, PyList>>> {
    let Some(names) = names else { return batch.columns().iter().map(|column| list(py, column)).collect() };
    let column = |name: String| batch.column_by_name(&name).ok_or_else(|| PyKeyError::new_err(name));
    names.into_iter().map(|name| list(py, column(name)?)).collect()
}

fn list<'py>(py: Python<'py>, column: &ArrayRef) -> PyResult<Bound<'py, PyList>> {
    match column.data_type() {
        DataType::UInt8 => PyList::new(py, column.as_primitive::<UInt8Type>().iter().collect::<Vec<_>>()),
        DataType::UInt16 => PyList::new(py, column.as_primitive::<UInt16Type>().iter().collect::<Vec<_>>()),
        DataType::UInt32 => PyList::new(py, column.as_primitive::<UInt32Type>().iter().collect::<Vec<_>>()),
        DataType::UInt64 => PyList::new(py, column.as_primitive::<UInt64Type>().iter().collect::<Vec<_>>()),
        DataType::Boolean => PyList::new(py, column.as_boolean().iter().collect::<Vec<_>>()),
        DataType::Utf8 => PyList::new(py, column.as_string::<i32>().iter().collect::<Vec<_>>()),
        DataType::List(_) => {
            let rows = column.as_list::<i32>().iter().map(|row| row.map(|row| list(py, &row)).transpose());
            PyList::new(py, rows.collect::<PyResult<Vec<_>>>()?)
        }
        other => Err(PyTypeError::new_err(format!("a column of {other} has no list"))),
    }
}
