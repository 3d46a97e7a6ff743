//! Whole lists: what is taken, what is refused where, and what a flow meets.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const NOT_AN_INDICATOR: &str = "not an address, a network, address:port, a name, a URL or a JA4 fingerprint";
const NOON_NS: u64 = 1_795_348_800_000_000_000; // 2026-11-22T12:00:00Z

fn list(name: &str, format: ListFormat, text: &[u8]) -> ListText<'static> {
    ListText { name: name.to_owned(), format, text: text.to_vec().into(), default_severity: 2 }
}

fn plain(text: &str) -> Watchlists {
    Watchlists::compile(&[list("plain", ListFormat::Plain, text.as_bytes())])
}

fn csv(text: &str) -> Watchlists {
    Watchlists::compile(&[list("csv", ListFormat::Csv, text.as_bytes())])
}

fn address(text: &str) -> Address {
    text.parse::<IpAddr>().expect("an address").into()
}

/// A TCP connection from 10.0.0.7, ours, to `resp` port `port`.
fn outward(resp: &str, port: u16) -> Query {
    Query {
        orig: (address("10.0.0.7"), 50_000),
        resp: (address(resp), port),
        protocol: TCP,
        orig_internal: true,
        resp_internal: false,
        time_ns: NOON_NS,
    }
}

/// The same connection, opened by the other side.
fn inward(orig: &str, port: u16) -> Query {
    let Query { orig: ours, resp: theirs, .. } = outward(orig, port);
    Query { orig: theirs, resp: ours, orig_internal: false, resp_internal: true, ..outward(orig, port) }
}

/// The indicator and list that a flow meets.
fn met(lists: &Watchlists, query: &Query) -> Option<(String, String)> {
    let description = lists.describe(&lists.lookup(query)?);
    Some((description.indicator, description.list))
}

fn indicator(lists: &Watchlists, query: &Query) -> Option<String> {
    met(lists, query).map(|(indicator, _)| indicator)
}

/// Line, column and reason of everything that the first list refused.
fn refused(lists: &Watchlists) -> Vec<(u32, u32, String)> {
    let summary = lists.summary().remove(0);
    assert_eq!(summary.refused_total, summary.refused.len() as u64);
    summary.refused.into_iter().map(|refused| (refused.line, refused.column, refused.reason)).collect()
}

/// The kinds that a list has, with their entries.
fn kinds(summary: &ListSummary) -> Vec<(&'static str, u64)> {
    summary.by_kind.iter().filter(|(_, entries)| *entries > 0).map(|(kind, entries)| (kind.as_str(), entries)).collect()
}

fn only_refusal(lists: &Watchlists) -> (u32, u32, String) {
    let mut all = refused(lists);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn a_plain_list_is_read_with_comments_blank_lines_and_windows_line_ends() {
    let lists = plain(
        "\u{feff}203.0.113.1\r\n\r\n# a comment\n  203.0.113.2 # why\n\t203.0.113.3\t#x\n#203.0.113.9\n198.51.100.0/24",
    );
    assert_eq!(refused(&lists), []);
    for listed in ["203.0.113.1", "203.0.113.2", "203.0.113.3"] {
        assert_eq!(indicator(&lists, &outward(listed, 80)), Some(listed.to_owned()));
    }
    assert_eq!(indicator(&lists, &outward("198.51.100.200", 80)), Some("198.51.100.0/24".to_owned()));
    assert_eq!(indicator(&lists, &outward("203.0.113.9", 80)), None);
    let summary = lists.summary().remove(0);
    assert_eq!((summary.entries, kinds(&summary)), (4, vec![("ip", 3), ("cidr", 1)]));
}

#[test]
fn a_plain_list_says_where_a_line_is_wrong() {
    let text =
        "203.0.113.1\n  evil_example\n203.0.113.2 203.0.113.3\n203.0.113.4#x\n\u{feff}é1.2.3.4\n1.2.3.4:99999 # é";
    assert_eq!(
        refused(&plain(text)),
        [
            (2, 3, NOT_AN_INDICATOR.to_owned()),
            (3, 13, "text after the indicator; a comment starts with `#` after a space".to_owned()),
            (4, 12, NOT_AN_INDICATOR.to_owned()),
            (5, 1, NOT_AN_INDICATOR.to_owned()),
            (6, 9, "a port is at most 65535".to_owned()),
        ]
    );
}

#[test]
fn a_comment_may_have_any_bytes_and_any_length_and_an_indicator_may_not() {
    let mut text = b"203.0.113.1 # caf\xe9\n# \xff\x00".to_vec();
    text.extend([b'x'; 10_000]);
    text.extend(b"\n203.0.113.2\x00\n203.0.113.\xe9\n203.0.113.3 # ");
    text.extend([b'x'; 5_000]);
    let lists = Watchlists::compile(&[list("plain", ListFormat::Plain, &text)]);
    assert_eq!(
        refused(&lists),
        [
            (3, 12, "a control character".to_owned()),
            (4, 11, "not UTF-8 text".to_owned()),
            (5, 1, "a line longer than 4096 bytes".to_owned()),
        ]
    );
    assert_eq!(lists.summary()[0].entries, 1);
}

#[test]
fn a_list_in_utf_16_is_refused_once() {
    let text: Vec<u8> = "\u{feff}1.2.3.4\n1.2.3.5\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for format in [ListFormat::Plain, ListFormat::Csv] {
        let lists = Watchlists::compile(&[list("utf16", format, &text)]);
        assert_eq!(only_refusal(&lists), (1, 1, "UTF-16 text; save the list as UTF-8".to_owned()));
    }
}

#[test]
fn only_the_first_refused_lines_are_told_and_all_are_counted() {
    let lists = plain(&"x\n".repeat(MAX_REFUSED_KEPT + 500));
    let summary = lists.summary().remove(0);
    assert_eq!(summary.refused_total, MAX_REFUSED_KEPT as u64 + 500);
    assert_eq!(summary.refused.len(), MAX_REFUSED_KEPT);
    assert_eq!(summary.refused[MAX_REFUSED_KEPT - 1].line, MAX_REFUSED_KEPT as u32);
}

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
fn a_csv_row_is_described_with_its_columns() {
    let text = "# made by hand\n\n comment , Severity,INDICATOR,port,malware,type\r\n\
                \"says \"\"hello\"\",\r\nand more\",high, 203.0.113.9 ,443,Emotet,ip\r\n\r\n# more\n,,198.51.100.0/24,,,cidr\n";
    let lists = csv(text);
    assert_eq!(refused(&lists), []);
    let describe = |resp, port| lists.lookup(&outward(resp, port)).map(|found| lists.describe(&found));
    let metadata = [("comment", "says \"hello\",\r\nand more"), ("port", "443"), ("malware", "Emotet")];
    let emotet = Description {
        list: "csv".to_owned(),
        indicator: "203.0.113.9:443".to_owned(),
        kind: IndicatorKind::IpPort,
        severity: 1,
        metadata: metadata.map(|(column, value)| (column, value.to_owned())).to_vec(),
    };
    assert_eq!(describe("203.0.113.9", 443), Some(emotet));
    let network = describe("198.51.100.7", 1).expect("the network is listed");
    assert_eq!((network.kind, network.severity, network.metadata), (IndicatorKind::Cidr, 2, vec![]));
}

#[test]
fn a_csv_list_ends_with_or_without_a_line_end() {
    for end in ["", "\n", "\r\n", "\n\n# end"] {
        for row in ["203.0.113.9,x", "\"203.0.113.9\",\"x\""] {
            let lists = csv(&format!("indicator,comment\r\n{row}{end}"));
            let found = lists.lookup(&outward("203.0.113.9", 80)).expect("listed");
            assert_eq!(lists.describe(&found).metadata, [("comment", "x".to_owned())], "{row}{end:?}");
        }
    }
}

#[test]
fn a_wrong_header_refuses_the_list_in_one_line() {
    let cases = [
        ("indicator,valid_util\n1.2.3.4,", (1, 11, "unknown column `valid_util`; the columns are indicator,type,")),
        ("# c\n\nindicator,port,\"port\"\n1.2.3.4,,", (3, 17, "the column `port` stands twice")),
        ("port,comment\n1,x", (1, 1, "the header has no column `indicator`")),
        ("1.2.3.4\n1.2.3.5", (1, 1, "unknown column `1.2.3.4`")),
        ("indicator,\n1.2.3.4,", (1, 11, "unknown column ``")),
        ("\"indicator\n1.2.3.4", (1, 1, "a quote that is never closed")),
    ];
    for (text, (line, column, start)) in cases {
        let lists = csv(text);
        let (at_line, at_column, reason) = only_refusal(&lists);
        assert_eq!((at_line, at_column), (line, column), "{text}");
        assert!(reason.starts_with(start), "{reason}");
        assert_eq!(lists.summary()[0].entries, 0);
    }
    assert_eq!(refused(&csv("")), []);
    assert_eq!(refused(&csv("# nothing today\n\n")), []);
}

#[test]
fn each_column_is_checked_and_said_where_it_stands() {
    let header = "indicator,type,port,proto,direction,severity,valid_until,action\n";
    let cases = [
        (",,,,,,,", 1, "there is no indicator"),
        ("1.2.3.4,,,,,,", 1, "7 fields where the header has 8"),
        ("1.2.3.4,,,,,,,,", 1, "9 fields where the header has 8"),
        ("1.2.3.400,,,,,,,", 7, "a number of an IPv4 address is at most 255"),
        ("\" 1.2.3.400\",,,,,,,", 9, "a number of an IPv4 address is at most 255"),
        ("1.2.3.4,ipp,,,,,,", 9, "type is ip, cidr, ip_port, domain, suffix, url, ja4 or empty"),
        ("1.2.3.4,domain,,,,,,", 7, "the last label of a name begins with a letter"),
        ("evil.example,ip,,,,,,", 1, NOT_AN_INDICATOR),
        ("*.evil.example,domain,,,,,,", 1, "a character that no name has"),
        ("http://evil.example,suffix,,,,,,", 5, "a character that no name has"),
        ("evil.example,url,,,,,,", 1, "a URL begins with http:// or https://"),
        ("evil.example,ja4,,,,,,", 1, "not a JA4 fingerprint"),
        (",domain,,,,,,", 1, "there is no indicator"),
        ("evil.example,,443,,,,,", 15, "only of an address; leave it empty"),
        ("evil.example,,,tcp,,,,", 16, "only of an address; leave it empty"),
        ("evil.example,,,,out,,,", 17, "only of an address; leave it empty"),
        ("evil.example,,,,both,,,", 17, "direction is out, in, any or empty"),
        ("co.uk,suffix,,,,,,", 1, "all names below a single label or a public suffix"),
        ("1.2.3.0/24,ip,,,,,,", 12, "type ip does not fit the indicator"),
        ("1.2.3.4:80,ip,,,,,,", 12, "type ip does not fit the indicator"),
        ("1.2.3.4,cidr,,,,,,", 9, "type cidr does not fit the indicator"),
        ("1.2.3.4,ip_port,,,,,,", 9, "type ip_port does not fit the indicator"),
        ("1.2.3.4,,0,,,,,", 10, "port 0"),
        ("1.2.3.4,,65536,,,,,", 10, "a port is at most 65535"),
        ("1.2.3.4,,http,,,,,", 10, "port is a number from 1 to 65535 or empty"),
        ("1.2.3.4,,80x,,,,,", 10, "port is a number from 1 to 65535 or empty"),
        ("1.2.3.4:80,,81,,,,,", 13, "the port column and the indicator name two ports"),
        ("1.2.3.4,,,gre,,,,", 11, "proto is tcp, udp, icmp, a number from 0 to 255 or empty"),
        ("1.2.3.4,,,256,,,,", 11, "proto is tcp, udp, icmp, a number from 0 to 255 or empty"),
        ("1.2.3.4,,8,icmp,,,,", 12, "a port, but the protocol has none"),
        ("1.2.3.4,,,,both,,,", 12, "direction is out, in, any or empty"),
        ("1.2.3.4,,,,,5,,", 13, "severity is 1 to 4, high, medium, low, info or empty"),
        ("1.2.3.4,,,,,+1,,", 13, "severity is 1 to 4, high, medium, low, info or empty"),
        ("1.2.3.4,,,,,,soon,", 14, "valid_until is a date (2026-11-22) or an RFC 3339 time with its zone"),
        ("1.2.3.4,,,,,,,drop", 15, "action is alert, allow or empty"),
    ];
    for (row, column, start) in cases {
        let lists = csv(&format!("{header}203.0.113.1,,,,,,,\n{row}\n203.0.113.2,,,,,,,\n"));
        let (line, at, reason) = only_refusal(&lists);
        assert_eq!((line, at), (3, column), "{row}: {reason}");
        assert!(reason.starts_with(start), "{row}: {reason}");
        assert_eq!(lists.summary()[0].entries, 2, "{row}");
    }
}

#[test]
fn types_that_fit_are_taken() {
    let lists = csv(
        "indicator,type,port\n1.2.3.4,IP,\n1.2.3.4/32,cidr,\n1.2.3.5,ip,80\n1.2.3.6,ip_port,80\n1.2.3.7:80,ip_port,80\n1.2.3.0/24,cidr,80\n",
    );
    assert_eq!(refused(&lists), []);
    let summary = lists.summary().remove(0);
    assert_eq!((kinds(&summary), summary.duplicates), (vec![("ip", 1), ("cidr", 1), ("ip_port", 3)], 1));
}

#[test]
fn lines_are_counted_through_quoted_line_ends() {
    let lists = csv("comment,indicator\n\"one\ntwo\n\nfive\",1.2.3.4\n\"a\nb\",x\n,y\n");
    let places: Vec<_> = refused(&lists).into_iter().map(|(line, column, _)| (line, column)).collect();
    assert_eq!(places, [(7, 4), (8, 2)]);
}

#[test]
fn an_open_quote_costs_its_line_and_no_other() {
    let mut text = "indicator,comment\n203.0.113.1,\"open\n203.0.113.2,x\n".to_owned();
    assert_eq!(only_refusal(&csv(&text)), (2, 1, "a quote that is never closed".to_owned()));
    assert!(csv(&text).lookup(&outward("203.0.113.2", 80)).is_some());
    text.push_str(&"203.0.113.3,x\n".repeat(10_000));
    let (line, column, reason) = only_refusal(&csv(&text));
    assert_eq!((line, column), (2, 1));
    assert!(reason.starts_with("a row longer than 65536 bytes"), "{reason}");
    assert_eq!(csv(&text).summary()[0].entries, 2);
}

#[test]
fn a_row_that_is_too_long_costs_only_itself() {
    let text = format!("indicator,comment\n1.2.3.4,{}\n203.0.113.2,x\n", "x".repeat(70_000));
    let (line, column, _) = only_refusal(&csv(&text));
    assert_eq!((line, column), (2, 1));
    assert!(csv(&text).lookup(&outward("203.0.113.2", 80)).is_some());
}

#[test]
fn broken_text_in_a_csv_row_costs_only_that_row() {
    let text = b"indicator,comment\n203.0.113.1,caf\xe9\n203.0.113.2,a\x07b\n203.0.113.3,caf\xc3\xa9\n203.0.113.4,\"tab\there\"\n";
    let lists = Watchlists::compile(&[list("csv", ListFormat::Csv, text)]);
    assert_eq!(refused(&lists), [(2, 16, "not UTF-8 text".to_owned()), (3, 14, "a control character".to_owned())]);
    assert_eq!(lists.summary()[0].entries, 2);
}

#[test]
fn a_quoted_row_of_many_fields_is_one_row() {
    let fields = "\"a\nb\",".repeat(100);
    let lists = csv(&format!("indicator\n{fields}\n203.0.113.2\n"));
    assert_eq!(only_refusal(&lists), (2, 1, "101 fields where the header has 1".to_owned()));
    assert_eq!(lists.summary()[0].entries, 1);
}

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

/// An entry as a test thinks of it, judged without anything of the table.
#[derive(Clone, Debug)]
struct Model {
    address: IpAddr,
    prefix: u32,
    port: Option<u16>,
    protocol: Option<u8>,
    direction: &'static str,
    severity: u8,
    valid_second: Option<u64>,
    allow: bool,
    list: usize,
}

impl Model {
    fn row(&self) -> String {
        let empty = String::new;
        let port = self.port.map_or_else(empty, |port| port.to_string());
        let protocol = self.protocol.map_or_else(empty, |protocol| protocol.to_string());
        let until = self.valid_second.map_or_else(empty, |second| format!("1970-01-01T00:00:{second:02}Z"));
        let (action, Self { address, prefix, direction, severity, .. }) =
            (["alert", "allow"][usize::from(self.allow)], self);
        format!("{address}/{prefix},{port},{protocol},{direction},{severity},{until},{action}\n")
    }

    fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => (ours.to_bits() ^ theirs.to_bits()) >> (32 - self.prefix) == 0,
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => (ours.to_bits() ^ theirs.to_bits()) >> (128 - self.prefix) == 0,
            _ => false,
        }
    }

    fn is_met(&self, query: &Query, side: Side) -> bool {
        let (own, own_internal, other_internal) = match side {
            Side::Orig => (query.orig, query.orig_internal, query.resp_internal),
            Side::Resp => (query.resp, query.resp_internal, query.orig_internal),
        };
        let direction = match self.direction {
            "out" => side == Side::Resp && (!own_internal || other_internal),
            "in" => side == Side::Orig && (!own_internal || other_internal),
            _ => true,
        };
        direction
            && self.holds(own.0.into())
            && self.port.is_none_or(|port| port == own.1 && query.protocol != ICMP)
            && self.protocol.is_none_or(|protocol| protocol == query.protocol)
            && self.valid_second.is_none_or(|second| query.time_ns < second * 1_000_000_000)
    }
}

/// Whether the best of all entries is an alert, and what it is: list, prefix, port, severity.
fn by_linear_scan(models: &[Model], query: &Query) -> Option<(usize, u32, Option<u16>, u8)> {
    let met = models.iter().filter(|model| [Side::Orig, Side::Resp].iter().any(|side| model.is_met(query, *side)));
    let best = met.min_by_key(|model| {
        (!model.allow, model.port.is_none(), u32::MAX - model.prefix, model.severity, model.list)
    })?;
    (!best.allow).then_some((best.list, best.prefix, best.port, best.severity))
}

/// Few addresses, so that entries and flows meet.
fn any_address(is_v4: bool) -> impl Strategy<Value = IpAddr> {
    (0..3_u8, 0..3_u8).prop_map(move |(high, low)| match is_v4 {
        true => IpAddr::from([198, 51, high, low]),
        false => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, high.into(), low.into()]),
    })
}

fn any_model() -> impl Strategy<Value = Model> {
    let network =
        (any::<bool>().prop_flat_map(any_address), 0..=24_u32).prop_map(|(address, host_bits)| match address {
            IpAddr::V4(v4) => (IpAddr::V4((v4.to_bits() & (u32::MAX << host_bits)).into()), 32 - host_bits),
            IpAddr::V6(v6) => (IpAddr::V6((v6.to_bits() & (u128::MAX << host_bits)).into()), 128 - host_bits),
        });
    let direction = prop_oneof![3 => Just("any"), 1 => Just("out"), 1 => Just("in")];
    let limits = (proptest::option::of(1..4_u16), proptest::option::of(Just(TCP)), proptest::option::of(1..5_u64));
    (network, limits, direction, 1..=4_u8, proptest::bool::weighted(0.1), 0..3_usize).prop_map(
        |((address, prefix), (port, protocol, valid_second), direction, severity, allow, list)| Model {
            address,
            prefix,
            port,
            protocol,
            direction,
            severity,
            valid_second,
            allow,
            list,
        },
    )
}

fn any_query() -> impl Strategy<Value = Query> {
    let end = |is_v4| (any_address(is_v4).prop_map(Address::from), 1..4_u16);
    let ends = any::<bool>().prop_flat_map(move |is_v4| (end(is_v4), end(is_v4)));
    let protocol = prop_oneof![Just(TCP), Just(UDP), Just(ICMP)];
    (ends, any::<[bool; 2]>(), protocol, 0..5_u64).prop_map(|((orig, resp), internal, protocol, second)| Query {
        orig,
        resp,
        protocol,
        orig_internal: internal[0],
        resp_internal: internal[1],
        time_ns: second * 1_000_000_000,
    })
}

fn compile_models(models: &[Model]) -> Watchlists {
    let lists = (0..3).map(|index| {
        let rows = models.iter().filter(|model| model.list == index).map(Model::row);
        let text = format!("indicator,port,proto,direction,severity,valid_until,action\n{}", rows.collect::<String>());
        list("model", ListFormat::Csv, text.as_bytes())
    });
    Watchlists::compile(&lists.collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn a_lookup_finds_what_a_linear_scan_finds(
        models in proptest::collection::vec(any_model(), 0..60),
        queries in proptest::collection::vec(any_query(), 1..60),
    ) {
        let lists = compile_models(&models);
        let taken: u64 = lists.summary().iter().map(|list| list.entries + list.duplicates).sum();
        prop_assert_eq!(taken, models.len() as u64);
        for query in &queries {
            let found = lists.lookup(query).map(|found| {
                let (network, terms, _) = lists.table.get(found.entry);
                (found.list as usize, network.map_or(0, |network| network.prefix().into()), terms.port.map(u16::from), terms.severity)
            });
            prop_assert_eq!(found, by_linear_scan(&models, query), "{:?}", query);
        }
    }

    #[test]
    fn no_bytes_make_a_list_panic_and_the_accounts_close(
        text in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b','), Just(b'"'), Just(b'1'), Just(b'.')], 0..400),
        has_header in any::<bool>(),
    ) {
        for format in [ListFormat::Plain, ListFormat::Csv] {
            let mut whole = if has_header { b"indicator,comment\n".to_vec() } else { Vec::new() };
            whole.extend(&text);
            let lists = Watchlists::compile(&[list("x", format, &whole)]);
            let summary = lists.summary().remove(0);
            let lines = whole.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
            prop_assert!(summary.entries + summary.duplicates + summary.refused_total <= lines);
            prop_assert!(summary.refused.iter().all(|refused| u64::from(refused.line) <= lines && refused.column > 0));
        }
    }

    #[test]
    fn metadata_is_told_as_it_was_written(comment in "[ -~éß\n\t,\"]{1,60}", quoted_address in any::<bool>()) {
        let escaped = comment.replace('"', "\"\"");
        let address = if quoted_address { "\"203.0.113.9\"" } else { "203.0.113.9" };
        let lists = csv(&format!("indicator,comment,tags\n198.51.100.1,,\n{address},\"{escaped}\",t\n"));
        let found = lists.lookup(&outward("203.0.113.9", 80)).expect("listed");
        let told = lists.describe(&found).metadata;
        let is_told = |column: &str| told.iter().find(|(name, _)| *name == column).map_or("", |(_, value)| value);
        prop_assert_eq!(is_told("comment"), comment.trim_matches(|c: char| c.is_ascii_whitespace()));
        prop_assert_eq!(is_told("tags"), "t");
    }
}
