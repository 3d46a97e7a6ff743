use std::sync::Arc;

use app::http::Request;
use app::mail::{Link, LinkSource, SmtpMail};

use super::*;
use crate::names::HttpExchange;
use crate::testing::{PC, SECOND, START};

const OUTSIDE: [u8; 4] = [101, 36, 79, 67];
const MAIL_SERVER: [u8; 4] = [172, 16, 60, 247];
const RESOLVER: [u8; 4] = [172, 16, 60, 53];

fn watch() -> ClickWatch {
    ClickWatch::new(Networks::default())
}

/// A mail from outside with one link, `after` seconds after the start.
fn mail(after: u64, url: &str) -> AppRecord {
    let link = Link { url: url.into(), shown: "".into(), source: LinkSource::Text };
    let message = Message { urls: vec![link], ..Message::default() };
    let smtp = SmtpMail { message: Some(message), ..SmtpMail::default() };
    let mut record = AppRecord::sample(START + after * SECOND, Address::v4(OUTSIDE), AppEvent::Smtp(Arc::new(smtp)));
    record.internal = [false, true];
    record.tuple.resp.address = Address::v4(MAIL_SERVER);
    record
}

fn request(after: u64, client: Address, host: &str, uri: &str) -> AppRecord {
    let request = Request { host: Some(host.into()), uri: uri.into(), ..Request::default() };
    let exchange = HttpExchange { request: Some(request), ..HttpExchange::default() };
    AppRecord::sample(START + after * SECOND, client, AppEvent::Http(Box::new(exchange)))
}

fn question(after: u64, client: Address, name: &str) -> AppRecord {
    let question = app::dns::Question { name: name.into(), kind: 1 };
    let message = app::dns::Message {
        id: 1,
        response: false,
        opcode: 0,
        rcode: 0,
        flags: 0,
        questions: vec![question],
        answers: Vec::new(),
        authority_count: 0,
        additional_count: 0,
        complete: true,
    };
    let mut record = AppRecord::sample(START + after * SECOND, client, AppEvent::Dns(Box::new(message)));
    record.internal = [true, true];
    record.tuple.resp.address = Address::v4(RESOLVER);
    record
}

fn pc() -> Address {
    Address::v4(PC.0)
}

#[test]
fn whoever_asks_for_the_host_of_a_link_is_told() {
    let clicks = watch().take(&[
        mail(0, "http://User@LURE.example:8080/a?b#c"),
        question(1, pc(), "Lure.Example."),
        request(2, pc(), "lure.example:8080", "/a?b"),
        request(3, Address::v4([10, 20, 3, 45]), "lure.example", "/other"),
    ]);
    let told: Vec<_> = clicks.iter().map(|click| (click.record.event.kind(), &*click.host, click.exact)).collect();
    assert_eq!(told, [("dns", "lure.example", false), ("http", "lure.example", true), ("http", "lure.example", false)]);
    assert!(clicks.iter().all(|click| !click.visited_before && click.mail_ns == START));
}

#[test]
fn a_long_name_is_one_name_however_it_is_written_and_to_its_last_letter() {
    let name = format!("{}.{}.example", "a".repeat(60), "b".repeat(60));
    let other = name.replace(".example", ".exampld");
    let mail = mail(0, &format!("https://{name}/"));
    let clicks = watch().take(&[mail, question(1, pc(), &name.to_uppercase()), question(2, pc(), &other)]);
    assert_eq!(clicks.iter().map(|click| &*click.host).collect::<Vec<_>>(), [name]);
}

#[test]
fn what_was_asked_for_before_the_mail_is_no_click_and_known_afterwards() {
    let mut watch = watch();
    assert!(watch.take(&[question(0, pc(), "popular.example"), mail(1, "https://popular.example/x")]).is_empty());
    let clicks = watch.take(&[question(2, pc(), "popular.example")]);
    assert_eq!(clicks.len(), 1);
    assert!(clicks[0].visited_before);
}

#[test]
fn the_same_is_told_again_after_ten_minutes() {
    let mut watch = watch();
    watch.take(&[mail(0, "http://lure.example/")]);
    let times = [1, 2, 600, 601, 700].map(|after| watch.take(&[question(after, pc(), "lure.example")]).len());
    assert_eq!(times, [1, 0, 0, 1, 0]);
}

#[test]
fn resolvers_and_mail_servers_follow_no_link() {
    let mut watch = watch();
    watch.take(&[mail(0, "http://lure.example/"), question(1, pc(), "other.example")]);
    assert!(watch.take(&[question(2, Address::v4(RESOLVER), "lure.example")]).is_empty());
    assert!(watch.take(&[request(3, Address::v4(MAIL_SERVER), "lure.example", "/")]).is_empty());
    let configured = Networks::new(&[([10, 20, 3, 0].into(), 24)]);
    let mut configured = ClickWatch::new(configured);
    assert!(configured.take(&[mail(0, "http://lure.example/"), question(1, pc(), "lure.example")]).is_empty());
}

#[test]
fn somebody_outside_is_of_no_interest() {
    let mut outside = request(1, Address::v4(OUTSIDE), "lure.example", "/");
    outside.internal = [false, true];
    assert!(watch().take(&[mail(0, "http://lure.example/"), outside]).is_empty());
}

#[test]
fn a_link_is_forgotten_a_week_after_its_last_mail() {
    const DAY: u64 = 24 * 3600;
    let mut watch = watch();
    watch.take(&[mail(0, "http://lure.example/"), mail(DAY, "http://lure.example/")]);
    assert_eq!(watch.take(&[question(8 * DAY - 1, pc(), "lure.example")]).len(), 1);
    assert!(watch.take(&[question(8 * DAY, pc(), "lure.example")]).is_empty());
}

#[test]
fn a_flood_of_links_pushes_out_the_oldest_and_is_counted() {
    let mut watch = watch();
    watch.take(&[mail(0, "http://first.example/")]);
    for number in 0..3 * MAX_HOSTS {
        watch.take(&[mail(1, &format!("http://x{number}.example/")), mail(1, "http://often.example/")]);
        assert!(watch.young.len() + watch.old.len() <= 2 * MAX_HOSTS + 1);
    }
    assert_eq!(watch.take(&[question(2, pc(), "often.example")]).len(), 1, "what is held again stays");
    assert!(watch.take(&[question(2, pc(), "first.example")]).is_empty());
    assert!(watch.forgotten() > 0);
}

#[test]
fn a_flood_of_names_and_of_machines_is_bounded() {
    let mut watch = watch();
    for number in 0..3 * MAX_VISITED {
        watch.remember(watch.digest_name(&format!("x{number}.example")));
    }
    assert!(watch.visited.iter().all(|names| names.len() <= MAX_VISITED));
    watch.take(&[mail(0, "http://lure.example/")]);
    let told = (0..400u16).map(|number| Address::v4([10, 0, (number >> 8) as u8, number as u8]));
    let clicks: usize = told.map(|client| watch.take(&[question(1, client, "lure.example")]).len()).sum();
    assert_eq!((clicks, watch.forgotten()), (MAX_TOLD, 400 - MAX_TOLD as u64));
}
