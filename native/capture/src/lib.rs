//! Frames in: the AF_PACKET ring, capture files, and frames that a caller hands in.
//!
//! A source gives blocks, a block gives frames; a frame borrows from its block, and dropping a kernel block gives it
//! back to the kernel.

mod af_packet;
mod compression;
mod error;
mod file;
mod filter;
mod foreign;
mod frame;
mod input;
mod memory;
mod merge;
mod pcap_file;
mod pcapng;
mod scan;
mod write;
mod write_pcapng;

pub use af_packet::{AfPacket, AfPacketConfig, Fanout, KernelBlock, KernelStatistics, MAX_SNAPLEN, Wake, spread, wait};
pub use error::CaptureError;
pub use file::FileReader;
pub use filter::OfflineFilter;
pub use frame::{Block, Frame, FrameMeta, LinkType, OwnedBlock};
pub use memory::{prefer_large_pages, prefetch, prefetch_whole};
pub use merge::MergedReader;
pub use write::{
    NoRecord, OwnRecord, WholeFrames, file_header, own_link_type, own_record, record_header, whole_frames_length,
};
pub use write_pcapng::{InterfaceCounts, pcapng_header, pcapng_packet, pcapng_statistics};
