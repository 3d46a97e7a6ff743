use super::decode;
use crate::mail::{MAX_ATTACHMENTS, MAX_URLS};

fn mail(head: &str, body: &[u8]) -> Vec<u8> {
    [head.as_bytes(), b"\r\n\r\n", body].concat()
}

#[test]
fn chinese_headers_and_bodies_are_readable_in_each_charset() {
    for (charset, subject, body) in [
        ("gb2312", "1MLQwg==", &b"\xd4\xc2\xd0\xc2 http://a.cn"[..]),
        ("GBK", "1MLQwg==", b"\xd4\xc2\xd0\xc2 http://a.cn"),
        ("gb18030", "1MLQwg==", b"\xd4\xc2\xd0\xc2 http://a.cn"),
        ("big5", "pOu3cw==", b"\xa4\xeb\xb7\x73 http://a.cn"),
        ("utf-8", "5pyI5paw", "\u{6708}\u{65b0} http://a.cn".as_bytes()),
    ] {
        let head = format!("Subject: =?{charset}?B?{subject}?=\r\nContent-Type: text/plain; charset=\"{charset}\"");
        let message = decode(&mail(&head, body));
        assert!(message.subject.chars().count() == 2, "{charset}: {}", message.subject);
        assert_eq!(&*message.excerpt, format!("{} http://a.cn", message.subject), "{charset}");
        assert_eq!(message.urls.len(), 1, "{charset}");
        assert_eq!(&*message.charset, charset.to_ascii_lowercase());
    }
}

#[test]
fn a_link_that_is_split_by_its_encoding_is_whole() {
    let head = "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable";
    let body = b"<p>=E4=BD=A0 <a href=3D\"http://211341.vhost328.=\r\ncloudvhost.cn/?a=3D1\">http://mail.=\r\nvictim.example</a>";
    let message = decode(&mail(head, body));
    assert_eq!(&*message.urls[0].url, "http://211341.vhost328.cloudvhost.cn/?a=1");
    assert_eq!(&*message.urls[0].shown, "http://mail.victim.example");
    assert_eq!(&*message.urls[1].url, "http://mail.victim.example");
}

#[test]
fn attachments_have_names_sizes_and_hashes() {
    let head = "From: a@b\r\nContent-Type: multipart/mixed; boundary=x";
    let body = b"--x\r\nContent-Type: text/plain\r\n\r\nhi\r\n--x\r\nContent-Type: application/zip\r\n\
                 Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n \
                 filename=\"=?utf-8?B?5Y+R56WoLnppcA==?=\"\r\n\r\nYWJj\r\n--x--\r\n";
    let message = decode(&mail(head, body));
    let [file] = &message.attachments[..] else { panic!("{message:?}") };
    assert_eq!((&*file.name, &*file.content_type, file.size_bytes), ("\u{53d1}\u{7968}.zip", "application/zip", 3));
    assert_eq!(&*file.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(&*message.excerpt, "hi");
}

#[test]
fn what_is_made_to_hurt_is_bounded_and_named() {
    let nested: String =
        (0..10_000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n")).collect();
    decode(nested.as_bytes());
    let inside = "Content-Type: message/rfc822\r\n\r\n".repeat(10_000);
    decode(inside.as_bytes());
    let part = "--x\r\nContent-Type: application/octet-stream\r\n\r\na\r\n";
    let many = decode(&mail("Content-Type: multipart/mixed; boundary=x", part.repeat(5_000).as_bytes()));
    assert_eq!(many.attachments.len(), MAX_ATTACHMENTS);
    assert!(many.defects.contains(&"too-many-attachments") && many.defects.contains(&"too-many-parts"));
    let links: String = (0..5_000).map(|n| format!("http://h{n}.example ")).collect();
    let linked = decode(&mail("Subject: x", links.as_bytes()));
    assert_eq!((linked.urls.len(), &linked.defects[..]), (MAX_URLS, &["too-many-urls"][..]));
    decode(&mail(&"X: y\r\n".repeat(200_000), b""));
    decode(&mail(&format!("To: {}", "a@b.example, ".repeat(100_000)), &vec![b'a'; 1 << 20]));
    assert_eq!(decode(b"").defects, ["no-header"]);
}

#[test]
fn what_mailers_break_is_read_as_it_was_meant() {
    let cut = decode(&mail("Subject: =?gb2312?B?xOO6?=\r\n =?gb2312?B?ww==?= =?gb2312?Q?!?=", b"x"));
    assert_eq!(&*cut.subject, "\u{4f60}\u{597d}!");
    let raw = decode(b"Subject: \xc4\xe3\xba\xc3\r\nFrom: \xc4\xe3 <a@b.example>\r\n\r\nx");
    assert_eq!((&*raw.subject, &*raw.from_name), ("\u{4f60}\u{597d}", "\u{4f60}"));
    for kind in ["text/plain", "text/plain; charset=utf-8", "text/html; charset=us-ascii"] {
        let head = format!("Subject: x\r\nContent-Type: {kind}");
        assert_eq!(&*decode(&mail(&head, b"\xc4\xe3\xba\xc3 x")).excerpt, "\u{4f60}\u{597d} x", "{kind}");
        let quoted = format!("{head}\r\nContent-Transfer-Encoding: quoted-printable");
        assert_eq!(&*decode(&mail(&quoted, b"=C4=E3=BA=C3 x")).excerpt, "\u{4f60}\u{597d} x", "{kind}");
    }
}

#[test]
fn a_mended_header_leaves_the_file_behind_it_as_it_is() {
    let file = decode(b"Subject: \xc4\xe3\r\nContent-Type: application/zip\r\n\r\nabc");
    assert_eq!(file.attachments[0].size_bytes, 3);
}

#[test]
fn a_message_without_anything_in_it_may_be_inside() {
    let head = "Content-Type: multipart/mixed; boundary=x";
    for inside in ["", "\r\x1aA: b\r\n\r\n\x01\0\r\n", "\r\n"] {
        let body = format!("--x\r\nContent-Type: message/rfc822\r\n\r\n{inside}");
        assert!(decode(&mail(head, body.as_bytes())).attachments.len() <= 2, "{inside:?}");
    }
}

#[test]
fn an_excerpt_is_not_longer_than_it_may_be() {
    for (word, length) in [("a", 499), ("aaaa", 499), ("\u{4f60}\u{597d}", 500), ("aaaaa", 500)] {
        let text = format!("{word} \n").repeat(300);
        let head = "Content-Type: text/plain; charset=utf-8";
        let excerpt = decode(&mail(head, text.as_bytes())).excerpt;
        assert_eq!(excerpt.chars().count(), length, "{word}");
        assert!(!excerpt.ends_with(' '));
    }
}

#[test]
fn a_header_without_an_end_is_cut() {
    let endless =
        decode(&["Subject: x\r\n".as_bytes(), &b"X: y\r\n".repeat(100_000), b"\r\nhttp://a.example"].concat());
    assert_eq!((&*endless.subject, endless.urls.len()), ("x", 1));
    assert_eq!(endless.defects, ["too-long-header"]);
}

#[test]
fn the_body_is_hashed_as_it_was_sent() {
    for line in ["\r\n", "\n"] {
        let sent = format!("Subject: =?utf-8?Q?a?= =?utf-8?Q?b?={line}{line}abc");
        assert_eq!(&*decode(sent.as_bytes()).body_md5, "900150983cd24fb0d6963f7d28e17f72");
    }
}

mod properties {
    use proptest::prelude::*;

    use super::decode;

    proptest! {
        #[test]
        fn any_bytes_give_a_message(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            decode(&bytes);
        }

        #[test]
        fn html_of_any_shape_gives_links(html in "[<>a-c =\"'&;/#hrefttps:.!-]{0,300}") {
            decode(&[b"Content-Type: text/html\r\n\r\n", html.as_bytes()].concat());
        }
    }
}
