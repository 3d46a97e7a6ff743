//! Entries of watchlists as rows for Arrow.

use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};

use crate::output::protocol_name;
use crate::query::to_arrow;
use crate::watchlist::Wanted;

/// An entry, and what it asks for.
#[derive(Debug, Serialize, Deserialize)]
struct WantedRow {
    entry: u32,
    #[serde(rename = "type")]
    kind: String,
    indicator: String,
    network: Option<String>,
    port: Option<u16>,
    proto: Option<String>,
    direction: String,
    allow: bool,
}

/// Entries as Arrow.
///
/// # Errors
/// The rows do not fit Arrow's types; a defect of the row type.
pub fn wanted_to_arrow(entries: impl Iterator<Item = (u32, Wanted)>) -> Result<RecordBatch, serde_arrow::Error> {
    to_arrow(&entries.map(|(entry, wanted)| WantedRow::new(entry, wanted)).collect::<Vec<_>>())
}

impl WantedRow {
    fn new(entry: u32, wanted: Wanted) -> Self {
        Self {
            entry,
            kind: wanted.kind.as_str().to_owned(),
            indicator: wanted.indicator,
            network: wanted.network,
            port: wanted.port,
            proto: wanted.protocol.map(protocol_name),
            direction: wanted.direction.to_owned(),
            allow: wanted.allow,
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::UInt16Type;

    use super::*;
    use crate::watchlist::{ListFormat, ListText, Watchlists};

    #[test]
    fn an_entry_is_a_row() {
        let text = b"indicator,port,proto,direction\n203.0.113.9,443,tcp,out\n".as_slice().into();
        let list = ListText { name: "test".to_owned(), format: ListFormat::Csv, text, default_severity: 1 };
        let rows = wanted_to_arrow(Watchlists::compile(&[list]).entries()).expect("rows");
        let text = |name: &str| rows.column_by_name(name).expect("a column").as_string::<i32>().value(0).to_owned();
        assert_eq!((text("type"), text("indicator")), ("ip_port".to_owned(), "203.0.113.9:443".to_owned()));
        assert_eq!((text("network"), text("proto")), ("203.0.113.9".to_owned(), "TCP".to_owned()));
        assert_eq!(text("direction"), "out");
        assert_eq!(rows.column_by_name("port").expect("a column").as_primitive::<UInt16Type>().value(0), 443);
    }
}
