//! Lists of names, URLs and fingerprints: what is taken, and what a flow that shows one meets.

use proptest::prelude::*;

use super::*;

const NOW_NS: u64 = 1_795_348_800_000_000_000; // 2026-11-22T12:00:00Z
const JA4: &str = "t13d1516h2_8daaf6152771_e5627efa2ab1";

fn compile(format: ListFormat, texts: &[&str]) -> Watchlists {
    let list = |(index, text): (usize, &&str)| ListText {
        name: format!("list{index}"),
        format,
        text: text.as_bytes().to_vec().into(),
        default_severity: 2,
    };
    Watchlists::compile(&texts.iter().enumerate().map(list).collect::<Vec<_>>())
}

fn plain(text: &str) -> Watchlists {
    let lists = compile(ListFormat::Plain, &[text]);
    assert_eq!(lists.summary()[0].refused, [], "{text}");
    lists
}

fn csv(text: &str) -> Watchlists {
    let lists = compile(ListFormat::Csv, &[text]);
    assert_eq!(lists.summary()[0].refused, [], "{text}");
    lists
}

/// The indicator that a name meets.
fn met(lists: &Watchlists, name: &str) -> Option<String> {
    lists.domain(name.as_bytes(), NOW_NS).map(|found| lists.describe(&found).indicator)
}

fn asked(lists: &Watchlists, host: &str, port: u16, target: &str) -> Option<String> {
    let found = lists.url(host.as_bytes(), port, target.as_bytes(), NOW_NS)?;
    Some(lists.describe(&found).indicator)
}

#[test]
fn a_domain_is_that_name_alone_and_a_suffix_all_below_it_too() {
    let lists = plain("evil.example\n*.bad.example # comment\n.worse.example\nB\u{fc}cher.example\n");
    assert_eq!(met(&lists, "evil.example").as_deref(), Some("evil.example"));
    assert_eq!(met(&lists, "EVIL.Example.").as_deref(), Some("evil.example"));
    for other in ["www.evil.example", "example", "xevil.example", "evil.example.com", "", ".", "evil.example.."] {
        assert_eq!(met(&lists, other), None, "{other}");
    }
    for below in ["bad.example", "a.bad.example", "a.b.c.BAD.example."] {
        assert_eq!(met(&lists, below).as_deref(), Some("*.bad.example"), "{below}");
    }
    assert_eq!(met(&lists, "a.worse.example").as_deref(), Some("*.worse.example"));
    assert_eq!(met(&lists, "verybad.example"), None);
    assert_eq!(met(&lists, "xn--bcher-kva.example").as_deref(), Some("xn--bcher-kva.example"));
    assert_eq!(met(&lists, &"a.".repeat(126)), None);
    assert_eq!(met(&lists, &format!("{}bad.example", "a.".repeat(120))).as_deref(), Some("*.bad.example"));
}

#[test]
fn of_several_entries_the_nearest_is_named() {
    let lists = csv("indicator,type,severity\n\
                     example.com,suffix,1\nevil.example.com,suffix,1\nevil.example.com,domain,4\n\
                     a.example.net,domain,3\na.example.net,domain,1\n");
    assert_eq!(met(&lists, "evil.example.com").as_deref(), Some("evil.example.com"));
    assert_eq!(met(&lists, "a.evil.example.com").as_deref(), Some("*.evil.example.com"));
    assert_eq!(met(&lists, "b.example.com").as_deref(), Some("*.example.com"));
    let severity = lists.domain(b"a.example.net", NOW_NS).map(|found| lists.describe(&found).severity);
    assert_eq!(severity, Some(1));
    let two = compile(ListFormat::Plain, &["evil.example", "evil.example"]);
    assert_eq!(two.domain(b"evil.example", NOW_NS).map(|found| found.list), Some(0));
}

#[test]
fn what_is_allowed_is_no_match_with_all_below_it_if_it_is_a_suffix() {
    let lists = csv("indicator,type,action\n\
                     example.com,suffix,alert\ngood.example.com,suffix,allow\nfair.example.com,domain,allow\n\
                     evil.good.example.com,domain,alert\nhttp://good.example.com/evil,,\nhttp://good.example.com/a,,allow\n\
                     http://good.example.com/a,,\n203.0.113.9,,allow\n");
    for silent in ["good.example.com", "a.good.example.com", "evil.good.example.com", "fair.example.com"] {
        assert_eq!(met(&lists, silent), None, "{silent}");
    }
    assert_eq!(met(&lists, "a.fair.example.com").as_deref(), Some("*.example.com"));
    // A name that is allowed allows no URL.
    assert!(asked(&lists, "good.example.com", 80, "/evil").is_some());
    assert_eq!(asked(&lists, "good.example.com", 80, "/a"), None);
}

#[test]
fn a_url_is_met_by_its_host_port_path_and_query() {
    let lists = plain(
        "http://evil.example/\nHTTP://Evil.example:8080/a%7eb?x=1#y\nhttp://192.0.2.1/bin.sh\nhttps://tls.example/x",
    );
    let root = Some("http://evil.example/".to_owned());
    assert_eq!(asked(&lists, "evil.example", 80, "/"), root);
    assert_eq!(asked(&lists, "EVIL.example:80", 8080, "/"), root);
    assert_eq!(asked(&lists, "proxy.lan", 3128, "http://evil.example"), root);
    assert_eq!(asked(&lists, "evil.example", 8080, "/a~b?x=1").as_deref(), Some("http://evil.example:8080/a~b?x=1"));
    assert_eq!(asked(&lists, "192.0.2.1", 80, "/bin.sh").as_deref(), Some("http://192.0.2.1/bin.sh"));
    let others = [
        ("evil.example", 80, "/x"),
        ("evil.example", 80, "/?"),
        ("evil.example", 81, "/"),
        ("www.evil.example", 80, "/"),
        ("evil.example", 8080, "/a~b?x=2"),
        ("evil.example", 8080, "/A~b?x=1"),
        ("tls.example", 80, "/x"),
        ("proxy.lan", 3128, "https://evil.example/"),
    ];
    for (host, port, target) in others {
        assert_eq!(asked(&lists, host, port, target), None, "{host}:{port}{target}");
    }
    assert_eq!(asked(&lists, "proxy.lan", 3128, "https://tls.example/x").as_deref(), Some("https://tls.example/x"));
    assert_eq!(met(&lists, "evil.example"), None);
}

#[test]
fn a_fingerprint_is_met_in_either_case() {
    let lists = plain(&JA4.to_ascii_uppercase());
    let indicator = |text: &str| lists.ja4(text.as_bytes(), NOW_NS).map(|found| lists.describe(&found).indicator);
    assert_eq!(indicator(JA4).as_deref(), Some(JA4));
    assert_eq!(indicator(&JA4.replace('8', "9")), None);
    assert_eq!(indicator("t13d"), None);
}

#[test]
fn a_name_ends_with_its_time_and_is_described_with_its_columns() {
    let lists = csv("indicator,type,valid_until,malware,severity\n\
                     evil.example,domain,2026-11-22T12:00:00Z,Emotet,high\n\"http://evil.example/a,b\",url,,\"C2, old\",\n");
    assert!(lists.domain(b"evil.example", NOW_NS - 1).is_some());
    assert!(lists.domain(b"evil.example", NOW_NS).is_none());
    let found = lists.url(b"evil.example", 80, b"/a,b", NOW_NS).expect("listed");
    let url = Description {
        list: "list0".to_owned(),
        indicator: "http://evil.example/a,b".to_owned(),
        kind: IndicatorKind::Url,
        severity: 2,
        metadata: vec![("malware", "C2, old".to_owned())],
    };
    assert_eq!(lists.describe(&found), url);
    assert_eq!(found.matched, Side::Resp);
}

#[test]
fn kinds_are_counted_and_what_repeats_is_told_by_its_form() {
    let text = format!(
        "203.0.113.9\nevil.example\nEVIL.example.\n*.evil.example\n.evil.example\nhttp://e.example\n\
                        http://E.example:80/#x\n{JA4}\n"
    );
    let summary = compile(ListFormat::Plain, &[&text]).summary().remove(0);
    assert_eq!((summary.entries, summary.duplicates, summary.refused_total), (5, 3, 0));
    let counts: Vec<_> = summary.by_kind.iter().map(|(kind, entries)| (kind.as_str(), entries)).collect();
    let expected = [("ip", 1), ("cidr", 0), ("ip_port", 0), ("domain", 1), ("suffix", 1), ("url", 1), ("ja4", 1)];
    assert_eq!(counts, expected);
}

#[test]
fn a_type_tells_what_a_text_does_not() {
    let lists = csv(&format!(
        "indicator,type,direction\nfileserver,domain,any\nevil.example,Suffix,\n{JA4},JA4,\n1.2.3.4,ip:port,\n"
    )
    .replace("1.2.3.4,ip:port", "1.2.3.4:80,ip:port"));
    assert_eq!(met(&lists, "fileserver").as_deref(), Some("fileserver"));
    assert_eq!(met(&lists, "a.evil.example").as_deref(), Some("*.evil.example"));
    assert_eq!(lists.summary()[0].by_kind.get(IndicatorKind::IpPort), 1);
}

#[test]
fn a_wrong_name_costs_only_its_line() {
    let long = format!("{}.example", "a".repeat(64));
    let text = format!(
        "good.example\n  *.co.uk\n{long}\nev\u{7}il.example\nevil.example:443\nevil.example other\n.com\nbest.example"
    );
    let summary = compile(ListFormat::Plain, &[&text]).summary().remove(0);
    let told: Vec<_> =
        summary.refused.iter().map(|refused| (refused.line, refused.column, &refused.reason[..])).collect();
    let public = "all names below a single label or a public suffix; list the names that are meant";
    assert_eq!(
        told,
        [
            (2, 3, public),
            (3, 64, "a label of a name is at most 63 bytes long"),
            (4, 3, "a control character"),
            (5, 13, "a name is met at any port; leave the port out"),
            (6, 14, "text after the indicator; a comment starts with `#` after a space"),
            (7, 1, public),
        ]
    );
    assert_eq!(summary.entries, 2);
}

#[test]
fn each_of_many_names_is_found_and_none_beside() {
    let text: String = (0..20_000).map(|n| format!("n{}.x{}.example\n", 2 * n, n % 7)).collect();
    let lists = plain(&text);
    for n in 0..20_000 {
        let name = format!("n{}.x{}.example", 2 * n, n % 7);
        assert_eq!(met(&lists, &name), Some(name));
        assert_eq!(met(&lists, &format!("n{}.x{}.example", 2 * n + 1, n % 7)), None);
    }
}

/// An entry as a test thinks of it.
#[derive(Clone, Debug)]
struct Model {
    labels: Vec<&'static str>,
    is_suffix: bool,
    severity: u8,
    valid_second: Option<u64>,
    allow: bool,
    list: usize,
}

impl Model {
    fn row(&self) -> String {
        let until = self.valid_second.map_or_else(String::new, |second| format!("1970-01-01T00:00:{second:02}Z"));
        let kind = if self.is_suffix { "suffix" } else { "domain" };
        let action = if self.allow { "allow" } else { "alert" };
        format!("{}.example,{kind},{},{until},{action}\n", self.labels.join("."), self.severity)
    }

    fn is_met(&self, labels: &[&str], second: u64) -> bool {
        let fits = if self.is_suffix { labels.ends_with(&self.labels) } else { labels == &self.labels[..] };
        fits && self.valid_second.is_none_or(|until| second < until)
    }
}

fn by_linear_scan(models: &[Model], labels: &[&str], second: u64) -> Option<(usize, bool, usize, u8)> {
    let met = models.iter().filter(|model| model.is_met(labels, second));
    let best = met.min_by_key(|model| {
        (!model.allow, model.is_suffix, usize::MAX - model.labels.len(), model.severity, model.list)
    })?;
    (!best.allow).then_some((best.list, best.is_suffix, best.labels.len(), best.severity))
}

fn any_labels() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::collection::vec(proptest::sample::select(vec!["a", "b", "aa", "xn--b"]), 1..4)
}

fn any_model() -> impl Strategy<Value = Model> {
    let valid = proptest::option::of(1..4_u64);
    (any_labels(), any::<bool>(), 1..=4_u8, valid, proptest::bool::weighted(0.1), 0..3_usize).prop_map(
        |(labels, is_suffix, severity, valid_second, allow, list)| Model {
            labels,
            is_suffix,
            severity,
            valid_second,
            allow,
            list,
        },
    )
}

proptest! {
    #[test]
    fn a_name_meets_what_a_linear_scan_finds(
        models in proptest::collection::vec(any_model(), 0..40),
        queries in proptest::collection::vec((any_labels(), 0..4_u64), 1..40),
    ) {
        let texts = [0, 1, 2].map(|list| {
            let rows = models.iter().filter(|model| model.list == list).map(Model::row);
            format!("indicator,type,severity,valid_until,action\n{}", rows.collect::<String>())
        });
        let lists = compile(ListFormat::Csv, &texts.each_ref().map(|text| &text[..]));
        let taken: u64 = lists.summary().iter().map(|list| list.entries + list.duplicates).sum();
        prop_assert_eq!(taken, models.len() as u64);
        for (labels, second) in &queries {
            let name = labels.join(".").to_ascii_uppercase() + ".example.";
            let found = lists.domain(name.as_bytes(), second * 1_000_000_000).map(|found| {
                let entry = lists.describe(&found);
                let labels = entry.indicator.split('.').filter(|label| *label != "*").count() - 1;
                (found.list as usize, entry.kind == IndicatorKind::Suffix, labels, entry.severity)
            });
            prop_assert_eq!(found, by_linear_scan(&models, labels, *second), "{}", name);
        }
    }

    #[test]
    fn a_url_is_met_as_it_was_listed(url in "http://[a-z]{1,5}\\.example(:[1-9][0-9]{0,3})?/\\PC{0,20}") {
        let escaped = url.replace('"', "\"\"");
        let lists = compile(ListFormat::Csv, &[&format!("indicator\n\"{escaped}\"\n")]);
        // White space at the end is none of a field's value.
        prop_assume!(lists.summary()[0].entries == 1 && url.trim_end().len() == url.len());
        let authority = url["http://".len()..].split('/').next().unwrap_or_default();
        let target = &url["http://".len() + authority.len()..];
        let found = lists.url(authority.as_bytes(), 80, target.as_bytes(), NOW_NS);
        prop_assert!(found.is_some());
        prop_assert_eq!(found, lists.url(b"", 0, url.as_bytes(), NOW_NS));
    }

    #[test]
    fn no_bytes_make_a_look_up_panic(
        one in proptest::collection::vec(any::<u8>(), 0..300),
        other in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let lists = plain("*.evil.example\nhttp://evil.example/");
        let none = [lists.domain(&one, 0), lists.url(&one, 80, &other, 0), lists.ja4(&one, 0)];
        prop_assert_eq!(none, [None; 3]);
    }
}
