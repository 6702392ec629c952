//! English: changes of versions, signatures, services that do not come up.

use super::failure::{advice, taken_back, untouched};
use crate::kit::apply::Reexecuted;
use crate::kit::bundle::Signed;
use crate::kit::failure::{ServiceDown, SignatureFault};
use crate::kit::text::{Change, Lang, indented};

pub(super) fn note(said: &Change) -> String {
    match said {
        Change::Signed(Signed::Yes) => "Signature: right, by the key that was asked for.".to_owned(),
        Change::Signed(Signed::No) => {
            "Signature: none (to insist on one: --require-signature --pubkey FILE)".to_owned()
        }
        Change::Signed(Signed::Unchecked) => {
            "Signature: there is one, but no key to check it with (--pubkey FILE).".to_owned()
        }
        Change::Downgrade { from, to } => {
            format!("Note: this is a downgrade, from {from} to {to}. To undo it: supervisor-install rollback")
        }
        Change::Offered { path, diff } => format!(
            "Note: the default configuration has changed. Yours is kept; the new default is put beside it as \
             {path}.new. What the new one would change in yours:{}",
            indented(diff)
        ),
    }
}

pub(super) fn service_down(down: &ServiceDown) -> String {
    let journal = if down.journal.is_empty() { "(the journal is empty)" } else { &down.journal };
    let (cause, next) = match &down.refusal {
        None => (String::new(), "remove the cause, then try again.".to_owned()),
        Some(refusal) => {
            let (cause, next) = Lang::En.cause(refusal);
            (format!("\n  The system did not run the program: {cause}"), next)
        }
    };
    let state = &down.state;
    let words = indented(journal);
    let what = format!("The service did not come up or did not stay up: {state}{cause}\n  Its last words:{words}");
    taken_back(&what, &next)
}

pub(super) fn half_taken_back(paths: &[String]) -> String {
    let what = format!(
        "These could not be put back as they were:{}\n  The way back is kept in /var/lib/supervisor-install/active. \
         Nothing else may be changed before.",
        indented(&paths.join("\n"))
    );
    advice(&what, "remove the cause (see the warnings above), then run any verb again, or: supervisor-install recover")
}

pub(super) fn signature(fault: &SignatureFault) -> String {
    match fault {
        SignatureFault::Missing { path } => untouched(
            &format!("The bundle must be signed, but {path} is missing."),
            "get a signed bundle; copy all files of it.",
        ),
        SignatureFault::NoKey => untouched(
            "The bundle must be signed, but there is no key to check the signature with.",
            "name the key with --pubkey FILE, or put it into /etc/supervisor-install.pub.",
        ),
        SignatureFault::BadKey { path, reason } => {
            untouched(&format!("{path} is no minisign public key: {reason}"), "name the right file with --pubkey FILE.")
        }
        SignatureFault::Wrong { path, reason } => untouched(
            &format!("{path} is not a signature of this bundle by this key: {reason}"),
            "do not install this bundle. Get it again, and the key by another way.",
        ),
    }
}

pub(super) fn reexec_refused(pid: u32, reason: &str) -> String {
    let what = format!(
        "The running supervisord (process {pid}) did not become the new program, and goes on as the old one; so do all \
         programs:{}",
        indented(reason)
    );
    taken_back(
        &what,
        "use --restart=never and restart at a time of your choice, or --restart=always (restarts every program).",
    )
}

pub(super) fn reexecuted(done: &Reexecuted) -> String {
    let (pid, kept) = (done.pid, done.kept);
    let said =
        format!("Upgraded in place: process {pid} runs the new program; {kept} programs run on as the same processes.");
    if done.changed.is_empty() {
        return said;
    }
    let changed = done.changed.join(" ");
    format!(
        "{said}\nNote: these ended or started anew meanwhile: {changed}. Their logs tell why: supervisorctl tail NAME"
    )
}

pub(super) fn restart_policy(path: &str, line: usize, value: &str) -> String {
    untouched(
        &format!("{path}:{line}: RESTART_ON_UPGRADE={value} is no policy."),
        "write RESTART_ON_UPGRADE=never (leave the running daemon alone), reexec (renew it, its programs run on) or always \
         (restart it and every program).",
    )
}
