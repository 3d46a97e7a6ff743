//! Every capture of the corpus is read as tshark reads it. `SPANWATCH_CORPUS` names the corpus's directory.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use capture::{Block, FileReader, OwnedBlock};
use serde_json::Value;

/// Frames, wire bytes and captured bytes of a capture.
fn totals(path: &str) -> (u64, u64, u64) {
    let mut reader = FileReader::open(path, 0).unwrap_or_else(|failure| panic!("{failure}"));
    let (mut frames, mut wire_bytes, mut captured_bytes) = (0, 0, 0);
    let mut block = OwnedBlock::default();
    while let Some(next) = reader.next_block(block).unwrap_or_else(|failure| panic!("{failure}")) {
        for frame in next.frames() {
            frames += 1;
            wire_bytes += u64::from(frame.origlen);
            captured_bytes += frame.data.len() as u64;
        }
        block = next;
    }
    (frames, wire_bytes, captured_bytes)
}

fn expected(oracle: &Path) -> (u64, u64, u64) {
    let text = fs::read_to_string(oracle).unwrap_or_else(|failure| panic!("{}: {failure}", oracle.display()));
    let oracle: Value = serde_json::from_str(&text).expect("an oracle is JSON");
    let number = |key: &str| oracle[key].as_u64().unwrap_or_else(|| panic!("no number {key}"));
    let custom_blocks = custom_blocks(oracle["file"].as_str().expect("an oracle names its file"));
    (
        number("packets") - custom_blocks.0,
        number("bytes_wire") - custom_blocks.1,
        number("bytes_captured") - custom_blocks.1,
    )
}

/// tshark lists pcapng custom blocks among the packets: how many, and their bytes.
fn custom_blocks(file: &str) -> (u64, u64) {
    if file == "pcapngtest__test202.pcapng" { (3, 24 + 60 + 32) } else { (0, 0) }
}

#[test]
fn frames_and_bytes_are_those_of_tshark() {
    let Ok(corpus) = std::env::var("SPANWATCH_CORPUS") else {
        // Past the test harness, which hides what a passing test prints.
        writeln!(io::stderr(), "SKIPPED corpus: SPANWATCH_CORPUS is not set").expect("standard error");
        return;
    };
    let corpus = Path::new(&corpus);
    let mut differences = Vec::new();
    let mut compared = 0;
    for entry in fs::read_dir(corpus.join("pcap")).expect("the corpus has captures") {
        let path = entry.expect("a directory entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
        let expected = expected(&corpus.join("oracle").join(format!("{name}.oracle.json")));
        let read = totals(path.to_str().expect("a path in UTF-8"));
        if read != expected {
            differences.push(format!("{name}: read {read:?}, tshark {expected:?}"));
        }
        compared += 1;
    }
    assert!(compared > 0, "no captures in the corpus");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
