//! English.

mod answers;
mod change;
mod checks;
mod failure;
mod takeover;
mod web;

pub(super) use answers::ask;
pub(super) use checks::trouble;
pub(super) use failure::failure;

use super::{Lang, Note, family_name, indented, os_line, size};
use crate::kit::host::detect::{Class, Hint, Reason, System};
use crate::kit::host::evidence::Packages;
use crate::kit::plan::Step;
use crate::kit::prefix::{LINK_DIR, PROFILE};
use crate::kit::tree::{CONFIG, TRUST_FILE};

pub(super) fn note(note: &Note) -> String {
    match note {
        Note::Change(said) => change::note(said),
        Note::Bundle { version, arch } => format!("Bundle: {version} for {arch}, every checksum is right"),
        Note::System(system) => saw(system),
        Note::Contradiction => {
            "Warning: the package database does not fit what os-release says. Going on as shown above; \
             choose another family with --distro if that is wrong."
                .to_string()
        }
        Note::Hint(Hint::Kysec) => {
            "Note: where KySec is there, the new programs are marked as verified (kysec_set). In \
             three-administrator mode that needs the security administrator (secadm)."
                .to_string()
        }
        Note::Hint(Hint::ElfVerify) => {
            "Note: UOS Desktop may refuse programs that UnionTech has not signed. Then turn on developer mode."
                .to_string()
        }
        Note::NotOwnedByRoot => "Note: not running as root, so the files will belong to you.".to_string(),
        Note::PlanBegins => "Plan:".to_string(),
        Note::PlanEnds => "Dry run: nothing was changed.".to_string(),
        Note::UpToDate { version } => format!("supervisor-kit {version} is already up to date: nothing was changed."),
        Note::TakingBack => "Taking back what was done ...".to_string(),
        Note::Interrupted => {
            "Note: an earlier run was interrupted. The next run takes its change back first.".to_string()
        }
        Note::TakingBackInterrupted { verb, version } => {
            format!("An earlier run ({verb}, {version}) was interrupted: taking back what it had done ...")
        }
        Note::RollingBack { number, verb, version } => format!("Undoing change {number} ({verb}, {version}) ..."),
        Note::RolledBack => "Rolled back: the host is as it was before.".to_string(),
        Note::Uninstalled { version } => format!("supervisor-kit {version} is removed."),
        Note::DirKept { path } => format!("Note: {path} stays, because something is in it."),
        Note::NotTakenBack { path, reason } => format!("Warning: could not take back {path}: {reason}"),
        Note::Verified { pid } => format!("Verified: supervisord runs as process {pid} from the installed file."),
        Note::ClientUnreachable { pid, reason } => format!(
            "Warning: supervisord runs as process {pid}, but supervisorctl cannot reach it with the configuration that \
             was kept:{}",
            indented(reason)
        ),
        Note::Reexecuted(done) => change::reexecuted(done),
        Note::RestartNeeded { pid } => format!(
            "The running supervisord (process {pid}) is still the old program. It was left alone, because a restart \
             restarts every program. When the time is right: systemctl restart supervisord"
        ),
        Note::Finding(finding) => Lang::En.finding(finding),
        Note::Ready { version } => format!("This host is ready for supervisor-kit {version}. Nothing was changed."),
        Note::AsInstalled { version } => format!("Everything is as supervisor-kit {version} installed it."),
        Note::Healthy { unit } => format!("Nothing found: {unit} runs, and supervisorctl reaches it."),
        Note::Status(status) => Lang::En.status(status),
        Note::Installed { version } => format!("supervisor-kit {version} is installed."),
        Note::Elsewhere { dir, has_links } => elsewhere(dir, *has_links),
        Note::Takeover(told) => takeover::told(told),
        Note::Web(told) => web::told(told),
        Note::NextPrograms => {
            "Next: put programs into /etc/supervisord.d/*.ini, then run: supervisorctl update".to_string()
        }
        Note::NextStart => "Next: start the service with: systemctl start supervisord".to_string(),
        Note::NextWithoutSystemd => {
            "systemd does not run here, so no service was started. Next: /etc/init.d/supervisord start, or where there is \
             no such script: supervisord -c /etc/supervisord.conf"
                .to_string()
        }
        Note::NextStaged { root } => {
            format!("The files are in {root}. The service starts when that system boots, if enabled.")
        }
    }
}

fn elsewhere(dir: &str, has_links: bool) -> String {
    if has_links {
        return format!(
            "The programs are in {dir}, with links in {LINK_DIR}. Where sudo does not look there, give the path."
        );
    }
    format!(
        "The programs are in {dir}. Login shells find them from the next login on ({PROFILE}); elsewhere, and with sudo, \
         give the path."
    )
}

fn saw(system: &System) -> String {
    let packages = match (system.evidence.packages, system.evidence.database) {
        (Packages::Rpm, Some(path)) => format!("rpm ({path})"),
        (Packages::Dpkg, Some(path)) => format!("dpkg ({path})"),
        _ => "none found".to_string(),
    };
    let detail = system.evidence.detail.iter().map(|text| format!("\n  vendor file: {text}")).collect::<String>();
    format!(
        "System: {}\n  packages: {packages}{detail}\n  family: {} ({})",
        os_line(system),
        family_name(system.family),
        decided(system.class, &system.reason),
    )
}

fn decided(class: Class, reason: &Reason) -> String {
    let class = match class {
        Class::Redhat => "Red Hat Enterprise Linux and relatives",
        Class::Neokylin => "NeoKylin",
        Class::UosServerE => "UOS Server 20 e",
        Class::UosServerA => "UOS Server 20 a",
        Class::UosServerD => "UOS Server 20 d",
        Class::UosServer => "UOS Server",
        Class::UosDesktop => "UOS Desktop",
        Class::KylinServer => "Kylin Server",
        Class::KylinDesktop => "Kylin Desktop",
        Class::Debian => "Debian and relatives",
        Class::Suse => "SUSE and relatives",
        Class::Generic => "unknown system, treated as any Linux with systemd",
    };
    let reason = match reason {
        Reason::Asked => "as asked with --distro".to_string(),
        Reason::PlatformId(id) => format!("because of ID and PLATFORM_ID={id}"),
        Reason::NameSays(word) => format!("because of ID and \"{word}\" in the name"),
        Reason::Mark(key) => format!("because of ID and {key}"),
        Reason::IdAndPackages => "because of ID and the kind of packages".to_string(),
        Reason::Id => "because of ID".to_string(),
        Reason::IdLike(word) => format!("because ID_LIKE names {word}"),
        Reason::Unknown => "no known ID or ID_LIKE; choose a family with --distro if you know better".to_string(),
    };
    format!("{class}; {reason}")
}

pub(super) fn step(step: &Step) -> String {
    let new = |replaces: bool| if replaces { "replaces the old one" } else { "new" };
    match step {
        Step::Clean { path } => format!("remove leftover     {path}"),
        Step::MakeDir { path, mode } => format!("make directory      {path} ({mode:04o})"),
        Step::Stage { path, mode, size: bytes, replaces } => {
            format!("write beside        {path} ({mode:04o}, {}, {})", size(*bytes), new(*replaces))
        }
        Step::Trust { paths, .. } => format!("mark for KySec      {}", paths.join(" ")),
        Step::TrustFile { text: Some(_) } => format!("tell fapolicyd      {TRUST_FILE}; fapolicyd-cli --update"),
        Step::TrustFile { text: None } => format!("remove              {TRUST_FILE}; fapolicyd-cli --update"),
        Step::Takeover(deed) => takeover::deed(deed),
        Step::Web(deed) => web::deed(deed),
        Step::Sysv(register) => format!("run                 {}", register.command()),
        Step::Keep { path } => format!("keep                {path} (yours)"),
        Step::CheckConfig { .. } => format!("check               {CONFIG} with supervisord -t"),
        Step::GoLive { path, .. } => format!("put in place        {path}"),
        Step::Link { path, target, replaces } => format!("link                {path} -> {target} ({})", new(*replaces)),
        Step::Label { paths } => format!("set SELinux labels  {}", paths.join(" ")),
        Step::Reload => "run                 systemctl daemon-reload".to_string(),
        Step::Enable => "run                 systemctl enable supervisord.service".to_string(),
        Step::Start => "run                 systemctl start supervisord.service".to_string(),
        Step::Restart => {
            "run                 systemctl restart supervisord.service (restarts every program)".to_string()
        }
        Step::Reexec { pid } => {
            format!(
                "run                 supervisorctl upgrade (process {pid} becomes the new program, its programs run on)"
            )
        }
        Step::Stop { unit } => format!("run                 systemctl stop {unit}"),
        Step::Disable { unit } => format!("run                 systemctl disable {unit}"),
        Step::Remove { path } => format!("remove              {path}"),
        Step::SetAside { path } => format!("remove              {path}, with all that is in it"),
        Step::Offer { path, .. } => format!("write beside        {path}.new (new default configuration)"),
        Step::RemoveDir { path } => format!("remove directory    {path}, if it is empty"),
        Step::Verify { is_fresh: true } => {
            "verify              process, file and supervisorctl; again after 3 s".to_string()
        }
        Step::Verify { is_fresh: false } => "verify              process, file and supervisorctl".to_string(),
        Step::TellRestart { pid } => {
            format!("leave running       the old supervisord, process {pid}; restart it yourself")
        }
    }
}
