//! The document of a running daemon.

use super::held::Kept;
use super::settings;
use crate::KIT_VERSION;
use crate::core::Mono;
use crate::core::snapshot::text::Writer;
use crate::daemon::run::Daemon;

/// Who is to read a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The image that takes the place of this one.
    Upgrade,
    /// Another daemon, should this one be killed: connections have ended then, and descriptors are those that a store kept.
    Crash,
}

/// Everything that another image needs to go on, and the descriptors that have to stay open for it. Take it between two
/// turns: nothing is half done then.
pub fn compose(daemon: &Daemon<'_>, now: Mono, purpose: Purpose) -> (String, Kept) {
    let (mut to, mut kept) = (Writer::new(now), Kept::default());
    let shell = &daemon.shell;
    to.section("daemon");
    to.put("version", &[&KIT_VERSION]);
    // Both images count from the same moment, so the time between them is not lost.
    to.put("clock", &[&now.0]);
    to.put("pid", &[&std::process::id()]);
    to.put("is_record", &[&(purpose == Purpose::Crash)]);
    to.put_some("boot", daemon.standing.boot.as_ref().map(|boot| boot as _));
    to.put("directory", &[&shell.host.directory()]);
    to.put("last_ticket", &[&shell.last_ticket]);
    daemon.upgrade.write_snapshot(&mut to);
    if let (Purpose::Upgrade, Some(extent)) = (purpose, shell.record.extent()) {
        extent.write(&mut to);
    }
    if let Some(lock) = &daemon.standing.lock {
        kept.put(&mut to, "lock", lock);
    }
    settings::write(&shell.config, &mut to);
    daemon.core.write_snapshot(&mut to);
    shell.programs.write_snapshot(&mut to, &mut kept);
    shell.fcgi.write_snapshot(&mut to, &mut kept);
    daemon.servers.write_sockets(&mut to, &mut kept);
    shell.adopted.write_snapshot(&mut to);
    if purpose == Purpose::Upgrade {
        daemon.servers.connections.write_snapshot(&mut to, &mut kept);
    }
    (to.seal(), kept)
}
