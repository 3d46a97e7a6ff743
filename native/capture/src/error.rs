//! Why frames cannot be had.

use std::io;

/// Why frames cannot be had: what was tried, on what, why it failed, and what to do next.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The interface is not there.
    #[error("cannot capture on {interface}: no such interface; `spanwatch interfaces` lists those that are there")]
    NoSuchInterface {
        /// Its name.
        interface: String,
    },
    /// The process may not open packet sockets.
    #[error(
        "cannot capture on {interface}: no privilege: CAP_NET_RAW is needed; run as root or give the service this \
         capability"
    )]
    NoPrivilege {
        /// Its name.
        interface: String,
    },
    /// The interface is administratively down; an open socket resumes by itself once it is up again.
    #[error("cannot capture on {interface}: the interface is down; bring it up with `ip link set {interface} up`")]
    InterfaceDown {
        /// Its name.
        interface: String,
    },
    /// The interface was removed; the socket is dead even if an interface of this name comes back.
    #[error("cannot capture on {interface}: the interface was removed; it must be opened again once it is back")]
    InterfaceRemoved {
        /// Its name.
        interface: String,
    },
    /// The interface carries a link layer that the sensor does not read.
    #[error(
        "cannot capture on {interface}: unsupported link layer (ARPHRD type {hardware_type}); Ethernet, loopback and \
         raw IP interfaces can be read"
    )]
    UnsupportedLinkLayer {
        /// Its name.
        interface: String,
        /// ARPHRD_* as in `<net/if_arp.h>`.
        hardware_type: u16,
    },
    /// The BPF expression cannot be compiled or attached.
    #[error("filter {expression:?} on {object}: {cause}; `man pcap-filter` describes the syntax")]
    Filter {
        /// The expression.
        expression: String,
        /// The interface, or the link type of a file.
        object: String,
        /// libpcap's message, or the kernel's.
        cause: String,
    },
    /// A step of opening or reading the socket failed.
    #[error("cannot capture on {interface}: {operation}: {cause}; {advice}")]
    Socket {
        /// Its name.
        interface: String,
        /// The step.
        operation: &'static str,
        /// What the kernel says.
        cause: io::Error,
        /// What to do next.
        advice: &'static str,
    },
    /// The file cannot be opened or read.
    #[error("cannot read {file}: {cause}; check the path and its permissions")]
    Unreadable {
        /// Path as given.
        file: String,
        /// What the system says.
        cause: io::Error,
    },
    /// The file can be read but holds no capture that can be.
    #[error("cannot read {file}: {reason}; pcap and pcapng files can be read, also in gzip, zstd or lz4")]
    NotACapture {
        /// Path as given.
        file: String,
        /// What stands there instead.
        reason: String,
    },
    /// There is no file to read.
    #[error("cannot read captures: no file given; name at least one, or - for standard input")]
    NoFiles,
}
