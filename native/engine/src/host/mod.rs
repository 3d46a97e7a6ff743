//! Hosts: the internal addresses, and what is known of each.

mod carriers;
mod table;

pub use table::{Host, HostTable};
