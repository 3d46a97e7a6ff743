//! Network namespaces, a veth pair in the place of a mirror port, and what sends and collects frames there.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use capture::{AfPacket, AfPacketConfig, Block, Fanout, wait};
use wire::TunnelPorts;

/// The captured end of the veth pair.
pub(crate) const MIRROR: &str = "mirror0";
/// The end that frames are sent from.
pub(crate) const SWITCH: &str = "switch0";

/// Longer than a block may wait: what has not come by then does not come.
const QUIET: Duration = Duration::from_millis(150);
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs a test in a network namespace of its own, with [`MIRROR`] and [`SWITCH`] up.
///
/// Without the privilege for that the test is skipped, visibly, or fails where `CI` is set.
pub(crate) fn in_namespace(test: impl FnOnce() + Send + 'static) {
    let name = thread::current().name().unwrap_or("live test").to_owned();
    let run = move || {
        // SAFETY: takes a number and gives a number; only this thread's namespace changes.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
            return skip(&name, &format!("no network namespace: {}", io::Error::last_os_error()));
        }
        // Without this the kernel would send frames of its own accord.
        let _ = fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
        make_pair("mtu 9100");
        test();
    };
    if let Err(panic) = thread::spawn(run).join() {
        std::panic::resume_unwind(panic);
    }
}

/// Says that a test did not run: past the test harness, which hides what a passing test prints.
fn skip(test: &str, reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "cannot run live tests: {reason}");
    writeln!(io::stderr(), "SKIPPED {test}: {reason}; run as root").expect("standard error");
}

/// Makes the veth pair, both ends up; `options` are for [`MIRROR`].
pub(crate) fn make_pair(options: &str) {
    ip(&format!("link add {MIRROR} {options} type veth peer name {SWITCH} mtu 9100"));
    ip(&format!("link set {MIRROR} up"));
    ip(&format!("link set {SWITCH} up"));
    await_link(SWITCH);
}

/// Waits until the kernel sends on an interface whose other end came up: it looks at most once a second.
pub(crate) fn await_link(interface: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !ip(&format!("link show {interface}")).contains("state UP") {
        assert!(Instant::now() < deadline, "{interface} stays down");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Runs `ip` with the arguments; what it prints.
pub(crate) fn ip(arguments: &str) -> String {
    let output = Command::new("ip").args(arguments.split(' ')).output().expect("iproute2 is installed");
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The configuration that the tests vary.
pub(crate) fn config() -> AfPacketConfig {
    AfPacketConfig {
        interface: MIRROR.to_owned(),
        index: 4,
        snaplen: 262_144,
        promiscuous: true,
        ring_bytes: 8 << 20,
        block_timeout: Duration::from_millis(50),
        filter: String::new(),
    }
}

/// Opens a socket that must open.
pub(crate) fn open(config: &AfPacketConfig) -> AfPacket {
    AfPacket::open(config).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Opens sockets that share the frames.
pub(crate) fn open_group(config: &AfPacketConfig, group: u16, count: usize) -> Vec<AfPacket> {
    let fanout = Fanout { group, ports: TunnelPorts::new(&[4789]) };
    AfPacket::open_group(config, &fanout, count).unwrap_or_else(|failure| panic!("{failure}"))
}

/// A captured frame's bytes and wire length.
pub(crate) type Captured = (Vec<u8>, u32);

/// Collects frames until there are `count`, and then for as long as it takes to be sure that no more come.
pub(crate) fn collect(socket: &mut AfPacket, count: usize) -> Vec<Captured> {
    let mut captured = Vec::new();
    let mut deadline = Instant::now() + PATIENCE;
    let mut complete = false;
    while Instant::now() < deadline {
        if let Some(block) = socket.try_block() {
            captured.extend(block.frames().map(|frame| (frame.data.to_vec(), frame.origlen)));
            continue;
        }
        if captured.len() >= count && !complete {
            complete = true;
            deadline = Instant::now() + QUIET;
        }
        wait(&[socket.fd()], Duration::from_millis(10)).expect("poll");
    }
    captured
}

/// Collects frames and takes their bytes, having checked that all were captured whole.
pub(crate) fn collect_whole(socket: &mut AfPacket, count: usize) -> Vec<Vec<u8>> {
    let whole = |(bytes, origlen): Captured| {
        assert_eq!(bytes.len(), origlen as usize, "captured whole");
        bytes
    };
    collect(socket, count).into_iter().map(whole).collect()
}

/// Sends raw frames from an interface.
pub(crate) struct Sender {
    fd: OwnedFd,
}

impl Sender {
    /// A sender on an interface.
    pub(crate) fn on(interface: &str) -> Self {
        let name = CString::new(interface).expect("a name without NUL");
        // SAFETY: `sockaddr_ll` is plain data, for which zeros are valid.
        let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        // SAFETY: the name is a C string that lives during the call.
        address.sll_ifindex = unsafe { libc::if_nametoindex(name.as_ptr()) } as i32;
        // SAFETY: takes numbers and gives a number.
        let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        assert!(fd >= 0, "{}", io::Error::last_os_error());
        // SAFETY: the descriptor was just made and has no other owner.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let length = size_of::<libc::sockaddr_ll>() as u32;
        // SAFETY: pointer and length are those of the address, which lives during the call.
        let bound = unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), length) };
        assert_eq!(bound, 0, "{}", io::Error::last_os_error());
        Self { fd }
    }

    /// Expects a `virtio_net_hdr` before each frame, so that frames for segmentation offload can be sent.
    pub(crate) fn with_offload_header(self) -> Self {
        const PACKET_VNET_HDR: i32 = 15;
        let on: i32 = 1;
        let (fd, length) = (self.fd.as_raw_fd(), size_of::<i32>() as u32);
        // SAFETY: pointer and length are those of the number, which lives during the call.
        let set = unsafe { libc::setsockopt(fd, libc::SOL_PACKET, PACKET_VNET_HDR, (&raw const on).cast(), length) };
        assert_eq!(set, 0, "{}", io::Error::last_os_error());
        self
    }

    /// Sends one frame.
    pub(crate) fn send(&self, frame: &[u8]) {
        // SAFETY: pointer and length are those of the frame, which lives during the call.
        let sent = unsafe { libc::send(self.fd.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
        assert_eq!(sent, frame.len() as isize, "{}", io::Error::last_os_error());
    }
}

/// A tun interface: what is written to the file arrives on it.
pub(crate) fn make_tun(name: &str, hardware_type: u16) -> File {
    const TUNSETLINK: libc::c_ulong = 0x4004_54cd;
    let file = OpenOptions::new().read(true).write(true).open("/dev/net/tun").expect("/dev/net/tun");
    // SAFETY: `ifreq` is plain data, for which zeros are valid.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *place = byte as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as i16;
    // SAFETY: the request reads and writes one `ifreq`, which lives during the call.
    let made = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF as _, &raw mut request) };
    assert_eq!(made, 0, "{}", io::Error::last_os_error());
    // SAFETY: the request takes a number.
    let set = unsafe { libc::ioctl(file.as_raw_fd(), TUNSETLINK as _, libc::c_ulong::from(hardware_type)) };
    assert_eq!(set, 0, "{}", io::Error::last_os_error());
    ip(&format!("link set {name} up"));
    file
}

/// An Ethernet frame: the addresses, `tags` of (TPID, TCI), then EtherType and payload.
pub(crate) fn ethernet(tags: &[(u16, u16)], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    for (tpid, tci) in tags {
        frame.extend(tpid.to_be_bytes());
        frame.extend(tci.to_be_bytes());
    }
    frame.extend(ethertype.to_be_bytes());
    frame.extend(payload);
    frame
}

/// An IPv4 packet, 10.0.0.`hosts.0` to 10.0.0.`hosts.1`, of a protocol that begins with ports.
pub(crate) fn ipv4(protocol: u8, hosts: (u8, u8), ports: (u16, u16), rest: &[u8]) -> Vec<u8> {
    let length = 20 + 4 + rest.len() as u16;
    let mut packet = vec![0x45, 0, (length >> 8) as u8, length as u8, 0, 0, 0x40, 0, 64, protocol, 0, 0];
    packet.extend([10, 0, 0, hosts.0, 10, 0, 0, hosts.1]);
    packet.extend(ports.0.to_be_bytes());
    packet.extend(ports.1.to_be_bytes());
    packet.extend(rest);
    packet
}

/// A UDP frame whose payload is a number.
pub(crate) fn udp(tags: &[(u16, u16)], number: u32) -> Vec<u8> {
    let rest = [&[0, 28, 0, 0][..], &[0; 16], &number.to_be_bytes()].concat();
    ethernet(tags, 0x0800, &ipv4(17, (1, 2), (1000, 2000), &rest))
}

/// A TCP frame, a bare SYN.
pub(crate) fn tcp(tags: &[(u16, u16)], hosts: (u8, u8), ports: (u16, u16)) -> Vec<u8> {
    let rest = [0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0x20, 0, 0, 0, 0, 0];
    ethernet(tags, 0x0800, &ipv4(6, hosts, ports, &rest))
}

/// Makes of this thread a plain user's with CAP_NET_RAW alone.
pub(crate) fn drop_all_capabilities_but_net_raw() {
    const NOBODY: libc::c_long = 65534;
    const CAP_NET_RAW: u32 = 13;
    const VERSION_3: u32 = 0x2008_0522;
    // SAFETY: the call takes numbers, and changes this thread alone.
    assert_eq!(unsafe { libc::prctl(libc::PR_SET_KEEPCAPS, 1, 0, 0, 0) }, 0, "{}", io::Error::last_os_error());
    // SAFETY: the system call takes numbers; unlike the library's function it changes this thread alone.
    let changed = unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) };
    assert_eq!(changed, 0, "{}", io::Error::last_os_error());
    // `struct __user_cap_header_struct` of <linux/capability.h>, then effective, permitted, inheritable, twice.
    let (header, sets) = ([VERSION_3, 0], [1 << CAP_NET_RAW, 1 << CAP_NET_RAW, 0, 0, 0, 0_u32]);
    // SAFETY: both arrays have the layout that the version asks for, and live during the call.
    let set = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()) };
    assert_eq!(set, 0, "{}", io::Error::last_os_error());
}
