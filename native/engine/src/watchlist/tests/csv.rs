//! Lists with columns.

use super::*;

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
