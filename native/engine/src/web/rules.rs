//! Rules of web attacks, compiled.

use std::ops::Range;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;
use thiserror::Error;

/// Rules in all.
const MAX_RULES: usize = 1024;
/// Size of a compiled pattern, in bytes.
const MAX_PATTERN_SIZE: usize = 512 * 1024;
/// The sum of scores that makes a finding.
pub const ENOUGH: u8 = 5;

/// Where in an exchange a rule looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Place {
    /// The target's path.
    Path,
    /// A parameter of the query, as `name=value`.
    Query,
    /// A field of the head, as `name: value`.
    Header,
    /// A cookie, as `name=value`.
    Cookie,
    /// A parameter of the body, as `name=value`; a body that has none is one of its own.
    Body,
    /// The name of a file that is uploaded.
    UploadName,
    /// The head of a file that is uploaded.
    UploadContent,
    /// The head of the answer's body.
    Response,
}

impl Place {
    /// The word of rules and rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Body => "body",
            Self::UploadName => "upload-name",
            Self::UploadContent => "upload-content",
            Self::Response => "response",
        }
    }
}

/// A rule as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleConfig {
    /// Its own name.
    pub name: String,
    /// The alert that it raises, as `web.sqli`.
    pub category: String,
    /// What is attacked, for people.
    pub weakness: String,
    /// Where it looks.
    pub r#where: Vec<Place>,
    /// A match has one of these in it, in any case of letters; none: the pattern is always tried.
    #[serde(default)]
    pub words: Vec<String>,
    /// What matches, in any case of letters, of the decoded value.
    pub pattern: String,
    /// What a match is worth; 5 in a request make a finding.
    #[serde(default = "enough")]
    pub score: u8,
    /// 1 (high) to 4 (info).
    #[serde(default = "high")]
    pub severity: u8,
    /// In answers: whether the attack has succeeded where this shows, rather than merely been noticed.
    #[serde(default = "yes")]
    pub proves: bool,
    /// In answers: of which other categories it speaks as well.
    #[serde(default)]
    pub also: Vec<String>,
}

fn enough() -> u8 {
    ENOUGH
}

fn high() -> u8 {
    1
}

fn yes() -> bool {
    true
}

/// Why a rule cannot be used.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("{reason}")]
pub struct RuleError {
    /// The rule's place in the list.
    pub index: usize,
    /// For people.
    pub reason: String,
}

/// What a finding says of its rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// The rule's own name.
    pub name: String,
    /// The alert.
    pub category: String,
    /// What is attacked.
    pub weakness: String,
    /// 1 (high) to 4 (info).
    pub severity: u8,
}

/// A rule that can be asked.
#[derive(Debug)]
pub struct Rule {
    /// What findings say.
    pub label: Arc<Label>,
    /// What a match is worth.
    pub score: u8,
    /// As [`RuleConfig::proves`].
    pub proves: bool,
    also: Vec<String>,
    places: u16,
    pattern: Regex,
}

impl Rule {
    fn looks_at(&self, place: Place) -> bool {
        self.places & (1 << place as u16) != 0
    }

    /// Whether an answer that matches tells of a webshell whatever was asked.
    pub fn stands_alone(&self) -> bool {
        self.label.category == "web.webshell" && self.proves
    }

    /// Whether it speaks of attacks of this category.
    pub fn speaks_of(&self, category: &str) -> bool {
        self.label.category == category || self.also.iter().any(|other| other == category)
    }
}

/// All rules. One pass over a value finds the words in it; only the patterns of rules with such a word are tried.
#[derive(Debug)]
pub struct WebRules {
    rules: Vec<Rule>,
    words: AhoCorasick,
    /// By word, its rule.
    owners: Vec<usize>,
    /// Rules without words.
    always: Vec<usize>,
}

impl WebRules {
    /// Compiles rules.
    ///
    /// # Errors
    /// The first rule that cannot be used, and why.
    pub fn compile(configs: Vec<RuleConfig>) -> Result<Self, RuleError> {
        let wrong = |index, reason| RuleError { index, reason };
        if configs.len() > MAX_RULES {
            return Err(wrong(MAX_RULES, format!("there are more than {MAX_RULES} rules")));
        }
        let (mut rules, mut words, mut owners, mut always) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (index, config) in configs.into_iter().enumerate() {
            if config.words.is_empty() {
                always.push(index);
            }
            owners.extend(config.words.iter().map(|_| index));
            words.extend(config.words.iter().cloned());
            rules.push(compile(config).map_err(|reason| wrong(index, reason))?);
        }
        let words = AhoCorasick::builder().ascii_case_insensitive(true).build(words);
        let words = words.map_err(|error| wrong(0, format!("the words of all rules together: {error}")))?;
        Ok(Self { rules, words, owners, always })
    }

    /// Gives each rule that matches `text` in `place`, and where.
    pub fn scan<'r>(&'r self, place: Place, text: &[u8], each: &mut dyn FnMut(&'r Rule, Range<usize>)) {
        let mut tried = [0u64; MAX_RULES / 64];
        let with_words = self.words.find_overlapping_iter(text).map(|found| self.owners[found.pattern().as_usize()]);
        for index in self.always.iter().copied().chain(with_words) {
            let (word, bit) = (index / 64, 1 << (index % 64));
            if tried[word] & bit != 0 {
                continue;
            }
            tried[word] |= bit;
            let rule = &self.rules[index];
            if !rule.looks_at(place) {
                continue;
            }
            if let Some(found) = rule.pattern.find(text) {
                each(rule, found.range());
            }
        }
    }
}

fn compile(config: RuleConfig) -> Result<Rule, String> {
    if let Some(word) = config.words.iter().find(|word| word.is_empty()) {
        return Err(format!("a word is empty: '{word}'"));
    }
    if config.r#where.is_empty() {
        return Err("it looks nowhere".into());
    }
    let pattern = RegexBuilder::new(&config.pattern)
        .case_insensitive(true)
        .unicode(false)
        .dot_matches_new_line(true)
        .size_limit(MAX_PATTERN_SIZE)
        .build()
        .map_err(|error| format!("pattern: {}", last_line(&error.to_string())))?;
    Ok(Rule {
        label: Arc::new(Label {
            name: config.name,
            category: config.category,
            weakness: config.weakness,
            severity: config.severity,
        }),
        score: config.score,
        proves: config.proves,
        also: config.also,
        places: config.r#where.iter().fold(0, |places, place| places | 1 << *place as u16),
        pattern,
    })
}

/// Errors of patterns draw a picture above their reason.
fn last_line(text: &str) -> &str {
    text.trim().rsplit('\n').next().unwrap_or(text).trim_start_matches("error: ")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn rules(json: &str) -> Result<WebRules, RuleError> {
        WebRules::compile(serde_json::from_str(json).expect("rules"))
    }

    fn names(rules: &WebRules, place: Place, text: &str) -> Vec<(String, Range<usize>)> {
        let mut found = Vec::new();
        rules.scan(place, text.as_bytes(), &mut |rule, range| found.push((rule.label.name.clone(), range)));
        found
    }

    #[test]
    fn a_rule_matches_where_it_looks_if_its_words_are_there() {
        let rules = rules(
            r#"[{"name": "a", "category": "web.sqli", "weakness": "w", "where": ["query"], "words": ["union", "all"],
                 "pattern": "union( all)? select"},
                {"name": "b", "category": "web.xss", "weakness": "w", "where": ["path", "query"], "pattern": "<b"}]"#,
        )
        .expect("sound rules");
        assert_eq!(names(&rules, Place::Query, "1 UNION ALL select"), [("a".to_owned(), 2..18)]);
        assert_eq!(names(&rules, Place::Path, "1 union all select <b"), [("b".to_owned(), 19..21)]);
        assert!(names(&rules, Place::Query, "union of all").is_empty());
    }

    #[test]
    fn a_wrong_rule_is_named() {
        let rule = |rest: &str| format!(r#"{{"name": "a", "category": "c", "weakness": "w", {rest}}}"#);
        let good = rule(r#""where": ["path"], "pattern": "a""#);
        for (bad, reason) in [
            (r#""where": ["path"], "pattern": "(""#, "unclosed group"),
            (r#""where": ["path"], "pattern": "(a{1000}){1000}""#, "size"),
            (r#""where": [], "pattern": "a""#, "nowhere"),
            (r#""where": ["path"], "pattern": "a", "words": [""]"#, "empty"),
        ] {
            let error = rules(&format!("[{good}, {}]", rule(bad))).expect_err("a wrong rule");
            assert_eq!(error.index, 1);
            assert!(error.reason.contains(reason), "{}", error.reason);
        }
    }
}
