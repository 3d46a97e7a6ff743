//! The first byte says how the request is cut; the rest is a request and, behind a zero byte, its answer. Whatever they
//! are, what is told is bounded and shows no password.
#![no_main]

use std::sync::{Arc, LazyLock};

use app::http::{decode, form, multipart, secret};
use engine::names::inspect;
use engine::web::WebRules;
use libfuzzer_sys::fuzz_target;

static RULES: LazyLock<Arc<WebRules>> = LazyLock::new(|| {
    let rule = |name: &str, place: &str, pattern: &str| {
        format!(
            r#"{{"name": "{name}", "category": "web.xss", "weakness": "w", "where": ["{place}"], "pattern": "{pattern}"}}"#
        )
    };
    let places = ["path", "query", "header", "cookie", "body", "upload-name", "upload-content", "response"];
    let rules: Vec<_> = places.iter().map(|place| rule(place, place, "[<'(]")).collect();
    let configs = serde_json::from_str(&format!("[{}]", rules.join(","))).expect("JSON");
    Arc::new(WebRules::compile(configs).expect("sound rules"))
});

fuzz_target!(|data: &[u8]| {
    decode::forms(&mut Vec::new(), [b"a", b"="], data, true, &mut |text| assert!(text.len() <= data.len() + 2));
    form::json_strings(data, &mut |name, value| assert!(name.len() + value.len() <= data.len() * 2));
    assert!(form::pairs(data).count() <= form::MAX_PAIRS);
    if let Some(mut parts) = multipart::Multipart::of("multipart/form-data; boundary=b") {
        data.chunks(7).for_each(|slice| parts.feed(slice, &mut |_| ()));
        assert!(parts.held_bytes() < 8192);
    }
    let text = String::from_utf8_lossy(data);
    if let Some(masked) = secret::masked(&text) {
        assert!(secret::masked(&masked).is_none_or(|again| again.len() <= masked.len()));
    }
    let (request, response) = data.split_at(data.iter().position(|byte| *byte == 0).unwrap_or(data.len()));
    for finding in inspect(Arc::clone(&RULES), request, response) {
        assert!(finding.excerpt.len() <= 3 * 200 + 3 && finding.path.len() <= 3 * 512);
    }
});
