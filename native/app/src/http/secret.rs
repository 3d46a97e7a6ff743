//! Passwords in what is shown: their place stays, they do not.

use crate::Text;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// Names that are secret as they are.
const WHOLE: [&str; 13] =
    ["pass", "psw", "pw", "pin", "otp", "mima", "upwd", "userpw", "senha", "haslo", "mdp", "clave", "parola"];
/// Names that have one of these in them are, too.
const PARTS: [&str; 12] = [
    "passw",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "kennwort",
    "motdepasse",
    "contrasen",
    "userpass",
    "pswd",
    "credential",
    "loginpass",
];

/// Whether a parameter of this name holds a password, such as `password`, `user[passwd]` or `j_pwd`.
pub fn is_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let last = lower.rsplit(['.', '[', ':', '$']).find(|part| !part.is_empty() && *part != "]").unwrap_or(&lower);
    let last = last.trim_end_matches(']').trim_end_matches("%5d");
    let last = last.rsplit("%5b").next().unwrap_or(last);
    let bare: String = last.chars().filter(char::is_ascii_alphanumeric).collect();
    WHOLE.contains(&bare.as_str())
        || PARTS.iter().any(|part| bare.contains(part))
        || bare
            .strip_suffix("pass")
            .is_some_and(|before| matches!(before, "user" | "login" | "my" | "db" | "j" | "txt"))
}

/// The text with the values of all parameters that hold a password masked, and the password of `scheme://user:password@`.
pub fn masked(text: &str) -> Option<Text> {
    let mut out = String::new();
    let mut done = 0;
    for at in memchr::memchr3_iter(b'=', b':', b'%', text.as_bytes()) {
        if at < done {
            continue;
        }
        if let Some((start, end)) = secret_at(text, at) {
            out.push_str(&text[done..start]);
            out.push_str(MASK);
            done = end;
        }
    }
    (done > 0).then(|| {
        out.push_str(&text[done..]);
        out.into()
    })
}

/// Where the secret lies that the sign at `at` stands before, if one does.
fn secret_at(text: &str, at: usize) -> Option<(usize, usize)> {
    let behind = text.get(at..)?;
    if let Some(authority) = behind.strip_prefix("://") {
        let authority = &authority[..authority.find(['/', '?', '#', ' ']).unwrap_or(authority.len())];
        let (user, _) = authority.rsplit_once('@')?;
        let colon = user.find(':')?;
        return Some((at + 3 + colon + 1, at + 3 + user.len()));
    }
    let sign = ["=", "%3D", "%3d", "%253D", "%253d", ":"].into_iter().find(|sign| behind.starts_with(sign))?;
    if !is_secret(name_before(&text[..at])) {
        return None;
    }
    let value = at + sign.len();
    let rest = &text[value..];
    let quoted = rest.trim_start_matches([' ', '"', '\'']);
    let start = value + rest.len() - quoted.len();
    let end = quoted.find(['&', ';', '#', ' ', '"', '\'', ',', '<', '\n', '\r', '}']).unwrap_or(quoted.len());
    let coded = ["%26", "%2526"].iter().filter_map(|sign| quoted[..end].find(sign)).min().unwrap_or(end);
    (coded > 0).then_some((start, start + coded))
}

/// The name that ends a text, as of a parameter or a member of JSON.
fn name_before(text: &str) -> &str {
    let text = text.trim_end_matches([' ', '"', '\'']);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']' | '$' | '%');
    let start = text.char_indices().rev().take_while(|(_, c)| is_name(*c)).last().map_or(text.len(), |(at, _)| at);
    let name = &text[start..];
    ["%26", "%2526", "%3F", "%3f"].iter().fold(name, |name, sign| name.rsplit(sign).next().unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in [
            "password",
            "PASSWD",
            "pwd",
            "user[password]",
            "user%5Bpasswd%5D",
            "j_password",
            "old-pwd",
            "pass",
            "userPass",
            "ctl00$txtPassword",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["passage", "compass", "user", "passenger", "q", "token_type", "spin", ""] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn secrets_are_masked_and_nothing_else() {
        for (text, shown) in [
            ("/a?user=x&password=geheim&b=1", "/a?user=x&password=***&b=1"),
            ("/a?next=%2Flogin%3Fpasswd%3Dgeheim%26x%3D1", "/a?next=%2Flogin%3Fpasswd%3D***%26x%3D1"),
            ("http://user:geheim@host/a", "http://user:***@host/a"),
            ("{\"password\": \"geheim\", \"a\": 1}", "{\"password\": \"***\", \"a\": 1}"),
            ("pwd=geheim", "pwd=***"),
            ("a?pwd=geheim&pass=geheim", "a?pwd=***&pass=***"),
        ] {
            assert_eq!(masked(text).as_deref(), Some(shown));
        }
        for text in [
            "/a?b=c",
            "/password/reset?user=a",
            "/a?password=",
            "http://host:8080/@x",
            "=%",
            "pass=&x",
            "\u{e4}=\u{f6}",
        ] {
            assert_eq!(masked(text), None, "{text}");
        }
    }
}
