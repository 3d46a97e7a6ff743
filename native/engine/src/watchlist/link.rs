//! Links as people write them, and the entries that list where they lead.

use std::net::IpAddr;

use wire::Address;

use super::name::Name;
use super::url::Url;
use super::{Match, Query, Watchlists};

const IPPROTO_TCP: u8 = 6;

/// Where a link leads.
#[derive(Debug, Clone)]
pub struct Link<'a> {
    /// The host in its one form: small letters, A-labels, IPv6 in brackets.
    pub host: String,
    /// Path and query, as they were written.
    pub target: &'a [u8],
    /// The host's address and port, if it is not a name.
    pub address: Option<(IpAddr, u16)>,
}

impl<'a> Link<'a> {
    /// Reads a URL of HTTP or HTTPS; none for anything else.
    pub fn parse(url: &'a str) -> Option<Self> {
        let url = Url::parse(url.as_bytes()).ok()?;
        Some(Self { host: url.host(), target: url.target(), address: url.address() })
    }
}

impl Watchlists {
    /// The entry that lists a link, its host, or its host's address and port, in this order. `time_ns` is the packet
    /// time, at which `valid_until` is judged.
    pub fn link(&self, url: &str, time_ns: u64) -> Option<Match> {
        let parsed = Url::parse(url.as_bytes()).ok()?;
        let link = Link::parse(url)?;
        let by_url = self.table.whole(&Name::Url(parsed), time_ns).map(|entry| self.found(entry, super::Side::Resp));
        by_url.or_else(|| self.domain(link.host.as_bytes(), time_ns)).or_else(|| {
            let (address, port) = link.address?;
            let nobody = Address::v4([0, 0, 0, 0]);
            self.lookup(&Query {
                orig: (nobody, 0),
                resp: (address.into(), port),
                protocol: IPPROTO_TCP,
                orig_internal: true,
                resp_internal: false,
                time_ns,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ListFormat, ListText};
    use super::*;

    fn listed(text: &str, url: &str) -> Option<String> {
        let text = text.as_bytes().to_vec().into();
        let list = ListText { name: "test".to_owned(), format: ListFormat::Plain, text, default_severity: 1 };
        let lists = Watchlists::compile(&[list]);
        lists.link(url, 1).map(|found| lists.describe(&found).indicator)
    }

    #[test]
    fn a_link_is_listed_by_itself_its_host_or_its_address() {
        let all = "http://evil.example/a\nevil.example\n*.worse.example\n203.0.113.9:8080\n198.51.100.0/24\n";
        let found = |url| listed(all, url);
        assert_eq!(found("HTTP://user@EVIL.example:80/a#x").as_deref(), Some("http://evil.example/a"));
        assert_eq!(found("https://evil.example/b").as_deref(), Some("evil.example"));
        assert_eq!(found("http://deep.worse.example").as_deref(), Some("*.worse.example"));
        assert_eq!(found("http://203.0.113.9:8080/").as_deref(), Some("203.0.113.9:8080"));
        assert_eq!(found("http://203.0.113.9/"), None, "another port");
        assert_eq!(found("https://198.51.100.7/").as_deref(), Some("198.51.100.0/24"));
        assert_eq!(found("http://good.example/"), None);
        assert_eq!(found("mailto:x@evil.example"), None);
    }

    #[test]
    fn a_link_in_another_script_has_the_name_that_packets_show() {
        let link = Link::parse("http://\u{4f8b}\u{5b50}.example/").expect("a link");
        assert_eq!((&*link.host, link.target), ("xn--fsqu00a.example", &b"/"[..]));
    }
}
