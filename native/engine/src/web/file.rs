//! Files that HTTP carries: name, type, size, SHA-256.

use std::fmt::Write;

use app::Text;
use app::http::multipart::PartEvent;
use app::http::{Request, Response, form, multipart};
use sha2::{Digest, Sha256};

/// Of a longer file there is no hash.
const MAX_HASHED_BYTES: u64 = 64 << 20;
/// Files that are told of one exchange.
const MAX_FILES: usize = 16;
const MAX_NAME_BYTES: usize = 256;

/// A file that was sent, in either direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpFile {
    /// As the sender calls it, or the last part of the path; empty if nothing names it.
    pub name: Text,
    /// Its `Content-Type`; empty without one.
    pub content_type: Text,
    /// Bytes that were seen.
    pub size_bytes: u64,
    /// Of the whole file, in hexadecimal. None if bytes are missing, it is compressed for the way, or longer than 64 MiB.
    pub sha256: Option<Text>,
    /// Whether the client sent it.
    pub upload: bool,
}

/// A file whose bytes are still coming.
#[derive(Debug)]
pub struct FileInTransit {
    file: HttpFile,
    hash: Option<Sha256>,
}

impl FileInTransit {
    /// The file that an answer is, if it is one: what is named as a file, or is neither page, picture nor data.
    pub fn download(request: Option<&Request>, response: &Response) -> Option<Self> {
        let uri = request.map(|request| form::target(request.uri.as_bytes()).0).unwrap_or_default();
        let last = form::last_part(uri);
        let disposition = response.disposition.as_deref().unwrap_or_default();
        let named = multipart::file_name(disposition.as_bytes());
        let content_type = response.content_type.as_deref().unwrap_or_default();
        let attached = named.is_some() || starts_with(disposition, "attachment");
        if response.status != 200 || !(attached || is_file_type(content_type) || is_file_name(last)) {
            return None;
        }
        let decoded = || app::text(&app::http::decode::decoded(last, false), MAX_NAME_BYTES);
        let coded = response.encoding.as_deref().is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"));
        Some(Self::new(named.unwrap_or_else(decoded), content_type, coded, false))
    }

    /// The file that the body of this request is.
    pub fn put(request: &Request) -> Option<Self> {
        let path = form::target(request.uri.as_bytes()).0;
        let last = form::last_part(path);
        let name = app::text(&app::http::decode::decoded(last, false), MAX_NAME_BYTES);
        let content_type = request.content_type.as_deref().unwrap_or_default();
        (&*request.method == "PUT").then(|| Self::new(name, content_type, false, true))
    }

    /// A part of a form.
    pub fn part(head: &multipart::PartHead) -> Option<Self> {
        let name = head.file_name.clone().filter(|name| !name.is_empty())?;
        Some(Self::new(name, head.content_type.as_deref().unwrap_or_default(), false, true))
    }

    fn new(name: Text, content_type: &str, coded: bool, upload: bool) -> Self {
        let file = HttpFile { name, content_type: content_type.into(), size_bytes: 0, sha256: None, upload };
        Self { file, hash: (!coded).then(Sha256::default) }
    }

    /// The next bytes.
    pub fn feed(&mut self, data: &[u8]) {
        self.file.size_bytes += data.len() as u64;
        if self.file.size_bytes > MAX_HASHED_BYTES {
            self.hash = None;
        }
        if let Some(hash) = &mut self.hash {
            hash.update(data);
        }
    }

    /// Bytes are missing.
    pub fn gap(&mut self) {
        self.hash = None;
    }

    /// The file, all of whose bytes have come if it is `whole`.
    pub fn finish(mut self, whole: bool) -> HttpFile {
        self.file.sha256 = self.hash.filter(|_| whole).map(|hash| hex(&hash.finalize()));
        self.file
    }
}

/// The files in a request's body.
#[derive(Debug)]
pub struct Upload {
    reader: Option<multipart::Multipart>,
    current: Option<FileInTransit>,
}

impl Upload {
    /// Of a request that may carry files.
    pub fn of(request: &Request) -> Option<Self> {
        let reader = request.content_type.as_deref().and_then(multipart::Multipart::of);
        let current = FileInTransit::put(request);
        (reader.is_some() || current.is_some()).then_some(Self { reader, current })
    }

    /// The next bytes of the body; files that are over go to `files`.
    pub fn feed(&mut self, data: &[u8], files: &mut Vec<HttpFile>) {
        let Self { reader, current } = self;
        match reader {
            Some(reader) => reader.feed(data, &mut |event| take_part(event, current, files)),
            None => current.iter_mut().for_each(|file| file.feed(data)),
        }
    }

    /// The body is over.
    pub fn end(mut self, whole: bool, files: &mut Vec<HttpFile>) {
        if let Some(reader) = &mut self.reader {
            let current = &mut self.current;
            // Without its last boundary a part is not whole.
            reader.end(&mut |event| match event {
                PartEvent::End => finish(current.take(), false, files),
                event => take_part(event, current, files),
            });
        }
        finish(self.current, whole, files);
    }

    /// Bytes are missing.
    pub fn gap(&mut self) {
        self.current.iter_mut().for_each(FileInTransit::gap);
    }

    /// Bytes that are kept.
    pub fn held_bytes(&self) -> usize {
        self.reader.as_ref().map_or(0, multipart::Multipart::held_bytes)
    }
}

fn take_part(event: PartEvent<'_>, current: &mut Option<FileInTransit>, files: &mut Vec<HttpFile>) {
    match event {
        PartEvent::Begin(head) => *current = FileInTransit::part(&head),
        PartEvent::Data(data) => current.iter_mut().for_each(|file| file.feed(data)),
        PartEvent::End => finish(current.take(), true, files),
    }
}

fn finish(file: Option<FileInTransit>, whole: bool, files: &mut Vec<HttpFile>) {
    if let Some(file) = file.filter(|_| files.len() < MAX_FILES) {
        files.push(file.finish(whole));
    }
}

fn hex(bytes: &[u8]) -> Text {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.into()
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

fn is_file_type(content_type: &str) -> bool {
    let lower = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some(kind) = lower.strip_prefix("application/") else { return false };
    !(kind.contains("json")
        || kind.contains("xml")
        || kind.contains("javascript")
        || kind.contains("urlencoded")
        || kind.contains("mpegurl")
        || kind.starts_with("font")
        || kind.contains("ocsp")
        || kind.contains("grpc"))
        || kind.contains("officedocument")
}

/// Programs, scripts, archives and documents, whatever the server calls them.
fn is_file_name(name: &[u8]) -> bool {
    const ENDINGS: [&str; 40] = [
        "exe", "dll", "msi", "scr", "com", "bat", "cmd", "ps1", "vbs", "vbe", "hta", "jar", "apk", "ipa", "elf", "sh",
        "bin", "iso", "img", "zip", "rar", "7z", "gz", "tgz", "bz2", "xz", "cab", "pdf", "doc", "docx", "docm", "xls",
        "xlsx", "xlsm", "ppt", "pptx", "rtf", "lnk", "deb", "rpm",
    ];
    let Some(dot) = memchr::memrchr(b'.', name) else { return false };
    let ending = &name[dot + 1..];
    dot > 0 && ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(content_type: &str, disposition: Option<&str>) -> Response {
        Response {
            status: 200,
            content_type: Some(content_type.into()),
            disposition: disposition.map(Into::into),
            ..Response::default()
        }
    }

    fn request(uri: &str) -> Request {
        Request { method: "GET".into(), uri: uri.into(), ..Request::default() }
    }

    #[test]
    fn what_is_a_file() {
        for (uri, content_type, disposition, name) in [
            ("/a/setup%20x.exe?b=c.d", "text/plain", None, Some("setup x.exe")),
            ("/get.php", "application/octet-stream", None, Some("get.php")),
            ("/get", "text/html", Some("attachment; filename=\"r.html\""), Some("r.html")),
            ("/", "application/zip", None, Some("")),
            ("/a.png", "image/png", None, None),
            ("/index.html", "text/html; charset=utf-8", None, None),
            ("/api", "application/json", Some("inline"), None),
            ("/x", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", None, Some("x")),
        ] {
            let file = FileInTransit::download(Some(&request(uri)), &response(content_type, disposition));
            assert_eq!(file.map(|file| file.finish(true).name).as_deref(), name, "{uri}");
        }
    }

    #[test]
    fn a_hash_is_that_of_the_whole_file_or_none() {
        let file = || FileInTransit::download(Some(&request("/a.exe")), &response("", None)).expect("a file");
        let mut whole = file();
        whole.feed(b"a");
        whole.feed(b"bc");
        let whole = whole.finish(true);
        assert_eq!(whole.size_bytes, 3);
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(whole.sha256.as_deref(), Some(abc));
        let mut damaged = file();
        damaged.gap();
        assert_eq!(damaged.finish(true).sha256, None);
        assert_eq!(file().finish(false).sha256, None);
    }
}
