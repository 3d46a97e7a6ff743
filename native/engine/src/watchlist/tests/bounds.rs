//! What a list may have at most.

use super::*;

#[test]
fn entries_for_one_address_are_bounded() {
    let bound = level::MAX_ENTRIES_PER_NETWORK;
    let text: String = (1..=bound + 1).map(|port| format!("203.0.113.9:{port}\n")).collect();
    let lists = plain(&text);
    let (line, column, reason) = only_refusal(&lists);
    assert_eq!((line as usize, column), (bound + 1, 1));
    assert!(reason.starts_with("more than 256 different entries"), "{reason}");
    assert!(lists.lookup(&outward("203.0.113.9", bound as u16)).is_some());
    assert!(lists.lookup(&outward("203.0.113.9", bound as u16 + 1)).is_none());
}

#[test]
fn lines_that_are_one_too_many_are_told_among_the_other_refused_ones() {
    let bound = level::MAX_ENTRIES_PER_NETWORK;
    let rows: String = (1..=bound).map(|port| format!("203.0.113.9,{port}\n")).collect();
    let lists = csv(&format!("indicator,port\n{rows}203.0.113.9,60000\nx,\n203.0.113.9,1\n203.0.113.9,60001\n"));
    let lines: Vec<_> = refused(&lists).into_iter().map(|(line, column, _)| (line as usize - bound, column)).collect();
    assert_eq!(lines, [(2, 1), (3, 1), (5, 1)]);
    let summary = lists.summary().remove(0);
    assert_eq!(
        (summary.entries as usize, summary.by_kind.get(IndicatorKind::IpPort) as usize, summary.duplicates),
        (bound, bound, 1)
    );
}
