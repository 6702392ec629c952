//! The rpm package: format 4, gzip, for every rpm since 4.11.

mod signature;

use std::path::PathBuf;

use anyhow::{Context, Result};
use rpm::{BuildConfig, CompressionWithLevel, Dependency, FileOptions, PackageBuilder, Scriptlet};

use super::contents::{AsTheTable, Contents, is_documentation};
use super::{DESCRIPTION, MAINTAINER, PackageArgs, SUMMARY, SUPERVISOR_VERSION, URL, output, version};
use crate::kit::bundle::{Member, MemberKind};
use crate::kit::state::PackageManager;

const PRE: &str = concat!(include_str!("../say.sh"), include_str!("../refuse.sh"), include_str!("pre.sh"));
const POSTTRANS: &str = concat!(include_str!("../say.sh"), include_str!("../renew.sh"), include_str!("posttrans.sh"));

/// What runs the scripts.
const SHELL: &str = "/bin/sh";
/// Directories that the `filesystem` and `systemd` packages of every distribution own; of all others that we need, we are an
/// owner, so that nothing stays when the package goes.
const OWNED_BY_OTHERS: [&str; 17] = [
    "/etc",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib/systemd",
    "/usr/lib/systemd/system",
    "/usr/lib/tmpfiles.d",
    "/usr/share",
    "/usr/share/doc",
    "/usr/share/man",
    "/usr/share/man/man1",
    "/usr/share/man/man5",
    "/usr/share/man/man8",
    "/usr/share/bash-completion",
    "/usr/share/bash-completion/completions",
    "/var",
    "/var/log",
];

/// Makes the package and returns its path.
pub(super) fn pack(args: &PackageArgs) -> Result<PathBuf> {
    let epoch_secs = args.input.source_date_epoch;
    let version = version::package(crate::KIT_VERSION)?;
    let release = version::release(&args.release)?;
    let mut contents = Contents::gather(&args.input.bin_dir, args.input.arch.as_deref(), &AsTheTable)?;
    contents.add_receipt(PackageManager::Rpm, &AsTheTable, epoch_secs)?;
    let built = build(&contents, &version, release, epoch_secs, args.packager.as_deref())?;
    let name = format!("{}-{version}-{release}.{}.rpm", env!("CARGO_PKG_NAME"), contents.arch);
    output::write(&args.input.out, &name, &built)
}

fn build(
    contents: &Contents,
    version: &str,
    release: &str,
    epoch_secs: u64,
    packager: Option<&str>,
) -> Result<Vec<u8>> {
    let date = u32::try_from(epoch_secs).context("SOURCE_DATE_EPOCH is too late for an rpm package")?;
    // Without a level the crate would choose one of its own: then another version of it made other bytes.
    let config = BuildConfig::v4().compression(CompressionWithLevel::Gzip(GZIP_LEVEL)).source_date(date);
    let mut package =
        PackageBuilder::new(env!("CARGO_PKG_NAME"), version, env!("CARGO_PKG_LICENSE"), &contents.arch, SUMMARY);
    package
        .using_config(config)
        .release(release)
        .description(DESCRIPTION)
        .group("System Environment/Daemons")
        .url(URL)
        .vendor("supervisor-kit")
        .packager(packager.unwrap_or(MAINTAINER))
        .build_host("localhost")
        .add_changelog_entry(
            format!("{} - {version}-{release}", packager.unwrap_or(MAINTAINER)),
            format!("- supervisor-kit {version}; what changed is told at {URL}"),
            date,
        );
    depend(&mut package);
    scripts(&mut package);
    for member in &contents.members {
        add(&mut package, member, contents.bytes(member))?;
    }
    for dir in owned_parents(contents) {
        package.with_dir_entry(FileOptions::dir(dir).permissions(0o755))?;
    }
    let mut bytes = Vec::new();
    package.build()?.write(&mut bytes)?;
    signature::complete(&bytes)
}

/// The strongest that gzip has; what `rpmbuild` uses.
const GZIP_LEVEL: u32 = 9;

/// It stands in for `supervisor`, and takes its place in an upgrade (`rpm -U`); `rpm -i` beside it is refused.
fn depend(package: &mut PackageBuilder) {
    const OTHER: &str = "supervisor";
    package
        .provides(Dependency::eq(OTHER, SUPERVISOR_VERSION))
        .obsoletes(Dependency::less(OTHER, SUPERVISOR_VERSION))
        .conflicts(Dependency::less(OTHER, SUPERVISOR_VERSION));
    package
        .requires(Dependency::script_pre(SHELL))
        .requires(Dependency::script_post(SHELL))
        .requires(Dependency::script_preun(SHELL))
        .requires(Dependency::script_postun(SHELL));
}

fn scripts(package: &mut PackageBuilder) {
    package
        .pre_install_script(script(PRE))
        .post_install_script(script(include_str!("post.sh")))
        .pre_uninstall_script(script(include_str!("preun.sh")))
        .post_uninstall_script(script(include_str!("postun.sh")))
        .post_trans_script(script(POSTTRANS));
}

fn script(text: &str) -> Scriptlet {
    Scriptlet::new(text).prog(vec![SHELL])
}

fn add(package: &mut PackageBuilder, member: &Member, bytes: &[u8]) -> Result<()> {
    let mode = |mode: u32| u16::try_from(mode).context("a mode has more than sixteen bits");
    match &member.kind {
        MemberKind::Dir { mode: bits } => {
            package.with_dir_entry(FileOptions::dir(&member.path).permissions(mode(bits.0)?))?;
        }
        MemberKind::Link { target } => {
            package.with_symlink(FileOptions::symlink(&member.path, target))?;
        }
        MemberKind::File { mode: bits, config, .. } => {
            let options = FileOptions::new(&member.path).permissions(mode(bits.0)?);
            let options = if *config { options.config().noreplace() } else { options };
            let options = if is_documentation(&member.path) { options.doc() } else { options };
            package.with_file_contents(bytes, options)?;
        }
    }
    Ok(())
}

fn owned_parents(contents: &Contents) -> Vec<String> {
    let is_member = |dir: &str| contents.members.iter().any(|member| member.path == dir);
    let mut dirs: Vec<String> = Vec::new();
    for member in &contents.members {
        let above = member.path.match_indices('/').skip(1).map(|(end, _)| &member.path[..end]);
        dirs.extend(above.filter(|dir| !OWNED_BY_OTHERS.contains(dir) && !is_member(dir)).map(str::to_owned));
    }
    dirs.sort();
    dirs.dedup();
    dirs
}
