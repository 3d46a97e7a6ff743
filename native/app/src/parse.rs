//! What a parser says of the bytes that it was given.

/// What a parser that is given the beginning of something says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parse<T> {
    /// All of it was there.
    Done(T),
    /// So far it may be; the rest is not there yet.
    More,
    /// It is something else, or damaged.
    Reject(AppError),
}

/// Why bytes could not be read; the name is a counter's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppError {
    /// Against the protocol's grammar.
    Malformed,
    /// Longer than what is kept of it.
    TooLong,
    /// A version or feature that is not read.
    Unsupported,
}

impl AppError {
    /// Every error, in the order of its number.
    pub const ALL: [Self; 3] = [Self::Malformed, Self::TooLong, Self::Unsupported];

    /// The label of counters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLong => "too_long",
            Self::Unsupported => "unsupported",
        }
    }
}
