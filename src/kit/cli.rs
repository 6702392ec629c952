//! The command line of `install`, which stays on the host as `supervisor-install`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::bundle::Trust;
use super::bundle::signature::SITE_KEY;
use super::failure::Failure;
use super::host::Root;
use super::host::detect::Family;
use super::plan::{Restart, Wishes};
use super::preflight::Choices;
use super::text::Lang;

/// Installs Supervisor from this bundle, without internet.
#[derive(Debug, Parser)]
#[command(name = "install", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do [default: install]
    #[command(subcommand)]
    pub action: Option<Action>,
    /// What the default action takes.
    #[command(flatten)]
    pub install: InstallArgs,
    /// Print what would be done, change nothing
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Work on this directory instead of the running system
    #[arg(long, value_name = "DIR", global = true)]
    pub root: Option<PathBuf>,
    /// Do not ask anything
    #[arg(long, short, global = true)]
    pub yes: bool,
    /// Language of messages [default: from LC_ALL, LC_MESSAGES or LANG]
    #[arg(long, value_enum, global = true)]
    pub lang: Option<Lang>,
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// Go on although this check fails: its name stands before what it says
    #[arg(long, value_name = "CHECK", global = true, value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// Do not tell fapolicyd about the new programs
    #[arg(long, global = true)]
    pub no_fapolicyd: bool,
    /// File of answers (TOML); variables INSTALL_* and options win over it
    #[arg(long, value_name = "FILE", global = true)]
    pub answers: Option<PathBuf>,
    /// Folder of the unpacked bundle [default: the folder of this program]
    #[arg(long, value_name = "DIR", global = true)]
    pub bundle: Option<PathBuf>,
}

/// What there is to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Look whether this host is ready for the bundle; change nothing
    Check(InstallArgs),
    /// Look whether everything is still as it was installed
    Verify,
    /// Look for what keeps Supervisor from working
    Doctor,
    /// Tell what is installed, which changes can be undone, and how the service is
    Status,
    /// Install this bundle, or mend what differs from it
    Install(InstallArgs),
    /// Bring another version to a host where supervisor-kit is installed
    Upgrade(UpgradeArgs),
    /// Go back to how the host was before the last change
    Rollback(RollbackArgs),
    /// Turn the web console on or off
    Web(WebArgs),
    /// Renew the running daemon after an update of its package, as RESTART_ON_UPGRADE in /etc/sysconfig/supervisord or
    /// /etc/default/supervisor says: never (the default), reexec, or always
    RestartByPolicy,
    /// Remove what was installed
    Uninstall(UninstallArgs),
    /// Take back a change that was interrupted; every other action does it too
    #[command(hide = true)]
    Recover(RecoverArgs),
}

/// Options of an installation.
#[derive(Debug, Clone, Args)]
pub struct InstallArgs {
    /// Kind of system; `auto` looks at os-release and the package database
    #[arg(long, value_enum, default_value = "auto", value_name = "FAMILY")]
    pub distro: Distro,
    /// Do not start the service with the machine
    #[arg(long)]
    pub no_enable: bool,
    /// Do not start the service now
    #[arg(long)]
    pub no_start: bool,
    /// Take over from another Supervisor: Debian's, EPEL's, pip's, or one copied by hand
    #[arg(long)]
    pub replace: bool,
    /// With --replace: its programs run on as the same processes, and nothing that they write is lost
    #[arg(long, requires = "replace", conflicts_with = "no_start")]
    pub live: bool,
    /// The web console; on a fresh installation it is there at once.
    #[command(flatten)]
    pub console: WebArgs,
    /// Whose signature is wanted.
    #[command(flatten)]
    pub signature: SignatureArgs,
}

/// Options about the signature of a bundle.
#[derive(Debug, Clone, Default, Args)]
pub struct SignatureArgs {
    /// Refuse a bundle without a valid signature
    #[arg(long)]
    pub require_signature: bool,
    /// The minisign public key that must have signed it [default: /etc/supervisor-install.pub, when it is there]
    #[arg(long, value_name = "FILE")]
    pub pubkey: Option<PathBuf>,
}

impl SignatureArgs {
    /// Nothing about a signature.
    pub const NONE: SignatureArgs = SignatureArgs { require_signature: false, pubkey: None };

    /// The same as the bundle's reader takes it.
    pub fn trust(&self, root: &Root) -> Trust {
        Trust { key: self.pubkey.clone(), site_key: Some(root.at(SITE_KEY)), is_required: self.require_signature }
    }
}

/// The web console.
#[derive(Debug, Clone, Default, Args)]
pub struct WebArgs {
    /// Web console on this address, like 127.0.0.1:9001, or `off`
    #[arg(long, value_name = "ADDR:PORT")]
    pub web: Option<String>,
    /// Its user
    #[arg(long, value_name = "NAME")]
    pub web_user: Option<String>,
    /// File with its password on the first line
    #[arg(long, value_name = "FILE")]
    pub web_password_file: Option<PathBuf>,
    /// Open its port in firewalld
    #[arg(long)]
    pub open_firewall: bool,
    /// What becomes of a running daemon that does not know of it yet
    #[arg(long, value_enum, default_value = "never")]
    pub web_restart: Restart,
}

impl WebArgs {
    /// Nothing about a console.
    pub const NONE: WebArgs = WebArgs {
        web: None,
        web_user: None,
        web_password_file: None,
        open_firewall: false,
        web_restart: Restart::Never,
    };
}

/// Options of an upgrade.
#[derive(Debug, Clone, Args)]
pub struct UpgradeArgs {
    /// What becomes of the running daemon [default: RESTART_ON_UPGRADE of /etc/sysconfig/supervisord or
    /// /etc/default/supervisor, else never]
    #[arg(long, value_enum)]
    pub restart: Option<Restart>,
    /// Whose signature is wanted.
    #[command(flatten)]
    pub signature: SignatureArgs,
}

/// Options of a roll-back.
#[derive(Debug, Clone, Args)]
pub struct RollbackArgs {
    /// Undo this change and all after it [default: the last change]
    pub generation: Option<u32>,
}

/// Options of a removal.
#[derive(Debug, Clone, Args)]
pub struct UninstallArgs {
    /// Remove configuration and logs as well
    #[arg(long)]
    pub purge: bool,
}

/// Options of a recovery.
#[derive(Debug, Clone, Args)]
pub struct RecoverArgs {
    /// The machine is booting: wait for no service
    #[arg(long)]
    pub boot: bool,
}

const EXIT_CODES: &str = "\
Exit codes:
  0 done or already up to date    2 wrong usage                   3 not root
  4 bundle missing or damaged     5 wrong architecture            6 destination cannot be written
  7 configuration has an error    8 service did not come up       9 a step failed and was taken back
  10 another Supervisor is there  11 the system refuses to run it  12 another installer is at work
  13 nothing is installed         14 not as installed (verify)    15 something does not work (doctor)
  16 could not all be taken back; the next run tries again        17 signature missing or wrong
  130 cancelled";

/// The values of `--distro`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distro {
    /// Find out.
    Auto,
    /// Take the operator's word.
    Given(Family),
}

impl ValueEnum for Distro {
    fn value_variants<'a>() -> &'a [Distro] {
        use Family::*;
        const ALL: [Distro; 7] = [
            Distro::Auto,
            Distro::Given(RedHat),
            Distro::Given(Uos),
            Distro::Given(Kylin),
            Distro::Given(Debian),
            Distro::Given(Suse),
            Distro::Given(Generic),
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        match self {
            Distro::Auto => Some(clap::builder::PossibleValue::new("auto")),
            Distro::Given(family) => family.to_possible_value(),
        }
    }
}

/// Where to work, and how: what all actions share.
#[derive(Debug, Clone)]
pub struct Request {
    /// Folder of the bundle.
    pub bundle: PathBuf,
    /// The tree.
    pub root: Root,
    /// Only show the plan.
    pub dry_run: bool,
    /// Do not ask.
    pub yes: bool,
    /// About the looks at the host.
    pub choices: Choices,
}

impl Request {
    /// Finds the bundle and the tree that a command line names.
    ///
    /// # Errors
    /// `--root` names no directory.
    pub fn from_cli(cli: &Cli) -> Result<Request, Failure> {
        let beside = || std::env::current_exe().ok().and_then(|exe| exe.parent().map(PathBuf::from));
        Ok(Request {
            bundle: cli.bundle.clone().or_else(beside).unwrap_or_else(|| PathBuf::from(".")),
            root: cli.root.as_ref().map_or_else(|| Ok(Root::live()), |dir| Root::staged(dir))?,
            dry_run: cli.dry_run,
            yes: cli.yes || cli.json,
            choices: Choices { ignore: cli.ignore.clone(), no_fapolicyd: cli.no_fapolicyd },
        })
    }
}

impl InstallArgs {
    /// What the operator wants.
    pub fn wishes(&self) -> Wishes {
        Wishes { enable: !self.no_enable, start: !self.no_start, restart: Restart::Never }
    }
}

impl Cli {
    /// The name of the verb, as on the command line.
    pub fn verb(&self) -> &'static str {
        match &self.action {
            None | Some(Action::Install(_)) => "install",
            Some(Action::Check(_)) => "check",
            Some(Action::Verify) => "verify",
            Some(Action::Doctor) => "doctor",
            Some(Action::Status) => "status",
            Some(Action::Upgrade(_)) => "upgrade",
            Some(Action::Rollback(_)) => "rollback",
            Some(Action::Web(_)) => "web",
            Some(Action::RestartByPolicy) => "restart-by-policy",
            Some(Action::Uninstall(_)) => "uninstall",
            Some(Action::Recover(_)) => "recover",
        }
    }
}
