//! Who logs in by SASL (RFC 4422): the user's name only. What else the exchange says is let go of at once.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{Login, MAX_USER_BYTES, Text, text};

/// The longest name of a mechanism (RFC 4422, 3.1).
const MAX_MECHANISM_BYTES: usize = 20;

/// An exchange that the client has begun.
#[derive(Debug)]
pub(crate) struct Sasl {
    login: Login,
    responses: u8,
}

impl Sasl {
    /// An exchange by `mechanism`.
    pub(crate) fn new(protocol: &'static str, mechanism: &[u8]) -> Self {
        let mechanism = text(&mechanism.to_ascii_uppercase(), MAX_MECHANISM_BYTES);
        let clear = matches!(&*mechanism, "PLAIN" | "LOGIN");
        Self { login: Login { protocol, mechanism, clear, ..Login::default() }, responses: 0 }
    }

    /// Takes what the client answers, in base64; `=` is an empty answer.
    pub(crate) fn respond(&mut self, response: &[u8]) {
        self.responses = self.responses.saturating_add(1);
        let decoded = STANDARD.decode(response.trim_ascii()).unwrap_or_default();
        if self.login.user.is_empty() {
            let user = user(&self.login.mechanism, &decoded);
            self.login.user = text(user, MAX_USER_BYTES);
        }
    }

    /// Whether the client is known to have said all.
    pub(crate) fn is_complete(&self) -> bool {
        match &*self.login.mechanism {
            "LOGIN" => self.responses >= 2,
            "PLAIN" | "XOAUTH2" | "OAUTHBEARER" | "CRAM-MD5" => self.responses >= 1,
            _ => false,
        }
    }

    pub(crate) fn user(&self) -> &Text {
        &self.login.user
    }

    /// The attempt, and what came of it.
    pub(crate) fn finish(self, success: Option<bool>) -> Login {
        Login { success, ..self.login }
    }
}

/// The user's name in an answer.
fn user<'a>(mechanism: &str, answer: &'a [u8]) -> &'a [u8] {
    let until = |bytes: &'a [u8], end: u8| bytes.split(|&byte| byte == end).next().unwrap_or_default();
    let behind = |mark: &[u8]| {
        let at = memchr::memmem::find(answer, mark).map(|at| at + mark.len());
        at.map_or(&[][..], |at| &answer[at..])
    };
    match mechanism {
        // [authzid] NUL authcid NUL passwd (RFC 4616, 2).
        "PLAIN" => answer.split(|&byte| byte == 0).nth(1).unwrap_or_default(),
        "LOGIN" => answer,
        // The name, a space, and a digest (RFC 2195, 2).
        "CRAM-MD5" => &answer[..memchr::memrchr(b' ', answer).unwrap_or(0)],
        "XOAUTH2" => until(behind(b"user="), 1),
        // gs2-header with a= (RFC 7628, 3.1).
        "OAUTHBEARER" => until(behind(b",a="), b','),
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_kept_and_nothing_else() {
        for (mechanism, answers) in [
            ("plain", vec!["AGFubmEAc2VjcmV0"]),
            ("LOGIN", vec!["YW5uYQ==", "c2VjcmV0"]),
            ("CRAM-MD5", vec!["YW5uYSBiOTEzYTYwMmM3ZWRhN2E0OTViNGU2ZTczMzRkMzg5MA=="]),
            ("XOAUTH2", vec!["dXNlcj1hbm5hAWF1dGg9QmVhcmVyIHNlY3JldAEB"]),
            ("OAUTHBEARER", vec!["bixhPWFubmEsAWF1dGg9QmVhcmVyIHNlY3JldAEB"]),
        ] {
            let mut sasl = Sasl::new("smtp", mechanism.as_bytes());
            for answer in answers {
                assert!(!sasl.is_complete());
                sasl.respond(answer.as_bytes());
            }
            assert!(sasl.is_complete());
            let login = sasl.finish(Some(true));
            assert_eq!(&*login.user, "anna", "{mechanism}");
            assert_eq!(login.clear, matches!(mechanism, "plain" | "LOGIN"));
            assert!(!format!("{login:?}").contains("secret"));
        }
    }
}
