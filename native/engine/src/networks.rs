//! A short list of networks, such as what counts as internal.

use std::net::IpAddr;

use wire::Address;

/// A set of networks, checked one after the other: an operator writes a handful.
#[derive(Debug, Clone, Default)]
pub struct Networks {
    prefixes: Vec<Prefix>,
}

/// A network as a value and a mask over the 128 bits of [`Address::bytes`].
#[derive(Debug, Clone, Copy)]
struct Prefix {
    value: u128,
    mask: u128,
}

impl Networks {
    /// The set of these networks, each an address and a prefix length in bits of its family; host bits are ignored.
    pub fn new(networks: &[(IpAddr, u8)]) -> Self {
        let prefixes = networks.iter().map(|&(address, length)| Prefix::new(address, length)).collect();
        Self { prefixes }
    }

    /// Whether the address lies in any of the networks.
    #[inline]
    pub fn contains(&self, address: Address) -> bool {
        let value = u128::from_be_bytes(*address.bytes());
        self.prefixes.iter().any(|prefix| value & prefix.mask == prefix.value)
    }
}

impl Prefix {
    fn new(address: IpAddr, length: u8) -> Self {
        let bits = u32::from(length) + if address.is_ipv4() { 96 } else { 0 };
        let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
        Self { value: u128::from_be_bytes(*Address::from(address).bytes()) & mask, mask }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse::<IpAddr>().expect("an address").into()
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let networks = Networks::new(&[
            ("10.0.0.0".parse().expect("an address"), 8),
            ("fc00::".parse().expect("an address"), 7),
            ("192.0.2.7".parse().expect("an address"), 32),
        ]);
        for inside in ["10.0.0.0", "10.255.255.255", "fd12::1", "192.0.2.7"] {
            assert!(networks.contains(address(inside)), "{inside}");
        }
        for outside in ["11.0.0.0", "9.255.255.255", "fe80::1", "192.0.2.6", "::a00:1"] {
            assert!(!networks.contains(address(outside)), "{outside}");
        }
    }

    #[test]
    fn a_network_of_length_zero_holds_its_own_family() {
        let all_v4 = Networks::new(&[("0.0.0.0".parse().expect("an address"), 0)]);
        assert!(all_v4.contains(address("203.0.113.9")));
        assert!(!all_v4.contains(address("2001:db8::1")));
    }
}
