//! Community ID version 1 (the Community ID flow hashing specification of Corelight), seed 0.

use arrayvec::ArrayVec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use crate::five_tuple::FiveTuple;
use crate::protocol;

/// Seed, two IPv6 addresses, protocol, padding, two ports.
const MAX_INPUT_BYTES: usize = 2 + 16 + 16 + 1 + 1 + 2 + 2;

/// The Community ID of a flow, the same for both directions: `1:` and the SHA-1 of the ordered tuple in Base64.
pub fn community_id(tuple: &FiveTuple) -> String {
    let mut id = String::from("1:");
    STANDARD.encode_string(Sha1::digest(input(tuple)), &mut id);
    id
}

/// The bytes that are hashed, fields in network order.
fn input(tuple: &FiveTuple) -> ArrayVec<u8, MAX_INPUT_BYTES> {
    let (first, second) = if tuple.is_reversed() { (&tuple.resp, &tuple.orig) } else { (&tuple.orig, &tuple.resp) };
    let mut bytes = ArrayVec::new();
    bytes.extend([0, 0]);
    bytes.extend(first.address.octets().iter().copied());
    bytes.extend(second.address.octets().iter().copied());
    bytes.extend([tuple.protocol, 0]);
    // Fragments behind the first have no ports to hash, as protocols without any.
    if has_ports(tuple.protocol) && (first.port, second.port) != (0, 0) {
        bytes.extend(first.port.to_be_bytes());
        bytes.extend(second.port.to_be_bytes());
    }
    bytes
}

/// The protocols whose flows have five fields in the specification; all others have three.
fn has_ports(protocol: u8) -> bool {
    matches!(protocol, protocol::ICMP | protocol::TCP | protocol::UDP | protocol::ICMPV6 | protocol::SCTP)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::five_tuple::Endpoint;

    /// The tuple of a packet, from the specification's baseline.
    fn tuple(protocol: u8, source: &str, destination: &str, ports: (u16, u16)) -> FiveTuple {
        let end = |address: &str, port| {
            let address: IpAddr = address.parse().expect("address");
            Endpoint { address: address.into(), port }
        };
        FiveTuple { orig: end(source, ports.0), resp: end(destination, ports.1), protocol }
    }

    fn both_ways(protocol: u8, source: &str, destination: &str, ports: (u16, u16)) -> [String; 2] {
        let there = tuple(protocol, source, destination, ports);
        let back = FiveTuple { orig: there.resp, resp: there.orig, protocol };
        [community_id(&there), community_id(&back)]
    }

    #[test]
    fn baseline_of_two_way_flows() {
        let (a, b) = ("2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a");
        assert_eq!(both_ways(6, a, b, (63943, 25)), ["1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="; 2]);
        let (a, b) = ("128.232.110.120", "66.35.250.204");
        assert_eq!(both_ways(6, a, b, (34855, 80)), ["1:LQU9qZlK+B5F3KDmev6m5PMibrg="; 2]);
        assert_eq!(both_ways(17, "192.168.1.52", "8.8.8.8", (54585, 53)), ["1:d/FP5EW3wiY1vCndhwleRRKHowQ="; 2]);
        assert_eq!(both_ways(132, "192.168.170.8", "192.168.170.56", (7, 7)), ["1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="; 2]);
        assert_eq!(both_ways(1, "192.168.0.89", "192.168.0.1", (8, 0)), ["1:X0snYXpgwiv9TZtqg64sgzUn6Dk="; 2]);
        let (a, b) = ("fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea");
        assert_eq!(both_ways(58, a, b, (135, 136)), ["1:dGHyGvjMfljg6Bppwm3bg0LO8TY="; 2]);
        assert_eq!(both_ways(58, b, a, (135, 136)), ["1:zavyT/cezQr1fmImYCwYnMXbgck="; 2]);
    }

    #[test]
    fn baseline_of_one_way_messages() {
        let id = community_id(&tuple(1, "10.0.0.1", "10.0.0.2", (11, 0)));
        assert_eq!(id, "1:YHxtAirCG//0OzkcVAukqKQN9xM=");
        let (a, b) = ("3ffe:501:1800:2345::2", "3ffe:507:0:1:200:86ff:fe05:80da");
        assert_eq!(community_id(&tuple(58, a, b, (3, 0))), "1:2ObVBgIn28oZvibYZhZMBgh7WdQ=");
    }

    #[test]
    fn unknown_ports_are_left_out() {
        assert_eq!(both_ways(17, "193.24.227.238", "172.217.40.76", (0, 0)), ["1:ya5SSbQndeeBTYeFkj3lqcpX+n4="; 2]);
    }

    #[test]
    fn baseline_of_protocols_without_ports() {
        assert_eq!(both_ways(46, "10.1.12.1", "10.1.12.2", (0, 0)), ["1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="; 2]);
    }
}
