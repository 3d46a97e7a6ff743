//! A log file that others rotate: whole lines, and a new file when the old one was moved away.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use thiserror::Error;

/// How long a file that could not be opened is left alone, and how often a rotation is looked for.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Why lines could not be written.
#[derive(Debug, Error)]
#[error("write {}: {cause}", path.display())]
pub(super) struct LogError {
    path: PathBuf,
    cause: io::Error,
}

/// A file that lines are appended to.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: Option<File>,
    checked: Option<Instant>,
}

impl LogFile {
    /// A log at this path; opened when there is something to write.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None, checked: None }
    }

    /// Appends whole lines in one write. On an error nothing of them stays in the file.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), LogError> {
        self.reopen_if_rotated();
        self.write(lines).map_err(|cause| {
            self.file = None;
            LogError { path: self.path.clone(), cause }
        })
    }

    /// Lets go of a file that is no longer the one at the path.
    pub(super) fn reopen_if_rotated(&mut self) {
        if self.checked.is_some_and(|then| then.elapsed() < CHECK_INTERVAL) {
            return;
        }
        self.checked = Some(Instant::now());
        let identity = |metadata: &std::fs::Metadata| (metadata.dev(), metadata.ino());
        let there = std::fs::metadata(&self.path).ok();
        let held = self.file.as_ref().and_then(|file| file.metadata().ok());
        if there.as_ref().map(identity) != held.as_ref().map(identity) {
            self.file = None;
        }
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                if let Some(directory) = self.path.parent().filter(|path| !path.as_os_str().is_empty()) {
                    std::fs::create_dir_all(directory)?;
                }
                self.file.insert(OpenOptions::new().create(true).append(true).open(&self.path)?)
            }
        };
        let before = file.metadata()?.len();
        file.write_all(lines).inspect_err(|_| {
            // The write error is what the caller hears of; a torn line at the end is the lesser evil.
            let _ = file.set_len(before);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotated_file_is_left_and_a_new_one_begun() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("logs/eve.json");
        let mut log = LogFile::new(path.clone());
        log.append(b"one\n").expect("writable");
        std::fs::rename(&path, directory.path().join("eve.json.1"))?;
        log.checked = None;
        log.append(b"two\n").expect("writable");
        assert_eq!(std::fs::read(&path)?, b"two\n");
        assert_eq!(std::fs::read(directory.path().join("eve.json.1"))?, b"one\n");
        Ok(())
    }

    #[test]
    fn an_unwritable_path_is_an_error_that_names_it_and_recovers() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("eve.json");
        std::fs::create_dir(&path)?;
        let mut log = LogFile::new(path.clone());
        let error = log.append(b"lost\n").expect_err("a directory");
        assert!(error.to_string().contains("eve.json"), "{error}");
        std::fs::remove_dir(&path)?;
        log.append(b"kept\n").expect("writable now");
        assert_eq!(std::fs::read(&path)?, b"kept\n");
        Ok(())
    }
}
