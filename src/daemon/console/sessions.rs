//! Who is signed in. Everybody who sees a page has a session, whether he signed in, sends a password with each request, or is on a
//! server that asks for none: its token is in every form of his pages, so that only those pages can ask for a change.

use std::fmt::Write;
use std::time::Duration;

use subtle::ConstantTimeEq;
use tokio::time::Instant;

use crate::config::Role;
use crate::web::model::Outcome;

/// Most sessions; the one that was not used for longest makes room, visitors before those who signed in.
pub const SESSIONS_MAX: usize = 256;

/// How long the pages of a visitor who did not sign in can be acted from.
const VISIT: Duration = Duration::from_secs(12 * 3600);

/// Most results of an action that wait to be shown.
const RESULTS_MAX: usize = 1000;

/// Bytes of a random word.
const WORD_BYTES: usize = 16;

/// One session.
#[derive(Debug)]
pub struct Session {
    /// What the cookie says.
    pub id: String,
    /// What forms carry.
    pub token: String,
    /// Section of the server that it belongs to.
    pub server: String,
    /// Whose it is; empty on a server that asks nobody.
    pub user: String,
    /// What he may do.
    pub role: Role,
    /// He signed in, so the cookie lets him in.
    pub is_signed_in: bool,
    /// What his last action did, to be shown once.
    pub results: Vec<Outcome>,
    idle: Duration,
    used: Instant,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Sessions(Vec<Session>);

impl Sessions {
    /// The session of a cookie on a server, if it has not run out.
    pub fn find(&mut self, id: &str, server: &str) -> Option<&mut Session> {
        let now = Instant::now();
        self.0.retain(|session| now - session.used < session.idle);
        let is_it = |session: &&mut Session| {
            !id.is_empty() && session.server == server && bool::from(session.id.as_bytes().ct_eq(id.as_bytes()))
        };
        self.0.iter_mut().find(is_it)
    }

    /// Begins one. Somebody who signed in stays so for `idle` without a request.
    pub fn begin(&mut self, server: &str, user: &str, role: Role, idle: Option<Duration>) -> &mut Session {
        if self.0.len() >= SESSIONS_MAX {
            let least = self.0.iter().enumerate().min_by_key(|(_, one)| (one.is_signed_in, one.used));
            if let Some(index) = least.map(|(index, _)| index) {
                self.0.swap_remove(index);
            }
        }
        self.0.push(Session {
            id: random_word(),
            token: random_word(),
            server: server.to_owned(),
            user: user.to_owned(),
            role,
            is_signed_in: idle.is_some(),
            results: Vec::new(),
            idle: idle.unwrap_or(VISIT),
            used: Instant::now(),
        });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    /// Ends one.
    pub fn end(&mut self, id: &str) {
        self.0.retain(|session| session.id != id);
    }
}

impl Session {
    /// It was used for something that its owner did.
    pub fn touch(&mut self) {
        self.used = Instant::now();
    }

    /// When it runs out.
    pub fn deadline(&self) -> Instant {
        self.used + self.idle
    }

    /// Whether a form or a script of one of its pages says this.
    pub fn has_token(&self, given: &str) -> bool {
        !given.is_empty() && bool::from(self.token.as_bytes().ct_eq(given.as_bytes()))
    }

    /// Keeps what an action did until the next page.
    pub fn keep(&mut self, mut results: Vec<Outcome>) {
        results.truncate(RESULTS_MAX);
        self.results = results;
    }
}

/// A word that nobody can guess. Without random numbers it is empty, and equal to nothing that anybody may send.
pub fn random_word() -> String {
    let mut bytes = [0; WORD_BYTES];
    match getrandom::fill(&mut bytes) {
        Ok(()) => hex(&bytes),
        Err(_) => String::new(),
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to memory does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
