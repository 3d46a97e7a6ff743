//! Somebody says who he is: the user name, and whether the server believed it. No password is ever kept.

use crate::Text;

/// The longest user name that is kept, in bytes.
pub const MAX_USER_BYTES: usize = 256;

/// An attempt to log in, as far as it was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// What was logged in to: `smtp`, `pop3`, `imap`, `http`.
    pub protocol: &'static str,
    /// How, in capitals, as `PLAIN`, `LOGIN`, `CRAM-MD5`, `USER`, `APOP`.
    pub mechanism: Text,
    /// The user's name, at most [`MAX_USER_BYTES`] of it; empty when it was not seen.
    pub user: Text,
    /// Whether the server accepted it; `None` when its answer was not seen.
    pub success: Option<bool>,
    /// Whether the password passed in clear.
    pub clear: bool,
}
