//! Passwords of `[inet_http_server]` and `[unix_http_server]`: as they stand in the configuration, made and compared.
//!
//! | in the configuration | what it is |
//! |---|---|
//! | `{SHA}<40 hex digits>` | SHA-1 in lower case, as Supervisor has it |
//! | `{BCRYPT}$2b$…`, or `$2a$…`, `$2b$…`, `$2y$…` alone | bcrypt, as `htpasswd -B` and `supervisorctl hash-password` make it |
//! | anything else | the password itself |
//!
//! bcrypt: its cost is chosen by whoever makes the hash, and it needs 4 KiB of memory where newer functions want megabytes.

use sha1::{Digest, Sha1};
use subtle::{Choice, ConstantTimeEq};
use thiserror::Error;

/// Cost of a new hash: 2 to this power rounds, some 50 ms on a server.
pub const COST_DEFAULT: u32 = 10;

/// Most bytes of a password that bcrypt looks at.
pub const PASSWORD_BYTES_MAX: usize = 72;

/// How a password is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As it is.
    Plain,
    /// `{SHA}`.
    Sha1,
    /// bcrypt.
    Bcrypt,
}

/// A password that cannot be hashed.
#[derive(Debug, Error)]
pub enum HashError {
    /// Nothing was given.
    #[error("the password is empty")]
    Empty,
    /// bcrypt would cut it.
    #[error("the password is {0} bytes long, bcrypt takes at most {PASSWORD_BYTES_MAX}")]
    TooLong(usize),
    /// Costs it knows are 4 to 31.
    #[error("cannot make a hash: {0}")]
    Bcrypt(#[from] bcrypt::BcryptError),
}

/// How `stored` keeps a password.
pub fn kind(stored: &str) -> Kind {
    match stored {
        _ if stored.starts_with("{SHA}") => Kind::Sha1,
        _ if bcrypt_of(stored).is_some() => Kind::Bcrypt,
        _ => Kind::Plain,
    }
}

/// Whether `given` is the password that `stored` keeps. Takes as long for a wrong one as for the right one; with bcrypt that
/// is long, and not for the thread that runs the supervisor.
pub fn is_right(stored: &str, given: &[u8]) -> Choice {
    if let Some(hash) = stored.strip_prefix("{SHA}") {
        return hex(&Sha1::digest(given)).as_bytes().ct_eq(hash.as_bytes());
    }
    match bcrypt_of(stored) {
        Some(hash) => Choice::from(u8::from(bcrypt::verify(given, hash).unwrap_or(false))),
        None => given.ct_eq(stored.as_bytes()),
    }
}

/// The value for `password=`.
///
/// # Errors
/// [`HashError`].
pub fn hash(password: &[u8], cost: u32) -> Result<String, HashError> {
    match password.len() {
        0 => Err(HashError::Empty),
        bytes if bytes > PASSWORD_BYTES_MAX => Err(HashError::TooLong(bytes)),
        _ => Ok(format!("{{BCRYPT}}{}", bcrypt::hash(password, cost)?)),
    }
}

/// The hash inside `stored`, if it is bcrypt's. A password of that very form has to be hashed to be one.
fn bcrypt_of(stored: &str) -> Option<&str> {
    const HASH_BYTES: usize = 60;
    let hash = stored.strip_prefix("{BCRYPT}").unwrap_or(stored);
    let is_one = hash.len() == HASH_BYTES && ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| hash.starts_with(prefix));
    is_one.then_some(hash)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn right(stored: &str, given: &str) -> bool {
        is_right(stored, given.as_bytes()).into()
    }

    #[test]
    fn passwords_of_each_kind() {
        let bcrypt = hash(b"123", 4).unwrap();
        let bare = bcrypt.strip_prefix("{BCRYPT}").unwrap();
        let cases = [
            ("123", Kind::Plain),
            ("{SHA}40bd001563085fc35165329ea1ff5c5ecbdbbeef", Kind::Sha1),
            (&bcrypt, Kind::Bcrypt),
            (bare, Kind::Bcrypt),
            (&bare.replacen("$2b$", "$2y$", 1), Kind::Bcrypt),
        ];
        for (stored, expected) in cases {
            assert_eq!(kind(stored), expected, "{stored}");
            assert!(right(stored, "123"), "{stored}");
            assert!(!right(stored, "124") && !right(stored, ""), "{stored}");
        }
        assert!(right("$2b$ is no hash", "$2b$ is no hash"));
    }

    #[test]
    fn what_cannot_be_hashed() {
        assert!(matches!(hash(b"", 4), Err(HashError::Empty)));
        assert!(matches!(hash(&[b'x'; 73], 4), Err(HashError::TooLong(73))));
        assert!(matches!(hash(b"x", 99), Err(HashError::Bcrypt(_))));
    }
}
