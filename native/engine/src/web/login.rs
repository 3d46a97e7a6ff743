//! Logins by HTTP: Basic credentials (RFC 7617) and forms with a password in them. No password is kept.

use ahash::RandomState;
use app::Text;
use app::http::{decode, form, secret};
use app::{Login, MAX_USER_BYTES};

use super::rules::Place;
use crate::names::HttpExchange;

/// Names of the parameter that says who logs in; the first that is there counts.
const USER_NAMES: [&str; 22] = [
    "username",
    "user",
    "login",
    "email",
    "user_name",
    "userid",
    "user_id",
    "uname",
    "usr",
    "account",
    "mail",
    "log",
    "name",
    "j_username",
    "loginname",
    "login_name",
    "user_login",
    "uid",
    "phone",
    "mobile",
    "id",
    "nickname",
];
/// Where a redirection goes that turns a login down.
const TURNED_DOWN: [&str; 7] = ["login", "logon", "signin", "error", "fail", "denied", "invalid"];
/// What pages say that turn a login down, in small letters.
const FAILURES: [&str; 22] = [
    "type=\"password\"",
    "type='password'",
    "type=password",
    "incorrect",
    "invalid",
    "wrong password",
    "login failed",
    "failed to log",
    "authentication failed",
    "bad credentials",
    "access denied",
    "not recognized",
    "does not match",
    "\"success\":false",
    "\"success\": false",
    "\"error\"",
    "unauthorized",
    "\u{5bc6}\u{7801}\u{9519}\u{8bef}",
    "\u{7528}\u{6237}\u{540d}\u{6216}\u{5bc6}\u{7801}",
    "\u{767b}\u{5f55}\u{5931}\u{8d25}",
    "falsches passwort",
    "mot de passe incorrect",
];
/// What they say where it succeeds.
const SUCCESSES: [&str; 5] = ["\"success\":true", "\"success\": true", "access_token", "\"token\":\"", "logout"];

/// A login, with what its outcome is compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebLogin {
    /// Who, and how it went as far as the answer alone says.
    pub login: Login,
    /// Where: a hash of host and path.
    pub place: u64,
    /// How the server answered: a hash of status, target of the redirection, and about the length.
    pub answer: u64,
}

/// What a request says of who asks.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    basic: Option<Text>,
    user: Option<(usize, Text)>,
    passwords: usize,
}

impl Credentials {
    /// Takes the value of `Authorization`.
    pub(super) fn authorization(&mut self, value: &[u8]) {
        let Some(b"basic ") = value.get(..6).map(<[u8]>::to_ascii_lowercase).as_deref() else { return };
        let said = decode::base64(&value[6..]).unwrap_or_default();
        let colon = memchr::memchr(b':', &said).unwrap_or(0);
        self.basic = Some(app::text(&said[..colon], MAX_USER_BYTES));
    }

    /// Takes a parameter.
    pub(super) fn parameter(&mut self, place: Place, name: &[u8], value: &[u8], plus_is_space: bool) {
        if !matches!(place, Place::Body | Place::Query) || value.is_empty() {
            return;
        }
        let name = app::text(&decode::decoded(name, plus_is_space), MAX_USER_BYTES);
        if secret::is_secret(&name) {
            self.passwords += 1;
            return;
        }
        let lower = name.to_ascii_lowercase();
        let bare = lower.rsplit(['[', '.', '$', ':']).next().unwrap_or(&lower).trim_end_matches(']');
        let rank = USER_NAMES.iter().position(|known| *known == bare);
        if let Some(rank) = rank.filter(|rank| self.user.as_ref().is_none_or(|(best, _)| rank < best)) {
            self.user = Some((rank, app::text(&decode::decoded(value, plus_is_space), MAX_USER_BYTES)));
        }
    }

    /// Whether there are any: a form with several passwords changes one, and is no login.
    pub(super) fn are_there(&self) -> bool {
        self.basic.is_some() || self.by_form()
    }

    fn by_form(&self) -> bool {
        self.passwords == 1 && self.user.is_some()
    }

    /// The login, with what the answer's text says of it.
    pub(super) fn login(&self, exchange: &HttpExchange, text: &[u8]) -> Option<WebLogin> {
        let form = self.by_form();
        let (mechanism, user) = match (&self.basic, &self.user) {
            (_, Some((_, user))) if form => ("FORM", user),
            (Some(user), _) => ("BASIC", user),
            _ => return None,
        };
        let success = if form { form_verdict(exchange, text) } else { basic_verdict(exchange) };
        let (protocol, clear) = ("http", true);
        let login = Login { protocol, mechanism: mechanism.into(), user: user.clone(), success, clear };
        let request = exchange.request.as_ref();
        let place = request.map(|request| (request.host.as_deref(), form::target_text(&request.uri)));
        let response = exchange.response.as_ref().map(|response| (response.status, response.location.as_deref()));
        let hash = RandomState::with_seeds(1, 2, 3, 4);
        Some(WebLogin { login, place: hash.hash_one(place), answer: hash.hash_one((response, exchange.length / 64)) })
    }
}

fn basic_verdict(exchange: &HttpExchange) -> Option<bool> {
    match exchange.response.as_ref()?.status {
        401 => Some(false),
        200..=399 => Some(true),
        _ => None,
    }
}

fn form_verdict(exchange: &HttpExchange, text: &[u8]) -> Option<bool> {
    let response = exchange.response.as_ref()?;
    let says = |words: &[&str]| words.iter().any(|word| memchr::memmem::find(text, word.as_bytes()).is_some());
    match response.status {
        400 | 401 | 403 | 422 | 429 => Some(false),
        300..=399 => {
            let location = response.location.as_deref().unwrap_or_default().to_ascii_lowercase();
            let path = exchange.request.as_ref().map(|request| form::target_text(&request.uri)).unwrap_or_default();
            let back = form::target_text(&location) == path.to_ascii_lowercase();
            Some(!back && !TURNED_DOWN.iter().any(|word| location.contains(word)))
        }
        200 if says(&FAILURES) => Some(false),
        200 if response.sets_cookie || says(&SUCCESSES) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use app::http::{Request, Response};

    use super::*;

    fn exchange(status: u16, location: Option<&str>, sets_cookie: bool) -> HttpExchange {
        let request = Request { method: "POST".into(), uri: "/login.php".into(), ..Request::default() };
        let location = location.map(Into::into);
        let response = Response { status, location, sets_cookie, ..Response::default() };
        HttpExchange { request: Some(request), response: Some(response), ..HttpExchange::default() }
    }

    fn form_login(exchange: &HttpExchange, text: &str) -> Option<WebLogin> {
        let mut credentials = Credentials::default();
        credentials.parameter(Place::Body, b"user%5Bname%5D", b"anna%40x", true);
        credentials.parameter(Place::Body, b"password", b"geheim", true);
        credentials.login(exchange, text.as_bytes())
    }

    #[test]
    fn the_answer_says_whether_a_form_login_succeeded() {
        for (exchange, text, success) in [
            (exchange(302, Some("/home"), false), "", Some(true)),
            (exchange(302, Some("/login.php?e=1"), true), "", Some(false)),
            (exchange(303, Some("http://h/error"), false), "", Some(false)),
            (exchange(200, None, true), "<input type=\"password\">", Some(false)),
            (exchange(200, None, true), "welcome", Some(true)),
            (exchange(200, None, false), "{\"success\":false}", Some(false)),
            (exchange(200, None, false), "hm", None),
            (exchange(403, None, false), "", Some(false)),
            (exchange(500, None, false), "", None),
        ] {
            let login = form_login(&exchange, text).expect("a login").login;
            assert_eq!((login.success, &*login.user), (success, "anna@x"), "{text} {exchange:?}");
        }
    }

    #[test]
    fn basic_credentials_are_a_user_and_no_password() {
        let mut credentials = Credentials::default();
        credentials.authorization(b"Basic YWRtaW46Z2VoZWlt");
        let login = credentials.login(&exchange(401, None, false), b"").expect("a login").login;
        assert_eq!((&*login.mechanism, &*login.user, login.success), ("BASIC", "admin", Some(false)));
        assert!(!format!("{credentials:?}").contains("geheim"));
    }

    #[test]
    fn a_change_of_password_is_no_login() {
        let mut credentials = Credentials::default();
        credentials.parameter(Place::Body, b"user", b"a", true);
        credentials.parameter(Place::Body, b"password", b"b", true);
        credentials.parameter(Place::Body, b"password2", b"b", true);
        assert!(!credentials.are_there());
    }
}
