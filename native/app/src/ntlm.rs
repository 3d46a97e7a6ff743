//! Who logs on by NTLM ([MS-NLMP]): the names of an AUTHENTICATE_MESSAGE, and nothing of its answers to the challenge.

use base64::Engine;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

use crate::{Text, text};

/// The bytes that a message is looked for in.
const MAX_BYTES: usize = 8 * 1024;
/// What a message begins with; its type follows ([MS-NLMP] section 2.2.1).
const SIGNATURE: &[u8] = b"NTLMSSP\0\x03\0\0\0";
/// Places of length, room and offset of each name, and of the flags ([MS-NLMP] section 2.2.1.3).
const DOMAIN: usize = 28;
const USER: usize = 36;
const WORKSTATION: usize = 44;
const FLAGS: usize = 60;
/// NTLMSSP_NEGOTIATE_UNICODE ([MS-NLMP] section 2.2.2.5).
const UNICODE: u8 = 1;
/// The longest name that is read.
const MAX_NAME_BYTES: usize = 512;
/// Credentials of HTTP are wrapped by anybody, with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
);

/// Who logs on, and where; what was not said is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Logon {
    /// The user's name.
    pub user: Text,
    /// The domain of the user.
    pub domain: Text,
    /// The computer that the user is at.
    pub workstation: Text,
}

/// The first AUTHENTICATE_MESSAGE in the first 8 KiB, whatever it is wrapped in (SPNEGO, RFC 4178); none for anonymous
/// users, and where it is not whole up to its flags.
pub fn logon(bytes: &[u8]) -> Option<Logon> {
    let bytes = &bytes[..bytes.len().min(MAX_BYTES)];
    let message = &bytes[memchr::memmem::find(bytes, SIGNATURE)?..];
    let unicode = message.get(FLAGS)? & UNICODE != 0;
    let name = |place| name(message, place, unicode).unwrap_or_default();
    let logon = Logon { user: name(USER), domain: name(DOMAIN), workstation: name(WORKSTATION) };
    (!logon.user.is_empty()).then_some(logon)
}

/// The same for the value of a field of HTTP, as `NTLM TlRMTVNTUAAD…` or `Negotiate oXcw…` (RFC 4559).
pub fn credentials(value: &[u8]) -> Option<Logon> {
    let space = memchr::memchr(b' ', &value[..value.len().min(16)])?;
    let (scheme, token) = (&value[..space], value[space..].trim_ascii());
    if !scheme.eq_ignore_ascii_case(b"NTLM") && !scheme.eq_ignore_ascii_case(b"Negotiate") {
        return None;
    }
    let token = &token[..token.len().min(MAX_BYTES)];
    logon(&BASE64.decode(token).ok()?)
}

fn name(message: &[u8], place: usize, unicode: bool) -> Option<Text> {
    let field = message.get(place..place + 8)?;
    let length = usize::from(u16::from_le_bytes([field[0], field[1]])).min(MAX_NAME_BYTES);
    let offset = u32::from_le_bytes([field[4], field[5], field[6], field[7]]) as usize;
    let bytes = message.get(offset..)?.get(..length)?;
    if !unicode {
        return Some(text(bytes, MAX_NAME_BYTES));
    }
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    Some(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A message with these names behind its header, and an answer that must never be told.
    fn message(names: [&str; 3], unicode: bool) -> Vec<u8> {
        let mut message = [SIGNATURE, &[0; 52]].concat();
        message[FLAGS] = u8::from(unicode);
        for (place, name) in [DOMAIN, USER, WORKSTATION].into_iter().zip(names) {
            let wide = || name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let bytes: Vec<u8> = if unicode { wide() } else { name.into() };
            message[place..place + 2].copy_from_slice(&(bytes.len() as u16).to_le_bytes());
            let offset = message.len() as u32;
            message[place + 4..place + 8].copy_from_slice(&offset.to_le_bytes());
            message.extend(bytes);
        }
        message.extend(b"the answer");
        message
    }

    fn told(logon: &Logon) -> [&str; 3] {
        [&logon.domain, &logon.user, &logon.workstation]
    }

    #[test]
    fn the_names_are_read_in_either_alphabet_and_any_wrapping() {
        let names = ["CORP", "jörg", "PC-0417"];
        for unicode in [true, false] {
            let wrapped = [&b"\xa1\x82\x01\x00\x30"[..], &message(names, unicode)].concat();
            assert_eq!(told(&logon(&wrapped).unwrap()), names);
        }
    }

    #[test]
    fn other_messages_and_anonymous_users_tell_nothing() {
        let mut challenge = message(["CORP", "user", "PC"], true);
        challenge[8] = 2;
        assert_eq!(logon(&challenge), None);
        assert_eq!(logon(&message(["", "", "PC"], true)), None);
    }

    #[test]
    fn a_message_that_is_cut_tells_only_whole_names() {
        let whole = message(["CORP", "user", "PC"], true);
        for length in 0..whole.len() {
            if let Some(cut) = logon(&whole[..length]) {
                assert_eq!(&*cut.user, "user");
                assert!(["", "PC"].contains(&&*cut.workstation));
            }
        }
    }

    #[test]
    fn credentials_of_http_are_unwrapped() {
        let token = BASE64.encode(message(["CORP", "user", "PC"], true));
        for value in [format!("NTLM {token}"), format!("negotiate  {}", token.trim_end_matches('='))] {
            assert_eq!(credentials(value.as_bytes()).map(|logon| logon.user), Some("user".into()));
        }
        for value in [format!("Basic {token}"), token, "NTLM ????".into(), String::new()] {
            assert_eq!(credentials(value.as_bytes()), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let read = logon(&[SIGNATURE, &bytes].concat());
            let bounded = |name: &str| name.chars().count() <= MAX_NAME_BYTES;
            prop_assert!(read.is_none_or(|logon| told(&logon).into_iter().all(bounded)));
        }
    }
}
