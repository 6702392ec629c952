//! `web`: turns the web console on or off.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::kit::cli::{Request, WebArgs};
use crate::kit::commands::Commands;
use crate::kit::failure::Failure;
use crate::kit::host::probe::{self, QUERY_LIMIT};
use crate::kit::listener::Listener;
use crate::kit::plan::{Restart, Step};
use crate::kit::state::{Receipt, StateDir, Verb};
use crate::kit::text::Note;
use crate::kit::web::{self, Deed, PASSWORD_BYTES_MAX, Told, WebFacts, Wish};

/// Turns it on or off.
///
/// # Errors
/// What was asked for is not safe, or did not succeed. Then the host is as it was before.
pub fn run(
    request: &Request,
    args: &WebArgs,
    commands: &mut dyn Commands,
    listener: &mut dyn Listener,
) -> Result<(), Failure> {
    let Some(wish) = check(args)? else { return Ok(()) };
    let _lock = super::prepare(request, commands, listener)?;
    let Some(receipt) = StateDir::of(&request.root).receipt()? else { return Err(Failure::NotInstalled) };
    let facts = facts(request, &receipt, commands)?;
    let restart = args.web_restart;
    let (steps, bytes) = web::plan(&facts, &wish, args.open_firewall, restart).map_err(Failure::Web)?;
    if steps.is_empty() {
        listener.note(Note::Web(Told::AsWished));
        return Ok(());
    }
    if !super::may_apply(request, &steps, listener)? {
        return Ok(());
    }
    let contents = BTreeMap::from([(facts.config.clone(), bytes)]);
    super::apply(request, &contents, &steps, changed(receipt, &steps), commands, listener)?;
    tell(&facts, &wish, args.open_firewall, restart, listener);
    Ok(())
}

/// What is asked for, if anything is.
///
/// # Errors
/// It cannot, or is not safe.
pub fn check(args: &WebArgs) -> Result<Option<Wish>, Failure> {
    let Some(address) = &args.web else { return Ok(None) };
    if args.web_restart == Restart::Reexec {
        return Err(Failure::Web(web::Refusal::Reexec));
    }
    let password = args.web_password_file.as_deref().map(read_password).transpose()?;
    web::wish(address, args.web_user.as_deref(), password.as_deref()).map(Some).map_err(Failure::Web)
}

/// The first line of a file.
fn read_password(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = fs::File::open(path).and_then(|file| file.take(PASSWORD_BYTES_MAX as u64 + 2).read_to_string(&mut text));
    match read {
        Ok(_) => Ok(text.lines().next().unwrap_or_default().to_owned()),
        Err(error) => {
            Err(Failure::Step { action: "read", path: path.display().to_string(), reason: error.to_string() })
        }
    }
}

fn facts(request: &Request, receipt: &Receipt, commands: &mut dyn Commands) -> Result<WebFacts, Failure> {
    let config = receipt.installed.config().to_owned();
    let place = request.root.at(&config);
    let unreadable = |error: std::io::Error| Failure::Step {
        action: "read",
        path: place.display().to_string(),
        reason: error.to_string(),
    };
    let bytes = fs::read(&place).map_err(unreadable)?;
    let mode = fs::metadata(&place).map_err(unreadable)?.permissions().mode() & 0o7777;
    let host = probe::gather_for(&request.root, &receipt.installed, commands)?;
    if !host.is_root && !host.is_staged {
        return Err(Failure::NotRoot);
    }
    let has_firewall = !host.is_staged
        && commands.has("firewall-cmd")
        && commands.run("firewall-cmd", &["--state"], QUERY_LIMIT).is_ok_and(|output| output.is_success());
    Ok(WebFacts {
        config,
        bytes,
        mode,
        is_staged: host.is_staged,
        is_active: host.service.is_some_and(|service| service.is_active),
        has_selinux: host.has_selinux,
        has_firewall,
        opened: receipt.installed.opened_ports.clone(),
    })
}

/// What there is to remove later.
fn changed(mut receipt: Receipt, steps: &[Step]) -> Receipt {
    receipt.verb = Verb::Web;
    for step in steps {
        match step {
            Step::Web(Deed::OpenFirewall { port }) => receipt.installed.opened_ports.push(*port),
            Step::Web(Deed::CloseFirewall { port }) => receipt.installed.opened_ports.retain(|open| open != port),
            _ => {}
        }
    }
    receipt
}

fn tell(facts: &WebFacts, wish: &Wish, opens: bool, restart: Restart, listener: &mut dyn Listener) {
    if restart == Restart::Never && facts.is_active {
        listener.note(Note::Web(Told::RestartNeeded));
    }
    if let Wish::On(console) = wish
        && facts.has_firewall
        && !opens
        && !console.address.is_loopback()
    {
        listener.note(Note::Web(Told::FirewallClosed { port: console.address.port }));
    }
}
