//! A running daemon becomes the program that is in place now, and every program under it runs on: it is asked through its
//! socket (`supervisorctl upgrade`), and then looked at from outside.

use std::time::Duration;

use super::service::Target;
use crate::kit::commands::Commands;
use crate::kit::failure::Failure;
use crate::kit::host::Root;
use crate::kit::host::probe::{self, QUERY_LIMIT};
use crate::kit::takeover;

/// How long the hand-over may take; the daemon itself gives the new program ten seconds to say that it can go on.
const REEXEC_LIMIT: Duration = Duration::from_secs(60);

/// What a re-execution came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reexecuted {
    /// The daemon's process, the same as before.
    pub pid: u32,
    /// How many programs run on as the same processes.
    pub kept: usize,
    /// Programs that ran before and are other processes now, or none.
    pub changed: Vec<String>,
}

/// Does it.
///
/// # Errors
/// [`Failure::ReexecRefused`]: the old program goes on. [`Failure::WrongProcess`], when what runs then is not what it should be.
pub fn reexec(root: &Root, commands: &mut dyn Commands, target: &Target<'_>, pid: u32) -> Result<Reexecuted, Failure> {
    let (client, config) = (target.prefix.client(), target.config);
    let before = programs(commands, client, config);
    let refused = |reason: String| Failure::ReexecRefused { pid, reason };
    match commands.run(client, &["-c", config, "upgrade"], REEXEC_LIMIT) {
        Ok(output) if output.is_success() => {}
        Ok(output) => return Err(refused(output.words())),
        Err(error) => return Err(refused(error.to_string())),
    }
    let program = target.prefix.program();
    let now = probe::main_pid(commands, target.unit);
    if now != pid || !commands.runs(pid, &root.at(program)) {
        return Err(Failure::WrongProcess { pid: now, program: program.to_owned() });
    }
    let after = programs(commands, client, config);
    let (kept, changed): (Vec<_>, Vec<_>) = before.into_iter().partition(|process| after.contains(process));
    Ok(Reexecuted { pid, kept: kept.len(), changed: changed.into_iter().map(|(name, _)| name).collect() })
}

/// Name and process of each program that runs, from the lines of `supervisorctl status`.
fn programs(commands: &mut dyn Commands, client: &str, config: &str) -> Vec<(String, u32)> {
    let said = commands.run(client, &["-c", config, "status"], QUERY_LIMIT);
    takeover::processes(&said.map(|output| output.stdout).unwrap_or_default())
}
