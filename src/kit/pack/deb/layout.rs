//! Where Debian's `supervisor` package has things, so that existing programs, habits and scripts fit.

use crate::kit::bundle::MemberKind;
use crate::kit::pack::contents::{Contents, Layout};

/// The unit under the name that Debian gives it.
pub(super) const UNIT_NAME: &str = "supervisor.service";
/// The unit under the name that everybody else gives it: a link of the package, because systemd does not enable a unit by a
/// name that only `Alias=` gives it.
pub(super) const ALIAS: &str = "/lib/systemd/system/supervisord.service";

/// What is elsewhere, the longest first: both as paths of the table and in its texts.
const PLACES: [(&str, &str); 5] = [
    ("/usr/lib/systemd/system/supervisord.service", "/lib/systemd/system/supervisor.service"),
    ("/usr/lib/systemd/system/supervisord-programs.service", "/lib/systemd/system/supervisor-programs.service"),
    ("/etc/supervisord.d/hello.ini", "/etc/supervisor/conf.d/hello.conf"),
    ("/etc/supervisord.conf", "/etc/supervisor/supervisord.conf"),
    ("/etc/supervisord.d", "/etc/supervisor/conf.d"),
];
/// What texts say in other words: the folder of the programs, and the second name of the unit, which [`ALIAS`] gives it.
const WORDS: [(&str, &str); 4] = [
    // Ours is the one whose name begins as the daemon's unit does.
    ("supervisord-programs.service", "supervisor-programs.service"),
    ("Programs of supervisord.service", "Programs of supervisor.service"),
    ("files = supervisord.d/*.ini supervisord.d/*.conf", "files = conf.d/*.conf"),
    ("\nAlias=supervisor.service\n", "\n"),
];

/// The places of Debian.
pub(super) struct Debian;

impl Layout for Debian {
    fn path(&self, path: &str) -> String {
        self.text(path.to_owned())
    }

    fn text(&self, text: String) -> String {
        PLACES.iter().chain(&WORDS).fold(text, |text, (from, to)| text.replace(from, to))
    }
}

/// dpkg wants every directory above a file in the archive, before what is in it.
pub(super) fn complete(contents: &mut Contents) {
    let paths: Vec<String> = contents.members.iter().map(|member| member.path.clone()).collect();
    for path in paths {
        for (end, _) in path.match_indices('/').skip(1) {
            let dir = &path[..end];
            if !contents.members.iter().any(|member| member.path == dir) {
                contents.add_dir(dir, 0o755);
            }
        }
    }
    let depth = |path: &str| path.matches('/').count();
    contents.members.sort_by(|a, b| {
        let is_file = |kind: &MemberKind| !matches!(kind, MemberKind::Dir { .. });
        (is_file(&a.kind), depth(&a.path), &a.path).cmp(&(is_file(&b.kind), depth(&b.path), &b.path))
    });
}
