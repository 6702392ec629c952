//! English: what is wrong, where, and what to do about it.

use super::{answers, change, takeover, web};
use crate::kit::failure::{Damage, Failure};
use crate::kit::state::PackageManager;
use crate::kit::text::{Lang, indented, size};

pub(in crate::kit::text) fn failure(failure: &Failure) -> String {
    match failure {
        Failure::NotRoot => {
            advice("Only root can install.", "run it as root (sudo ./install), or install into --root DIR.")
        }
        Failure::Busy => advice("Another installer is at work on this host.", "wait until it has ended."),
        Failure::NotInstalled => not_installed(),
        Failure::Packaged { manager } => packaged(*manager),
        Failure::NoSuchGeneration { wanted, known } => no_such_generation(*wanted, known),
        Failure::StateDamaged { path, reason } => state_damaged(path, reason),
        Failure::Findings { checked, findings } => Lang::En.checked(*checked, findings),
        Failure::Interrupted => taken_back("Interrupted.", "run the same command again when it suits."),
        Failure::Takeover(refusal) => takeover::refusal(refusal),
        Failure::Web(refusal) => web::refusal(refusal),
        Failure::Answers(problem) => answers::problem(problem),
        Failure::Cancelled => "Cancelled. Nothing was changed.".to_string(),
        Failure::BundleMissing { path } => untouched(
            &format!("{path} is missing."),
            "unpack the whole bundle again, or name its folder with --bundle DIR.",
        ),
        Failure::BundleUnreadable { path, reason } => bundle_unreadable(path, reason),
        Failure::BundleDamaged { path, damage } => bundle_damaged(path, damage),
        Failure::WrongArchitecture { bundle, host } => {
            let next = format!("get the bundle that ends in linux-{host}.tgz.");
            untouched(&format!("This bundle is for {bundle}, but this machine is {host}."), &next)
        }
        Failure::NotWritable { path, reason } => not_writable(path, reason),
        Failure::NoSpace { path, bytes_needed, bytes_free } => {
            let (needed, free) = (size(*bytes_needed), size(*bytes_free));
            untouched(
                &format!("Too little room in {path}: {needed} needed, {free} free."),
                "free some space, then try again.",
            )
        }
        Failure::InTheWay { path } => {
            let next = format!("look at it (ls -ld {path}), move it away, then try again.");
            untouched(&format!("Something else is at {path}."), &next)
        }
        Failure::LeavesRoot { path, target } => leaves_root(path, target),
        Failure::RootUnusable { path, reason } => {
            untouched(&format!("{path} cannot be used as root directory: {reason}"), "make the directory first.")
        }
        Failure::OtherSupervisor { path } => other_supervisor(path),
        Failure::ConfigInvalid { path, output } => {
            let what = format!("The configuration {path} has an error:{}", indented(output));
            taken_back(&what, "correct it, then try again.")
        }
        Failure::ProgramRefused { path, reason } => program_refused(path, reason),
        Failure::Step { action, path, reason } => {
            taken_back(&format!("{action} {path} failed: {reason}"), "remove the cause, then try again.")
        }
        Failure::Command { command, reason } => {
            let what = format!("\"{command}\" failed:{}", indented(reason));
            taken_back(&what, "remove the cause, then try again.")
        }
        Failure::ServiceDown(down) => change::service_down(down),
        Failure::HalfTakenBack { paths } => change::half_taken_back(paths),
        Failure::Signature(fault) => change::signature(fault),
        Failure::RestartPolicy { path, line, value } => change::restart_policy(path, *line, value),
        Failure::ReexecRefused { pid, reason } => change::reexec_refused(*pid, reason),
        Failure::WrongProcess { pid, program } => {
            let what = format!("The service runs as process {pid}, but not from {program}.");
            taken_back(&what, "look for another unit file or drop-in (systemctl cat supervisord), then try again.")
        }
        Failure::WrongPid { main_pid, answer } => wrong_pid(*main_pid, answer),
    }
}

fn leaves_root(path: &str, target: &str) -> String {
    untouched(&format!("{path} leads out of the --root directory, to {target}."), "make that link relative.")
}

pub(super) fn advice(what: &str, next: &str) -> String {
    format!("{what}\n  Next: {next}")
}

/// For what is found before the first change.
pub(super) fn untouched(what: &str, next: &str) -> String {
    advice(&format!("{what}\n  Nothing was changed."), next)
}

/// For what is found on the way.
pub(super) fn taken_back(what: &str, next: &str) -> String {
    advice(&format!("{what}\n  What this run had done was taken back."), next)
}

fn not_installed() -> String {
    advice(
        "supervisor-kit is not installed here (there is no receipt in /var/lib/supervisor-install).",
        "run ./install from a bundle.",
    )
}

fn packaged(manager: PackageManager) -> String {
    let (upgrade, remove) = manager.commands();
    let what = format!("supervisor-kit was put on this host by a package ({}), which owns its files.", manager.name());
    untouched(&what, &format!("bring another version with \"{upgrade}\", remove it with \"{remove}\"."))
}

fn no_such_generation(wanted: u32, known: &[u32]) -> String {
    let known: Vec<String> = known.iter().map(u32::to_string).collect();
    let what = format!("There is no change {wanted} to undo; there are: {}", known.join(" "));
    advice(&what, "name one of these, or none for the last one.")
}

fn state_damaged(path: &str, reason: &str) -> String {
    untouched(
        &format!("{path} is damaged: {reason}"),
        "look at the file and repair it; if that is not possible, move /var/lib/supervisor-install away and run \
             ./install again.",
    )
}

fn bundle_unreadable(path: &str, reason: &str) -> String {
    let next = "check the disk or medium, then unpack the bundle again.";
    untouched(&format!("{path} cannot be read: {reason}"), next)
}

fn bundle_damaged(path: &str, damage: &Damage) -> String {
    let next = "copy the bundle again in binary mode and compare its SHA-256 with the original.";
    untouched(&format!("{path} is damaged: {}", damaged(damage)), next)
}

fn not_writable(path: &str, reason: &str) -> String {
    let next =
        "remount it read-write (mount -o remount,rw) or remove its immutable flag (lsattr, chattr -i), then try again.";
    untouched(&format!("{path} cannot be written: {reason}"), next)
}

fn other_supervisor(path: &str) -> String {
    let next = "stop its service and remove it (rpm -e supervisor, apt-get remove supervisor, pip uninstall \
                supervisor, or delete the copied files; the configuration may stay), then try again.";
    untouched(&format!("{path} belongs to another Supervisor (a script)."), next)
}

fn program_refused(path: &str, reason: &str) -> String {
    let next = format!(
        "look for a noexec mount (findmnt -T {path}), KySec (getstatus), fapolicyd (systemctl status fapolicyd) and \
         UOS signature checks, then try again."
    );
    taken_back(&format!("The system refuses to run the new program {path}: {reason}"), &next)
}

fn wrong_pid(main_pid: u32, answer: &str) -> String {
    let answer = indented(answer);
    let what = format!("systemd says that supervisord is process {main_pid}, supervisorctl says otherwise:{answer}");
    let next = "look for a second supervisord (pgrep -a supervisord) and at the socket in /etc/supervisord.conf, then \
                try again.";
    taken_back(&what, next)
}

fn damaged(damage: &Damage) -> String {
    match damage {
        Damage::Checksum { expected, found } => format!("its SHA-256 is {found}, it should be {expected}"),
        Damage::NotListed => "SHA256SUMS does not list it".to_string(),
        Damage::TooLarge { bytes_max } => format!("it is larger than {}", size(*bytes_max)),
        Damage::Format { found } => format!("its format is number {found}, which this installer does not know"),
        Damage::Content(what) => what.clone(),
    }
}
