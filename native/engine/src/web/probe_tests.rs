use std::sync::Arc;

use super::*;
use crate::names::inspect;
use crate::web::rules::tests::rules;

const RULES: &str = r#"[
    {"name": "u", "category": "web.sqli", "weakness": "union", "where": ["query", "body", "cookie", "header"],
     "words": ["union"], "pattern": "union select"},
    {"name": "x", "category": "web.xss", "weakness": "script", "where": ["query", "path"], "pattern": "<script>\\w+"},
    {"name": "half", "category": "web.xss", "weakness": "half", "where": ["query"], "score": 3, "pattern": "half"},
    {"name": "other", "category": "web.xss", "weakness": "half", "where": ["query"], "score": 3, "pattern": "other"},
    {"name": "p", "category": "web.webshell", "weakness": "upload", "where": ["upload-content"], "pattern": "<\\?php"},
    {"name": "n", "category": "web.webshell", "weakness": "name", "where": ["upload-name"], "pattern": "\\.php$"},
    {"name": "e", "category": "web.sqli", "weakness": "error shown", "where": ["response"], "proves": false,
     "pattern": "sql syntax"},
    {"name": "s", "category": "web.webshell", "weakness": "shell answers", "where": ["response"], "pattern": "->\\|"}]"#;

fn found(request: &str, response: &str) -> Vec<WebFinding> {
    inspect(Arc::new(rules(RULES).expect("rules")), request.as_bytes(), response.as_bytes())
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: curl\r\n\r\n")
}

fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn post(content_type: &str, body: &str) -> String {
    format!(
        "POST /a HTTP/1.1\r\nHost: h\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn a_finding_says_where_and_how_it_was_answered() {
    let all = found(&get("/i.php?b=2&id=1%20UNION/**/SELECT+2"), &answer(500, "no"));
    let [finding] = &all[..] else { panic!("{all:?}") };
    assert_eq!((&*finding.label.name, finding.place, &*finding.parameter), ("u", Place::Query, "id"));
    assert_eq!((&*finding.host, &*finding.path, &*finding.method), ("shop.example", "/i.php", "GET"));
    assert_eq!((finding.status, finding.length, finding.succeeded), (500, 2, false));
    assert_eq!(&*finding.excerpt, "id=1 union select 2");
}

#[test]
fn every_place_is_looked_at() {
    for request in [
        get("/?a=union+select"),
        "GET / HTTP/1.1\r\nHost: h\r\nCookie: a=1; b=union%20select\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: union select\r\n\r\n".to_owned(),
        post("application/x-www-form-urlencoded", "a=1&b=union+select"),
        post("application/json", "{\"a\": [1, \"union select\"]}"),
        post("text/xml", "<a>union select</a>"),
        post(
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nunion select\r\n--b--",
        ),
    ] {
        assert_eq!(found(&request, "").len(), 1, "{request}");
    }
    assert!(found("GET / HTTP/1.1\r\nHost: h\r\nAccept: union select\r\n\r\n", "").is_empty());
}

#[test]
fn an_upload_is_its_name_and_its_content() {
    let body = "--b\r\nContent-Disposition: form-data; name=f; filename=a.png\r\n\r\n<?php\r\n--b--";
    let all = found(&post("multipart/form-data; boundary=b", body), "");
    assert_eq!((all[0].place, &*all[0].parameter), (Place::UploadContent, "a.png"));
    let put = "PUT /up/x.php HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n<?php";
    let all = found(put, &answer(201, ""));
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|finding| finding.succeeded && &*finding.evidence == "the server took the file"));
    assert!(!found(put, &answer(403, ""))[0].succeeded);
}

#[test]
fn the_answer_tells_whether_it_succeeded() {
    let script = get("/?q=%3Cscript%3Ealert1");
    assert!(found(&script, &answer(200, "you asked for <SCRIPT>alert1</script>"))[0].succeeded);
    assert!(!found(&script, &answer(200, "you asked for &lt;script&gt;alert1"))[0].succeeded);
    let sql = &found(&get("/?q=union+select"), &answer(200, "error in your SQL  syntax"))[0];
    assert_eq!((&*sql.evidence, sql.succeeded), ("error shown", false));
    assert!(found(&get("/?q=1"), &answer(200, "sql syntax")).is_empty(), "an answer alone is no attack");
    let shell = &found(&get("/s.php?q=1"), &answer(200, "->|x"))[0];
    assert_eq!((&*shell.label.name, shell.place, shell.succeeded), ("s", Place::Response, true));
}

#[test]
fn weak_matches_must_come_together() {
    assert!(found(&get("/?a=half"), "").is_empty());
    assert_eq!(found(&get("/?a=half&b=other"), "").len(), 1);
    assert_eq!(found(&get("/?a=half+other&b=%3Cscript%3Ex"), "").len(), 2, "each parameter that is enough by itself");
}

#[test]
fn a_login_that_injection_opened_has_succeeded() {
    let request = post("application/x-www-form-urlencoded", "user=union+select&password=x");
    let response = "HTTP/1.1 302 X\r\nLocation: /home\r\nSet-Cookie: s=1\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(&*found(&request, response)[0].evidence, "the login succeeded");
}

#[test]
fn passwords_are_in_no_finding() {
    let request = post("application/x-www-form-urlencoded", "user=a&password=geheim+union+select");
    let nested = get("/?u=http://a/?pwd=geheim&x=union+select+pwd%3Dgeheim");
    for all in [found(&request, ""), found(&nested, "")] {
        assert_eq!(all.len(), 1);
        assert!(!format!("{all:?}").contains("geheim"), "{all:?}");
    }
}

#[test]
fn a_flood_of_parameters_is_bounded() {
    let target = format!("/?{}", "a=union+select&".repeat(250));
    assert_eq!(found(&get(&target), "").len(), 1);
    let names: String = (0..200).map(|number| format!("a{number}=union+select&")).collect();
    assert_eq!(found(&get(&format!("/?{names}")), "").len(), MAX_FINDINGS);
}

#[test]
fn a_statement_has_run_where_the_answer_holds_what_it_makes() {
    let request = get("/i.php?id=1+union+select+concat(0x716B7A7171,user())");
    let [ran] = &found(&request, &answer(200, "<td>QKZQQroot@localhost</td>"))[..] else { panic!() };
    assert!(ran.succeeded && ran.evidence.contains("database"), "{ran:?}");
    let [echoed] = &found(&request, &answer(200, "no result for concat(0x716B7A7171,user())"))[..] else { panic!() };
    assert!(!echoed.succeeded, "{echoed:?}");
    let [shown] = &found(&request, &answer(500, "SQL syntax: duplicate entry qkzqqroot"))[..] else { panic!() };
    assert!(shown.succeeded, "an error that shows data has run, too: {shown:?}");
}
