//! Events of conversations in the field's common EVE form.

use app::http::{Request, Response};
use app::ssh::Banner;
use serde::Serialize;

use super::common::{Common, Ether, Face};
use super::dns_event::DnsObject;
use super::eve::EveContext;
use super::mail_event::{LoginObject, ReadEvent, SmtpEvent};
use crate::names::{AppEvent, AppRecord, HttpExchange, QuicHello, SshBanners, TlsHellos, without_port};
use crate::web::HttpFile;

#[derive(Serialize)]
struct AppLine<'a> {
    #[serde(flatten)]
    common: Common<'a>,
    #[serde(flatten)]
    object: Object<'a>,
}

/// The object that the event's type names; of mail, the message beside it.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Object<'a> {
    Tls(TlsObject<'a>),
    Quic(QuicObject<'a>),
    Dns(Box<DnsObject<'a>>),
    Ssh(SshObject<'a>),
    Login(LoginObject<'a>),
    #[serde(untagged)]
    Smtp(Box<SmtpEvent<'a>>),
    #[serde(untagged)]
    Read(Box<ReadEvent<'a>>),
    #[serde(untagged)]
    Http(Box<HttpEvent<'a>>),
}

#[derive(Serialize)]
struct TlsObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sni: Option<&'a str>,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ja4: Option<&'a str>,
}

#[derive(Serialize)]
struct QuicObject<'a> {
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sni: Option<&'a str>,
    ja4: &'a str,
}

#[derive(Serialize, Default)]
struct HttpEvent<'a> {
    http: HttpObject<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spanwatch: Option<FilesObject<'a>>,
}

#[derive(Serialize)]
struct FilesObject<'a> {
    files: Vec<FileObject<'a>>,
}

/// A file as EVE's `fileinfo` names its keys.
#[derive(Serialize)]
struct FileObject<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    filename: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    content_type: &'a str,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
    direction: &'static str,
}

/// `length` is what was seen of the response's body.
#[derive(Serialize, Default)]
struct HttpObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    hostname: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_user_agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xff: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_refer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect: Option<&'a str>,
    length: u64,
}

#[derive(Serialize)]
struct SshObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<SshSide<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<SshSide<'a>>,
}

#[derive(Serialize)]
struct SshSide<'a> {
    proto_version: &'a str,
    software_version: &'a str,
}

impl EveContext {
    /// Appends the line of an event, newline included.
    pub(super) fn render_app(&self, record: &AppRecord, text: &mut Vec<u8>) {
        let face = Face {
            time_ns: record.time_ns,
            flow_id: record.flow_id,
            tuple: &record.tuple,
            app: record.app,
            app_before: record.app_before,
            vlans: &record.vlans,
            layers: record.layers.as_deref().unwrap_or_default(),
            interface: record.interface,
            ether: Ether::of_event(record.macs),
        };
        let common = Common::new(self, record.event.kind(), face);
        let line = AppLine { common, object: Object::new(&record.event) };
        // Writing to a Vec cannot fail, and every key of the event is a string.
        if serde_json::to_writer(&mut *text, &line).is_ok() {
            text.push(b'\n');
        }
    }
}

impl<'a> Object<'a> {
    fn new(event: &'a AppEvent) -> Self {
        match event {
            AppEvent::Tls(hellos) => Self::Tls(TlsObject::new(hellos)),
            AppEvent::Quic(hello) => Self::Quic(QuicObject::new(hello)),
            AppEvent::Http(exchange) => Self::Http(Box::new(HttpEvent::new(exchange))),
            AppEvent::Web(_) | AppEvent::WebLogin(_) => Self::Http(Box::default()),
            AppEvent::Dns(message) => Self::Dns(Box::new(DnsObject::new(message))),
            AppEvent::Ssh(banners) => Self::Ssh(SshObject::new(banners)),
            AppEvent::Smtp(mail) => Self::Smtp(Box::new(SmtpEvent::new(mail))),
            AppEvent::Pop3(read) => Self::Read(Box::new(ReadEvent::pop3(read))),
            AppEvent::Imap(read) => Self::Read(Box::new(ReadEvent::imap(read))),
            AppEvent::Login(login) => Self::Login(LoginObject::new(login)),
        }
    }
}

impl<'a> TlsObject<'a> {
    /// The version is the one that the server chose, or the highest that the client offers.
    fn new(hellos: &'a TlsHellos) -> Self {
        let client = hellos.client.as_ref();
        let chosen = hellos.server.as_ref().map(|server| server.version.name());
        let offered = client.map(|client| client.version.name());
        Self {
            sni: client.and_then(|client| client.sni.as_deref()),
            version: chosen.or(offered).map(|name| name.to_string()).unwrap_or_default(),
            ja4: client.map(|client| client.ja4.as_str()),
        }
    }
}

impl<'a> QuicObject<'a> {
    fn new(quic: &'a QuicHello) -> Self {
        Self { version: quic.version.name().to_string(), sni: quic.hello.sni.as_deref(), ja4: quic.hello.ja4.as_str() }
    }
}

impl<'a> HttpEvent<'a> {
    fn new(exchange: &'a HttpExchange) -> Self {
        let files: Vec<_> = exchange.files.iter().map(FileObject::new).collect();
        Self { http: HttpObject::new(exchange), spanwatch: (!files.is_empty()).then_some(FilesObject { files }) }
    }
}

impl<'a> FileObject<'a> {
    fn new(file: &'a HttpFile) -> Self {
        Self {
            filename: &file.name,
            content_type: &file.content_type,
            size: file.size_bytes,
            sha256: file.sha256.as_deref(),
            direction: if file.upload { "toserver" } else { "toclient" },
        }
    }
}

impl<'a> HttpObject<'a> {
    fn new(exchange: &'a HttpExchange) -> Self {
        let mut object = Self { length: exchange.length, ..Self::default() };
        if let Some(request) = &exchange.request {
            object.take_request(request);
        }
        if let Some(response) = &exchange.response {
            object.take_response(response);
        }
        object
    }

    fn take_request(&mut self, request: &'a Request) {
        let (hostname, port) = request.host.as_deref().map(without_port).unzip();
        self.hostname = hostname;
        self.http_port = port.flatten();
        self.url = Some(&request.uri);
        self.http_user_agent = request.user_agent.as_deref();
        self.xff = request.xff.as_deref();
        self.http_refer = request.referer.as_deref();
        self.http_method = Some(&request.method);
        self.protocol = Some(&request.version);
    }

    fn take_response(&mut self, response: &'a Response) {
        self.http_content_type = response.content_type.as_deref();
        self.protocol.get_or_insert(&response.version);
        self.status = Some(response.status);
        self.redirect = response.location.as_deref();
    }
}

impl<'a> SshObject<'a> {
    fn new(banners: &'a SshBanners) -> Self {
        let side = |banner: &'a Banner| SshSide { proto_version: &banner.proto, software_version: &banner.software };
        Self { client: banners.client.as_ref().map(side), server: banners.server.as_ref().map(side) }
    }
}

#[cfg(test)]
mod tests {
    use app::dns;
    use serde_json::{Value, json};

    use super::*;
    use crate::config::EveConfig;
    use crate::names::testing::{client_hello, dns_query, dns_response, server_hello};
    use crate::testing::{PC, START};

    fn text(text: &str) -> app::Text {
        text.into()
    }

    fn done<T>(parsed: app::Parse<T>) -> T {
        let app::Parse::Done(value) = parsed else { panic!("not read") };
        value
    }

    /// The line of an event, read again.
    fn line(event: AppEvent) -> Value {
        let context = EveContext {
            sensor_name: "hq".into(),
            interfaces: vec!["eth1".to_owned()].into(),
            config: EveConfig { path: "eve.json".into(), types: Vec::new() },
        };
        let mut text = Vec::new();
        context.render_app(&AppRecord::sample(START, wire::Address::v4(PC.0), event), &mut text);
        assert_eq!(text.iter().filter(|&&byte| byte == b'\n').count(), 1, "one line, whatever stands in it");
        serde_json::from_slice(&text).expect("JSON")
    }

    #[test]
    fn a_tls_event_word_for_word() {
        let hellos = TlsHellos {
            client: Some(done(app::tls::client_hello(&client_hello("www.example.com")))),
            server: Some(done(app::tls::server_hello(&server_hello()))),
        };
        let ja4 = hellos.client.as_ref().map(|client| client.ja4.as_str().to_owned());
        let expected = json!({
            "timestamp": "2023-11-14T22:13:20.000000+0000",
            "flow_id": 1234,
            "in_iface": "eth1",
            "event_type": "tls",
            "vlan": [20],
            "src_ip": "10.20.3.44",
            "src_port": 50_000,
            "dest_ip": "203.0.113.9",
            "dest_port": 443,
            "proto": "TCP",
            "app_proto": "tls",
            "host": "hq",
            "ether": {"src_mac": "02:00:00:00:00:2c"},
            "community_id": "1:Mq06BbyI/7OVTwD484F8Cu9VWq4=",
            "tls": {"sni": "www.example.com", "version": "TLS 1.3", "ja4": ja4},
        });
        assert_eq!(line(AppEvent::Tls(Box::new(hellos))), expected);
    }

    #[test]
    fn a_server_alone_tells_the_version() {
        let hellos = TlsHellos { client: None, server: Some(done(app::tls::server_hello(&server_hello()))) };
        assert_eq!(line(AppEvent::Tls(Box::new(hellos)))["tls"], json!({"version": "TLS 1.3"}));
    }

    #[test]
    fn an_http_event_has_eves_names() {
        let request = Request {
            method: text("GET"),
            uri: text("/a?b=c"),
            version: text("HTTP/1.1"),
            host: Some(text("www.example.com:8080")),
            user_agent: Some(text("curl/8")),
            referer: Some(text("http://other.example/")),
            ..Request::default()
        };
        let response = Response {
            status: 302,
            version: text("HTTP/1.0"),
            content_type: Some(text("text/html")),
            location: Some(text("/d")),
            ..Response::default()
        };
        let file = |upload: bool, sha256: Option<&str>| HttpFile {
            name: text("a.exe"),
            content_type: app::Text::default(),
            size_bytes: 7,
            sha256: sha256.map(Into::into),
            upload,
        };
        let files = vec![file(false, Some("ab")), file(true, None)];
        let exchange = HttpExchange {
            request: Some(request),
            response: Some(response),
            length: 7,
            files,
            ..HttpExchange::default()
        };
        let expected = json!({
            "hostname": "www.example.com",
            "http_port": 8080,
            "url": "/a?b=c",
            "http_user_agent": "curl/8",
            "http_content_type": "text/html",
            "http_refer": "http://other.example/",
            "http_method": "GET",
            "protocol": "HTTP/1.1",
            "status": 302,
            "redirect": "/d",
            "length": 7,
        });
        let found = line(AppEvent::Http(Box::new(exchange)));
        assert_eq!(found["http"], expected);
        let files = json!({"files": [
            {"filename": "a.exe", "size": 7, "sha256": "ab", "direction": "toclient"},
            {"filename": "a.exe", "size": 7, "direction": "toserver"},
        ]});
        assert_eq!(found["spanwatch"], files);
    }

    #[test]
    fn what_would_steer_a_terminal_is_escaped() {
        let request = Request { uri: text("/\n\u{1b}[2J\"\u{fffd}"), host: Some(text("\r")), ..Request::default() };
        let exchange = HttpExchange { request: Some(request), ..HttpExchange::default() };
        let found = line(AppEvent::Http(Box::new(exchange)));
        assert_eq!(
            (&found["http"]["url"], &found["http"]["hostname"]),
            (&json!("/\n\u{1b}[2J\"\u{fffd}"), &json!("\r"))
        );
    }

    #[test]
    fn a_dns_question_and_its_answer() {
        let message = |bytes: &[u8]| AppEvent::Dns(Box::new(dns::message(bytes).expect("a message")));
        let query = line(message(&dns_query(7, "www.example.com")));
        let queries = json!([{"rrname": "www.example.com", "rrtype": "A"}]);
        let expected = json!({
            "version": 3, "type": "request", "id": 7, "flags": "100", "rd": true, "opcode": 0, "rcode": "NOERROR",
            "queries": queries,
        });
        assert_eq!(query["dns"], expected);
        let response = line(message(&dns_response(7, "www.example.com", "cdn.example.net", [203, 0, 113, 9])));
        let expected = json!({
            "version": 3, "type": "response", "id": 7, "flags": "8180", "qr": true, "rd": true, "ra": true,
            "opcode": 0, "rcode": "NOERROR", "queries": queries,
            "answers": [
                {"rrname": "www.example.com", "rrtype": "CNAME", "ttl": 60, "rdata": "cdn.example.net"},
                {"rrname": "cdn.example.net", "rrtype": "A", "ttl": 60, "rdata": "203.0.113.9"},
            ],
            "grouped": {"A": ["203.0.113.9"], "CNAME": ["cdn.example.net"]},
        });
        assert_eq!(response["dns"], expected);
    }

    #[test]
    fn both_ends_of_ssh() {
        let banner = |bytes: &[u8]| Some(done(app::ssh::banner(bytes)));
        let banners = SshBanners { client: banner(b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n"), server: None };
        let expected = json!({"client": {"proto_version": "2.0", "software_version": "OpenSSH_9.2p1"}});
        assert_eq!(line(AppEvent::Ssh(Box::new(banners)))["ssh"], expected);
    }
}
