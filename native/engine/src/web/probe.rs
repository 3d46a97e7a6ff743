//! Goes along with one exchange and gathers what its request carries and its answer says.

use std::ops::Range;
use std::sync::Arc;

use app::Text;
use app::http::decode::{decoded, forms};
use app::http::{Request, Response, form, secret};

use super::answer::{Answer, Page};
use super::body::RequestBody;
use super::computed::computed;
use super::finding::WebFinding;
use super::login::Credentials;
use super::rules::{ENOUGH, Place, Rule, WebRules};
use crate::names::{AppEvent, HttpExchange};

/// Matches that are remembered of a request, and findings that are told of it.
const MAX_MATCHES: usize = 64;
const MAX_FINDINGS: usize = 4;
/// Bytes of an excerpt, and of them those before the match.
const EXCERPT_BYTES: usize = 200;
const BEFORE_BYTES: usize = 30;
const MAX_PATH_BYTES: usize = 512;
/// What the forms of most values need.
const USUAL_FORM_BYTES: usize = 256;
const MAX_NAME_BYTES: usize = 128;
/// Bytes of a match that is looked for in the answer; with fewer it may be there by itself.
const MAX_ECHO_BYTES: usize = 64;
const MIN_ECHO_BYTES: usize = 8;
/// Fields that carry nothing of an attacker's, or secrets.
const SKIPPED_FIELDS: [&[u8]; 16] = [
    b"accept",
    b"accept-encoding",
    b"accept-language",
    b"authorization",
    b"cache-control",
    b"connection",
    b"content-length",
    b"cookie",
    b"date",
    b"if-modified-since",
    b"if-none-match",
    b"pragma",
    b"proxy-authorization",
    b"transfer-encoding",
    b"upgrade-insecure-requests",
    b"expect",
];
/// What servers run.
const SCRIPTS: [&str; 14] = [
    ".php", ".php3", ".php5", ".php7", ".phtml", ".jsp", ".jspx", ".asp", ".aspx", ".ashx", ".asmx", ".cer", ".asa",
    ".cgi",
];

/// What a rule found.
#[derive(Debug)]
struct Match {
    label: Arc<super::rules::Label>,
    score: u8,
    place: Place,
    parameter: Text,
    excerpt: Text,
    /// What an answer would hold that gives the value back.
    echo: Vec<u8>,
    /// What it would hold of a statement that has run.
    computed: Vec<Vec<u8>>,
}

/// One exchange with a watched server. Keeps the request's body until that is over, then the head of the answer's where
/// it matters.
#[derive(Debug)]
pub struct Probe {
    rules: Arc<WebRules>,
    matches: Vec<Match>,
    body: Option<RequestBody>,
    answer: Option<Answer>,
    /// The target is a script that is given something.
    script: bool,
    credentials: Credentials,
    /// The name of what a PUT brings.
    put: Option<Vec<u8>>,
    /// Room for the forms of values, while there are any to look at.
    room: Vec<u8>,
}

impl Probe {
    /// Looks at a request's head; `fields` are its lines, their names in small letters, each ended by a line feed.
    pub fn new(rules: Arc<WebRules>, request: &Request, fields: &[u8]) -> Self {
        let (path, query) = form::target(request.uri.as_bytes());
        let given = !query.is_empty() || &*request.method == "POST";
        let put = (&*request.method == "PUT").then(|| form::last_part(path).to_vec());
        let mut probe = Self {
            rules,
            matches: Vec::new(),
            body: Some(RequestBody::new(request.content_type.as_deref())),
            answer: None,
            script: given && is_script(path),
            credentials: Credentials::default(),
            put,
            room: Vec::with_capacity(USUAL_FORM_BYTES),
        };
        probe.look(Place::Path, b"", path, false);
        form::pairs(query).for_each(|(name, value)| {
            probe.credentials.parameter(Place::Query, name, value, true);
            probe.look(Place::Query, name, value, true);
        });
        probe.look_at_fields(fields);
        probe.room = Vec::new();
        probe
    }

    /// The next bytes of the request's body.
    pub fn sent(&mut self, data: &[u8]) {
        if let Some(body) = &mut self.body {
            body.feed(data);
        }
    }

    /// The request is over: its body is looked at and let go of.
    pub fn sent_all(&mut self) {
        let Some(body) = self.body.take() else { return };
        if let Some(name) = self.put.take() {
            self.look(Place::UploadName, b"", &name, false);
            body.values(&mut |_, _, content| self.look(Place::UploadContent, &name, content, false));
            self.room = Vec::new();
            return;
        }
        let plus = body.has_plus_for_space();
        body.values(&mut |place, name, value| {
            self.credentials.parameter(place, name, value, plus);
            self.look(place, name, value, plus);
        });
        self.room = Vec::new();
    }

    /// The answer begins.
    pub fn answered(&mut self) {
        self.sent_all();
        if self.script || self.credentials.are_there() || !self.matches.is_empty() {
            self.answer = Some(Answer::default());
        }
    }

    /// The next bytes of the answer's body.
    pub fn received(&mut self, data: &[u8]) {
        if let Some(answer) = &mut self.answer {
            answer.feed(data);
        }
    }

    /// Bytes that are kept.
    pub fn held_bytes(&self) -> usize {
        self.body.as_ref().map_or(0, RequestBody::held_bytes) + self.answer.as_ref().map_or(0, Answer::held_bytes)
    }

    /// The exchange is over; what was found in it goes to `each`. Gives whether a rule speaks of it.
    pub fn finish(mut self, exchange: &HttpExchange, each: &mut dyn FnMut(AppEvent)) -> bool {
        self.sent_all();
        let known = self.answer.is_some() || !self.matches.is_empty() || self.credentials.are_there();
        let Some(request) = exchange.request.as_ref().filter(|_| known) else { return false };
        let answer = self.answer.take();
        let page = answer.map(|answer| answer.page(coding(exchange), exchange.length)).unwrap_or_default();
        let rules = Arc::clone(&self.rules);
        let mut said: Vec<&Rule> = Vec::new();
        rules.scan(Place::Response, &page.text, &mut |rule, _| said.push(rule));
        let login = self.credentials.login(exchange, &page.text);
        let logged_in = login.as_ref().is_some_and(|login| login.login.success == Some(true));
        let about = About { request, exchange, page: &page, said: &said, logged_in };
        if let Some(login) = login {
            each(AppEvent::WebLogin(Box::new(login)));
        }
        let mut told = 0;
        for found in self.strongest() {
            each(AppEvent::Web(Box::new(about.finding(found))));
            told += 1;
        }
        // A script that answers as only a webshell does needs no rule for what it was asked.
        if let (true, 0, Some(rule)) = (self.script, told, said.iter().find(|rule| rule.stands_alone())) {
            each(AppEvent::Web(Box::new(about.finding_by_answer(rule))));
            told += 1;
        }
        told > 0
    }

    fn look_at_fields(&mut self, fields: &[u8]) {
        for line in fields.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let Some(colon) = memchr::memchr(b':', line) else { continue };
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if name == b"authorization" {
                self.credentials.authorization(value);
            } else if name == b"cookie" {
                form::cookies(value).for_each(|(name, value)| self.look(Place::Cookie, name, value, false));
            } else if !SKIPPED_FIELDS.contains(&name) && !name.starts_with(b"sec-") {
                self.look(Place::Header, name, value, false);
            }
        }
    }

    fn look(&mut self, place: Place, name: &[u8], value: &[u8], plus_is_space: bool) {
        let between: &[u8] = match place {
            Place::Header => b": ",
            Place::Query | Place::Cookie | Place::Body if !name.is_empty() => b"=",
            _ => b"",
        };
        let name = decoded(name, plus_is_space);
        let prefix = if between.is_empty() { [&[][..]; 2] } else { [&name[..], between] };
        let Self { rules, matches, room, .. } = self;
        forms(room, prefix, value, plus_is_space, &mut |text| {
            rules.scan(place, text, &mut |rule, range| {
                let known = |found: &Match| found.label == rule.label && *found.parameter.as_bytes() == *name;
                if matches.len() < MAX_MATCHES && !matches.iter().any(known) {
                    matches.push(Match::new(rule, place, &name, (text, range)));
                }
            });
        });
    }

    /// By category, the parameters whose matches are worth enough; if none is alone, the best one of a category that is.
    fn strongest(&self) -> Vec<&Match> {
        let mut found: Vec<&Match> = Vec::new();
        for first in &self.matches {
            let of_category = || self.matches.iter().filter(|other| other.label.category == first.label.category);
            let same = |other: &&Match| other.parameter == first.parameter && other.place == first.place;
            let sum =
                |matches: &mut dyn Iterator<Item = &Match>| matches.fold(0u32, |sum, one| sum + u32::from(one.score));
            let enough = |sum: u32| sum >= u32::from(ENOUGH);
            let told = |one: &&&Match| one.label.category == first.label.category;
            let alone = enough(sum(&mut of_category().filter(same)));
            let together = !found.iter().any(|one| told(&one)) && enough(sum(&mut of_category()));
            let again = found.iter().filter(told).any(same);
            if found.len() < MAX_FINDINGS && !again && (alone || together) {
                let best = of_category().filter(|one| !alone || same(one)).max_by_key(|one| one.score);
                found.push(best.unwrap_or(first));
            }
        }
        found
    }
}

fn is_script(path: &[u8]) -> bool {
    let path = app::text(&decoded(path, false), MAX_PATH_BYTES).to_ascii_lowercase();
    SCRIPTS.iter().any(|script| path.contains(script))
}

fn coding(exchange: &HttpExchange) -> Option<&str> {
    exchange.response.as_ref().and_then(|response| response.encoding.as_deref())
}

impl Match {
    fn new(rule: &Rule, place: Place, name: &[u8], (text, range): (&[u8], Range<usize>)) -> Self {
        let parameter = app::text(name, MAX_NAME_BYTES);
        let start = range.start.saturating_sub(BEFORE_BYTES);
        let end = text.len().min(start + EXCERPT_BYTES);
        let excerpt = if secret::is_secret(&parameter) {
            secret::MASK.into()
        } else {
            let whole = app::text(&text[start..end], EXCERPT_BYTES);
            secret::masked(&whole).unwrap_or(whole)
        };
        let echo = text[range.start..range.end.min(range.start + MAX_ECHO_BYTES)].to_vec();
        let computed = if rule.label.category == "web.sqli" { computed(text) } else { Vec::new() };
        Self { label: Arc::clone(&rule.label), score: rule.score, place, parameter, excerpt, echo, computed }
    }
}

/// An exchange that is over, for its findings.
struct About<'a> {
    request: &'a Request,
    exchange: &'a HttpExchange,
    page: &'a Page,
    said: &'a [&'a Rule],
    logged_in: bool,
}

impl About<'_> {
    fn finding(&self, found: &Match) -> WebFinding {
        let (evidence, succeeded) = self.evidence(found);
        WebFinding {
            label: Arc::clone(&found.label),
            place: found.place,
            parameter: found.parameter.clone(),
            excerpt: found.excerpt.clone(),
            evidence,
            succeeded,
            ..self.blank(&found.label)
        }
    }

    fn finding_by_answer(&self, rule: &Rule) -> WebFinding {
        WebFinding { evidence: rule.label.weakness.as_str().into(), succeeded: rule.proves, ..self.blank(&rule.label) }
    }

    fn blank(&self, label: &Arc<super::rules::Label>) -> WebFinding {
        let path = app::text(form::target(self.request.uri.as_bytes()).0, MAX_PATH_BYTES);
        WebFinding {
            label: Arc::clone(label),
            place: Place::Response,
            parameter: Text::default(),
            excerpt: Text::default(),
            method: self.request.method.clone(),
            host: self.request.host.clone().unwrap_or_default(),
            path: secret::masked(&path).unwrap_or(path),
            user_agent: self.request.user_agent.clone().unwrap_or_default(),
            status: self.exchange.response.as_ref().map_or(0, |response| response.status),
            length: self.exchange.length,
            page_bytes: self.page.bytes,
            delay_ns: self.exchange.delay_ns,
            usual_ns: None,
            evidence: Text::default(),
            succeeded: false,
            count: 1,
        }
    }

    /// What the answer says of a match, and whether that proves it.
    fn evidence(&self, found: &Match) -> (Text, bool) {
        let category = &found.label.category;
        let of_it = || self.said.iter().filter(|rule| rule.speaks_of(category));
        if let Some(rule) = of_it().find(|rule| rule.proves) {
            return (rule.label.weakness.as_str().into(), true);
        }
        if found.computed.iter().any(|text| memchr::memmem::find(&self.page.text, text).is_some()) {
            return ("the answer holds what only the database makes of the statement".into(), true);
        }
        if let Some(rule) = of_it().next() {
            return (rule.label.weakness.as_str().into(), false);
        }
        let given = matches!(found.place, Place::Body | Place::Query);
        if self.logged_in && category == "web.sqli" && given {
            return ("the login succeeded".into(), true);
        }
        let response = self.exchange.response.as_ref();
        if category == "web.xss" && self.gives_back(found, response) {
            return ("the script comes back in the page".into(), true);
        }
        let taken = response.is_some_and(|response| matches!(response.status, 200 | 201 | 204));
        if &*self.request.method == "PUT" && found.place >= Place::UploadName && taken {
            return ("the server took the file".into(), true);
        }
        (Text::default(), false)
    }

    /// Whether the page holds the script as it was sent.
    fn gives_back(&self, found: &Match, response: Option<&Response>) -> bool {
        let page = response.and_then(|response| response.content_type.as_deref());
        let html = page.is_none_or(|kind| kind.to_ascii_lowercase().contains("html"));
        html && found.echo.len() >= MIN_ECHO_BYTES && memchr::memmem::find(&self.page.text, &found.echo).is_some()
    }
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
