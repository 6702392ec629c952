//! English: the web console.

use crate::kit::web::{Deed, Refusal, Told};

pub(super) fn told(told: &Told) -> String {
    match told {
        Told::Proven { address, has_password: true } => {
            format!("Proven: the web console at http://{address} answers its user, and refuses everybody else (401).")
        }
        Told::Proven { address, .. } => format!("Proven: the web console at http://{address} answers on this host."),
        Told::RestartNeeded => {
            "The running supervisord does not know of it yet. It takes effect with a restart, which restarts every \
             program. When the time is right: systemctl restart supervisord"
                .to_string()
        }
        Told::FirewallClosed { port } => format!(
            "Note: firewalld runs and was left alone, so other hosts may not reach port {port}. Next: repeat with \
             --open-firewall, or firewall-cmd --permanent --add-port={port}/tcp and firewall-cmd --reload"
        ),
        Told::AsWished => "The web console is already as wished: nothing was changed.".to_string(),
    }
}

pub(super) fn deed(deed: &Deed) -> String {
    match deed {
        Deed::OpenFirewall { port } => format!("open in firewalld   port {port}/tcp, now and after a reboot"),
        Deed::CloseFirewall { port } => format!("close in firewalld  port {port}/tcp"),
        Deed::Prove { console } => format!("prove               http://{} with and without password", console.address),
    }
}

pub(super) fn refusal(refusal: &Refusal) -> String {
    let untouched = |what: String, next: &str| format!("{what}\n  Nothing was changed.\n  Next: {next}");
    match refusal {
        Refusal::Reexec => untouched(
            "--web-restart=reexec: a supervisord that is upgraded in place goes on with the servers that it has."
                .to_string(),
            "use --web-restart=never and restart at a time of your choice, or --web-restart=always (restarts every program).",
        ),
        Refusal::Address(text) => untouched(
            format!("--web {text}: this is no address and port."),
            "give one, like --web 127.0.0.1:9001, or --web off.",
        ),
        Refusal::Open(address) => untouched(
            format!("--web {address} could be reached from other hosts, and nobody would be asked for a password."),
            "add --web-user NAME and --web-password-file FILE, or listen on 127.0.0.1 only.",
        ),
        Refusal::Account(option) => untouched(
            format!("User and password belong together, and {option} is missing or not usable."),
            "give --web-user NAME (letters, digits, . _ @ -) and --web-password-file FILE with the password on its first \
             line (at most 72 bytes).",
        ),
        Refusal::Existing { path, line } => untouched(
            format!("{path} has an [inet_http_server] section of its own in line {line}."),
            "change that section by hand, or remove it and try again.",
        ),
        Refusal::NotProven { address, answer } => format!(
            "The web console at {address} does not answer as it should: {answer}\n  What this run had done was taken \
             back.\n  Next: see who uses the port (ss -ltnp), then try again."
        ),
    }
}
