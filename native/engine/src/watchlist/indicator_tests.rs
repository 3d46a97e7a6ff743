//! Which texts are indicators, and why others are none.

use proptest::prelude::*;

use super::*;

fn outcome(text: &str) -> Result<String, (usize, Reason)> {
    let parsed = Indicator::parse(text.as_bytes());
    parsed.map(|indicator| indicator.to_string()).map_err(|refusal| (refusal.offset, refusal.reason))
}

#[test]
fn every_form_is_read_and_printed() {
    let same = [
        "203.0.113.9",
        "1.2.3.4",
        "223.255.255.255",
        "240.0.0.1",
        "10.0.0.0/8",
        "198.51.100.128/25",
        "203.0.113.9:443",
        "198.51.100.0/24:8080",
        "2001:db8::1",
        "2001:db8::/32",
        "fe80::1",
        "[2001:db8::1]:443",
        "[2001:db8::/32]:65535",
    ];
    for text in same {
        assert_eq!(outcome(text), Ok(text.to_owned()));
    }
    let normal = [
        ("203.0.113.9/32", "203.0.113.9"),
        ("2001:DB8:0:0::1/128", "2001:db8::1"),
        ("2001:db8::192.0.2.1", "2001:db8::c000:201"),
    ];
    for (text, printed) in normal {
        assert_eq!(outcome(text), Ok(printed.to_owned()));
    }
}

#[test]
fn what_is_no_indicator_is_refused_where_it_goes_wrong() {
    let cases = [
        ("", 0, Reason::Empty),
        ("evil.example", 0, Reason::NotAnIndicator),
        ("garbage", 0, Reason::NotAnIndicator),
        ("1.2.3", 5, Reason::NotAnIndicator),
        ("1.2.3.", 6, Reason::NotAnIndicator),
        ("1.2.3.4.5", 7, Reason::NotAnIndicator),
        ("1.2.3.4x", 7, Reason::NotAnIndicator),
        ("1.2.3.4/", 8, Reason::NotAnIndicator),
        ("1.2.3.4:", 8, Reason::NotAnIndicator),
        ("1.2.3.4:80:80", 10, Reason::NotAnIndicator),
        ("-1.2.3.4", 0, Reason::NotAnIndicator),
        ("1.2.3.256", 6, Reason::OctetTooLarge),
        ("1.2.3.99999999999999999999", 6, Reason::OctetTooLarge),
        ("1.02.3.4", 2, Reason::LeadingZero),
        ("1.2.3.00", 6, Reason::LeadingZero),
        ("1.2.3.4:0", 8, Reason::PortZero),
        ("1.2.3.4:65536", 8, Reason::PortTooLarge),
        ("1.2.3.4:18446744073709551617", 8, Reason::PortTooLarge),
        ("1.2.3.4:0443", 8, Reason::LeadingZero),
        ("1.2.3.4/33", 8, Reason::PrefixTooLong),
        ("2001:db8::/129", 11, Reason::PrefixTooLong),
        ("2001:db8::g", 0, Reason::NotIpv6),
        ("2001:db8:::1", 0, Reason::NotIpv6),
        ("fe80::1%eth0", 0, Reason::NotIpv6),
        ("[2001:db8::x]:1", 1, Reason::NotIpv6),
        ("[2001:db8::1]", 13, Reason::PortMissing),
        ("[2001:db8::1]443", 13, Reason::PortMissing),
        ("[2001:db8::1]:", 14, Reason::NotAnIndicator),
        ("[2001:db8::1]:0", 14, Reason::PortZero),
        ("[2001:db8::1", 12, Reason::NotAnIndicator),
        ("[1.2.3.4]:80", 1, Reason::NotIpv6),
        ("1.2.3.4\u{7}", 7, Reason::ControlCharacter),
    ];
    for (text, offset, reason) in cases {
        assert_eq!(outcome(text), Err((offset, reason)), "{text}");
    }
    assert_eq!(outcome(&"1".repeat(65)), Err((64, Reason::IndicatorTooLong)));
    let broken = Indicator::parse(b"1.2.3.\xe9");
    assert_eq!(broken, Err(Reason::NotUtf8.at(6)));
}

#[test]
fn a_network_is_neither_too_wide_nor_off_its_start() {
    for text in ["0.0.0.0/0", "8.0.0.0/7", "::/0", "2001::/15"] {
        let refused = outcome(text).map_err(|(_, reason)| reason);
        assert_eq!(refused, Err(Reason::TooWide), "{text}");
    }
    let host_bits = [
        ("192.0.2.77/24", "host bits are set; 192.0.2.0/24 was probably meant"),
        ("192.0.2.1/31:80", "host bits are set; 192.0.2.0/31 was probably meant"),
        ("2001:db8::1/64", "host bits are set; 2001:db8::/64 was probably meant"),
    ];
    for (text, reason) in host_bits {
        assert_eq!(outcome(text).map_err(|(_, reason)| reason.to_string()), Err(reason.to_owned()));
    }
}

#[test]
fn addresses_without_a_peer_are_refused() {
    let cases = [
        ("unspecified", &["0.0.0.0", "0.1.2.3", "0.0.0.0/8", "::", "::/64"][..]),
        ("loopback", &["127.0.0.1", "127.0.0.0/8", "127.8.0.0/16", "::1"]),
        ("multicast", &["224.0.0.1", "239.255.255.250", "232.0.0.0/8", "ff02::1", "ff00::/16", "[ff02::fb]:5353"]),
        ("broadcast", &["255.255.255.255", "255.0.0.0/8", "255.255.255.255:67"]),
    ];
    for (name, texts) in cases {
        for text in texts {
            let refused = outcome(text).map_err(|(_, reason)| reason);
            assert_eq!(refused, Err(Reason::WithoutPeer(name)), "{text}");
        }
    }
    let mapped = outcome("::ffff:203.0.113.9").map_err(|(_, reason)| reason.to_string());
    assert_eq!(mapped, Err("an IPv4 address in IPv6 form; write 203.0.113.9".to_owned()));
}

fn any_indicator() -> impl Strategy<Value = Indicator> {
    let v4 = (any::<[u8; 4]>(), MIN_V4_PREFIX..=32).prop_map(|(octets, prefix)| Network::v4(octets, prefix));
    let v6 = (any::<[u8; 16]>(), MIN_V6_PREFIX..=128).prop_map(|(octets, prefix)| Network::v6(octets, prefix));
    let network = prop_oneof![v4, v6].prop_map(Network::truncated);
    (network, any::<u16>()).prop_map(|(network, port)| Indicator { network, port: NonZeroU16::new(port % 4096) })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(indicator in any_indicator()) {
        let refused = indicator.checked().map(|_| ()).map_err(|refusal| refusal.reason);
        let read = Indicator::parse(indicator.to_string().as_bytes());
        prop_assert_eq!(read.map_err(|refusal| refusal.reason), refused.map(|()| indicator));
    }

    #[test]
    fn the_common_form_is_read_as_any_other(text in "[0-9]{1,4}(\\.[0-9]{1,4}){2,4}|[0-9.:/]{0,24}") {
        let slow = parse_shape(text.as_bytes()).and_then(Indicator::checked);
        prop_assert_eq!(Indicator::parse(text.as_bytes()), slow);
    }

    #[test]
    fn the_standard_library_agrees_on_addresses(text in "[0-9a-f:.]{0,20}|[0-9]{1,3}(\\.[0-9]{1,3}){3}") {
        if let Ok(indicator) = Indicator::parse(text.as_bytes()) {
            if indicator.port.is_none() {
                let address: std::net::IpAddr = text.parse().expect("the standard library reads it, too");
                prop_assert_eq!(indicator.network, Network::host(address.into()));
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(text in proptest::collection::vec(any::<u8>(), 0..80)) {
        if let Err(refusal) = Indicator::parse(&text) {
            prop_assert!(refusal.offset <= text.len());
        }
    }
}
