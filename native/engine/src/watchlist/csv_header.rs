//! The header of a CSV list: which column stands where.

use super::csv_row::{Row, RowReader};

/// How many columns a CSV list can have.
pub(super) const COLUMN_COUNT: usize = 18;

/// The columns of a CSV list; only the first is required.
pub const COLUMNS: [&str; COLUMN_COUNT] = [
    "indicator",
    "type",
    "port",
    "proto",
    "direction",
    "severity",
    "confidence",
    "source",
    "source_id",
    "malware",
    "threat_type",
    "tags",
    "first_seen",
    "last_seen",
    "valid_until",
    "reference",
    "comment",
    "action",
];

/// The columns that the core itself reads, as indices of [`COLUMNS`].
pub(super) mod column {
    pub(in super::super) const INDICATOR: usize = 0;
    pub(in super::super) const TYPE: usize = 1;
    pub(in super::super) const PORT: usize = 2;
    pub(in super::super) const PROTO: usize = 3;
    pub(in super::super) const DIRECTION: usize = 4;
    pub(in super::super) const SEVERITY: usize = 5;
    pub(in super::super) const VALID_UNTIL: usize = 14;
    pub(in super::super) const ACTION: usize = 17;
}

/// Columns whose meaning a description tells by other means.
const NOT_METADATA: [usize; 4] = [column::INDICATOR, column::TYPE, column::SEVERITY, column::ACTION];

/// The longest piece of a wrong name that a message repeats, in characters.
const MAX_ECHO: usize = 40;

/// The order of the columns.
pub(super) struct Header {
    /// For each field of a row, its index in [`COLUMNS`].
    columns: Vec<usize>,
    /// For each of [`COLUMNS`], its field.
    fields: [Option<usize>; COLUMN_COUNT],
}

impl Header {
    /// Reads the header row.
    ///
    /// # Errors
    /// The field that is wrong, if it is one, and why.
    pub(super) fn parse(row: &Row<'_>) -> Result<Self, (Option<usize>, String)> {
        let mut header = Self { columns: Vec::new(), fields: [None; COLUMN_COUNT] };
        for field in 0..row.len() {
            let name = String::from_utf8_lossy(row.field(field)).to_ascii_lowercase();
            header.add(&name).map_err(|reason| (Some(field), reason))?;
        }
        if header.field_of(column::INDICATOR).is_none() {
            return Err((None, "the header has no column `indicator`".to_owned()));
        }
        Ok(header)
    }

    fn add(&mut self, name: &str) -> Result<(), String> {
        let Some(column) = COLUMNS.iter().position(|known| *known == name) else {
            let echo: String = name.chars().take(MAX_ECHO).flat_map(char::escape_debug).collect();
            return Err(format!("unknown column `{echo}`; the columns are {}", COLUMNS.join(",")));
        };
        if self.fields[column].is_some() {
            return Err(format!("the column `{name}` stands twice"));
        }
        self.fields[column] = Some(self.columns.len());
        self.columns.push(column);
        Ok(())
    }

    /// Fields that each row has.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    /// The field of a column, if the list has it.
    #[inline]
    pub(super) fn field_of(&self, column: usize) -> Option<usize> {
        self.fields[column]
    }

    /// The indicator of the row that `text` starts with.
    pub(super) fn indicator(&self, text: &[u8]) -> Vec<u8> {
        let mut reader = RowReader::default();
        let row = reader.read(text).ok();
        let field = row.as_ref().zip(self.field_of(column::INDICATOR));
        field.map(|(row, field)| row.field(field).to_vec()).unwrap_or_default()
    }

    /// The columns of the row that `text` starts with, except what is empty or told by other means.
    pub(super) fn metadata(&self, text: &[u8]) -> Vec<(&'static str, String)> {
        let mut reader = RowReader::default();
        let Ok(row) = reader.read(text) else { return Vec::new() };
        let fields = self.columns.iter().enumerate().filter(|(_, column)| !NOT_METADATA.contains(column));
        let values = fields.map(|(field, &column)| (COLUMNS[column], row.field(field)));
        let filled = values.filter(|(_, value)| !value.is_empty());
        filled.map(|(name, value)| (name, String::from_utf8_lossy(value).into_owned())).collect()
    }
}
