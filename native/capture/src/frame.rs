//! A captured frame, and the blocks that frames arrive in.

/// The link-layer header type of a frame, with the numbers of the pcap registry (LINKTYPE_*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkType(pub u16);

impl LinkType {
    /// LINKTYPE_NULL: BSD loopback, the address family in the byte order of the capturing host.
    pub const NULL: Self = Self(0);
    /// LINKTYPE_ETHERNET.
    pub const ETHERNET: Self = Self(1);
    /// LINKTYPE_RAW: an IPv4 or IPv6 packet without a link-layer header.
    pub const RAW: Self = Self(101);
    /// LINKTYPE_LOOP: OpenBSD loopback, the address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// LINKTYPE_LINUX_SLL: Linux cooked capture.
    pub const LINUX_SLL: Self = Self(113);
    /// LINKTYPE_IPV4: an IPv4 packet without a link-layer header.
    pub const IPV4: Self = Self(228);
    /// LINKTYPE_IPV6: an IPv6 packet without a link-layer header.
    pub const IPV6: Self = Self(229);
    /// LINKTYPE_LINUX_SLL2: Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);

    /// The number that libpcap's functions use on Linux (DLT_*). It differs from the one in files only for the types
    /// whose DLT number is not the same on every system (libpcap, `pcap-common.c`).
    pub(crate) fn dlt(self) -> i32 {
        match self.0 {
            100 => 11,
            101 => 12,
            102 => 13,
            103 => 14,
            106 => 19,
            number => i32::from(number),
        }
    }
}

/// One frame as captured, the outer VLAN tag in place.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// When the frame was seen: nanoseconds since 1970-01-01 UTC.
    pub timestamp_ns: u64,
    /// Captured bytes (`caplen` is its length).
    pub data: &'a [u8],
    /// Length on the wire in bytes; what the source says, never below `caplen`.
    pub origlen: u32,
    /// Link-layer header type.
    pub link_type: LinkType,
    /// Index of the interface (live) or file (offline) that it came from.
    pub interface: u16,
    /// Its number in its file, from 1, as Wireshark counts; 0 live.
    pub number: u64,
    /// The worker that takes it, where several share a file and that was found out beforehand.
    pub worker: Option<u8>,
}

/// Frames that became available together, in order of arrival.
pub trait Block {
    /// The frames of the block.
    fn frames(&self) -> impl Iterator<Item = Frame<'_>>;
}

/// A block whose bytes live in this process: from a file, or handed in by the caller.
#[derive(Debug, Default)]
pub struct OwnedBlock {
    /// Bytes that the frames borrow from; what lies between frames (record headers) is not read again.
    pub data: Vec<u8>,
    /// Where each frame lies in `data`.
    pub frames: Vec<FrameMeta>,
}

/// Where a frame lies in the data of its [`OwnedBlock`], and what is known about it.
#[derive(Debug, Clone, Copy)]
pub struct FrameMeta {
    /// As in [`Frame`].
    pub timestamp_ns: u64,
    /// First byte in the block's data.
    pub offset: u32,
    /// Captured bytes.
    pub caplen: u32,
    /// As in [`Frame`].
    pub origlen: u32,
    /// As in [`Frame`].
    pub link_type: LinkType,
    /// As in [`Frame`].
    pub interface: u16,
    /// As in [`Frame`].
    pub number: u64,
    /// As in [`Frame`].
    pub worker: Option<u8>,
}

impl OwnedBlock {
    /// A block of frames that a caller hands in: `(timestamp_ns, captured bytes)` each, copied one after another.
    ///
    /// The wire length is unknown there, so `origlen` is the captured length.
    ///
    /// # Panics
    /// If the frames together reach 4 GiB: offsets in a block have 32 bits.
    pub fn from_frames<'a>(
        frames: impl IntoIterator<Item = (u64, &'a [u8])>,
        link_type: LinkType,
        interface: u16,
    ) -> Self {
        let mut block = Self::default();
        for (timestamp_ns, data) in frames {
            let origlen = u32::try_from(data.len()).expect("a frame is shorter than 4 GiB");
            block.push(&Frame { timestamp_ns, data, origlen, link_type, interface, number: 0, worker: None });
        }
        block
    }

    /// Appends a copy of a frame.
    ///
    /// # Panics
    /// If the block would reach 4 GiB: offsets in a block have 32 bits.
    pub(crate) fn push(&mut self, frame: &Frame<'_>) {
        let offset = u32::try_from(self.data.len()).expect("a block is smaller than 4 GiB");
        self.data.extend_from_slice(frame.data);
        self.frames.push(FrameMeta {
            timestamp_ns: frame.timestamp_ns,
            offset,
            caplen: frame.data.len() as u32,
            origlen: frame.origlen,
            link_type: frame.link_type,
            interface: frame.interface,
            number: frame.number,
            worker: frame.worker,
        });
    }

    /// The frame at a position, if there are so many.
    pub fn frame(&self, position: usize) -> Option<Frame<'_>> {
        self.frames.get(position).map(|meta| self.borrow(meta))
    }

    fn borrow(&self, meta: &FrameMeta) -> Frame<'_> {
        Frame {
            timestamp_ns: meta.timestamp_ns,
            data: &self.data[meta.offset as usize..][..meta.caplen as usize],
            origlen: meta.origlen,
            link_type: meta.link_type,
            interface: meta.interface,
            number: meta.number,
            worker: meta.worker,
        }
    }
}

impl Block for OwnedBlock {
    fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        self.frames.iter().map(|meta| self.borrow(meta))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handed_in_frames_keep_bytes_time_and_order() {
        let block = OwnedBlock::from_frames([(5, &b"abc"[..]), (4, b""), (6, b"de")], LinkType::RAW, 7);
        let frames: Vec<_> = block.frames().map(|f| (f.timestamp_ns, f.data, f.origlen)).collect();
        assert_eq!(frames, [(5, &b"abc"[..], 3), (4, &b""[..], 0), (6, &b"de"[..], 2)]);
        assert!(block.frames().all(|f| f.link_type == LinkType::RAW && f.interface == 7));
        assert!(block.frame(3).is_none());
    }

    #[test]
    fn only_the_system_dependent_link_types_are_renumbered_for_libpcap() {
        assert_eq!(LinkType::ETHERNET.dlt(), 1);
        assert_eq!(LinkType::RAW.dlt(), 12);
        assert_eq!(LinkType::LINUX_SLL2.dlt(), 276);
    }
}
