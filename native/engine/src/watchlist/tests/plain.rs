//! Plain lists: one indicator a line.

use super::*;

#[test]
fn a_plain_list_is_read_with_comments_blank_lines_and_windows_line_ends() {
    let lists = plain(
        "\u{feff}203.0.113.1\r\n\r\n# a comment\n  203.0.113.2 # why\n\t203.0.113.3\t#x\n#203.0.113.9\n198.51.100.0/24",
    );
    assert_eq!(refused(&lists), []);
    for listed in ["203.0.113.1", "203.0.113.2", "203.0.113.3"] {
        assert_eq!(indicator(&lists, &outward(listed, 80)), Some(listed.to_owned()));
    }
    assert_eq!(indicator(&lists, &outward("198.51.100.200", 80)), Some("198.51.100.0/24".to_owned()));
    assert_eq!(indicator(&lists, &outward("203.0.113.9", 80)), None);
    let summary = lists.summary().remove(0);
    assert_eq!((summary.entries, kinds(&summary)), (4, vec![("ip", 3), ("cidr", 1)]));
}

#[test]
fn a_plain_list_says_where_a_line_is_wrong() {
    let text =
        "203.0.113.1\n  evil_example\n203.0.113.2 203.0.113.3\n203.0.113.4#x\n\u{feff}é1.2.3.4\n1.2.3.4:99999 # é";
    assert_eq!(
        refused(&plain(text)),
        [
            (2, 3, NOT_AN_INDICATOR.to_owned()),
            (3, 13, "text after the indicator; a comment starts with `#` after a space".to_owned()),
            (4, 12, NOT_AN_INDICATOR.to_owned()),
            (5, 1, NOT_AN_INDICATOR.to_owned()),
            (6, 9, "a port is at most 65535".to_owned()),
        ]
    );
}

#[test]
fn a_comment_may_have_any_bytes_and_any_length_and_an_indicator_may_not() {
    let mut text = b"203.0.113.1 # caf\xe9\n# \xff\x00".to_vec();
    text.extend([b'x'; 10_000]);
    text.extend(b"\n203.0.113.2\x00\n203.0.113.\xe9\n203.0.113.3 # ");
    text.extend([b'x'; 5_000]);
    let lists = Watchlists::compile(&[list("plain", ListFormat::Plain, &text)]);
    assert_eq!(
        refused(&lists),
        [
            (3, 12, "a control character".to_owned()),
            (4, 11, "not UTF-8 text".to_owned()),
            (5, 1, "a line longer than 4096 bytes".to_owned()),
        ]
    );
    assert_eq!(lists.summary()[0].entries, 1);
}

#[test]
fn a_list_in_utf_16_is_refused_once() {
    let text: Vec<u8> = "\u{feff}1.2.3.4\n1.2.3.5\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for format in [ListFormat::Plain, ListFormat::Csv] {
        let lists = Watchlists::compile(&[list("utf16", format, &text)]);
        assert_eq!(only_refusal(&lists), (1, 1, "UTF-16 text; save the list as UTF-8".to_owned()));
    }
}

#[test]
fn only_the_first_refused_lines_are_told_and_all_are_counted() {
    let lists = plain(&"x\n".repeat(MAX_REFUSED_KEPT + 500));
    let summary = lists.summary().remove(0);
    assert_eq!(summary.refused_total, MAX_REFUSED_KEPT as u64 + 500);
    assert_eq!(summary.refused.len(), MAX_REFUSED_KEPT);
    assert_eq!(summary.refused[MAX_REFUSED_KEPT - 1].line, MAX_REFUSED_KEPT as u32);
}
