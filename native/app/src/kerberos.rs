//! Who has a ticket (RFC 4120): the client's name in the answers of a key distribution centre. A request is anybody's
//! claim, an answer is not; no ticket and no key is kept.

use crate::{Text, text};

/// Bytes of an answer that suffice: the names stand before the ticket.
pub const ENOUGH_BYTES: usize = 4 * 1024;

/// The longest name and realm that is kept.
const MAX_NAME_BYTES: usize = 256;
/// Components of a name that are kept.
const MAX_COMPONENTS: usize = 4;

/// `[APPLICATION 11]` and `[APPLICATION 13]` (RFC 4120, 5.4.2).
const AS_REP: u8 = 0x6b;
const TGS_REP: u8 = 0x6d;
const SEQUENCE: u8 = 0x30;
/// KerberosString (RFC 4120, 5.2.1).
const GENERAL_STRING: u8 = 0x1b;
/// `crealm [3]`, `cname [4]`, and `name-string [1]` in it (RFC 4120, 5.4.2 and 5.2.2).
const CREALM: u8 = 0xa3;
const CNAME: u8 = 0xa4;
const NAME_STRING: u8 = 0xa1;

/// A client that has been given a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// As `user`, `PC-0417$` or `host/pc-0417.corp.example`.
    pub name: Text,
    /// As `CORP.EXAMPLE`.
    pub realm: Text,
}

/// The client of an answer, whose end may be missing; none for other messages.
pub fn client(message: &[u8]) -> Option<Principal> {
    let answer = inside(message, AS_REP).or_else(|| inside(message, TGS_REP))?;
    let answer = inside(answer, SEQUENCE)?;
    let realm = string(Element::first(field(answer, CREALM)?)?)?;
    let name = inside(field(answer, CNAME)?, SEQUENCE)?;
    let components = inside(field(name, NAME_STRING)?, SEQUENCE)?;
    let components: Option<Vec<_>> = Elements(components).take(MAX_COMPONENTS).map(string).collect();
    let name = components?.join("/");
    (!name.is_empty()).then(|| Principal { name: text(name.as_bytes(), MAX_NAME_BYTES), realm })
}

/// An element in DER (X.690, 8.1), as much of it as is there.
#[derive(Debug, Clone, Copy)]
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    whole: bool,
    /// What stands behind it.
    rest: &'a [u8],
}

impl<'a> Element<'a> {
    fn first(data: &'a [u8]) -> Option<Self> {
        let (&[tag, first], rest) = data.split_first_chunk()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // X.690, 8.1.3.5: so many bytes of length follow.
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (content, behind) = rest.split_at(length.min(rest.len()));
        Some(Self { tag, content, whole: content.len() == length, rest: behind })
    }
}

/// Elements one after the other.
struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let element = Element::first(self.0)?;
        self.0 = element.rest;
        Some(element)
    }
}

/// The content of the first element, if it is this one.
fn inside(data: &[u8], tag: u8) -> Option<&[u8]> {
    Element::first(data).filter(|element| element.tag == tag).map(|element| element.content)
}

/// The content of the first element of a sequence with this tag.
fn field(sequence: &[u8], tag: u8) -> Option<&[u8]> {
    Elements(sequence).find(|element| element.tag == tag).map(|element| element.content)
}

fn string(element: Element<'_>) -> Option<Text> {
    (element.tag == GENERAL_STRING && element.whole).then(|| text(element.content, MAX_NAME_BYTES))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        match content.len() {
            length @ 0..=0x7f => [&[tag, length as u8][..], content].concat(),
            length => [&[tag, 0x82, (length >> 8) as u8, length as u8][..], content].concat(),
        }
    }

    fn answer(kind: u8, components: &[&str]) -> Vec<u8> {
        let strings: Vec<u8> = components.iter().flat_map(|part| der(GENERAL_STRING, part.as_bytes())).collect();
        let name = [der(0xa0, &[2, 1, 1]), der(NAME_STRING, &der(SEQUENCE, &strings))].concat();
        let fields = [
            der(0xa0, &[2, 1, 5]),
            der(0xa1, &[2, 1, 11]),
            der(0xa2, &der(SEQUENCE, &[0; 300])),
            der(CREALM, &der(GENERAL_STRING, b"CORP.EXAMPLE")),
            der(CNAME, &der(SEQUENCE, &name)),
            der(0xa5, &[7; 1000]),
        ];
        der(kind, &der(SEQUENCE, &fields.concat()))
    }

    #[test]
    fn the_client_of_an_answer_is_told() {
        for (kind, components, name) in [
            (AS_REP, &["user"][..], "user"),
            (TGS_REP, &["PC-0417$"], "PC-0417$"),
            (AS_REP, &["host", "pc.corp.example"], "host/pc.corp.example"),
        ] {
            let told = client(&answer(kind, components)).unwrap();
            assert_eq!((&*told.name, &*told.realm), (name, "CORP.EXAMPLE"));
        }
        assert_eq!(client(&answer(0x6a, &["claimed"])), None, "a request");
        assert_eq!(client(&answer(AS_REP, &[])), None);
    }

    #[test]
    fn an_answer_tells_without_its_ticket_and_never_half_a_name() {
        let whole = answer(AS_REP, &["user"]);
        let told = client(&whole);
        assert_eq!(client(&whole[..whole.len() - 900]), told);
        assert!((0..whole.len()).all(|length| [&None, &told].contains(&&client(&whole[..length]))));
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(place in 0usize..500, bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let mut message = answer(AS_REP, &["user", "more"]);
            let end = (place + bytes.len()).min(message.len());
            message.splice(place.min(end)..end, bytes);
            prop_assert!(client(&message).is_none_or(|told| told.name.len() <= 3 * MAX_NAME_BYTES));
        }
    }
}
