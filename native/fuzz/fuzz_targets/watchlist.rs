//! The first byte chooses the list's format, the rest is the list; every entry that an address, or a
//! name, URL or fingerprint from the list itself, meets is described.
#![no_main]

use engine::watchlist::{ListFormat, ListText, Query, Watchlists};
use libfuzzer_sys::fuzz_target;
use wire::Address;

fuzz_target!(|data: &[u8]| {
    let [choice, text @ ..] = data else { return };
    let format = if choice % 2 == 0 { ListFormat::Plain } else { ListFormat::Csv };
    let list = ListText { name: "fuzz".to_owned(), format, text: text.into(), default_severity: *choice };
    let lists = Watchlists::compile(&[list]);
    let [summary] = &lists.summary()[..] else { panic!("one list, one summary") };
    assert_eq!(summary.entries, summary.by_kind.iter().map(|(_, entries)| entries).sum::<u64>());
    assert!(summary.refused.len() as u64 <= summary.refused_total);
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
