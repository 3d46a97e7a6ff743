//! BPF expressions, compiled by libpcap: for the kernel against the opened interface, and for files in this process.

use libc::{c_int, c_uint, c_ushort, sock_filter, timeval};
use pcap::{BpfInstruction, BpfProgram, Capture, Linktype};

use crate::error::CaptureError;
use crate::frame::{Frame, LinkType};

/// libpcap's `struct pcap_pkthdr`.
#[repr(C)]
struct PacketHeader {
    time: timeval,
    caplen: c_uint,
    origlen: c_uint,
}

/// libpcap's `struct bpf_program`.
#[repr(C)]
struct ProgramView {
    length: c_uint,
    instructions: *const BpfInstruction,
}

// The pcap crate links libpcap; its own call of this function takes the captured length for the length on the wire.
unsafe extern "C" {
    fn pcap_offline_filter(program: *const ProgramView, header: *const PacketHeader, data: *const u8) -> c_int;
}

// SAFETY of the casts below rests on these: both are libpcap's `struct bpf_insn` = the kernel's `struct sock_filter`.
const _: () = assert!(size_of::<BpfInstruction>() == size_of::<sock_filter>());
const _: () = assert!(align_of::<BpfInstruction>() == align_of::<sock_filter>());

/// A BPF expression over frames of one link type: it means what it means to `tcpdump -r`.
pub struct OfflineFilter {
    program: BpfProgram,
}

impl OfflineFilter {
    /// Compiles an expression; an empty one matches everything.
    ///
    /// # Errors
    /// [`CaptureError::Filter`] with libpcap's message.
    pub fn compile(expression: &str, link_type: LinkType) -> Result<Self, CaptureError> {
        Capture::dead(Linktype(link_type.dlt()))
            .and_then(|handle| handle.compile(expression, true))
            .map(|program| Self { program })
            .map_err(|cause| refused(expression, &format!("link type {}", link_type.0), &cause))
    }

    /// Whether the frame, which must be of the link type that the filter was compiled for, passes. `len`, `less` and
    /// `greater` are about the length on the wire.
    #[inline]
    pub fn matches(&self, frame: &Frame<'_>) -> bool {
        let instructions = self.program.get_instructions();
        let program = ProgramView { length: instructions.len() as c_uint, instructions: instructions.as_ptr() };
        let header = PacketHeader {
            time: timeval { tv_sec: 0, tv_usec: 0 },
            caplen: frame.data.len() as c_uint,
            origlen: frame.origlen,
        };
        // SAFETY: the program comes from pcap_compile and outlives the call; `caplen` is the length of the data, beyond
        // which the interpreter does not read; all three are only read.
        unsafe { pcap_offline_filter(&program, &header, frame.data.as_ptr()) != 0 }
    }
}

/// Compiles an expression against an interface as `tcpdump -i` does, so that `vlan` finds the tag that the kernel
/// keeps beside the frame. The program accepts `snaplen` bytes.
pub(crate) fn compile_live(
    expression: &str,
    interface: &str,
    link_type: LinkType,
    snaplen: u32,
) -> Result<Vec<sock_filter>, CaptureError> {
    let refused = |cause: &pcap::Error| refused(expression, interface, cause);
    let handle = Capture::from_device(interface)
        .and_then(|device| device.snaplen(snaplen as i32).open())
        .map_err(|cause| refused(&cause))?;
    if handle.get_datalink().0 != link_type.dlt() {
        let cause = format!("libpcap takes the interface for link type {}", handle.get_datalink().0);
        return Err(refused(&pcap::Error::PcapError(cause)));
    }
    let program = handle.compile(expression, true).map_err(|cause| refused(&cause))?;
    Ok(program.get_instructions().iter().map(for_kernel).collect())
}

fn for_kernel(instruction: &BpfInstruction) -> sock_filter {
    // SAFETY: both types are plain C structures of `u16, u8, u8, u32` in this order (see the assertions above), valid
    // for every bit pattern.
    unsafe { std::ptr::from_ref(instruction).cast::<sock_filter>().read() }
}

fn refused(expression: &str, object: &str, cause: &pcap::Error) -> CaptureError {
    let cause = match cause {
        pcap::Error::PcapError(message) => message.clone(),
        other => other.to_string(),
    };
    CaptureError::Filter { expression: expression.to_owned(), object: object.to_owned(), cause }
}

/// A program that accepts the first `snaplen` bytes of every frame, or with 0 no frame.
pub(crate) fn accept(snaplen: u32) -> Vec<sock_filter> {
    vec![sock_filter { code: (libc::BPF_RET | libc::BPF_K) as c_ushort, jt: 0, jf: 0, k: snaplen }]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An IPv4 UDP packet to port 53 behind the MAC addresses and the given EtherType bytes.
    fn frame(ethertype: &[u8]) -> Vec<u8> {
        let ip = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        let udp = [0x30, 0x39, 0, 53, 0, 8, 0, 0];
        [&[2; 12], ethertype, &ip, &udp].concat()
    }

    fn matches(expression: &str, link_type: LinkType, data: &[u8], origlen: u32) -> bool {
        let filter = OfflineFilter::compile(expression, link_type).expect("a good expression");
        filter.matches(&Frame { timestamp_ns: 0, data, origlen, link_type, interface: 0, number: 0, worker: None })
    }

    #[test]
    fn an_expression_means_what_it_means_on_a_file() {
        let (plain, tagged) = (frame(&[8, 0]), frame(&[0x81, 0, 0, 5, 8, 0]));
        let ethernet = |expression, data: &[u8]| matches(expression, LinkType::ETHERNET, data, data.len() as u32);
        assert!(ethernet("udp port 53", &plain) && !ethernet("tcp", &plain) && ethernet("", &plain));
        assert!(!ethernet("udp port 53", &tagged) && ethernet("vlan 5 and udp port 53", &tagged));
        assert!(!ethernet("vlan 6", &tagged));
        assert!(matches("udp port 53", LinkType::RAW, &plain[14..], 28));
    }

    #[test]
    fn length_is_the_length_on_the_wire_and_a_cut_frame_is_not_read_beyond_its_end() {
        let data = frame(&[8, 0]);
        assert!(matches("greater 1000", LinkType::ETHERNET, &data, 1500));
        assert!(!matches("greater 1000", LinkType::ETHERNET, &data, 999));
        assert!(!matches("udp port 53", LinkType::ETHERNET, &data[..30], 1500));
        assert!(!matches("udp", LinkType::ETHERNET, &[], 60));
    }

    #[test]
    fn a_bad_expression_is_refused_with_libpcaps_message() {
        let refusal = OfflineFilter::compile("host and", LinkType::ETHERNET).err().expect("a refusal").to_string();
        assert!(refusal.starts_with("filter \"host and\" on link type 1: "), "{refusal}");
        assert!(refusal.contains("syntax error"), "{refusal}");
        assert!(OfflineFilter::compile("tcp\0", LinkType::ETHERNET).is_err());
    }
}
