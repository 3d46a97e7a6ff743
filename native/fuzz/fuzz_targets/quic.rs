//! Datagrams of one client, each behind its length (two bytes, little-endian). Where the length's highest bit is set,
//! the bytes are the frames of an Initial packet, which is sealed here: no mutation would get through its protection.
#![no_main]

use aes::Aes128;
use aes::cipher::{BlockEncrypt, KeyInit};
use aes_gcm::{AeadInPlace, Aes128Gcm};
use app::Parse;
use app::quic::{Initials, MAX_PACKET_BYTES, is_initial};
use libfuzzer_sys::fuzz_target;

const SEALED: u16 = 0x8000;
/// The client's keys of RFC 9001, appendix A.1.
const KEY: u128 = 0x1f36_9613_dd76_d546_7730_efcb_e3b1_a22d;
const HEADER_PROTECTION: u128 = 0x9f50_449e_04a0_e810_283a_1e99_33ad_edd2;
const IV: [u8; 12] = [0xfa, 0x04, 0x4b, 0x2f, 0x42, 0xa3, 0xfd, 0x3b, 0x46, 0xfb, 0x25, 0x5c];
/// Up to the length, which has four bytes; the connection id is that of the same appendix.
const HEADER: [u8; 16] = [0xc0, 0, 0, 0, 1, 8, 0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08, 0, 0];
const MAX_HELD_BYTES: usize = 40 << 10;

fuzz_target!(|data: &[u8]| {
    let mut initials = Initials::default();
    let mut rest = data;
    while let [low, high, behind @ ..] = rest {
        let length = u16::from_le_bytes([*low, *high]);
        let (bytes, next) = behind.split_at(usize::from(length & !SEALED).min(behind.len()));
        rest = next;
        let sealed = length & SEALED != 0;
        let datagram = if sealed { seal(bytes) } else { bytes.to_vec() };
        let _ = is_initial(&datagram);
        let answer = initials.client(&datagram);
        assert!(initials.held_bytes() <= if answer == Parse::More { MAX_HELD_BYTES } else { 0 });
        // What was sealed is opened, whatever came before.
        assert!(!sealed || datagram.len() > MAX_PACKET_BYTES || answer != Parse::More || initials.held_bytes() > 0);
        if answer != Parse::More {
            return;
        }
    }
});

/// An Initial packet with number 0, padded so that header protection has its sample.
fn seal(frames: &[u8]) -> Vec<u8> {
    let mut sealed = frames.to_vec();
    sealed.resize(frames.len().max(3), 0);
    let length = (1 + sealed.len() + 16) as u32;
    let mut packet = [&HEADER[..], &(0x8000_0000 | length).to_be_bytes()].concat();
    let number_at = packet.len();
    packet.push(0);
    let cipher = Aes128Gcm::new(&KEY.to_be_bytes().into());
    let tag = cipher.encrypt_in_place_detached(&IV.into(), &packet, &mut sealed).expect("a short packet");
    packet.extend(sealed);
    packet.extend(tag);
    let mut mask = *aes::Block::from_slice(&packet[number_at + 4..number_at + 20]);
    Aes128::new(&HEADER_PROTECTION.to_be_bytes().into()).encrypt_block(&mut mask);
    packet[0] ^= mask[0] & 0x0f;
    packet[number_at] ^= mask[1];
    packet
}
