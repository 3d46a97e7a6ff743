//! The system calls on a packet socket: options, interface requests, errors.

use std::ffi::CString;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use libc::{c_int, c_uint, c_ulong, c_void, sock_filter, socklen_t};
use wire::TunnelPorts;

use super::{KernelStatistics, spread};
use crate::error::CaptureError;
use crate::frame::LinkType;

/// ARPHRD_RAWIP of `<linux/if_arp.h>`: modem interfaces that carry IP packets only.
const ARPHRD_RAWIP: u16 = 519;

const KERNEL_ADVICE: &str = "Linux 4.20 or later with AF_PACKET rings is needed";
const MEMORY_ADVICE: &str = "ask for less ring memory or free some";
const FANOUT_ADVICE: &str = "another program may use this fanout group in another way";
const STATE_ADVICE: &str = "open the interface anew";

/// A packet socket that belongs to one interface.
pub(super) struct PacketSocket {
    fd: OwnedFd,
    interface: String,
    index: c_int,
}

/// Size of a memory page in bytes.
pub(super) fn page_bytes() -> usize {
    // SAFETY: takes a number and gives a number.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

impl PacketSocket {
    /// A socket without protocol: it receives nothing before [`bind`](Self::bind).
    pub(super) fn open(interface: &str) -> Result<Self, CaptureError> {
        let name = CString::new(interface).unwrap_or_default();
        // SAFETY: the name is a C string that lives during the call.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) } as c_int;
        if index == 0 {
            return Err(CaptureError::NoSuchInterface { interface: interface.to_owned() });
        }
        // SAFETY: takes numbers and gives a number.
        let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        if fd < 0 {
            let cause = io::Error::last_os_error();
            return Err(failure(interface, cause, "open a packet socket", KERNEL_ADVICE));
        }
        // SAFETY: the descriptor was just made and has no other owner.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { fd, interface: interface.to_owned(), index })
    }

    pub(super) fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Makes of a system call's error one that says what was tried, and on what.
    fn failed(&self, operation: &'static str, advice: &'static str) -> impl Fn(io::Error) -> CaptureError + '_ {
        move |cause| failure(&self.interface, cause, operation, advice)
    }

    /// The link type of the interface's frames, by its hardware type.
    pub(super) fn link_type(&self) -> Result<LinkType, CaptureError> {
        let request = self
            .ask_interface(libc::SIOCGIFHWADDR as c_ulong)
            .map_err(self.failed("ask for the hardware type", STATE_ADVICE))?;
        // SAFETY: SIOCGIFHWADDR fills this member.
        let hardware_type = unsafe { request.ifr_ifru.ifru_hwaddr.sa_family };
        match hardware_type {
            libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Ok(LinkType::ETHERNET),
            libc::ARPHRD_NONE | ARPHRD_RAWIP => Ok(LinkType::RAW),
            _ => Err(CaptureError::UnsupportedLinkLayer { interface: self.interface.clone(), hardware_type }),
        }
    }

    pub(super) fn require_up(&self) -> Result<(), CaptureError> {
        let request = self
            .ask_interface(libc::SIOCGIFFLAGS as c_ulong)
            .map_err(self.failed("ask whether the interface is up", STATE_ADVICE))?;
        // SAFETY: SIOCGIFFLAGS fills this member.
        let flags = unsafe { request.ifr_ifru.ifru_flags };
        match c_int::from(flags) & libc::IFF_UP {
            0 => Err(CaptureError::InterfaceDown { interface: self.interface.clone() }),
            _ => Ok(()),
        }
    }

    /// Puts a question about the interface to the socket's own network namespace. The interface is found by its
    /// number, because it may have been renamed.
    fn ask_interface(&self, question: c_ulong) -> io::Result<libc::ifreq> {
        // SAFETY: `ifreq` is plain data, for which zeros are valid.
        let mut request: libc::ifreq = unsafe { mem::zeroed() };
        request.ifr_ifru.ifru_ifindex = self.index;
        for question in [libc::SIOCGIFNAME as c_ulong, question] {
            // SAFETY: both requests read and write one `ifreq`, which lives during the call.
            if unsafe { libc::ioctl(self.fd(), question as _, &raw mut request) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(request)
    }

    pub(super) fn use_ring_version_3(&self) -> Result<(), CaptureError> {
        let version = libc::tpacket_versions::TPACKET_V3 as c_int;
        self.set(libc::PACKET_VERSION, &version).map_err(self.failed("use TPACKET_V3", KERNEL_ADVICE))
    }

    /// Room before each frame in the ring.
    pub(super) fn reserve_headroom(&self, bytes: c_uint) -> Result<(), CaptureError> {
        self.set(libc::PACKET_RESERVE, &bytes).map_err(self.failed("reserve headroom", KERNEL_ADVICE))
    }

    pub(super) fn ignore_outgoing(&self) -> Result<(), CaptureError> {
        let on: c_int = 1;
        self.set(libc::PACKET_IGNORE_OUTGOING, &on).map_err(self.failed("ignore outgoing frames", KERNEL_ADVICE))
    }

    /// Makes the ring; false if the kernel has not so much memory.
    pub(super) fn make_ring(&self, request: &libc::tpacket_req3) -> Result<bool, CaptureError> {
        match self.set(libc::PACKET_RX_RING, request) {
            Ok(()) => Ok(true),
            Err(cause) if cause.raw_os_error() == Some(libc::ENOMEM) => Ok(false),
            Err(cause) => Err(self.failed("make the receive ring", MEMORY_ADVICE)(cause)),
        }
    }

    pub(super) fn out_of_memory(&self) -> CaptureError {
        self.failed("make the receive ring", MEMORY_ADVICE)(io::Error::from_raw_os_error(libc::ENOMEM))
    }

    /// Maps the ring; the memory is the caller's to unmap.
    pub(super) fn map_ring(&self, bytes: usize) -> Result<ptr::NonNull<u8>, CaptureError> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory that is in use.
        let memory = unsafe { libc::mmap(ptr::null_mut(), bytes, protection, libc::MAP_SHARED, self.fd(), 0) };
        match ptr::NonNull::new(memory.cast::<u8>()) {
            Some(mapped) if memory != libc::MAP_FAILED => Ok(mapped),
            _ => Err(self.failed("map the receive ring", MEMORY_ADVICE)(io::Error::last_os_error())),
        }
    }

    /// Puts a filter in the place of the one before, if any, in one step. `expression` is what it was compiled from.
    pub(super) fn attach(&self, program: &[sock_filter], expression: &str) -> Result<(), CaptureError> {
        let refused = |cause: io::Error| CaptureError::Filter {
            expression: expression.to_owned(),
            object: self.interface.clone(),
            cause: format!("{} instructions cannot be attached: {cause}", program.len()),
        };
        let Ok(len) = u16::try_from(program.len()) else {
            return Err(refused(io::Error::from_raw_os_error(libc::E2BIG)));
        };
        // The kernel only reads the instructions; its structure just lacks the `const`.
        let program = libc::sock_fprog { len, filter: program.as_ptr().cast_mut() };
        self.set_at(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program).map_err(refused)
    }

    pub(super) fn detach(&self) -> Result<(), CaptureError> {
        let ignored: c_int = 0;
        self.set_at(libc::SOL_SOCKET, libc::SO_DETACH_FILTER, &ignored)
            .map_err(self.failed("detach the opening filter", KERNEL_ADVICE))
    }

    /// Begins to receive frames of every protocol.
    pub(super) fn bind(&self) -> Result<(), CaptureError> {
        // SAFETY: `sockaddr_ll` is plain data, for which zeros are valid.
        let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = self.index;
        let length = size_of::<libc::sockaddr_ll>() as socklen_t;
        // SAFETY: pointer and length are those of the address, which lives during the call.
        match unsafe { libc::bind(self.fd(), (&raw const address).cast(), length) } {
            0 => Ok(()),
            _ => Err(self.failed("bind to the interface", STATE_ADVICE)(io::Error::last_os_error())),
        }
    }

    /// Takes frames for other hosts too, until the socket is closed.
    pub(super) fn become_promiscuous(&self) -> Result<(), CaptureError> {
        let request = libc::packet_mreq {
            mr_ifindex: self.index,
            mr_type: libc::PACKET_MR_PROMISC as u16,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        self.set(libc::PACKET_ADD_MEMBERSHIP, &request)
            .map_err(self.failed("make the interface promiscuous", STATE_ADVICE))
    }

    /// Shares the frames with the other sockets of the group, by a program that gives the place in the order of joining.
    /// The group has a flag of its own for outgoing frames: those of its sockets do not count in it. A group is for one
    /// interface and does not outlive it, and an interface that is made again has another index: so the index is added.
    pub(super) fn join_fanout(&self, group: u16) -> Result<(), CaptureError> {
        let mode = libc::PACKET_FANOUT_CBPF | libc::PACKET_FANOUT_FLAG_IGNORE_OUTGOING;
        let group = group.wrapping_add(self.index as u16);
        let argument = c_uint::from(group) | mode << 16;
        self.set(libc::PACKET_FANOUT, &argument).map_err(self.failed("join the fanout group", FANOUT_ADVICE))
    }

    /// Puts the program of the group in force; until there is one, all frames are the first socket's.
    pub(super) fn spread(&self, ports: &TunnelPorts) -> Result<(), CaptureError> {
        let load = || {
            let program = spread::program(ports)?;
            // The length was checked when the program was made; the kernel only reads the instructions.
            let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
            self.set(libc::PACKET_FANOUT_DATA, &program)
        };
        load().map_err(self.failed("load the fanout program", KERNEL_ADVICE))
    }

    /// Takes the pending error and looks at the interface.
    pub(super) fn check(&self) -> Result<(), CaptureError> {
        let pending: c_int = self
            .get(libc::SOL_SOCKET, libc::SO_ERROR)
            .map_err(self.failed("ask for the socket's error", STATE_ADVICE))?;
        let up = self.require_up();
        let bound = self.bound_index().map_err(self.failed("ask for the bound interface", STATE_ADVICE))?;
        // Asked last: a device that went away just now is no longer bound. One of the same name may be there already.
        if bound != self.index {
            return Err(CaptureError::InterfaceRemoved { interface: self.interface.clone() });
        }
        match up {
            Ok(()) if pending != 0 && pending != libc::ENETDOWN => Err(CaptureError::Socket {
                interface: self.interface.clone(),
                operation: "receive frames",
                cause: io::Error::from_raw_os_error(pending),
                advice: STATE_ADVICE,
            }),
            _ => up,
        }
    }

    fn bound_index(&self) -> io::Result<c_int> {
        // SAFETY: `sockaddr_ll` is plain data, for which zeros are valid.
        let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
        let mut length = size_of::<libc::sockaddr_ll>() as socklen_t;
        // SAFETY: pointer and length are those of the address, which lives during the call.
        match unsafe { libc::getsockname(self.fd(), (&raw mut address).cast(), &raw mut length) } {
            0 => Ok(address.sll_ifindex),
            _ => Err(io::Error::last_os_error()),
        }
    }

    pub(super) fn statistics(&self) -> io::Result<KernelStatistics> {
        let counted: libc::tpacket_stats_v3 = self.get(libc::SOL_PACKET, libc::PACKET_STATISTICS)?;
        Ok(KernelStatistics {
            packets: counted.tp_packets.into(),
            dropped: counted.tp_drops.into(),
            freezes: counted.tp_freeze_q_cnt.into(),
        })
    }

    fn set<T: Copy>(&self, option: c_int, value: &T) -> io::Result<()> {
        self.set_at(libc::SOL_PACKET, option, value)
    }

    fn set_at<T: Copy>(&self, level: c_int, option: c_int, value: &T) -> io::Result<()> {
        let (value, length) = (ptr::from_ref(value).cast::<c_void>(), size_of::<T>() as socklen_t);
        // SAFETY: pointer and length are those of the value, which lives during the call and is only read.
        match unsafe { libc::setsockopt(self.fd(), level, option, value, length) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// `T` must be plain data that is valid whatever its bytes: the numbers and structures of numbers above.
    fn get<T: Copy>(&self, level: c_int, option: c_int) -> io::Result<T> {
        let mut value = mem::MaybeUninit::<T>::zeroed();
        let mut length = size_of::<T>() as socklen_t;
        // SAFETY: pointer and length are those of the value, which lives during the call.
        match unsafe { libc::getsockopt(self.fd(), level, option, value.as_mut_ptr().cast(), &raw mut length) } {
            // SAFETY: every byte is set, to zero or by the kernel, and every pattern is valid for the types in use.
            0 => Ok(unsafe { value.assume_init() }),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

fn failure(interface: &str, cause: io::Error, operation: &'static str, advice: &'static str) -> CaptureError {
    let interface = interface.to_owned();
    match cause.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => CaptureError::NoPrivilege { interface },
        Some(libc::ENODEV | libc::ENXIO) => CaptureError::NoSuchInterface { interface },
        Some(libc::ENETDOWN) => CaptureError::InterfaceDown { interface },
        _ => CaptureError::Socket { interface, operation, cause, advice },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_that_is_not_there_is_named() {
        for name in ["nosuchiface0", "", "a\0b", "a-name-that-is-too-long-for-linux"] {
            let refusal = PacketSocket::open(name).err().expect("a refusal");
            assert!(matches!(&refusal, CaptureError::NoSuchInterface { interface } if interface == name));
        }
    }
}
