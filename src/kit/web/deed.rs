//! Doing what only the console needs.

use std::time::Duration;

use super::prove::ask;
use super::{Console, Deed, Refusal, Told};
use crate::kit::commands::Commands;
use crate::kit::failure::Failure;
use crate::kit::listener::Listener;
use crate::kit::state::{Transaction, Undoing};
use crate::kit::text::Note;

/// What firewalld may take.
const CHANGE_LIMIT: Duration = Duration::from_secs(60);

/// Does one; the way back first.
///
/// # Errors
/// Why it failed; everything before it is to be taken back.
pub fn perform(
    deed: &Deed,
    commands: &mut dyn Commands,
    listener: &mut dyn Listener,
    transaction: &mut Transaction,
) -> Result<(), Failure> {
    match deed {
        Deed::OpenFirewall { port } => firewall("add", "remove", *port, commands, transaction),
        Deed::CloseFirewall { port } => firewall("remove", "add", *port, commands, transaction),
        Deed::Prove { console } => prove(console, listener),
    }
}

/// Now and for ever: firewalld keeps two sets of rules.
fn firewall(
    verb: &str,
    back: &str,
    port: u16,
    commands: &mut dyn Commands,
    transaction: &mut Transaction,
) -> Result<(), Failure> {
    let failed = |args: &[&str], reason: String| Failure::Command {
        command: format!("firewall-cmd {}", args.join(" ")),
        reason,
    };
    for set in [&["--permanent"][..], &[]] {
        let with =
            |option: String| -> Vec<String> { set.iter().map(|word| (*word).to_owned()).chain([option]).collect() };
        let query = with(format!("--query-port={port}/tcp"));
        let query: Vec<&str> = query.iter().map(String::as_str).collect();
        let is_open = commands.run("firewall-cmd", &query, CHANGE_LIMIT).is_ok_and(|output| output.is_success());
        if is_open == (verb == "add") {
            continue;
        }
        let undo = [vec!["firewall-cmd".to_owned()], with(format!("--{back}-port={port}/tcp"))].concat();
        transaction.record(&Undoing::Run { command: undo })?;
        let args = with(format!("--{verb}-port={port}/tcp"));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        match commands.run("firewall-cmd", &args, CHANGE_LIMIT) {
            Ok(output) if output.is_success() => {}
            Ok(output) => return Err(failed(&args, output.words())),
            Err(error) => return Err(failed(&args, error.to_string())),
        }
    }
    Ok(())
}

fn prove(console: &Console, listener: &mut dyn Listener) -> Result<(), Failure> {
    let address = console.address.to_string();
    let has_password = console.account.is_some();
    let stranger_wanted = if has_password { 401 } else { 200 };
    match ask(console) {
        Ok((stranger, 200)) if stranger == stranger_wanted => {
            listener.note(Note::Web(Told::Proven { address, has_password }));
            Ok(())
        }
        Ok((stranger, user)) => Err(Failure::Web(Refusal::NotProven {
            address,
            answer: format!("{stranger} without password, {user} with it"),
        })),
        Err(answer) => Err(Failure::Web(Refusal::NotProven { address, answer })),
    }
}
