//! The control member: what the package is, which files are the administrator's, and what runs when it comes and goes.

use std::fmt::Write;

use anyhow::{Result, bail};
use md5::{Digest, Md5};

use crate::kit::bundle::MemberKind;
use crate::kit::pack::contents::Contents;
use crate::kit::pack::{DESCRIPTION, SUMMARY, SUPERVISOR_VERSION, URL};

/// What `uname -m` and dpkg call the same processor. The new world of LoongArch: no program of ours runs in the old one.
const ARCHITECTURES: [(&str, &str); 4] =
    [("x86_64", "amd64"), ("aarch64", "arm64"), ("loongarch64", "loong64"), ("i686", "i386")];

pub(super) fn architecture(machine: &str) -> Result<&'static str> {
    match ARCHITECTURES.iter().find(|(name, _)| *name == machine) {
        Some((_, name)) => Ok(name),
        None => bail!("dpkg has no name for the processor {machine} that is known here"),
    }
}

/// Name, mode and text of each.
pub(super) fn files(
    contents: &Contents,
    version: &str,
    arch: &str,
    maintainer: &str,
) -> Vec<(&'static str, u32, String)> {
    let with = |script: &str| {
        let parts = [("@say@", include_str!("../say.sh")), ("@refuse@", include_str!("../refuse.sh"))];
        let parts = parts.into_iter().chain([("@renew@", include_str!("../renew.sh"))]);
        parts.fold(script.to_owned(), |text, (mark, part)| text.replace(mark, part.trim_end()))
    };
    vec![
        ("control", 0o644, about(contents, version, arch, maintainer)),
        ("md5sums", 0o644, md5sums(contents)),
        ("conffiles", 0o644, conffiles(contents)),
        ("preinst", 0o755, with(include_str!("preinst.sh"))),
        ("postinst", 0o755, with(include_str!("postinst.sh"))),
        ("prerm", 0o755, with(include_str!("prerm.sh"))),
        ("postrm", 0o755, with(include_str!("postrm.sh"))),
    ]
}

fn about(contents: &Contents, version: &str, arch: &str, maintainer: &str) -> String {
    let name = env!("CARGO_PKG_NAME");
    let description: String = DESCRIPTION
        .lines()
        .fold(String::new(), |text, line| text + if line.is_empty() { "\n ." } else { "\n " } + line);
    format!(
        "Package: {name}\nVersion: {version}\nArchitecture: {arch}\nMaintainer: {maintainer}\nInstalled-Size: {}\n\
         Conflicts: supervisor\nReplaces: supervisor\nProvides: supervisor (= {SUPERVISOR_VERSION})\nSection: admin\n\
         Priority: optional\nHomepage: {URL}\nDescription: {SUMMARY}{description}\n",
        installed_kib(contents)
    )
}

/// As dpkg-gencontrol counts: files in whole KiB, everything else as one (deb-substvars(5)).
fn installed_kib(contents: &Contents) -> u64 {
    let kib = |kind: &MemberKind| match kind {
        MemberKind::File { size, .. } => size.div_ceil(1024),
        MemberKind::Dir { .. } | MemberKind::Link { .. } => 1,
    };
    contents.members.iter().map(|member| kib(&member.kind)).sum()
}

fn md5sums(contents: &Contents) -> String {
    contents.files.iter().fold(String::new(), |mut text, (path, bytes)| {
        for byte in Md5::digest(bytes) {
            let _ = write!(text, "{byte:02x}");
        }
        let _ = writeln!(text, "  {}", path.trim_start_matches('/'));
        text
    })
}

fn conffiles(contents: &Contents) -> String {
    let is_config = |kind: &MemberKind| matches!(kind, MemberKind::File { config: true, .. });
    let paths = contents.members.iter().filter(|member| is_config(&member.kind));
    paths.fold(String::new(), |text, member| text + &member.path + "\n")
}

pub(super) fn changelog_path() -> String {
    format!("/usr/share/doc/{}/changelog.Debian.gz", env!("CARGO_PKG_NAME"))
}

/// One entry, in the format that Debian's tools read.
pub(super) fn changelog(version: &str, maintainer: &str, epoch_secs: u64) -> String {
    let name = env!("CARGO_PKG_NAME");
    let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(epoch_secs));
    let date = date.replace("GMT", "+0000");
    format!(
        "{name} ({version}) stable; urgency=medium\n\n  * supervisor-kit {}.\n\n -- {maintainer}  {date}\n",
        crate::KIT_VERSION
    )
}
