//! What a flow meets, and which of several entries is named.

use super::*;

#[test]
fn a_port_is_that_of_the_listed_end_and_of_protocols_with_ports() {
    let lists = plain("203.0.113.9:443\n[2001:db8::9]:53");
    assert_eq!(indicator(&lists, &outward("203.0.113.9", 443)), Some("203.0.113.9:443".to_owned()));
    assert_eq!(indicator(&lists, &outward("203.0.113.9", 80)), None);
    assert_eq!(indicator(&lists, &outward("2001:db8::9", 53)), Some("[2001:db8::9]:53".to_owned()));
    // Port 443 at our end is none of the entry's.
    let ours = Query { orig: (address("10.0.0.7"), 443), ..outward("203.0.113.9", 80) };
    assert_eq!(indicator(&lists, &ours), None);
    assert!(lists.lookup(&Query { protocol: UDP, ..outward("203.0.113.9", 443) }).is_some());
    // In an ICMP flow the field is no port.
    assert!(lists.lookup(&Query { protocol: ICMP, ..outward("203.0.113.9", 443) }).is_none());
}

#[test]
fn both_ends_are_looked_up_and_the_match_says_which() {
    let lists = plain("203.0.113.9");
    let sides = [outward("203.0.113.9", 80), inward("203.0.113.9", 80)].map(|query| lists.lookup(&query));
    assert_eq!(sides.map(|found| found.map(|found| found.matched)), [Some(Side::Resp), Some(Side::Orig)]);
    // One network holds both ends: the foreign one is named.
    let both = plain("10.0.0.0/8");
    let foreign = Query { orig_internal: false, resp_internal: true, ..outward("10.9.9.9", 80) };
    assert_eq!(both.lookup(&foreign).map(|found| found.matched), Some(Side::Orig));
    assert_eq!(both.lookup(&outward("10.9.9.9", 80)).map(|found| found.matched), Some(Side::Resp));
}

#[test]
fn of_several_entries_the_best_is_named() {
    let lists = csv(
        "indicator,severity\n203.0.0.0/16,1\n203.0.113.0/24,1\n203.0.113.9,4\n203.0.113.9:443,4\n203.0.113.0/24:80,4",
    );
    assert_eq!(refused(&lists), []);
    assert_eq!(indicator(&lists, &outward("203.0.113.9", 443)), Some("203.0.113.9:443".to_owned()));
    assert_eq!(indicator(&lists, &outward("203.0.113.9", 80)), Some("203.0.113.0/24:80".to_owned()));
    assert_eq!(indicator(&lists, &outward("203.0.113.9", 25)), Some("203.0.113.9".to_owned()));
    assert_eq!(indicator(&lists, &outward("203.0.113.8", 25)), Some("203.0.113.0/24".to_owned()));
    assert_eq!(indicator(&lists, &outward("203.0.9.9", 25)), Some("203.0.0.0/16".to_owned()));
}

#[test]
fn equal_entries_go_by_severity_then_by_list() {
    let lists = Watchlists::compile(&[
        list("first", ListFormat::Plain, b"203.0.113.1\n203.0.113.2\n203.0.113.1"),
        list("second", ListFormat::Csv, b"indicator,severity\n203.0.113.1,\n203.0.113.2,high"),
    ]);
    let list_of = |resp| met(&lists, &outward(resp, 80)).map(|(_, list)| list);
    assert_eq!(list_of("203.0.113.1"), Some("first".to_owned()));
    assert_eq!(list_of("203.0.113.2"), Some("second".to_owned()));
    let counts = lists.summary().into_iter().map(|list| (list.entries, list.duplicates));
    assert_eq!(counts.collect::<Vec<_>>(), [(2, 1), (2, 0)]);
}

#[test]
fn of_two_ends_that_are_listed_alike_the_earlier_line_is_named() {
    let query = Query { orig: (address("203.0.113.200"), 7), ..outward("198.51.100.1", 80) };
    for (text, named) in
        [("203.0.113.200\n198.51.100.1\n", "203.0.113.200"), ("198.51.100.1\n203.0.113.200\n", "198.51.100.1")]
    {
        assert_eq!(indicator(&plain(text), &query).as_deref(), Some(named));
    }
}

#[test]
fn what_is_allowed_is_no_match() {
    let lists = Watchlists::compile(&[
        list("feed", ListFormat::Plain, b"203.0.113.0/24"),
        list(
            "own",
            ListFormat::Csv,
            b"indicator,port,action\n203.0.113.9,443,allow\n10.0.0.8,,allow\n203.0.113.10,,alert",
        ),
    ]);
    assert!(lists.lookup(&outward("203.0.113.9", 443)).is_none());
    assert_eq!(indicator(&lists, &outward("203.0.113.9", 80)), Some("203.0.113.0/24".to_owned()));
    assert_eq!(indicator(&lists, &outward("203.0.113.10", 80)), Some("203.0.113.10".to_owned()));
    let allowed_host = Query { orig: (address("10.0.0.8"), 1), ..outward("203.0.113.1", 80) };
    assert!(lists.lookup(&allowed_host).is_none());
}

#[test]
fn a_protocol_limits_an_entry() {
    let lists =
        csv("indicator,proto\n203.0.113.1,tcp\n203.0.113.2,UDP\n203.0.113.3,icmp\n2001:db8::3,icmp\n203.0.113.4,47");
    assert_eq!(refused(&lists), []);
    let protocols = |resp| {
        let hit = |protocol: &u8| lists.lookup(&Query { protocol: *protocol, ..outward(resp, 80) }).is_some();
        (0..=255).filter(hit).collect::<Vec<u8>>()
    };
    assert_eq!(protocols("203.0.113.1"), [6]);
    assert_eq!(protocols("203.0.113.2"), [17]);
    assert_eq!(protocols("203.0.113.3"), [1]);
    assert_eq!(protocols("2001:db8::3"), [58]);
    assert_eq!(protocols("203.0.113.4"), [47]);
}

#[test]
fn a_direction_limits_an_entry() {
    let lists = csv("indicator,direction\n203.0.113.1,out\n203.0.113.2,in\n203.0.113.3,any\n10.0.0.7,out");
    assert_eq!(refused(&lists), []);
    let hits = |resp| [outward(resp, 80), inward(resp, 80)].map(|query| lists.lookup(&query).is_some());
    assert_eq!(hits("203.0.113.1"), [true, false]);
    assert_eq!(hits("203.0.113.2"), [false, true]);
    assert_eq!(hits("203.0.113.3"), [true, true]);
    // Somebody outside opens to a listed host of ours: not "our side opens".
    assert!(lists.lookup(&inward("203.0.113.99", 80)).is_none());
    let between_foreigners = Query { orig_internal: false, ..outward("203.0.113.1", 80) };
    assert!(lists.lookup(&between_foreigners).is_some());
}

#[test]
fn an_entry_ends_with_its_time() {
    let lists = csv("indicator,valid_until\n203.0.113.1,2026-11-22T12:00:00Z\n203.0.113.2,2026-11-22\n203.0.113.3,");
    assert_eq!(refused(&lists), []);
    let hit = |resp, time_ns| lists.lookup(&Query { time_ns, ..outward(resp, 80) }).is_some();
    assert!(hit("203.0.113.1", NOON_NS - 1) && !hit("203.0.113.1", NOON_NS));
    let midnight_ns = NOON_NS + 12 * 3600 * 1_000_000_000;
    assert!(hit("203.0.113.2", midnight_ns - 1) && !hit("203.0.113.2", midnight_ns));
    assert!(hit("203.0.113.3", u64::MAX - 1));
}

#[test]
fn each_of_many_addresses_and_networks_is_found_and_none_beside() {
    // Every second address, and every second /30, from lists of which the first reserves for the second.
    let addresses: String =
        (0..60_000_u32).map(|n| format!("{}\n", std::net::Ipv4Addr::from(0x2c00_0000 + 2 * n))).collect();
    let networks: String =
        (0..20_000_u32).map(|n| format!("{}/30\n", std::net::Ipv4Addr::from(0x2d00_0000 + 8 * n))).collect();
    let lists = Watchlists::compile(&[
        list("addresses", ListFormat::Plain, addresses.as_bytes()),
        list("networks", ListFormat::Plain, networks.as_bytes()),
    ]);
    let hit = |value: u32| {
        let resp = (Address::v4(value.to_be_bytes()), 80);
        lists.lookup(&Query { resp, ..outward("203.0.113.1", 80) }).map(|found| (found.list, found.entry))
    };
    for n in 0..60_000 {
        assert_eq!((hit(0x2c00_0000 + 2 * n), hit(0x2c00_0001 + 2 * n)), (Some((0, n)), None));
    }
    for n in 0..20_000 {
        assert_eq!((hit(0x2d00_0003 + 8 * n), hit(0x2d00_0004 + 8 * n)), (Some((1, 60_000 + n)), None));
    }
}

#[test]
fn a_default_severity_out_of_range_counts_as_the_nearest() {
    let severity = |default_severity| {
        let text = ListText { default_severity, ..list("x", ListFormat::Plain, b"203.0.113.9") };
        let lists = Watchlists::compile(&[text]);
        lists.lookup(&outward("203.0.113.9", 1)).map(|found| lists.describe(&found).severity)
    };
    assert_eq!([0, 1, 4, 200].map(severity), [Some(1), Some(1), Some(4), Some(4)]);
}

#[test]
fn no_lists_match_nothing() {
    let lists = Watchlists::default();
    assert!(lists.lookup(&outward("203.0.113.9", 80)).is_none());
    assert!(lists.summary().is_empty());
}
