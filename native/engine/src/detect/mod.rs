//! What is judged in the core: meetings with watchlist entries, and bulk mail by its flows.

mod hits;
mod smtp;

pub use hits::{Hit, HitEvent, HitLedger, Stage};
pub use smtp::{Finding, SmtpWatch};
