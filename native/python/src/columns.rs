//! Arrow columns as lists of Python objects, and rows as dictionaries: what Python loops over.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow_schema::{DataType, FieldRef, Fields};
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

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

/// The rows, each a dictionary by the names of the columns.
pub(crate) fn rows<'py>(py: Python<'py>, batch: &RecordBatch) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, dictionaries(py, batch.schema_ref().fields(), batch.columns())?.collect::<PyResult<Vec<_>>>()?)
}

fn dictionaries<'py>(
    py: Python<'py>,
    fields: &Fields,
    columns: &[ArrayRef],
) -> PyResult<impl Iterator<Item = PyResult<Bound<'py, PyDict>>>> {
    let named = |(field, column): (&FieldRef, &ArrayRef)| Ok((PyString::intern(py, field.name()), list(py, column)?));
    let columns = fields.iter().zip(columns).map(named).collect::<PyResult<Vec<_>>>()?;
    let rows = columns.first().map_or(0, |(_, values)| values.len());
    Ok((0..rows).map(move |row| {
        let dictionary = PyDict::new(py);
        for (name, values) in &columns {
            dictionary.set_item(name, values.get_item(row)?)?;
        }
        Ok(dictionary)
    }))
}

fn nested<'py>(py: Python<'py>, column: &StructArray) -> PyResult<Bound<'py, PyList>> {
    let rows = dictionaries(py, column.fields(), column.columns())?.enumerate();
    let rows = rows.map(|(row, dictionary)| Ok(if column.is_null(row) { None } else { Some(dictionary?) }));
    PyList::new(py, rows.collect::<PyResult<Vec<_>>>()?)
}

fn list<'py>(py: Python<'py>, column: &ArrayRef) -> PyResult<Bound<'py, PyList>> {
    match column.data_type() {
        DataType::UInt8 => PyList::new(py, column.as_primitive::<UInt8Type>().iter().collect::<Vec<_>>()),
        DataType::UInt16 => PyList::new(py, column.as_primitive::<UInt16Type>().iter().collect::<Vec<_>>()),
        DataType::UInt32 => PyList::new(py, column.as_primitive::<UInt32Type>().iter().collect::<Vec<_>>()),
        DataType::UInt64 => PyList::new(py, column.as_primitive::<UInt64Type>().iter().collect::<Vec<_>>()),
        DataType::Int64 => PyList::new(py, column.as_primitive::<Int64Type>().iter().collect::<Vec<_>>()),
        DataType::Float64 => PyList::new(py, column.as_primitive::<Float64Type>().iter().collect::<Vec<_>>()),
        DataType::Boolean => PyList::new(py, column.as_boolean().iter().collect::<Vec<_>>()),
        DataType::Utf8 => PyList::new(py, column.as_string::<i32>().iter().collect::<Vec<_>>()),
        DataType::List(_) => {
            let rows = column.as_list::<i32>().iter().map(|row| row.map(|row| list(py, &row)).transpose());
            PyList::new(py, rows.collect::<PyResult<Vec<_>>>()?)
        }
        DataType::Struct(_) => nested(py, column.as_struct()),
        other => Err(PyTypeError::new_err(format!("a column of {other} has no list"))),
    }
}
