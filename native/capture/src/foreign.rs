//! Files that are no pcap or pcapng, but that people take for captures: named, so that it is plain what to do.

use crate::compression::Compression;

/// First bytes, and the format's name: captures of other programs, and other compressions.
const FORMATS: [(&[u8], &str); 20] = [
    (b"snoop\0\0\0", "a snoop capture"),
    (b"btsnoop\0", "a Bluetooth snoop capture"),
    (b"GMBU", "a Microsoft Network Monitor 2 capture"),
    (b"RTSS", "a Microsoft Network Monitor 1 capture"),
    (b"TRSNIFF data", "a Sniffer capture"),
    (b"XCP\0", "a Sniffer capture for Windows"),
    (b"ObserverPktBuffe", "a Network Instruments Observer capture"),
    (b"\x05VNF", "a Visual Networks capture"),
    (b"\xaa\xaa\xaa\xaa", "a 5View capture"),
    (b"TR\0d\0\0", "an HP-UX nettl trace"),
    (b"iptrace ", "an AIX iptrace"),
    (b"\x01\x10\x4c\0\x01\x05Trace", "a Novell LANalyzer trace"),
    (b"+---------+-----", "a K12 text export"),
    (b"\xac\x01\0\x1c", "an Ixia capture"),
    (b"\xab\x01\0\x1c", "an Ixia capture"),
    (b"BZh", "bzip2 data, which must be unpacked first"),
    (b"\xfd7zXZ\0", "xz data, which must be unpacked first"),
    (b"PK\x03\x04", "a zip archive, which must be unpacked first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive, which must be unpacked first"),
    (b"\x1f\x9d", "compress data, which must be unpacked first"),
];

/// What a file that begins like this is, as far as that can be told.
pub(crate) fn describe(start: &[u8]) -> String {
    if let Some((_, name)) = FORMATS.iter().find(|(magic, _)| start.starts_with(magic)) {
        return format!("it is {name}");
    }
    if let Some(compression) = Compression::recognise(start) {
        return format!("it holds {} data inside compressed data", compression.name());
    }
    let first: Vec<String> = start.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("it begins with the bytes {}", first.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_named_and_the_rest_shown() {
        assert_eq!(describe(b"snoop\0\0\0\0\0\0\x02"), "it is a snoop capture");
        assert_eq!(describe(b"PK\x03\x04\x14\0"), "it is a zip archive, which must be unpacked first");
        assert_eq!(describe(b"\x1f\x8b\x08"), "it holds gzip data inside compressed data");
        assert_eq!(describe(b"\x01\x02"), "it begins with the bytes 01 02");
    }
}
