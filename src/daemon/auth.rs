//! Basic authentication (`Supervisor: http.py`, medusa `auth_handler.py`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use crate::config::Credentials;

/// Whether an `Authorization` header opens the door. Junk of any kind does not. Takes as long for a wrong password as for
/// the right one.
pub fn is_allowed(credentials: &Credentials, header: Option<&[u8]>) -> bool {
    let Some((username, password)) = header.and_then(decode) else { return false };
    let user_matches = username.as_bytes().ct_eq(credentials.username.as_bytes());
    let password_matches = match credentials.password.strip_prefix("{SHA}") {
        Some(hash) => hex(&Sha1::digest(password.as_bytes())).as_bytes().ct_eq(hash.as_bytes()),
        None => password.as_bytes().ct_eq(credentials.password.as_bytes()),
    };
    bool::from(user_matches & password_matches)
}

/// User name and password; the password may hold colons.
fn decode(header: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(header).ok()?;
    let (scheme, token) = text.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(token.trim()).ok()?).ok()?;
    let (username, password) = decoded.split_once(':')?;
    Some((username.to_owned(), password.to_owned()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(password: &str, given: &str) -> bool {
        let credentials = Credentials { username: "user".to_owned(), password: password.to_owned() };
        let header = format!("Basic {}", STANDARD.encode(given));
        is_allowed(&credentials, Some(header.as_bytes()))
    }

    #[test]
    fn plain_and_hashed_passwords() {
        assert!(allowed("123", "user:123"));
        assert!(!allowed("123", "user:124"));
        assert!(!allowed("123", "root:123"));
        assert!(allowed("a:b", "user:a:b"));
        let hash = "{SHA}40bd001563085fc35165329ea1ff5c5ecbdbbeef";
        assert!(allowed(hash, "user:123"));
        assert!(!allowed(hash, "user:1234"));
    }

    #[test]
    fn junk_is_refused() {
        let credentials = Credentials { username: String::new(), password: String::new() };
        for junk in [&b""[..], b"Basic", b"Basic !!!", b"Basic \xff", b"Digest dXNlcjoxMjM=", b"Basic dXNlcg=="] {
            assert!(!is_allowed(&credentials, Some(junk)), "{junk:?}");
        }
        assert!(!is_allowed(&credentials, None));
    }
}
