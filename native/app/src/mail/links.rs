//! What can be followed in the text of a message.

use super::{Link, LinkSource, MAX_SHOWN_BYTES, MAX_URL_BYTES};
use crate::text;

/// Links that are taken out of one text, the repeated included.
const MAX_LINKS: usize = 1000;
/// Attributes of a tag that are looked at.
const MAX_ATTRIBUTES: usize = 50;
/// What a link begins with (RFC 3986, 3.1); `www.` is what people take for one.
const BEGINNINGS: [&[u8]; 4] = [b"http://", b"https://", b"ftp://", b"www."];
/// ASCII that no URL contains unescaped (RFC 3986, 2), and what delimits one in text (appendix C).
const ENDS: &[u8] = b" \t\r\n<>\"`{}|\\^";

/// URLs in plain text. One ends where something follows that no URL contains; letters beyond ASCII are the text's, not
/// the URL's, as in languages that put no blank between them.
pub(super) fn text_links(readable: &str) -> Vec<Link> {
    let bytes = readable.as_bytes();
    let mut links = Vec::new();
    let mut at = 0;
    while at < bytes.len() && links.len() < MAX_LINKS {
        let Some(beginning) = beginning(bytes, at) else {
            at += 1;
            continue;
        };
        let rest = &bytes[at..];
        let end = rest.iter().position(|&byte| !byte.is_ascii_graphic() || ENDS.contains(&byte));
        let url = without_closing(&rest[..end.unwrap_or(rest.len())]);
        at += url.len().max(beginning.len());
        if url.len() > beginning.len() {
            links.push(link(&absolute(url), b"", LinkSource::Text));
        }
    }
    links
}

/// What a link begins with here, if one does.
fn beginning(bytes: &[u8], at: usize) -> Option<&'static [u8]> {
    // Most bytes are none of the four first letters.
    if !matches!(bytes.get(at)? | 0x20, b'h' | b'f' | b'w') || (at > 0 && bytes[at - 1].is_ascii_alphanumeric()) {
        return None;
    }
    let starts = |beginning: &&&[u8]| {
        bytes[at..].get(..beginning.len()).is_some_and(|bytes| bytes.eq_ignore_ascii_case(beginning))
    };
    BEGINNINGS.iter().find(starts).copied()
}

/// Without the punctuation of the sentence around it; a closing bracket belongs to the URL if it has the opening one.
fn without_closing(mut url: &[u8]) -> &[u8] {
    let count = |url: &[u8], byte| memchr::memchr_iter(byte, &url[..url.len().min(MAX_URL_BYTES)]).count();
    while let Some((&last, before)) = url.split_last() {
        let closes = match last {
            b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' | b'*' => true,
            b')' => count(url, b'(') < count(url, b')'),
            b']' => count(url, b'[') < count(url, b']'),
            _ => false,
        };
        if !closes {
            break;
        }
        url = before;
    }
    url
}

fn absolute(url: &[u8]) -> Vec<u8> {
    let scheme: &[u8] = if url.len() >= 4 && url[..4].eq_ignore_ascii_case(b"www.") { b"http://" } else { b"" };
    [scheme, url].concat()
}

/// Targets of links in HTML, each with what is shown for it.
pub(super) fn html_links(html: &str) -> Vec<Link> {
    let bytes = html.as_bytes();
    let mut links = Vec::new();
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'<', &bytes[at..]) {
        at += open + 1;
        let name_end = bytes[at..].iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(bytes.len() - at);
        let wanted: &[u8] = match bytes[at..at + name_end].to_ascii_lowercase().as_slice() {
            b"a" | b"area" => b"href",
            b"form" => b"action",
            b"iframe" => b"src",
            _ => continue,
        };
        let (target, end) = attribute(bytes, at + name_end, wanted);
        let shown = if wanted == b"href" { shown(&bytes[end..]) } else { String::new() };
        at = end;
        if let Some(target) = target.filter(|target| is_followed(target)) {
            links.push(link(&absolute(target.as_bytes()), shown.as_bytes(), LinkSource::Html));
        }
        if links.len() >= MAX_LINKS {
            break;
        }
    }
    links
}

fn is_followed(target: &str) -> bool {
    beginning(target.as_bytes(), 0).is_some_and(|beginning| target.len() > beginning.len())
}

/// The value of an attribute, and where the tag ends.
fn attribute(html: &[u8], mut at: usize, wanted: &[u8]) -> (Option<String>, usize) {
    let mut found = None;
    for _ in 0..MAX_ATTRIBUTES {
        at +=
            html[at..].iter().position(|byte| !byte.is_ascii_whitespace() && *byte != b'/').unwrap_or(html.len() - at);
        if html.get(at).is_none_or(|&byte| byte == b'>') {
            break;
        }
        let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'>');
        let name_end = at + html[at..].iter().position(ends).unwrap_or(html.len() - at);
        let name = &html[at..name_end];
        at = name_end + html[name_end..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if html.get(at) != Some(&b'=') {
            at = at.max(name_end + usize::from(name.is_empty()));
            continue;
        }
        let (value, end) = value(html, at + 1);
        if found.is_none() && name.eq_ignore_ascii_case(wanted) {
            found = Some(without_entities(value));
        }
        at = end;
    }
    (found, at)
}

/// An attribute's value, quoted or not, and where it ends.
fn value(html: &[u8], mut at: usize) -> (&[u8], usize) {
    at += html[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    match html.get(at) {
        Some(&quote @ (b'"' | b'\'')) => {
            let end = memchr::memchr(quote, &html[at + 1..]).map_or(html.len(), |end| at + 1 + end);
            (&html[at + 1..end], (end + 1).min(html.len()))
        }
        _ => {
            let ends = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'>';
            let end = at + html[at..].iter().position(ends).unwrap_or(html.len() - at);
            (&html[at..end], end)
        }
    }
}

/// A value as a browser reads it: entities decoded, blanks at its ends and line breaks inside left out (WHATWG URL).
fn without_entities(value: &[u8]) -> String {
    let value = String::from_utf8_lossy(&value[..value.len().min(4 * MAX_URL_BYTES)]);
    // A tag in front keeps blanks at the beginning from being taken for layout.
    let decoded = mail_parser::decoders::html::html_to_text(&value.replace('<', "%3C"));
    decoded.chars().filter(|character| !character.is_whitespace()).collect()
}

/// What stands between a link's tags.
fn shown(html: &[u8]) -> String {
    let html = &html[html.iter().position(|&byte| byte == b'>').map_or(0, |end| end + 1)..];
    let html = &html[..html.len().min(4 * MAX_SHOWN_BYTES)];
    let end = memchr::memmem::find_iter(html, b"</").find(|&at| html.get(at + 2).is_some_and(|b| b | 0x20 == b'a'));
    let inside = String::from_utf8_lossy(&html[..end.unwrap_or(html.len())]);
    let readable = mail_parser::decoders::html::html_to_text(&inside);
    readable.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn link(url: &[u8], shown: &[u8], source: LinkSource) -> Link {
    let shown = if shown == url { &[][..] } else { shown };
    Link { url: text(url, MAX_URL_BYTES), shown: text(shown, MAX_SHOWN_BYTES), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(links: &[Link]) -> Vec<&str> {
        links.iter().map(|link| &*link.url).collect()
    }

    #[test]
    fn urls_in_text_end_where_the_sentence_goes_on() {
        let text = "see http://a.example/x?y=1, (http://b.example/(z)) HTTPS://C.example. \u{8bf7}\u{70b9}\u{51fb}\
                    http://d.cn\u{ff0c}\u{8c22}\u{8c22} www.e.example/f! <ftp://g.example/> http:// xhttp://h.example";
        assert_eq!(
            urls(&text_links(text)),
            [
                "http://a.example/x?y=1",
                "http://b.example/(z)",
                "HTTPS://C.example",
                "http://d.cn",
                "http://www.e.example/f",
                "ftp://g.example/"
            ]
        );
    }

    #[test]
    fn a_link_shows_one_thing_and_leads_to_another() {
        let html = "<p><A class=x HREF = 'http://evil.example/?a=1&amp;b=2'\n title=\"t\"><b>www.bank</b>.example</A>\
                    <a href=http://plain.example/>http://plain.example/</a><a href=\"mailto:x@y\">m</a>\
                    <a href=\" h&#116;tp://hidden.ex\nample/\">here</a><form action=\"https://f.example/login\">";
        let links = html_links(html);
        assert_eq!(
            urls(&links),
            [
                "http://evil.example/?a=1&b=2",
                "http://plain.example/",
                "http://hidden.example/",
                "https://f.example/login"
            ]
        );
        let shown: Vec<&str> = links.iter().map(|link| &*link.shown).collect();
        assert_eq!(shown, ["www.bank.example", "", "here", ""]);
    }

    #[test]
    fn broken_html_ends() {
        for html in
            ["<a", "<a href", "<a href=", "<a href='x", "<a =", "<a = = >", "<a/", "<<<a href=\"\">", "<a \u{1}"]
        {
            assert!(html_links(html).is_empty(), "{html}");
        }
        let many = "<a href=http://x.example/>".repeat(5000);
        assert_eq!(html_links(&many).len(), MAX_LINKS);
    }
}
