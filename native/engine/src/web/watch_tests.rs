use std::net::Ipv4Addr;

use app::http::{Request, Response};
use wire::Address;

use super::*;
use crate::testing::START;

fn watch() -> WebWatch {
    let everywhere = Networks::new(&[(Ipv4Addr::UNSPECIFIED.into(), 0)]);
    let config =
        WebConfig { servers: everywhere, rules: Vec::new(), scanner_paths: 3, scanner_ratio: 0.5, scanner_attacks: 2 };
    WebWatch::new(config)
}

fn record(event: AppEvent) -> AppRecord {
    AppRecord::sample(START, Address::v4([198, 51, 100, 7]), event)
}

fn asked(path: &str, status: u16) -> AppRecord {
    let request = Request { uri: path.into(), ..Request::default() };
    let response = Response { status, ..Response::default() };
    let exchange = HttpExchange { request: Some(request), response: Some(response), ..HttpExchange::default() };
    record(AppEvent::Http(Box::new(exchange)))
}

fn attack(path: &str, succeeded: bool) -> AppRecord {
    let label = Label { name: "r".into(), category: "web.sqli".into(), weakness: "w".into(), severity: 1 };
    let source = Source::default();
    let finding = source.finding(&Arc::new(label), false, &asked(path, 200));
    record(AppEvent::Web(Box::new(WebFinding { succeeded, ..finding })))
}

fn categories(watch: &mut WebWatch, second: u64, mut events: Vec<AppRecord>) -> Vec<String> {
    watch.take(second, &mut events).into_iter().map(|told| told.finding.label.name.clone()).collect()
}

#[test]
fn a_finding_tells_how_long_ordinary_requests_of_its_path_wait() {
    let mut watch = watch();
    let ordinary = |path, delay_ns| {
        let mut record = asked(path, 200);
        if let AppEvent::Http(exchange) = &mut record.event {
            exchange.delay_ns = Some(delay_ns);
        }
        record
    };
    let usual = |watch: &mut WebWatch, second, mut events: Vec<AppRecord>| {
        let told = watch.take(second, &mut events);
        told.iter().map(|told| told.finding.usual_ns).collect::<Vec<_>>()
    };
    assert_eq!(usual(&mut watch, 1, vec![attack("/a", false), ordinary("/a?b=1", 7)]), [None]);
    assert_eq!(usual(&mut watch, 2, vec![attack("/a", false)]), [Some(7)]);
}

#[test]
fn many_missing_paths_are_a_scan() {
    let mut watch = watch();
    assert!(categories(&mut watch, 1, vec![asked("/a?x", 404), asked("/b", 404), asked("/a?y", 404)]).is_empty());
    assert_eq!(categories(&mut watch, 2, vec![asked("/c", 403)]), ["scan-paths"]);
    assert!(categories(&mut watch, 3, vec![asked("/d", 404)]).is_empty(), "not told again at once");
    assert_eq!(categories(&mut watch, 62, vec![asked("/e", 404)]), ["scan-paths"]);
}

#[test]
fn who_mostly_finds_what_he_asks_for_does_not_scan() {
    let mut watch = watch();
    let found = (0..10).map(|number| asked(&format!("/{number}"), 200));
    let missing = ["/a", "/b", "/c", "/d"].map(|path| asked(path, 404));
    assert!(categories(&mut watch, 1, found.chain(missing).collect()).is_empty());
}

#[test]
fn missing_paths_are_forgotten_after_ten_minutes() {
    let mut watch = watch();
    categories(&mut watch, 1, vec![asked("/a", 404), asked("/b", 404)]);
    assert!(categories(&mut watch, 601, vec![asked("/c", 404)]).is_empty());
}

#[test]
fn attacks_on_many_places_are_a_scan() {
    let mut watch = watch();
    assert_eq!(categories(&mut watch, 1, vec![attack("/a", false), attack("/a", false)]), ["r", "r"]);
    assert_eq!(categories(&mut watch, 2, vec![attack("/b", false)]), ["scan-attacks", "r"]);
}

#[test]
fn a_flood_of_attacks_is_counted_in_the_last_that_is_told() {
    let mut watch = watch();
    let mut events: Vec<_> = (0..100).map(|_| attack("/a", false)).chain([attack("/a", true)]).collect();
    let told = watch.take(1, &mut events);
    assert_eq!(told.len(), MAX_TOLD + 1);
    assert_eq!(told.iter().map(|told| told.finding.count).sum::<u32>(), 101);
    assert!(told[MAX_TOLD].finding.succeeded, "a success is told all the same");
    assert!(events.is_empty());
}

fn login(success: Option<bool>, answer: u64, mechanism: &str) -> AppRecord {
    let login = Login { protocol: "http", mechanism: mechanism.into(), user: "a".into(), success, clear: true };
    record(AppEvent::WebLogin(Box::new(WebLogin { login, place: 1, answer })))
}

fn outcomes(watch: &mut WebWatch, second: u64, mut events: Vec<AppRecord>) -> Vec<Option<bool>> {
    watch.take(second, &mut events);
    let outcome = |record: &AppRecord| match &record.event {
        AppEvent::Login(login) => login.success,
        other => panic!("{other:?}"),
    };
    events.iter().map(outcome).collect()
}

#[test]
fn another_answer_than_the_usual_one_is_success() {
    let mut watch = watch();
    let same = (0..3).map(|_| login(None, 1, "FORM")).collect();
    assert_eq!(outcomes(&mut watch, 1, same), [None, None, Some(false)]);
    assert_eq!(outcomes(&mut watch, 2, vec![login(None, 2, "FORM")]), [Some(true)]);
    assert_eq!(outcomes(&mut watch, 3, vec![login(None, 1, "FORM")]), [Some(false)]);
}

#[test]
fn basic_credentials_that_hold_are_told_once_in_ten_minutes() {
    let mut watch = watch();
    let twice = || vec![login(Some(true), 1, "BASIC"), login(Some(true), 1, "BASIC")];
    assert_eq!(outcomes(&mut watch, 1, twice()), [Some(true)]);
    assert_eq!(outcomes(&mut watch, 2, twice()), []);
    assert_eq!(outcomes(&mut watch, 601, twice()), [Some(true)]);
    assert_eq!(outcomes(&mut watch, 602, vec![login(Some(false), 1, "BASIC")]), [Some(false)]);
}

#[test]
fn sources_are_bounded() {
    let mut watch = watch();
    for number in 0..MAX_SOURCES as u32 + 10 {
        let mut event = asked("/a", 404);
        event.tuple.orig.address = Address::v4(number.to_be_bytes());
        watch.take(u64::from(number), &mut vec![event]);
    }
    assert!(watch.sources.len() <= MAX_SOURCES && watch.evicted() > 0);
}
