//! What the past was searched for already: a file with a fingerprint of each entry, in order.
//!
//! It begins with [`MAGIC`] and a random key; then each fingerprint has eight bytes, the highest first. A fingerprint
//! is the beginning of the SHA-256 of the key and of the entry's line as [`super::entries`] has it, without its number.
//! The key keeps those who write lists from making an entry that seems to be known.

use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::Watchlists;
use super::entries::write_line;

const MAGIC: &[u8; 16] = b"spanwatch known\n";

type Key = [u8; 16];

const HEAD_BYTES: u64 = (MAGIC.len() + size_of::<Key>()) as u64;

/// Fingerprints as they stand in a file, one after the other.
struct Known {
    key: Key,
    file: Option<BufReader<File>>,
    next: Option<u64>,
}

impl Known {
    /// A new key and nothing that is known.
    fn nothing() -> Self {
        let random = || RandomState::new().build_hasher().finish().to_be_bytes();
        let mut key = Key::default();
        key[..8].copy_from_slice(&random());
        key[8..].copy_from_slice(&random());
        Self { key, file: None, next: None }
    }

    fn open(path: &Path) -> io::Result<Self> {
        let mut file = BufReader::new(File::open(path)?);
        let (mut magic, mut key) = ([0; MAGIC.len()], Key::default());
        let size = file.get_ref().metadata()?.len();
        let is_whole = size >= HEAD_BYTES && (size - HEAD_BYTES) % size_of::<u64>() as u64 == 0;
        if is_whole {
            file.read_exact(&mut magic)?;
            file.read_exact(&mut key)?;
        }
        if &magic != MAGIC {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "damaged"));
        }
        let mut known = Self { key, file: Some(file), next: None };
        known.advance()?;
        Ok(known)
    }

    fn advance(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        self.next = None;
        if !io::BufRead::fill_buf(file)?.is_empty() {
            let mut bytes = [0; size_of::<u64>()];
            file.read_exact(&mut bytes)?;
            self.next = Some(u64::from_be_bytes(bytes));
        }
        Ok(())
    }

    /// Whether a fingerprint is known. They are asked for in their order.
    fn holds(&mut self, fingerprint: u64) -> io::Result<bool> {
        while self.next.is_some_and(|next| next < fingerprint) {
            self.advance()?;
        }
        Ok(self.next == Some(fingerprint))
    }
}

impl Watchlists {
    /// Appends to the file `added` a line for each entry that asks for something that the file `known` does not have,
    /// each such thing once, and gives their number. The file `next` is made to know all entries.
    ///
    /// Beside them stand all entries that allow, uncounted: what they match is not looked for either. Without `known`
    /// everything is added.
    ///
    /// # Errors
    /// A file cannot be read or written; `InvalidData`: `known` is damaged.
    pub fn write_added(&self, known: Option<&Path>, added: &Path, next: &Path) -> io::Result<u32> {
        let mut known = known.map_or_else(|| Ok(Known::nothing()), Known::open)?;
        let mut added = BufWriter::new(File::options().append(true).open(added)?);
        let mut next = BufWriter::new(File::create(next)?);
        next.write_all(MAGIC)?;
        next.write_all(&known.key)?;
        let mut line = Vec::new();
        let mut number_added = 0;
        for (fingerprint, number) in self.fingerprints(known.key)? {
            next.write_all(&fingerprint.to_be_bytes())?;
            let is_known = known.holds(fingerprint)?;
            let is_allowed = self.allows(number);
            if is_allowed || !is_known {
                self.describe_wanted(number, &mut line)?;
                write_line(&mut added, number, &line)?;
                number_added += u32::from(!is_allowed);
            }
        }
        added.flush()?;
        next.into_inner()?.sync_all()?;
        Ok(number_added)
    }

    /// The fingerprints in their order, each once, with the number of an entry that has it.
    fn fingerprints(&self, key: Key) -> io::Result<Vec<(u64, u32)>> {
        let mut line = Vec::new();
        let mut all = Vec::with_capacity(self.table.len() as usize);
        for number in 0..self.table.len() {
            self.describe_wanted(number, &mut line)?;
            let digest = Sha256::new_with_prefix(key).chain_update(&line).finalize();
            let fingerprint = digest.iter().take(size_of::<u64>()).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
            all.push((fingerprint, number));
        }
        all.sort_unstable();
        all.dedup_by_key(|(fingerprint, _)| *fingerprint);
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{ListFormat, ListText};
    use super::*;

    const ALL: &str =
        "indicator\n203.0.113.9\n198.51.100.0/24:8080\nevil.example\n*.worse.example\nhttp://evil.example/a\n";

    /// Adds one list after the other; which indicators each adds, the known ones being kept in between.
    fn added(lists: &[&str]) -> Vec<Vec<String>> {
        let directory = tempfile::tempdir().expect("a directory");
        let place = |name: &str| directory.path().join(name);
        let add = |text: &&str| {
            let text = text.as_bytes().into();
            let list = ListText { name: "test".to_owned(), format: ListFormat::Csv, text, default_severity: 1 };
            fs::write(place("added"), "").expect("written");
            let known = place("known");
            let known = known.exists().then_some(known.as_path());
            let lists = Watchlists::compile(&[list]);
            let number = lists.write_added(known, &place("added"), &place("next")).expect("written");
            fs::rename(place("next"), place("known")).expect("renamed");
            let text = fs::read_to_string(place("added")).expect("read");
            assert_eq!(text.lines().filter(|line| line.ends_with("false")).count(), number as usize);
            let mut told: Vec<_> = text.lines().map(|line| line.split('\t').nth(2).unwrap_or("").to_owned()).collect();
            told.sort();
            told
        };
        lists.iter().map(add).collect()
    }

    #[test]
    fn only_what_is_asked_for_anew_is_added() {
        let after = "indicator,port,malware\n203.0.113.9,,Emotet\n203.0.113.9,443,\nevil.example,,\n*.evil.example,,\n\
                     new.example,,\nNEW.example,,x\n";
        let told = added(&[ALL, after, after, ALL]);
        assert_eq!(told[0].len(), 5);
        assert_eq!(told[1], ["*.evil.example", "203.0.113.9:443", "new.example"]);
        assert!(told[2].is_empty());
        assert_eq!(told[3], ["*.worse.example", "198.51.100.0/24:8080", "http://evil.example/a"]);
    }

    #[test]
    fn what_is_allowed_stands_beside_what_is_added() {
        let before = "indicator,action\n203.0.113.9,allow\n203.0.113.9,\n";
        assert_eq!(added(&[before, before])[1], ["203.0.113.9"]);
    }

    #[test]
    fn a_damaged_file_is_no_knowledge() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = |name: &str| directory.path().join(name);
        fs::write(place("added"), "").expect("written");
        let list = ListText {
            name: "test".to_owned(),
            format: ListFormat::Csv,
            text: ALL.as_bytes().into(),
            default_severity: 1,
        };
        let lists = Watchlists::compile(&[list]);
        lists.write_added(None, &place("added"), &place("whole")).expect("written");
        let whole = fs::read(place("whole")).expect("read");
        for damaged in [&whole[..whole.len() - 1], &whole[..20], b"", &[b"x", &whole[1..]].concat()] {
            fs::write(place("known"), damaged).expect("written");
            let error = lists.write_added(Some(&place("known")), &place("added"), &place("next")).expect_err("refused");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }
}
