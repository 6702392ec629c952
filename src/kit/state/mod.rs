//! What the installer remembers on a host, in `/var/lib/supervisor-install`.
//!
//! ```text
//! active/            a change under way; there is at most one
//!   journal          one line for each thing about to be done: how to take it back
//!   files/1, 2, ...  what was replaced or removed
//!   receipt.json     what is installed when the change is complete
//! generations/7/     a completed change: the same directory, renamed
//! ```
//!
//! Two rules carry everything. Before anything is done, the way back is on the disk. And: **an `active` directory is taken
//! back**, whoever finds it. A change is completed by one rename, `active` to `generations/N`; a roll-back begins with the
//! reverse rename and is then the same work as after a crash, so it may be killed and repeated as well.

mod journal;
mod package;
mod receipt;
mod store;

pub use journal::{Journal, Undoing};
pub use package::{PackageManager, PackageReceipt, refuse_packaged};
pub use receipt::{FORMAT as RECEIPT_FORMAT, Installed, Receipt};
pub use store::{GENERATIONS_MAX, StateDir, Transaction};

/// What the operator asked for; it names a change in journals, receipts and messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// A first installation, or one that mends what differs.
    Install,
    /// A newer (or older) bundle over an installed one.
    Upgrade,
    /// An installation in the place of Python's Supervisor.
    Replace,
    /// Turning the web console on.
    Web,
    /// Removing what was installed.
    Uninstall,
}

impl Verb {
    /// As in receipts and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Install => "install",
            Verb::Upgrade => "upgrade",
            Verb::Replace => "replace",
            Verb::Web => "web",
            Verb::Uninstall => "uninstall",
        }
    }
}
