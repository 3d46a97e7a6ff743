//! Does the mirror tell the truth: what each source of frames shows, and what speaks against it.
//!
//! A worker counts by source ([`source`]), knows copies ([`duplicate`]) and bytes that were acknowledged but never seen
//! ([`tcp_gap`]). The merge thread joins the counts of a second and judges them over a window ([`health`], [`judge`]).

pub mod duplicate;
pub mod health;
pub mod judge;
pub mod sequence;
pub mod source;
pub mod tcp_gap;

pub use duplicate::{CopyKind, CopyTable};
pub use health::{ConditionChange, MirrorHealth, source_name};
pub use source::{SourceCounts, SourceDelta, SourceKey, SourceTable};
pub use tcp_gap::TcpGap;
