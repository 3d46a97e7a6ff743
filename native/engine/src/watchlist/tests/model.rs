//! Lists and flows at random, beside a plain model of them.

use proptest::prelude::*;

use super::*;

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
