//! All entries, for whoever looks back: a search in what was kept has no flow to look up.

use std::collections::HashSet;

use ahash::RandomState;

use super::indicator::Indicator;
use super::terms::{Action, Direction, Terms};
use super::{IndicatorKind, Match, Side, Watchlists};

/// What an entry asks for, whatever list it stands in and whatever else is said of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// What it lists.
    pub kind: IndicatorKind,
    /// The indicator in its one form.
    pub indicator: String,
    /// The address or network of it, without a port.
    pub network: Option<String>,
    /// The listed end's port; `None` is any.
    pub port: Option<u16>,
    /// IANA protocol number; `None` is any.
    pub protocol: Option<u8>,
    /// Who opens: `any`, `out` (our side) or `in` (the listed end).
    pub direction: &'static str,
    /// Whether it silences what is met otherwise.
    pub allow: bool,
}

impl Wanted {
    fn new(indicator: String, network: Option<String>, terms: &Terms) -> Self {
        Self {
            kind: terms.kind,
            indicator,
            network,
            port: terms.port.map(u16::from),
            protocol: terms.protocol,
            direction: match terms.direction {
                Direction::Any => "any",
                Direction::Out => "out",
                Direction::In => "in",
            },
            allow: terms.action == Action::Allow,
        }
    }
}

impl Watchlists {
    /// Every entry with its number, by kind of table and in its order.
    pub fn entries(&self) -> impl Iterator<Item = (u32, Wanted)> + '_ {
        (0..self.table.len()).map(|number| {
            let (network, terms, row) = self.table.get(number);
            let address = network.map(|network| Indicator { network, port: terms.port }.to_string());
            let indicator = address.unwrap_or_else(|| self.lists[terms.list as usize].name_at(row, terms.kind));
            (number, Wanted::new(indicator, network.map(|network| network.to_string()), terms))
        })
    }

    /// The entries that ask for something that no entry of `earlier` asks for, each such thing once.
    pub fn added(&self, earlier: &Self) -> Vec<(u32, Wanted)> {
        // Keyed at random: nobody can write an entry that seems to be known.
        let hasher = RandomState::new();
        let mut known: HashSet<u64> = earlier.entries().map(|(_, wanted)| hasher.hash_one(&wanted)).collect();
        self.entries().filter(|(_, wanted)| known.insert(hasher.hash_one(wanted))).collect()
    }

    /// The entry with a number that [`Self::entries`] gave, none if there is no such number.
    pub fn entry(&self, number: u32) -> Option<Match> {
        (number < self.table.len()).then(|| self.found(number, Side::Resp))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ListFormat, ListText};
    use super::*;

    fn compiled(format: ListFormat, text: &str) -> Watchlists {
        let text = text.as_bytes().to_vec().into();
        Watchlists::compile(&[ListText { name: "test".to_owned(), format, text, default_severity: 1 }])
    }

    const ALL: &str = "203.0.113.9\n198.51.100.0/24:8080\n[2001:db8::1]:443\nEVIL.example\n*.worse.example\n\
                       http://evil.example/a\nt13d1516h2_8daaf6152771_e5627efa2ab1\n";

    #[test]
    fn every_entry_is_told_in_its_one_form() {
        let lists = compiled(ListFormat::Plain, ALL);
        let told: Vec<_> = lists.entries().map(|(_, wanted)| (wanted.indicator, wanted.network, wanted.port)).collect();
        let name = |text: &str| (text.to_owned(), None, None);
        for expected in [
            ("203.0.113.9".to_owned(), Some("203.0.113.9".to_owned()), None),
            ("198.51.100.0/24:8080".to_owned(), Some("198.51.100.0/24".to_owned()), Some(8080)),
            ("[2001:db8::1]:443".to_owned(), Some("2001:db8::1".to_owned()), Some(443)),
            name("evil.example"),
            name("*.worse.example"),
            name("http://evil.example/a"),
            name("t13d1516h2_8daaf6152771_e5627efa2ab1"),
        ] {
            assert!(told.contains(&expected), "{expected:?} in {told:?}");
        }
        assert_eq!(told.len(), 7);
    }

    #[test]
    fn a_number_leads_to_what_the_row_says() {
        let lists = compiled(ListFormat::Csv, "indicator,malware,action\n203.0.113.9,Emotet,\nfine.example,,allow\n");
        let entries: Vec<_> = lists.entries().collect();
        let described = lists.describe(&lists.entry(entries[0].0).expect("an entry"));
        assert_eq!(described.metadata, [("malware", "Emotet".to_owned())]);
        assert_eq!(entries.iter().map(|(_, wanted)| wanted.allow).collect::<Vec<_>>(), [false, true]);
        assert!(lists.entry(2).is_none());
    }

    #[test]
    fn only_what_is_asked_for_anew_is_added() {
        let before = compiled(ListFormat::Plain, ALL);
        let after = compiled(
            ListFormat::Csv,
            "indicator,port,malware\n203.0.113.9,,Emotet\n203.0.113.9,443,\nevil.example,,\n*.evil.example,,\n\
             new.example,,\nNEW.example,,x\n",
        );
        let mut added: Vec<_> = after.added(&before).into_iter().map(|(_, wanted)| wanted.indicator).collect();
        added.sort();
        assert_eq!(added, ["*.evil.example", "203.0.113.9:443", "new.example"]);
        assert!(before.added(&before).is_empty());
        assert_eq!(before.added(&Watchlists::default()).len(), 7);
    }
}
