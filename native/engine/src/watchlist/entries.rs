//! All entries as text, for whoever looks back: a search in what was kept has no flow to look up.
//!
//! A line has, between tabs, the entry's number, its type, the indicator in its one form, and what that asks for: the
//! address or network (none of a name), port, protocol, direction (`any`, `out`, `in`) and whether it is allowed
//! (`true`, `false`). What is empty is any. No indicator holds a tab or a line end.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::indicator::Indicator;
use super::terms::{Action, Direction};
use super::{Match, Side, Watchlists};
use crate::output::protocol_name;

impl Watchlists {
    /// Appends a line for every entry to a file, and gives their number; the first entry's number is `first`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_entries(&self, path: &Path, first: u32) -> io::Result<u32> {
        let mut out = BufWriter::new(File::options().append(true).open(path)?);
        let mut wanted = Vec::new();
        for number in 0..self.table.len() {
            self.describe_wanted(number, &mut wanted)?;
            write_line(&mut out, number + first, &wanted)?;
        }
        out.flush()?;
        Ok(self.table.len())
    }

    /// Makes `line` what an entry asks for, whatever list it stands in and whatever else is said of it: its line
    /// without the number.
    pub(super) fn describe_wanted(&self, number: u32, line: &mut Vec<u8>) -> io::Result<()> {
        let (network, terms, row) = self.table.get(number);
        line.clear();
        write!(line, "{}\t", terms.kind.as_str())?;
        match network {
            Some(network) => write!(line, "{}\t{network}\t", Indicator { network, port: terms.port })?,
            None => write!(line, "{}\t\t", self.lists[terms.list as usize].name_at(row, terms.kind))?,
        }
        if let Some(port) = terms.port {
            write!(line, "{port}")?;
        }
        let direction = match terms.direction {
            Direction::Any => "any",
            Direction::Out => "out",
            Direction::In => "in",
        };
        let protocol = terms.protocol.map(protocol_name).unwrap_or_default();
        write!(line, "\t{protocol}\t{direction}\t{}", terms.action == Action::Allow)
    }

    /// Whether an entry silences what it matches.
    pub(super) fn allows(&self, number: u32) -> bool {
        self.table.get(number).1.action == Action::Allow
    }

    /// The entry with a number that [`Self::write_entries`] gave, none if there is no such number.
    pub fn entry(&self, number: u32) -> Option<Match> {
        (number < self.table.len()).then(|| self.found(number, Side::Resp))
    }
}

/// Writes the line of an entry.
pub(super) fn write_line(out: &mut impl Write, number: u32, wanted: &[u8]) -> io::Result<()> {
    write!(out, "{number}\t")?;
    out.write_all(wanted)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::super::{ListFormat, ListText};
    use super::*;

    fn compiled(format: ListFormat, text: &str) -> Watchlists {
        let text = text.as_bytes().to_vec().into();
        Watchlists::compile(&[ListText { name: "test".to_owned(), format, text, default_severity: 1 }])
    }

    fn written(lists: &Watchlists, first: u32) -> String {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let number = lists.write_entries(file.path(), first).expect("written");
        let text = std::fs::read_to_string(file.path()).expect("read");
        assert_eq!(text.lines().count(), number as usize);
        text
    }

    #[test]
    fn every_entry_is_told_in_its_one_form() {
        let text = "203.0.113.9\n198.51.100.0/24:8080\n[2001:db8::1]:443\nEVIL.example\n*.worse.example\n\
                    http://evil.example/a\nt13d1516h2_8daaf6152771_e5627efa2ab1\n";
        let told = written(&compiled(ListFormat::Plain, text), 0);
        for expected in [
            "ip\t203.0.113.9\t203.0.113.9\t\t\tany\tfalse",
            "cidr\t198.51.100.0/24:8080\t198.51.100.0/24\t8080\t\tany\tfalse",
            "ip_port\t[2001:db8::1]:443\t2001:db8::1\t443\t\tany\tfalse",
            "domain\tevil.example\t\t\t\tany\tfalse",
            "suffix\t*.worse.example\t\t\t\tany\tfalse",
            "url\thttp://evil.example/a\t\t\t\tany\tfalse",
            "ja4\tt13d1516h2_8daaf6152771_e5627efa2ab1\t\t\t\tany\tfalse",
        ] {
            assert!(told.lines().any(|line| line.split_once('\t').is_some_and(|(_, rest)| rest == expected)), "{told}");
        }
        assert_eq!(told.lines().count(), 7);
    }

    #[test]
    fn what_a_row_asks_for_stands_beside_its_indicator() {
        let text = "indicator,port,proto,direction,action\n203.0.113.9,443,tcp,out,allow\n";
        assert_eq!(
            written(&compiled(ListFormat::Csv, text), 7),
            "7\tip_port\t203.0.113.9:443\t203.0.113.9\t443\tTCP\tout\ttrue\n"
        );
    }

    #[test]
    fn a_number_leads_to_what_the_row_says() {
        let lists = compiled(ListFormat::Csv, "indicator,malware,action\n203.0.113.9,Emotet,\nfine.example,,allow\n");
        let described = lists.describe(&lists.entry(0).expect("an entry"));
        assert_eq!(described.metadata, [("malware", "Emotet".to_owned())]);
        assert!(lists.entry(2).is_none());
    }
}
