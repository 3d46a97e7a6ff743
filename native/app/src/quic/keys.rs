//! Keys of a client's Initial packets (RFC 9001, section 5).

use std::ops::Range;

use aes::Aes128;
use aes::cipher::{BlockEncrypt, KeyInit};
use aes_gcm::{AeadInPlace, Aes128Gcm};
use hkdf::Hkdf;
use sha2::Sha256;

use super::version::Protection;

const TAG_BYTES: usize = 16;
const SAMPLE_BYTES: usize = 16;
/// The sample starts where the packet number would end if it were as long as it may be.
const MAX_NUMBER_BYTES: usize = 4;
/// Of every label of TLS 1.3.
const PREFIX: &[u8] = b"tls13 ";

/// What opens a client's Initial packets.
pub(super) struct Keys {
    key: [u8; 16],
    iv: [u8; 12],
    header_protection: [u8; 16],
}

impl Keys {
    /// The client's keys where its first Initial is sent to the connection id `destination` (section 5.2).
    pub(super) fn client(protection: &Protection, destination: &[u8]) -> Option<Self> {
        let initial = Hkdf::<Sha256>::new(Some(&protection.salt), destination);
        let client: [u8; 32] = expand(&initial, b"client in")?;
        let client = Hkdf::from_prk(&client).ok()?;
        let [key, iv, header_protection] = protection.labels;
        Some(Self {
            key: expand(&client, key)?,
            iv: expand(&client, iv)?,
            header_protection: expand(&client, header_protection)?,
        })
    }

    /// Opens a packet in its place, and tells where its frames are; none if it was protected otherwise, and then the
    /// packet is spoilt.
    pub(super) fn open(&self, packet: &mut [u8], number_at: usize) -> Option<Range<usize>> {
        let sample_at = number_at.checked_add(MAX_NUMBER_BYTES)?;
        let mask = self.mask(packet.get(sample_at..)?.first_chunk()?);
        packet[0] ^= mask[0] & 0x0f;
        let frames = number_at + 1 + usize::from(packet[0] & 0b11)..packet.len().checked_sub(TAG_BYTES)?;
        // Packet numbers of Initials start at 0 and are few: the bytes that are sent are all of the number.
        let mut nonce = self.iv;
        let nonce_end = nonce.iter_mut().skip(number_at + self.iv.len() - frames.start);
        for ((byte, mask), nonce) in packet[number_at..frames.start].iter_mut().zip(&mask[1..]).zip(nonce_end) {
            *byte ^= mask;
            *nonce ^= *byte;
        }
        let (header, sealed) = packet.split_at_mut_checked(frames.start)?;
        let (text, tag) = sealed.split_at_mut_checked(frames.len())?;
        let tag: [u8; TAG_BYTES] = tag.try_into().ok()?;
        let cipher = Aes128Gcm::new(&self.key.into());
        cipher.decrypt_in_place_detached(&nonce.into(), header, text, &tag.into()).ok()?;
        Some(frames)
    }

    /// Header protection's mask (section 5.4.3).
    fn mask(&self, sample: &[u8; SAMPLE_BYTES]) -> [u8; SAMPLE_BYTES] {
        let mut block = (*sample).into();
        Aes128::new(&self.header_protection.into()).encrypt_block(&mut block);
        block.into()
    }
}

/// HKDF-Expand-Label (RFC 8446, section 7.1) without context.
fn expand<const N: usize>(secret: &Hkdf<Sha256>, label: &[u8]) -> Option<[u8; N]> {
    let length = (N as u16).to_be_bytes();
    let label_length = [(PREFIX.len() + label.len()) as u8];
    let mut key = [0; N];
    secret.expand_multi_info(&[&length, &label_length, PREFIX, label, &[0]], &mut key).ok()?;
    Some(key)
}
