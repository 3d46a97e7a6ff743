//! Live capture: AF_PACKET sockets, each with a TPACKET_V3 receive ring (Linux,
//! `Documentation/networking/packet_mmap.rst`). CAP_NET_RAW is all that is needed.

mod bpf;
mod ring;
mod socket;
mod spread;

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use libc::{c_int, sock_filter};
use wire::TunnelPorts;

use crate::error::CaptureError;
use crate::filter;
use crate::frame::LinkType;
pub use ring::KernelBlock;
use ring::{Geometry, Labels, Ring};
use socket::PacketSocket;
pub use spread::spread;

/// Largest captured length of a live frame in bytes, as in libpcap; above every GSO frame that Linux builds by default.
pub const MAX_SNAPLEN: u32 = 262_144;

/// How to capture on an interface.
#[derive(Debug, Clone)]
pub struct AfPacketConfig {
    /// Name of the interface, looked up in the network namespace of the thread that opens it.
    pub interface: String,
    /// What [`Frame::interface`](crate::Frame::interface) says.
    pub index: u16,
    /// Bytes of a frame that are kept, the outer VLAN tag included; held to 1 to [`MAX_SNAPLEN`].
    pub snaplen: u32,
    /// Whether frames for other hosts are taken too.
    pub promiscuous: bool,
    /// Memory that is asked for, in bytes; never less than four blocks that hold the largest frame are used.
    pub ring_bytes: usize,
    /// How long a frame may wait in a block that does not fill up.
    pub block_timeout: Duration,
    /// BPF expression, with the meaning that it has for `tcpdump -i`; empty for everything.
    pub filter: String,
}

/// How the sockets of an interface share its frames.
#[derive(Debug, Clone)]
pub struct Fanout {
    /// Number of the group, to which the interface's index is added; it must not be in use elsewhere in the network
    /// namespace.
    pub group: u16,
    /// UDP ports of tunnels, into which the kernel looks for the innermost address pair; the first 20 count.
    pub ports: TunnelPorts,
}

/// What the kernel counted since the last time it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KernelStatistics {
    /// Frames that passed the filter, the dropped ones included.
    pub packets: u64,
    /// Frames for which the ring had no room.
    pub dropped: u64,
    /// Times that the ring was full.
    pub freezes: u64,
}

/// A packet socket with its ring.
///
/// Frames that the host itself sends are not taken: a mirror port only receives, and on a veth pair or the loopback
/// interface they would be seen twice.
pub struct AfPacket {
    // Declared first: the ring must be unmapped before its socket is closed.
    ring: Ring,
    socket: PacketSocket,
    labels: Labels,
}

impl AfPacket {
    /// Opens the interface, which must be up. What is captured when this returns has passed the filter.
    ///
    /// # Errors
    /// Every kind of [`CaptureError`] about interfaces and filters; nothing stays open then.
    pub fn open(config: &AfPacketConfig) -> Result<Self, CaptureError> {
        let mut opening = Opening::new(config)?;
        opening.add(None)?;
        opening.finish().map(|mut sockets| sockets.remove(0))
    }

    /// Opens the interface `count` times, as [`open`](Self::open) does, for sockets that share its frames: each frame
    /// goes to the socket that [`spread`] says, modulo `count`, of the innermost address pair. What has no pair goes to
    /// the first. The sockets of a group live and die together: the kernel counts places anew when one is closed.
    ///
    /// # Errors
    /// As for [`open`](Self::open), and the group is in use.
    pub fn open_group(config: &AfPacketConfig, fanout: &Fanout, count: usize) -> Result<Vec<Self>, CaptureError> {
        let mut opening = Opening::new(config)?;
        for _ in 0..count {
            opening.add(Some(fanout.group))?;
        }
        if let Some(first) = opening.sockets.first() {
            first.socket.spread(&fanout.ports)?;
        }
        opening.finish()
    }

    /// The next block of frames, if the kernel has finished one. Makes no system call.
    #[inline]
    pub fn try_block(&mut self) -> Option<KernelBlock<'_>> {
        self.ring.try_block(self.labels)
    }

    /// The file descriptor, for [`wait`].
    pub fn fd(&self) -> RawFd {
        self.socket.fd()
    }

    /// The link type of its frames.
    pub fn link_type(&self) -> LinkType {
        self.labels.link_type
    }

    /// Memory that the kernel granted, in bytes; it may be less than was asked for.
    pub fn granted_ring_bytes(&self) -> usize {
        self.ring.bytes()
    }

    /// Whether the interface can be captured on. Clears what [`Wake::failed`] told, and should also be asked now and
    /// then while the interface is down: its removal after that wakes nobody.
    ///
    /// # Errors
    /// [`CaptureError::InterfaceDown`]: goes on by itself once it is up. [`CaptureError::InterfaceRemoved`]: must be
    /// opened anew. [`CaptureError::Socket`] for anything else.
    pub fn check(&mut self) -> Result<(), CaptureError> {
        self.socket.check()
    }

    /// What the kernel counted since this was last called. Frames in blocks that are not yet finished are included.
    ///
    /// # Errors
    /// What getsockopt(2) says.
    pub fn statistics(&mut self) -> io::Result<KernelStatistics> {
        self.socket.statistics()
    }
}

/// Sockets of one interface that are being opened, and let nothing pass yet.
struct Opening<'a> {
    config: &'a AfPacketConfig,
    labels: Labels,
    filter: Option<Vec<sock_filter>>,
    sockets: Vec<AfPacket>,
}

impl<'a> Opening<'a> {
    fn new(config: &'a AfPacketConfig) -> Result<Self, CaptureError> {
        let snaplen = config.snaplen.clamp(1, MAX_SNAPLEN);
        let socket = PacketSocket::open(&config.interface)?;
        let link_type = socket.link_type()?;
        socket.require_up()?;
        let filter = kernel_program(config, link_type, snaplen)?;
        let labels = Labels { snaplen, link_type, interface: config.index };
        Ok(Self { config, labels, filter, sockets: Vec::new() })
    }

    fn add(&mut self, group: Option<u16>) -> Result<(), CaptureError> {
        let config = self.config;
        let socket = PacketSocket::open(&config.interface)?;
        socket.use_ring_version_3()?;
        socket.reserve_headroom(ring::HEADROOM_BYTES)?;
        socket.ignore_outgoing()?;
        let geometry = Geometry::new(config.ring_bytes, self.labels.snaplen, socket::page_bytes());
        let ring = Ring::allocate(&socket, geometry, config.block_timeout)?;
        // A socket without protocol receives nothing. From bind on it would receive everything, and until it is in its
        // group also what the group's other sockets receive: so nothing may pass until all is in place.
        socket.attach(&filter::accept(0), "")?;
        socket.bind()?;
        if config.promiscuous {
            socket.become_promiscuous()?;
        }
        if let Some(group) = group {
            socket.join_fanout(group)?;
        }
        self.sockets.push(AfPacket { ring, socket, labels: self.labels });
        Ok(())
    }

    /// Lets pass what the configuration asks for.
    fn finish(self) -> Result<Vec<AfPacket>, CaptureError> {
        for AfPacket { socket, .. } in &self.sockets {
            match &self.filter {
                Some(program) => socket.attach(program, &self.config.filter)?,
                None => socket.detach()?,
            }
        }
        Ok(self.sockets)
    }
}

/// The program for the kernel; none where everything is to pass whole. It also cuts frames to `snaplen`, which saves
/// ring memory.
fn kernel_program(
    config: &AfPacketConfig,
    link_type: LinkType,
    snaplen: u32,
) -> Result<Option<Vec<sock_filter>>, CaptureError> {
    if !config.filter.trim().is_empty() {
        return filter::compile_live(&config.filter, &config.interface, link_type, snaplen).map(Some);
    }
    Ok((snaplen < MAX_SNAPLEN).then(|| filter::accept(snaplen)))
}

/// What ended a [`wait`]; neither if it was the timeout or a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wake {
    /// A socket may have a block.
    pub ready: bool,
    /// A socket has an error: [`AfPacket::check`] tells which and what, and must be called, or waiting ends at once.
    pub failed: bool,
}

/// Waits until one of the sockets has a block or an error, or until the timeout, which is rounded up to milliseconds.
///
/// # Errors
/// What poll(2) says, except that a signal only ends the wait.
pub fn wait(fds: &[RawFd], timeout: Duration) -> io::Result<Wake> {
    let mut polled: Vec<libc::pollfd> =
        fds.iter().map(|&fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 }).collect();
    let milliseconds = c_int::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX);
    // SAFETY: pointer and length are those of a vector that lives during the call.
    let result = unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, milliseconds) };
    if result < 0 {
        let cause = io::Error::last_os_error();
        return if cause.kind() == io::ErrorKind::Interrupted { Ok(Wake::default()) } else { Err(cause) };
    }
    let any = |events| polled.iter().any(|polled| polled.revents & events != 0);
    Ok(Wake { ready: any(libc::POLLIN), failed: any(libc::POLLERR | libc::POLLHUP | libc::POLLNVAL) })
}
