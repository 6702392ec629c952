//! Where the parts of an installation are: below `/usr`, as a package's are, or below `/opt/supervisor-kit` with the unit in
//! `/etc/systemd/system`, on hosts whose `/usr` cannot be written: images (ostree, transactional updates, squashfs),
//! read-only mounts, immutable directories.
//!
//! The bundle is made for the first; [`Prefix::adapt`] makes it fit the second. Plan, receipt, upgrades and removal then
//! treat the files like any others, and the receipt names the prefix for the runs to come.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bundle::{Manifest, Member, MemberKind, sums};
use super::takeover;

/// Where links to the programs go, when they are not in `/usr/bin`.
pub const LINK_DIR: &str = "/usr/local/bin/";
/// Adds the programs to the `PATH` of login shells, where links cannot be had.
pub const PROFILE: &str = "/etc/profile.d/supervisor-kit.sh";
const PROFILE_TEXT: &str = "\
# Made by supervisor-install: /usr cannot be written on this host, so the programs are in a place of their own.
case \":$PATH:\" in *:/opt/supervisor-kit/bin:*) ;; *) PATH=$PATH:/opt/supervisor-kit/bin ;; esac
";
/// What is called by name.
const LINKED: [&str; 5] = ["supervisord", "supervisorctl", "pidproxy", "echo_supervisord_conf", "supervisor-install"];
/// Texts that name the programs by path.
const UNIT_DIRS: [&str; 2] = ["/etc/systemd/system/", "/etc/init.d/"];

/// Where programs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Prefix {
    /// `/usr`.
    #[default]
    Usr,
    /// `/opt/supervisor-kit`.
    Opt,
}

impl Prefix {
    /// Both.
    pub const ALL: [Prefix; 2] = [Prefix::Usr, Prefix::Opt];

    fn choose(self, usr: &'static str, opt: &'static str) -> &'static str {
        if self == Prefix::Usr { usr } else { opt }
    }

    /// Where programs are, with a slash behind it.
    pub fn program_dir(self) -> &'static str {
        self.choose("/usr/bin/", "/opt/supervisor-kit/bin/")
    }

    /// The daemon; the other programs of the suite are links to it.
    pub fn program(self) -> &'static str {
        self.choose("/usr/bin/supervisord", "/opt/supervisor-kit/bin/supervisord")
    }

    /// The client, used to verify an installation.
    pub fn client(self) -> &'static str {
        self.choose("/usr/bin/supervisorctl", "/opt/supervisor-kit/bin/supervisorctl")
    }

    /// The installer as it stays on the host.
    pub fn installer(self) -> &'static str {
        self.choose("/usr/bin/supervisor-install", "/opt/supervisor-kit/bin/supervisor-install")
    }

    /// The unit file. Every systemd since 219 reads both directories.
    pub fn unit(self) -> &'static str {
        self.choose("/usr/lib/systemd/system/supervisord.service", "/etc/systemd/system/supervisord.service")
    }

    /// The installer while it guards a change, where the programs go: what runs there now will run there after a boot.
    pub fn guard_program(self) -> &'static str {
        self.choose("/usr/bin/.supervisor-install.guard", "/opt/.supervisor-install/bin/guard")
    }

    /// Directories of the guard's own, the topmost first.
    pub fn guard_dirs(self) -> &'static [&'static str] {
        if self == Prefix::Usr { &[] } else { &["/opt/.supervisor-install", "/opt/.supervisor-install/bin"] }
    }

    /// Where a program may be tried before anything is changed; the first directory that is there counts.
    pub fn trial_places(self) -> &'static [&'static str] {
        match self {
            Prefix::Usr => &["/usr/bin/supervisord"],
            Prefix::Opt => &["/opt/supervisor-kit/bin/supervisord", "/opt/supervisord", "/supervisord"],
        }
    }

    /// Where something of the bundle goes.
    pub fn place(self, path: &str) -> String {
        const MOVED: [(&str, &str); 3] = [
            ("/usr/lib/systemd/system/", "/etc/systemd/system/"),
            ("/usr/lib/tmpfiles.d/", "/etc/tmpfiles.d/"),
            ("/usr/", "/opt/supervisor-kit/"),
        ];
        let moved = MOVED.iter().find_map(|(from, to)| path.strip_prefix(from).map(|rest| format!("{to}{rest}")));
        moved.filter(|_| self == Prefix::Opt).unwrap_or_else(|| path.to_owned())
    }

    /// A unit or script with the programs at their places.
    pub fn fit(self, text: &str) -> String {
        text.replace(Prefix::Usr.program_dir(), self.program_dir())
    }

    /// Makes the bundle fit. With `has_links`, the programs are to be found in `/usr/local/bin`, else in the `PATH` that a
    /// login shell has.
    pub fn adapt(self, manifest: &mut Manifest, contents: &mut BTreeMap<String, Vec<u8>>, has_links: bool) {
        if self == Prefix::Usr {
            return;
        }
        for member in &mut manifest.members {
            let path = self.place(&member.path);
            if let Some(mut bytes) = contents.remove(&member.path) {
                if let (true, Ok(text)) = (names_programs(&path), std::str::from_utf8(&bytes)) {
                    bytes = self.fit(text).into_bytes();
                }
                if let MemberKind::File { size, sha256, .. } = &mut member.kind {
                    (*size, *sha256) = (bytes.len() as u64, sums::sha256(&bytes));
                }
                contents.insert(path.clone(), bytes);
            }
            member.path = path;
        }
        if !has_links {
            takeover::add(manifest, contents, PROFILE, 0o644, PROFILE_TEXT.as_bytes().to_vec());
            return;
        }
        let link = |name: &str| Member {
            path: format!("{LINK_DIR}{name}"),
            kind: MemberKind::Link { target: format!("{}{name}", self.program_dir()) },
        };
        manifest.members.extend(LINKED.iter().map(|name| link(name)));
    }
}

fn names_programs(path: &str) -> bool {
    UNIT_DIRS.iter().any(|dir| path.starts_with(dir))
}

/// Whether these are the links of an installation elsewhere.
pub fn has_links(members: &[Member]) -> bool {
    members.iter().any(|member| member.path.starts_with(LINK_DIR))
}
