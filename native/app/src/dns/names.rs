//! The names of numbers, as the registry "Domain Name System (DNS) Parameters" and dig write them.

use std::borrow::Cow;

/// The name of a record's type, as `AAAA`; one without a name reads `TYPE65280` (RFC 3597 section 5).
pub fn kind_name(kind: u16) -> Cow<'static, str> {
    match KINDS.binary_search_by_key(&kind, |&(number, _)| number) {
        Ok(index) => KINDS[index].1.into(),
        Err(_) => format!("TYPE{kind}").into(),
    }
}

/// The name of a response's code, as `NXDOMAIN` (RFC 6895 section 2.3); `UNASSIGNED` for one without a name.
pub fn rcode_name(rcode: u8) -> &'static str {
    RCODES.get(usize::from(rcode)).copied().unwrap_or("UNASSIGNED")
}

const RCODES: [&str; 12] = [
    "NOERROR",
    "FORMERR",
    "SERVFAIL",
    "NXDOMAIN",
    "NOTIMP",
    "REFUSED",
    "YXDOMAIN",
    "YXRRSET",
    "NXRRSET",
    "NOTAUTH",
    "NOTZONE",
    "DSOTYPENI",
];

/// In the order of their numbers.
const KINDS: [(u16, &str); 58] = [
    (1, "A"),
    (2, "NS"),
    (3, "MD"),
    (4, "MF"),
    (5, "CNAME"),
    (6, "SOA"),
    (7, "MB"),
    (8, "MG"),
    (9, "MR"),
    (10, "NULL"),
    (11, "WKS"),
    (12, "PTR"),
    (13, "HINFO"),
    (14, "MINFO"),
    (15, "MX"),
    (16, "TXT"),
    (17, "RP"),
    (18, "AFSDB"),
    (19, "X25"),
    (20, "ISDN"),
    (21, "RT"),
    (24, "SIG"),
    (25, "KEY"),
    (28, "AAAA"),
    (29, "LOC"),
    (33, "SRV"),
    (35, "NAPTR"),
    (36, "KX"),
    (37, "CERT"),
    (39, "DNAME"),
    (41, "OPT"),
    (42, "APL"),
    (43, "DS"),
    (44, "SSHFP"),
    (45, "IPSECKEY"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (49, "DHCID"),
    (50, "NSEC3"),
    (51, "NSEC3PARAM"),
    (52, "TLSA"),
    (53, "SMIMEA"),
    (55, "HIP"),
    (59, "CDS"),
    (60, "CDNSKEY"),
    (61, "OPENPGPKEY"),
    (62, "CSYNC"),
    (63, "ZONEMD"),
    (64, "SVCB"),
    (65, "HTTPS"),
    (99, "SPF"),
    (249, "TKEY"),
    (250, "TSIG"),
    (251, "IXFR"),
    (252, "AXFR"),
    (255, "ANY"),
    (257, "CAA"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_found_by_its_number() {
        for (number, name) in KINDS {
            assert_eq!(kind_name(number), name);
        }
        assert_eq!(kind_name(0), "TYPE0");
        assert_eq!(kind_name(65535), "TYPE65535");
    }

    #[test]
    fn codes_stand_at_their_numbers() {
        assert_eq!((rcode_name(0), rcode_name(3), rcode_name(5)), ("NOERROR", "NXDOMAIN", "REFUSED"));
        assert_eq!((rcode_name(11), rcode_name(12), rcode_name(255)), ("DSOTYPENI", "UNASSIGNED", "UNASSIGNED"));
    }
}
