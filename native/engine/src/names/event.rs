//! What the event log tells of a conversation.

use std::sync::Arc;

use app::http::{Request, Response};
use app::mail::{MailRead, Message, SmtpMail};
use app::quic::QuicVersion;
use app::ssh::Banner;
use app::tls::{ClientHello, ServerHello};
use app::{AppProtocol, Login, dns};
use arrayvec::ArrayVec;
use wire::{FiveTuple, Mac};

use crate::flow::{Flow, FlowFlags, MAX_FLOW_VLANS};
use crate::tunnels::Layers;
use crate::web::{HttpFile, WebFinding, WebLogin};

/// An event and the flow that it belongs to; pairs are indexed by originator and responder.
#[derive(Debug, Clone)]
pub struct AppRecord {
    /// Packet time of what completed it.
    pub time_ns: u64,
    /// Packet time of the flow's first packet.
    pub start_ns: u64,
    /// As in the flow's records.
    pub flow_id: u64,
    /// Endpoints and protocol.
    pub tuple: FiveTuple,
    /// Whether an end is internal.
    pub internal: [bool; 2],
    /// What the flow speaks.
    pub app: AppProtocol,
    /// What it spoke first, if it has become another conversation since.
    pub app_before: Option<AppProtocol>,
    /// Hardware addresses of the ends on the mirrored link.
    pub macs: [Mac; 2],
    /// VLAN tags, outermost first.
    pub vlans: ArrayVec<u16, MAX_FLOW_VLANS>,
    /// What carried the flow.
    pub layers: Option<Layers>,
    /// Index of the interface.
    pub interface: u16,
    /// Number of the flow's first frame in its capture file, from 1; 0 live.
    pub file_frame: u64,
    /// What happened.
    pub event: AppEvent,
}

impl AppRecord {
    /// An event of this flow.
    pub(crate) fn new(flow: &Flow, time_ns: u64, layers: Option<Layers>, event: AppEvent) -> Self {
        Self {
            time_ns,
            start_ns: flow.start_ns,
            flow_id: flow.id(),
            tuple: flow.tuple(),
            internal: [flow.flags.contains(FlowFlags::ORIG_INTERNAL), flow.flags.contains(FlowFlags::RESP_INTERNAL)],
            app: flow.app,
            app_before: flow.app_before(),
            macs: flow.macs,
            vlans: flow.vlans.clone(),
            layers,
            interface: flow.interface,
            file_frame: flow.file_frame,
            event,
        }
    }
}

#[cfg(test)]
impl AppRecord {
    /// An event of a client at `client`, for tests.
    pub(crate) fn sample(time_ns: u64, client: wire::Address, event: AppEvent) -> Self {
        let end = |address, port| wire::Endpoint { address, port };
        let server = wire::Address::v4([203, 0, 113, 9]);
        Self {
            time_ns,
            start_ns: time_ns,
            flow_id: 1234,
            internal: [true, false],
            tuple: FiveTuple { orig: end(client, 50_000), resp: end(server, 443), protocol: 6 },
            app: AppProtocol::Tls,
            app_before: None,
            macs: [Mac([2, 0, 0, 0, 0, 44]), Mac::default()],
            vlans: [20].into_iter().collect(),
            layers: None,
            interface: 0,
            file_frame: 0,
            event,
        }
    }
}

/// What happened.
#[derive(Debug, Clone)]
pub enum AppEvent {
    /// Client and server have greeted, or no more of it will be seen.
    Tls(Box<TlsHellos>),
    /// A client has greeted.
    Quic(Box<QuicHello>),
    /// A request and its response.
    Http(Box<HttpExchange>),
    /// A request that a rule of web attacks matches. It goes to Python, not to the event log.
    Web(Box<WebFinding>),
    /// Somebody has logged in to a web server, or tried; told as [`AppEvent::Login`] once that is judged.
    WebLogin(Box<WebLogin>),
    /// A question or an answer.
    Dns(Box<dns::Message>),
    /// Both ends have said their versions, or no more of it will be seen.
    Ssh(Box<SshBanners>),
    /// A mail transaction is over, or a connection without one.
    Smtp(Arc<SmtpMail>),
    /// A mail was read by POP3.
    Pop3(Arc<MailRead>),
    /// A mail was read or stored by IMAP.
    Imap(Arc<MailRead>),
    /// Somebody has logged in, or tried.
    Login(Box<Login>),
}

impl AppEvent {
    /// The message that a mail carries, while nobody else holds it.
    pub(crate) fn message_mut(&mut self) -> Option<&mut Message> {
        match self {
            Self::Smtp(mail) => Arc::get_mut(mail)?.message.as_mut(),
            Self::Pop3(read) | Self::Imap(read) => Arc::get_mut(read)?.message.as_mut(),
            _ => None,
        }
    }

    /// The message that a mail carries.
    pub fn message(&self) -> Option<&Message> {
        match self {
            Self::Smtp(mail) => mail.message.as_ref(),
            Self::Pop3(read) | Self::Imap(read) => read.message.as_ref(),
            _ => None,
        }
    }

    /// EVE's `event_type`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Tls(_) => "tls",
            Self::Quic(_) => "quic",
            Self::Http(_) => "http",
            Self::Web(_) => "web",
            Self::WebLogin(_) => "login",
            Self::Dns(_) => "dns",
            Self::Ssh(_) => "ssh",
            Self::Smtp(_) => "smtp",
            Self::Pop3(_) => "pop3",
            Self::Imap(_) => "imap",
            Self::Login(_) => "login",
        }
    }
}

/// The beginning of a TLS connection, as far as it was seen.
#[derive(Debug, Clone, Default)]
pub struct TlsHellos {
    /// What the client offers.
    pub client: Option<ClientHello>,
    /// What the server chose.
    pub server: Option<ServerHello>,
}

/// The beginning of a QUIC connection.
#[derive(Debug, Clone)]
pub struct QuicHello {
    /// The protocol's version.
    pub version: QuicVersion,
    /// What the client offers.
    pub hello: ClientHello,
}

/// A request and its response, as far as they were seen.
#[derive(Debug, Clone, Default)]
pub struct HttpExchange {
    /// The request's head.
    pub request: Option<Request>,
    /// The final response's head.
    pub response: Option<Response>,
    /// Bytes of the response's body that were seen.
    pub length: u64,
    /// Files that it carries, 16 at the most.
    pub files: Vec<HttpFile>,
    /// Packet time from the request's end to the response's head, in nanoseconds, if both were seen.
    pub delay_ns: Option<u64>,
    /// A rule of web attacks speaks of it.
    pub attacked: bool,
}

/// With which programs two ends speak SSH, as far as they were seen.
#[derive(Debug, Clone, Default)]
pub struct SshBanners {
    /// What the client said.
    pub client: Option<Banner>,
    /// What the server said.
    pub server: Option<Banner>,
}

/// Who gave a flow its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameSource {
    /// The client, in the flow itself, in this protocol.
    Client(AppProtocol),
    /// A look-up of the client before it.
    Resolved,
}

impl NameSource {
    /// The word of the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client(app) => app.name(),
            Self::Resolved => AppProtocol::Dns.name(),
        }
    }
}
