//! The first byte chooses the list's format, the rest is the list; every entry that an address meets is described.
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
    let kinds = summary.by_kind;
    assert_eq!(summary.entries, kinds.ip + kinds.cidr + kinds.ip_port);
    assert!(summary.refused.len() as u64 <= summary.refused_total);
    for (address, port) in [([10, 0, 0, 1], 443), ([203, 0, 113, 9], 443), ([0, 0, 0, 0], 0)] {
        let end = (Address::v4(address), port);
        let query =
            Query { orig: end, resp: end, protocol: 6, orig_internal: true, resp_internal: false, time_ns: 1 << 60 };
        if let Some(found) = lists.lookup(&query) {
            assert_eq!(lists.describe(&found).list, "fuzz");
        }
    }
});
