//! The first byte chooses the list's format, the rest is the list; every entry that an address, or a
//! name, URL or fingerprint from the list itself, meets is described, and all entries are written as a hunt has them.
#![no_main]

use std::fs::{self, File};
use std::path::PathBuf;

use engine::watchlist::{ListFormat, ListText, Query, Watchlists};
use libfuzzer_sys::fuzz_target;
use wire::Address;

/// Fields of a line that `write_entries` writes.
const FIELDS: usize = 8;

/// A new, empty file in memory.
fn file(name: &str) -> PathBuf {
    let path = PathBuf::from(format!("/dev/shm/spanwatch-fuzz-{}-{name}", std::process::id()));
    File::create(&path).expect("a file");
    path
}

/// No indicator breaks its line, and what one hunt looked for the next does not.
fn write(lists: &Watchlists, entries: u64) {
    let (all, added, known, next) = (file("all"), file("added"), file("known"), file("next"));
    assert_eq!(u64::from(lists.write_entries(&all, 0).expect("written")), entries);
    lists.write_added(None, &added, &known).expect("written");
    assert_eq!(lists.write_added(Some(&known), &added, &next).expect("written"), 0);
    let text = fs::read_to_string(&all).expect("UTF-8");
    assert_eq!(text.lines().count() as u64, entries);
    for line in text.lines().chain(fs::read_to_string(&added).expect("UTF-8").lines()) {
        assert_eq!(line.split('\t').count(), FIELDS, "{line}");
    }
}

fuzz_target!(|data: &[u8]| {
    let [choice, text @ ..] = data else { return };
    let format = if choice % 2 == 0 { ListFormat::Plain } else { ListFormat::Csv };
    let list = ListText { name: "fuzz".to_owned(), format, text: text.into(), default_severity: *choice };
    let lists = Watchlists::compile(&[list]);
    let [summary] = &lists.summary()[..] else { panic!("one list, one summary") };
    assert_eq!(summary.entries, summary.by_kind.iter().map(|(_, entries)| entries).sum::<u64>());
    assert!(summary.refused.len() as u64 <= summary.refused_total);
    write(&lists, summary.entries);
    for (address, port) in [([10, 0, 0, 1], 443), ([203, 0, 113, 9], 443), ([0, 0, 0, 0], 0)] {
        let end = (Address::v4(address), port);
        let query =
            Query { orig: end, resp: end, protocol: 6, orig_internal: true, resp_internal: false, time_ns: 1 << 60 };
        if let Some(found) = lists.lookup(&query) {
            assert_eq!(lists.describe(&found).list, "fuzz");
        }
    }
    for word in text.split(|byte| matches!(byte, b'\n' | b',' | b' ')) {
        let (host, target) = word.split_at(word.len() / 2);
        let time_ns = 1 << 60;
        let met = [
            lists.domain(word, time_ns),
            lists.url(b"proxy", 80, word, time_ns),
            lists.url(host, 8080, target, time_ns),
            lists.ja4(word, time_ns),
        ];
        for found in met.iter().flatten() {
            let entry = lists.describe(found);
            assert!(!entry.indicator.is_empty() && entry.indicator.is_ascii());
        }
    }
});
