//! What a completed change left on the host, so that it can be checked and removed without the bundle.

use serde::{Deserialize, Serialize};

use super::Verb;
use crate::kit::bundle::Member;
use crate::kit::prefix::Prefix;
use crate::kit::tree::CONFIG;

/// The version of the format that this program writes and reads.
pub const FORMAT: u32 = 1;

/// One completed change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// [`FORMAT`].
    pub format: u32,
    /// What was asked for.
    pub verb: Verb,
    /// Version of supervisor-kit that is installed now.
    pub version: String,
    /// Processor, as `uname -m` prints it.
    pub arch: String,
    /// When it was completed, in seconds since 1970.
    pub completed: u64,
    /// Everything that is installed now.
    pub installed: Installed,
}

/// What there is to check and to remove.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Installed {
    /// Files, links and directories as the bundle has them.
    pub members: Vec<Member>,
    /// Where the programs are.
    pub prefix: Prefix,
    /// Directories that an installation made and nothing else owns, the topmost first.
    pub made_dirs: Vec<String>,
    /// Configuration files that were there before the first installation: the administrator's, never removed.
    pub kept: Vec<String>,
    /// New default configurations that were put beside the administrator's files.
    pub offered: Vec<String>,
    /// Links that enabling made without systemd.
    pub enable_links: Vec<String>,
    /// Programs that were marked for KySec.
    pub kysec: Vec<String>,
    /// The configuration of the service, when it is not the usual one.
    pub config: Option<String>,
    /// Files whose places were taken from dpkg.
    pub diverted: Vec<String>,
    /// TCP ports that were opened in firewalld.
    pub opened_ports: Vec<u16>,
    /// A fapolicyd trust file.
    pub fapolicyd: Option<String>,
    /// Whether the service was enabled by us.
    pub enabled: bool,
}

impl Installed {
    /// The configuration of the service.
    pub fn config(&self) -> &str {
        self.config.as_deref().unwrap_or(CONFIG)
    }
}
