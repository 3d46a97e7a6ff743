//! Events of conversations in the field's common EVE form.

use app::http::{Request, Response};
use app::ssh::Banner;
use serde::Serialize;

use super::common::{Common, Ether, Face};
use super::dns_event::DnsObject;
use super::eve::EveContext;
use crate::names::{AppEvent, AppRecord, HttpExchange, QuicHello, SshBanners, TlsHellos, without_port};

#[derive(Serialize)]
struct AppLine<'a> {
    #[serde(flatten)]
    common: Common<'a>,
    #[serde(flatten)]
    object: Object<'a>,
}

/// The object that the event's type names.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Object<'a> {
    Tls(TlsObject<'a>),
    Quic(QuicObject<'a>),
    Http(Box<HttpObject<'a>>),
    Dns(Box<DnsObject<'a>>),
    Ssh(SshObject<'a>),
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
            AppEvent::Http(exchange) => Self::Http(Box::new(HttpObject::new(exchange))),
            AppEvent::Dns(message) => Self::Dns(Box::new(DnsObject::new(message))),
            AppEvent::Ssh(banners) => Self::Ssh(SshObject::new(banners)),
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
        Self {
            version: quic.version.name().to_string(),
            sni: quic.hello.sni.as_deref(),
            ja4: quic.hello.ja4.as_str(),
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
