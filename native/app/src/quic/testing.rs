//! Datagrams for tests, sealed with the keys that the specifications print for their example.

use aes::Aes128;
use aes::cipher::{BlockEncrypt, KeyInit};
use aes_gcm::{AeadInPlace, Aes128Gcm};

use crate::tls::testing::bytes;

/// The connection id of RFC 9001, appendix A.1, and of RFC 9369.
const CONNECTION: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

/// The ClientHello of both examples.
pub(super) const HELLO: &str = "\
    010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c000\
    000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e000500\
    050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b\
    0003020304000d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffffffffffffff\
    ff05048000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff";

/// A sender of Initial packets.
#[derive(Clone)]
pub(super) struct Sender {
    pub(super) version: u32,
    /// The first byte without what header protection hides.
    pub(super) first: u8,
    pub(super) destination: Vec<u8>,
    pub(super) token: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) iv: Vec<u8>,
    pub(super) header_protection: Vec<u8>,
}

impl Sender {
    fn new(version: u32, first: u8, keys: [&str; 3]) -> Self {
        let [key, iv, header_protection] = keys.map(bytes);
        let (destination, token) = (CONNECTION.to_vec(), Vec::new());
        Self { version, first, destination, token, key, iv, header_protection }
    }

    /// RFC 9001, appendix A.1.
    pub(super) fn v1() -> Self {
        let keys = ["1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"];
        Self::new(1, 0xc0, keys)
    }

    /// RFC 9369, appendix A.1.
    pub(super) fn v2() -> Self {
        let keys = ["8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9"];
        Self::new(0x6b33_43cf, 0xd0, keys)
    }

    /// The same connection id with draft 29's salt.
    pub(super) fn draft_29() -> Self {
        let keys = ["175257a31eb09dea9366d8bb79ad80ba", "6b26114b9cba2b63a9e8dd4f", "9ddd12c994c0698b89374a9c077a3077"];
        Self::new(0xff00_001d, 0xc0, keys)
    }

    /// Keys of the connection id f067a5502a4262b5 in version 1, and a token: a client's answer to a Retry.
    pub(super) fn after_retry() -> Self {
        let keys = ["6e5bc5c72660b012024b7c9044c931e3", "a2fac7faa83f7b587df5fa2c", "a13be4c1b951b219f20025c387d74ead"];
        let retried = Self::new(1, 0xc0, keys);
        Self { destination: bytes("f067a5502a4262b5"), token: vec![0xaa; 40], ..retried }
    }

    /// An Initial packet, its number in as many bytes as given.
    pub(super) fn seal(&self, number: &[u8], frames: &[u8]) -> Vec<u8> {
        let length = number.len() + frames.len() + 16;
        let first = self.first | (number.len() - 1) as u8;
        let mut packet = [&[first][..], &self.version.to_be_bytes(), &counted(&self.destination), &[0]].concat();
        packet.extend([&counted(&self.token)[..], &varint(length)].concat());
        let number_at = packet.len();
        packet.extend(number);
        let mut nonce: [u8; 12] = self.iv[..].try_into().expect("12 bytes");
        nonce.iter_mut().rev().zip(number.iter().rev()).for_each(|(nonce, number)| *nonce ^= number);
        let mut sealed = frames.to_vec();
        let cipher = Aes128Gcm::new_from_slice(&self.key).expect("16 bytes");
        let tag = cipher.encrypt_in_place_detached(&nonce.into(), &packet, &mut sealed).expect("short");
        packet.extend(sealed);
        packet.extend(tag);
        self.protect(&mut packet, number_at, number.len());
        packet
    }

    fn protect(&self, packet: &mut [u8], number_at: usize, number_bytes: usize) {
        let mut mask = *aes::Block::from_slice(&packet[number_at + 4..number_at + 20]);
        Aes128::new_from_slice(&self.header_protection).expect("16 bytes").encrypt_block(&mut mask);
        packet[0] ^= mask[0] & 0x0f;
        packet[number_at..number_at + number_bytes].iter_mut().zip(&mask[1..]).for_each(|(byte, mask)| *byte ^= mask);
    }
}

/// A length in two bytes.
pub(super) fn varint(length: usize) -> [u8; 2] {
    (0x4000 | length as u16).to_be_bytes()
}

/// A field behind its length in one byte: up to 63 that is a varint, too.
fn counted(field: &[u8]) -> Vec<u8> {
    [&[field.len() as u8], field].concat()
}

/// A CRYPTO frame.
pub(super) fn crypto(offset: usize, data: &[u8]) -> Vec<u8> {
    [&[6][..], &varint(offset), &varint(data.len()), data].concat()
}

/// A CRYPTO frame with a part of a message.
pub(super) fn part(message: &[u8], range: std::ops::Range<usize>) -> Vec<u8> {
    crypto(range.start, &message[range])
}

/// Frames, padded to `length`.
pub(super) fn padded(frames: &[u8], length: usize) -> Vec<u8> {
    let mut frames = frames.to_vec();
    frames.resize(frames.len().max(length), 0);
    frames
}
