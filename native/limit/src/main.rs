//! The least that reading a capture can cost: `limit walk FILE` goes from record to record, `limit flows FILE` counts
//! the flows of TCP and UDP over IPv4 and IPv6 as well. Plain Ethernet and pcap with nanoseconds only, nothing checked
//! beyond what keeps it from panicking: a measure, not a tool.

#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::process::ExitCode;

/// Bytes that one call reads.
const CHUNK_BYTES: usize = 1 << 20;
const FILE_HEADER_BYTES: usize = 24;
const RECORD_HEADER_BYTES: usize = 16;
/// Places of the table of flows; a power of two, far more than the measured captures have flows.
const PLACES: usize = 1 << 22;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [job, path] = arguments.as_slice() else {
        eprintln!("usage: limit walk|flows FILE");
        return ExitCode::from(2);
    };
    let done = match job.as_str() {
        "walk" => walk(path, |_| {}).map(|packets| (packets, 0)),
        "flows" => count(path),
        _ => Err(io::Error::other(format!("{job}: neither walk nor flows"))),
    };
    match done {
        Ok((packets, flows)) => {
            println!("{packets} packets, {flows} flows");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("limit: {path}: {error}");
            ExitCode::from(74)
        }
    }
}

/// Gives each frame to `take`; the number of frames.
fn walk(path: &str, mut take: impl FnMut(&[u8])) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut header = [0; FILE_HEADER_BYTES];
    file.read_exact(&mut header)?;
    let mut buffer = vec![0; 2 * CHUNK_BYTES];
    let (mut filled, mut packets) = (0, 0);
    loop {
        let read = file.read(&mut buffer[filled..])?;
        filled += read;
        let mut at = 0;
        while let Some(frame) = record(&buffer[at..filled]) {
            take(frame);
            packets += 1;
            at += RECORD_HEADER_BYTES + frame.len();
        }
        if read == 0 {
            return Ok(packets);
        }
        buffer.copy_within(at..filled, 0);
        filled -= at;
    }
}

/// The frame of a record that lies there whole.
fn record(bytes: &[u8]) -> Option<&[u8]> {
    let length: [u8; 4] = bytes.get(8..12)?.try_into().ok()?;
    bytes.get(RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + u32::from_le_bytes(length) as usize)
}

/// Order-free addresses and ports, and protocol.
type Key = [u64; 5];

#[derive(Clone, Copy, Default)]
struct Flow {
    key: Key,
    packets: u64,
    bytes: u64,
}

fn count(path: &str) -> io::Result<(u64, u64)> {
    let mut table = vec![Flow::default(); PLACES];
    let mut flows = 0;
    let packets = walk(path, |frame| {
        if let Some((key, bytes)) = key(frame) {
            let flow = place(&mut table, &key);
            flows += u64::from(flow.packets == 0);
            flow.key = key;
            flow.packets += 1;
            flow.bytes += bytes;
        }
    })?;
    Ok((packets, flows))
}

fn place<'a>(table: &'a mut [Flow], key: &Key) -> &'a mut Flow {
    let mixed = key.iter().fold(0, |hash: u64, part| (hash.rotate_left(5) ^ part).wrapping_mul(0x517c_c1b7_2722_0a95));
    let mut at = (mixed >> 42) as usize % PLACES;
    while table[at].packets != 0 && table[at].key != *key {
        at = (at + 1) % PLACES;
    }
    &mut table[at]
}

/// The flow of a frame, and the length of its IP packet.
fn key(frame: &[u8]) -> Option<(Key, u64)> {
    match frame.get(12..14)? {
        [0x08, 0x00] => {
            let header = frame.get(14..34)?;
            let ports = frame.get(14 + usize::from(header[0] & 15) * 4..)?.get(..4)?;
            let (source, destination) = (number(&header[12..16]), number(&header[16..20]));
            Some((ordered([0, source], [0, destination], ports, header[9])?, number(&header[2..4])))
        }
        [0x86, 0xdd] => {
            let header = frame.get(14..54)?;
            let source = [number(&header[8..16]), number(&header[16..24])];
            let destination = [number(&header[24..32]), number(&header[32..40])];
            Some((ordered(source, destination, frame.get(54..58)?, header[6])?, number(&header[4..6]) + 40))
        }
        _ => None,
    }
}

fn ordered(source: [u64; 2], destination: [u64; 2], ports: &[u8], protocol: u8) -> Option<Key> {
    if protocol != 6 && protocol != 17 {
        return None;
    }
    let (from, to) = (number(&ports[..2]), number(&ports[2..4]));
    let ((low, low_port), (high, high_port)) = if (source, from) <= (destination, to) {
        ((source, from), (destination, to))
    } else {
        ((destination, to), (source, from))
    };
    Some([low[0], low[1], high[0], high[1], low_port << 24 | high_port << 8 | u64::from(protocol)])
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
