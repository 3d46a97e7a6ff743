use super::*;
use proptest::prelude::*;

fn hex(digits: &str) -> Vec<u8> {
    let nibbles: Vec<u8> = digits.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
    nibbles.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn read(table: &mut Table, block: &[u8]) -> Result<Vec<String>, AppError> {
    let mut fields = Vec::new();
    table.read(block, &mut |name, value| {
        fields.push(format!("{}: {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value)));
    })?;
    Ok(fields)
}

/// Reads blocks in turn; each gives these fields, and leaves the table at this size.
fn check(table: &mut Table, blocks: &[(&str, &[&str], usize)]) {
    for (block, fields, bytes) in blocks {
        assert_eq!(read(table, &hex(block)).unwrap(), *fields);
        assert_eq!(table.bytes, *bytes);
        let counted: usize = table.entries.iter().map(|(name, value)| name.len() + value.len() + 32).sum();
        assert_eq!(counted, *bytes);
    }
}

#[test]
fn single_fields_of_appendix_c_2() {
    let mut table = Table::default();
    check(
        &mut table,
        &[
            ("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", &["custom-key: custom-header"], 55),
            ("040c 2f73 616d 706c 652f 7061 7468", &[":path: /sample/path"], 55),
            ("1008 7061 7373 776f 7264 0673 6563 7265 74", &["password: secret"], 55),
            ("82", &[":method: GET"], 55),
        ],
    );
}

const REQUESTS: [&[&str]; 3] = [
    &[":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
    &[":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"],
    &[
        ":method: GET",
        ":scheme: https",
        ":path: /index.html",
        ":authority: www.example.com",
        "custom-key: custom-value",
    ],
];

#[test]
fn requests_of_appendix_c_3() {
    check(
        &mut Table::default(),
        &[
            ("8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", REQUESTS[0], 57),
            ("8286 84be 5808 6e6f 2d63 6163 6865", REQUESTS[1], 110),
            ("8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", REQUESTS[2], 164),
        ],
    );
}

#[test]
fn requests_of_appendix_c_4() {
    check(
        &mut Table::default(),
        &[
            ("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", REQUESTS[0], 57),
            ("8286 84be 5886 a8eb 1064 9cbf", REQUESTS[1], 110),
            ("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", REQUESTS[2], 164),
        ],
    );
}

const RESPONSES: [&[&str]; 3] = [
    &[
        ":status: 302",
        "cache-control: private",
        "date: Mon, 21 Oct 2013 20:13:21 GMT",
        "location: https://www.example.com",
    ],
    &[
        ":status: 307",
        "cache-control: private",
        "date: Mon, 21 Oct 2013 20:13:21 GMT",
        "location: https://www.example.com",
    ],
    &[
        ":status: 200",
        "cache-control: private",
        "date: Mon, 21 Oct 2013 20:13:22 GMT",
        "location: https://www.example.com",
        "content-encoding: gzip",
        "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    ],
];

#[test]
fn responses_of_appendix_c_5_with_a_small_table() {
    check(
        &mut Table { max_bytes: 256, ..Table::default() },
        &[
            (
                "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32
                 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
                RESPONSES[0],
                222,
            ),
            ("4803 3330 37c1 c0bf", RESPONSES[1], 222),
            (
                "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970
                 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61
                 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
                RESPONSES[2],
                215,
            ),
        ],
    );
}

#[test]
fn responses_of_appendix_c_6_with_a_small_table() {
    check(
        &mut Table { max_bytes: 256, ..Table::default() },
        &[
            (
                "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad
                 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
                RESPONSES[0],
                222,
            ),
            ("4883 640e ffc1 c0bf", RESPONSES[1], 222),
            (
                "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2
                 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
                RESPONSES[2],
                215,
            ),
        ],
    );
}

#[test]
fn the_sender_sets_the_size_within_a_bound() {
    let mut table = Table::default();
    check(&mut table, &[("400161 0162 40 0163 0164", &["a: b", "c: d"], 68), ("3f03", &[], 34), ("be", &["c: d"], 34)]);
    check(&mut table, &[("20", &[], 0), ("3fe1ff03", &[], 0)]);
    assert_eq!(table.max_bytes, MAX_TABLE_BYTES);
    assert_eq!(read(&mut table, &hex("3fe2ff03")), Err(AppError::TooLong));
}

#[test]
fn an_entry_larger_than_the_table_empties_it() {
    let mut table = Table::default();
    check(&mut table, &[("4001 6101 62", &["a: b"], 34)]);
    let block = [&b"\x40\x01a\x7f\xa0\x1f"[..], &[b'v'; 4127]].concat();
    assert!(read(&mut table, &block).is_ok() && table.bytes == 0 && table.entries.is_empty());
}

#[test]
fn damage_is_refused() {
    for block in ["80", "be", "ff", "ff ff ff ff ff 0f", "40 01", "40 01 61 05 62", "40 81 1e 00", "00"] {
        assert!(read(&mut Table::default(), &hex(block)).is_err(), "{block}");
    }
}

#[test]
fn integers_of_appendix_c_1() {
    let number = |bytes: &[u8], bits| integer(&mut &bytes[..], bits);
    assert_eq!(number(&[0x0a], 5), Ok(10));
    assert_eq!(number(&[0x1f, 0x9a, 0x0a], 5), Ok(1337));
    assert_eq!(number(&[0x2a], 8), Ok(42));
}

proptest! {
    #[test]
    fn any_blocks_leave_a_bounded_table(blocks in proptest::collection::vec(
        proptest::collection::vec(any::<u8>(), 0..200), 0..20)
    ) {
        let mut table = Table::default();
        for block in blocks {
            let _ = read(&mut table, &block);
            let counted: usize = table.entries.iter().map(|(name, value)| name.len() + value.len() + 32).sum();
            prop_assert!(counted == table.bytes && table.bytes <= table.max_bytes);
            prop_assert!(table.max_bytes <= MAX_TABLE_BYTES);
        }
    }
}
