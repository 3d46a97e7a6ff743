//! Requests and their responses, brought together.

use std::collections::VecDeque;
use std::sync::Arc;

use app::Text;
use app::http::{Event, Request, Response, secret};

use super::event::{AppEvent, HttpExchange};
use super::logon::tell_logon;
use super::{Sink, Told};
use crate::punt::PuntProtocol;
use crate::web::{FileInTransit, Probe, Upload, WebRules};

/// Requests that wait for their responses; further ones let the oldest go without.
const MAX_OPEN: usize = 32;
/// Bytes of a head's fields that are looked at.
const MAX_FIELD_BYTES: usize = 16 * 1024;
/// What the fields of most heads need.
const USUAL_FIELD_BYTES: usize = 512;
/// The only interim response that is a connection's last (RFC 9110, 15.2.2).
pub(super) const SWITCHING_PROTOCOLS: u16 = 101;

/// The exchanges of a connection that are not over.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    /// In the order of their first message.
    open: VecDeque<Open>,
    /// What requests are matched against, if the server is watched.
    web: Option<Arc<WebRules>>,
    /// Fields of the request's head that comes next, a line each, their names in small letters.
    fields: Vec<u8>,
    /// Packet time of what comes next.
    time_ns: u64,
}

/// An exchange, and what goes along with it.
#[derive(Debug, Default)]
struct Open {
    number: u32,
    exchange: Box<HttpExchange>,
    /// Bytes of the response's body so far: of a long one each segment looks here, and nowhere further.
    length: u64,
    /// Packet time of the request's end, once that was seen.
    asked_ns: Option<u64>,
    probe: Option<Box<Probe>>,
    upload: Option<Box<Upload>>,
    download: Option<Box<FileInTransit>>,
}

impl Exchanges {
    /// Of a connection to a server; `web` if that is watched.
    pub(super) fn new(web: Option<Arc<WebRules>>) -> Self {
        Self { web, ..Self::default() }
    }

    /// What it takes from here on has come at this packet time.
    pub(super) fn at(&mut self, time_ns: u64) {
        self.time_ns = time_ns;
    }

    /// Takes a field of the client's head that comes next.
    pub(super) fn field(&mut self, name: &[u8], value: &[u8]) {
        if self.web.is_some() && self.fields.len() + name.len() + value.len() < MAX_FIELD_BYTES {
            if self.fields.is_empty() {
                self.fields.reserve(USUAL_FIELD_BYTES);
            }
            self.fields.extend(name.iter().map(u8::to_ascii_lowercase));
            self.fields.push(b':');
            // Only HTTP/2 can carry a line's end in a value.
            self.fields.extend(value.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
            self.fields.push(b'\n');
        }
    }

    /// Takes the head that a client sends as exchange `number`.
    pub(super) fn asked(&mut self, number: u32, mut request: Request, sink: Sink<'_>) {
        if let Some(host) = &request.host {
            sink(Told::Server(without_port(host).0));
            sink(Told::Url(host, &request.uri));
        }
        tell_claims(&request, sink);
        let fields = std::mem::take(&mut self.fields);
        let web = self.web.clone();
        let probe = web.map(|rules| Box::new(Probe::new(rules, &request, &fields)));
        let upload = Upload::of(&request).map(Box::new);
        mask(&mut request);
        match self.find(number) {
            Some(open) if open.exchange.request.is_none() => {
                open.exchange.request = Some(request);
                (open.probe, open.upload) = (probe, upload);
            }
            _ => {
                let exchange = Box::new(HttpExchange { request: Some(request), ..HttpExchange::default() });
                self.push(Open { number, exchange, probe, upload, ..Open::default() }, sink);
            }
        }
    }

    /// Takes what comes of the request's body.
    pub(super) fn sent(&mut self, number: u32, data: &[u8]) {
        let Some(open) = self.find(number) else { return };
        if let Some(probe) = &mut open.probe {
            probe.sent(data);
        }
        if let Some(upload) = &mut open.upload {
            upload.feed(data, &mut open.exchange.files);
        }
    }

    /// The request is over.
    pub(super) fn sent_all(&mut self, number: u32) {
        let time_ns = self.time_ns;
        let Some(open) = self.find(number) else { return };
        open.asked_ns = Some(time_ns);
        if let Some(probe) = &mut open.probe {
            probe.sent_all();
        }
        if let Some(upload) = open.upload.take() {
            upload.end(true, &mut open.exchange.files);
        }
    }

    /// Takes what a server sends as exchange `number`; `true` when the exchange is over by it.
    pub(super) fn answered(&mut self, number: u32, event: Event<'_>, sink: Sink<'_>) -> bool {
        let time_ns = self.time_ns;
        match event {
            Event::Response(response) => match self.find(number) {
                Some(open) => open.answer(response, time_ns),
                None => {
                    let mut open = Open { number, ..Open::default() };
                    open.answer(response, time_ns);
                    self.push(open, sink);
                }
            },
            Event::Body(data) => {
                if let Some(open) = self.find(number) {
                    open.receive(data);
                }
            }
            Event::BodyEnd => return self.close(number, sink),
            Event::Request(_) | Event::Field(..) => {}
        }
        false
    }

    /// Exchange `number` alone, as exchange `renamed`; the others are told as far as they came.
    pub(super) fn only(mut self, number: u32, renamed: u32, sink: Sink<'_>) -> Self {
        let place = self.open.iter().position(|open| open.number == number);
        let kept = place.and_then(|place| self.open.remove(place)).map(|open| Open { number: renamed, ..open });
        self.finish(sink);
        Self { open: kept.into_iter().collect(), fields: Vec::new(), ..self }
    }

    /// Bytes of a direction are missing: files that it carries are not whole.
    pub(super) fn gap(&mut self, from_client: bool) {
        for open in &mut self.open {
            if from_client {
                open.upload.iter_mut().for_each(|upload| upload.gap());
            } else {
                open.download.iter_mut().for_each(|download| download.gap());
            }
        }
    }

    /// Nothing more will come.
    pub(super) fn finish(&mut self, sink: Sink<'_>) {
        while let Some(open) = self.open.pop_front() {
            open.tell(false, sink);
        }
    }

    /// Bytes that are kept.
    pub(super) fn held_bytes(&self) -> usize {
        self.fields.len() + self.open.iter().map(Open::held_bytes).sum::<usize>()
    }

    fn find(&mut self, number: u32) -> Option<&mut Open> {
        self.open.iter_mut().find(|open| open.number == number)
    }

    fn push(&mut self, open: Open, sink: Sink<'_>) {
        if self.open.len() == MAX_OPEN {
            if let Some(oldest) = self.open.pop_front() {
                oldest.tell(false, sink);
            }
        }
        if self.open.is_empty() {
            // Few clients ask before they were answered.
            self.open.reserve_exact(1);
        }
        self.open.push_back(open);
    }

    /// The response's message is over: an interim one waits for the final one (RFC 9110, 15.2).
    fn close(&mut self, number: u32, sink: Sink<'_>) -> bool {
        let Some(place) = self.open.iter().position(|open| open.number == number) else { return true };
        let Some(response) = &self.open[place].exchange.response else { return false };
        if is_interim(response) {
            self.open[place].exchange.response = None;
            return false;
        }
        if let Some(open) = self.open.remove(place) {
            open.tell(true, sink);
        }
        true
    }
}

/// What a request says of the machine that it comes from. One that a proxy passes on speaks of somebody else.
fn tell_claims(request: &Request, sink: Sink<'_>) {
    if request.xff.is_some() {
        return;
    }
    if let Some(agent) = &request.user_agent {
        sink(Told::Claim(PuntProtocol::Agent, agent.as_bytes()));
    }
    if let Some(logon) = &request.logon {
        tell_logon(logon, sink);
    }
}

impl Open {
    fn answer(&mut self, mut response: Response, time_ns: u64) {
        if !is_interim(&response) {
            self.exchange.delay_ns = self.asked_ns.map(|asked_ns| time_ns.saturating_sub(asked_ns));
            self.probe.iter_mut().for_each(|probe| probe.answered());
            let request = self.exchange.request.as_ref();
            self.download = FileInTransit::download(request, &response).map(Box::new);
        }
        mask_text(&mut response.location);
        self.exchange.response = Some(response);
    }

    fn receive(&mut self, data: &[u8]) {
        self.length += data.len() as u64;
        if let Some(probe) = &mut self.probe {
            probe.received(data);
        }
        if let Some(download) = &mut self.download {
            download.feed(data);
        }
    }

    fn held_bytes(&self) -> usize {
        self.probe.as_ref().map_or(0, |probe| probe.held_bytes())
            + self.upload.as_ref().map_or(0, |upload| upload.held_bytes())
    }

    /// It is over; `whole` if its answer's last byte has come.
    fn tell(self, whole: bool, sink: Sink<'_>) {
        let Self { mut exchange, length, probe, upload, download, .. } = self;
        exchange.length = length;
        if let Some(upload) = upload {
            upload.end(false, &mut exchange.files);
        }
        if let Some(download) = download {
            let length = exchange.response.as_ref().and_then(|response| response.content_length);
            let complete = whole && length.is_none_or(|length| length == exchange.length);
            exchange.files.push(download.finish(complete));
        }
        if let Some(probe) = probe {
            exchange.attacked = probe.finish(&exchange, &mut |event| sink(Told::Event(event)));
        }
        sink(Told::Event(AppEvent::Http(exchange)));
    }
}

/// What is told of a request shows no password.
fn mask(request: &mut Request) {
    if let Some(masked) = secret::masked(&request.uri) {
        request.uri = masked;
    }
    mask_text(&mut request.referer);
}

fn mask_text(text: &mut Option<Text>) {
    if let Some(masked) = text.as_deref().and_then(secret::masked) {
        *text = Some(masked);
    }
}

fn is_interim(response: &Response) -> bool {
    (100..200).contains(&response.status) && response.status != SWITCHING_PROTOCOLS
}

/// A Host field's name, and its port if it has one (RFC 9110, 7.2).
pub(crate) fn without_port(host: &str) -> (&str, Option<u16>) {
    let whole = (host, None);
    let Some((name, port)) = host.rsplit_once(':') else { return whole };
    // An IPv6 address stands in brackets; a colon inside of them is none of a port.
    match port.parse() {
        Ok(port) if !name.contains(':') || name.ends_with(']') => (name, Some(port)),
        _ => whole,
    }
}
