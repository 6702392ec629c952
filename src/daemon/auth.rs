//! Who may enter a server: basic authentication (`Supervisor: http.py`, medusa `auth_handler.py`), slowed down for those who guess.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::time::Instant;

use super::http::Peer;
use super::rpc_call::Loop;
use crate::config::{Account, Credentials, Level, Role};
use crate::password::{self, Kind};

/// Wrong passwords that are answered at once; whoever mistypes twice does not notice anything.
const FREE_FAILURES: u32 = 2;

/// How long the first answer waits after that; each further one waits twice as long as the one before.
const DELAY_MIN: Duration = Duration::from_millis(250);

/// The longest wait.
const DELAY_MAX: Duration = Duration::from_secs(4);

/// How long after the last wrong password everything is forgotten.
const FAILURES_KEPT: Duration = Duration::from_secs(60);

/// At most one line is logged in this time.
const WARNING_PAUSE: Duration = Duration::from_secs(10);

/// Most passwords that wait to be compared with a bcrypt hash; one is compared at a time.
const COMPARISONS_MAX: u32 = 16;

/// The door of one server.
pub struct Gate {
    section: String,
    accounts: Rc<[Account]>,
    /// Of what let each of them in, so that a costly comparison is done once: keyed, because memory may be read by others.
    proven: RefCell<Vec<Option<[u8; 32]>>>,
    key: [u8; 32],
    comparisons: Cell<u32>,
    failures: Cell<u32>,
    failed_at: Cell<Option<Instant>>,
    warned_at: Cell<Option<Instant>>,
    /// Failures that no line tells of yet.
    untold: Cell<u32>,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is served, to this user; his name is empty where nobody is asked.
    Allowed(String, Role),
    /// It is refused, after this time.
    Refused(Duration),
    /// Too many passwords are being compared already.
    Overloaded,
}

impl Gate {
    /// The door of the server in `section`; without accounts it is open.
    pub fn new(section: &str, accounts: Vec<Account>) -> Self {
        let mut key = [0; 32];
        // Without random numbers the key is no secret, and no worse than none.
        let _ = getrandom::fill(&mut key);
        Gate {
            section: section.to_owned(),
            proven: RefCell::new(vec![None; accounts.len()]),
            accounts: accounts.into(),
            key,
            comparisons: Cell::new(0),
            failures: Cell::new(0),
            failed_at: Cell::new(None),
            warned_at: Cell::new(None),
            untold: Cell::new(0),
        }
    }

    /// The section of its server.
    pub fn section(&self) -> &str {
        &self.section
    }

    /// Looks at an `Authorization` header. Junk of any kind opens nothing.
    pub async fn judge(&self, header: Option<&[u8]>, peer: &Peer, inbox: &Loop) -> Verdict {
        if self.is_open() {
            return Verdict::Allowed(String::new(), Role::Operator);
        }
        // Most clients ask without a password first: nothing is guessed.
        let Some(header) = header else { return Verdict::Refused(Duration::ZERO) };
        self.decide(decode(header), peer, inbox).await
    }

    /// Looks at what somebody typed into the sign-in page.
    pub async fn judge_login(&self, username: &str, password: &str, peer: &Peer, inbox: &Loop) -> Verdict {
        let given = Given { username: username.as_bytes().to_vec(), password: password.as_bytes().to_vec() };
        self.decide(Some(given), peer, inbox).await
    }

    /// Whether nobody is asked.
    pub fn is_open(&self) -> bool {
        self.accounts.is_empty()
    }

    async fn decide(&self, given: Option<Given>, peer: &Peer, inbox: &Loop) -> Verdict {
        let has_costly = || self.accounts.iter().any(|one| password::kind(&one.credentials.password) == Kind::Bcrypt);
        let found = match given {
            None => None,
            Some(given) if has_costly() => match self.compare_aside(given).await {
                Some(found) => found,
                None => return Verdict::Overloaded,
            },
            Some(given) => account_of(&self.accounts, &given),
        };
        if let Some(account) = found.and_then(|index| self.accounts.get(index)) {
            return Verdict::Allowed(account.credentials.username.clone(), account.role);
        }
        let delay = self.count_failure();
        if let Some(text) = self.warning(peer) {
            inbox.note(Level::Warn, text).await;
        }
        Verdict::Refused(delay)
    }

    /// Compares on another thread, which ends again, and says whose it is; `None` when too many wait for it.
    async fn compare_aside(&self, given: Given) -> Option<Option<usize>> {
        let digest = self.digest(&given);
        let is_it = |proven: &Option<[u8; 32]>| proven.is_some_and(|proven| bool::from(proven.ct_eq(&digest)));
        if let Some(index) = self.proven.borrow().iter().position(is_it) {
            return Some(Some(index));
        }
        if self.comparisons.get() >= COMPARISONS_MAX {
            return None;
        }
        let _counted = Counted::new(&self.comparisons);
        let accounts = Rc::clone(&self.accounts).to_vec();
        let found = tokio::task::spawn_blocking(move || account_of(&accounts, &given)).await.unwrap_or(None);
        if let Some(index) = found {
            self.proven.borrow_mut()[index] = Some(digest);
        }
        Some(found)
    }

    fn digest(&self, given: &Given) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update((given.username.len() as u64).to_le_bytes());
        hash.update(&given.username);
        hash.update(&given.password);
        hash.finalize().into()
    }

    /// One more; answers how long it is to wait.
    fn count_failure(&self) -> Duration {
        let now = Instant::now();
        let is_recent = self.failed_at.replace(Some(now)).is_some_and(|last| now - last < FAILURES_KEPT);
        let failures = if is_recent { self.failures.get().saturating_add(1) } else { 1 };
        self.failures.set(failures);
        delay_after(failures)
    }

    /// What the log says of a failure, unless it has just said so.
    fn warning(&self, peer: &Peer) -> Option<String> {
        let now = Instant::now();
        if self.warned_at.get().is_some_and(|last| now - last < WARNING_PAUSE) {
            self.untold.set(self.untold.get().saturating_add(1));
            return None;
        }
        self.warned_at.set(Some(now));
        let more = match self.untold.replace(0) {
            0 => String::new(),
            count => format!("; {count} more were refused since the last such line"),
        };
        Some(format!("server '{}' refused a user name or password from {peer}{more}", self.section))
    }
}

/// Counts for as long as it lives: a client that leaves gives up its place.
struct Counted<'a>(&'a Cell<u32>);

impl<'a> Counted<'a> {
    fn new(count: &'a Cell<u32>) -> Self {
        count.set(count.get() + 1);
        Counted(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

fn delay_after(failures: u32) -> Duration {
    match failures.checked_sub(FREE_FAILURES + 1) {
        None => Duration::ZERO,
        Some(doublings) => DELAY_MIN.saturating_mul(1 << doublings.min(16)).min(DELAY_MAX),
    }
}

/// What a client says.
struct Given {
    username: Vec<u8>,
    password: Vec<u8>,
}

/// Whose name and password these are. Every name is looked at, and a password is compared for a name that does not exist too.
fn account_of(accounts: &[Account], given: &Given) -> Option<usize> {
    let mut named = None;
    for (index, account) in accounts.iter().enumerate() {
        if bool::from(given.username.ct_eq(account.credentials.username.as_bytes())) && named.is_none() {
            named = Some(index);
        }
    }
    let compared = accounts.get(named.unwrap_or(0))?;
    is_right(&compared.credentials, given).then_some(named?)
}

/// Takes as long for what is wrong as for what is right.
fn is_right(credentials: &Credentials, given: &Given) -> bool {
    let user_matches = given.username.ct_eq(credentials.username.as_bytes());
    (user_matches & password::is_right(&credentials.password, &given.password)).into()
}

/// User name and password; the password may hold colons.
fn decode(header: &[u8]) -> Option<Given> {
    let text = std::str::from_utf8(header).ok()?;
    let (scheme, token) = text.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(token.trim()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    Some(Given { username: decoded[..colon].to_vec(), password: decoded[colon + 1..].to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(password: &str, header: &[u8]) -> bool {
        let credentials = Credentials { username: "user".to_owned(), password: password.to_owned() };
        decode(header).is_some_and(|given| is_right(&credentials, &given))
    }

    fn basic(text: &str) -> Vec<u8> {
        format!("Basic {}", STANDARD.encode(text)).into_bytes()
    }

    #[test]
    fn user_and_password_must_both_be_right() {
        assert!(allowed("123", &basic("user:123")));
        assert!(!allowed("123", &basic("user:124")));
        assert!(!allowed("123", &basic("root:123")));
        assert!(allowed("a:b", &basic("user:a:b")));
        assert!(allowed("", &basic("user:")));
    }

    #[test]
    fn junk_is_refused() {
        for junk in [&b""[..], b"Basic", b"Basic !!!", b"Basic \xff", b"Digest dXNlcjoxMjM=", b"Basic dXNlcg=="] {
            assert!(!allowed("", junk), "{junk:?}");
        }
    }

    #[test]
    fn guessing_takes_longer_each_time() {
        let delays: Vec<u128> = (1..=9).map(|failures| delay_after(failures).as_millis()).collect();
        assert_eq!(delays, [0, 0, 250, 500, 1000, 2000, 4000, 4000, 4000]);
        assert_eq!(delay_after(u32::MAX), DELAY_MAX);
    }
}
