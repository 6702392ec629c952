//! 203/EXEC has many causes that look alike: each is told by its own evidence.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use supervisor_kit::kit::failure::{ExitCode, Failure, ServiceDown};
use supervisor_kit::kit::preflight::{Trouble, Verdict};
use supervisor_kit::kit::text::Lang;

use super::fake::said;
use super::live::Host;
use super::{elf, machine};

/// What is said when the host is prepared by `prepare` and `sabotage` hits the program while the service starts.
#[track_caller]
fn refusal(prepare: impl FnOnce(&mut Host), sabotage: impl Fn(&PathBuf) + 'static) -> (Trouble, String) {
    let mut host = Host::new().unwrap();
    host.fake.start_fails = true;
    host.fake.shown = "ActiveState=failed\nResult=exit-code\nExecMainStatus=203\n".to_owned();
    let program = host.scratch.root.join("usr/bin/supervisord");
    host.fake.sabotage = Some(Box::new(move || sabotage(&program)));
    prepare(&mut host);
    let failure = host.fails(ExitCode::Service);
    let Failure::ServiceDown(ServiceDown { refusal, .. }) = &failure else { panic!("{failure:?}") };
    let refusal = refusal.clone().unwrap();
    let Verdict::Fail(trouble) = refusal.verdict else { panic!("{refusal:?}") };
    for lang in [Lang::En, Lang::Zh] {
        let text = lang.failure(&failure);
        assert!(text.contains("address in use"), "without the journal: {text}");
        assert!(text.contains(lang.trouble(trouble).0) && text.contains(lang.trouble(trouble).1), "{text}");
    }
    (trouble, refusal.evidence)
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[test]
fn what_the_file_tells() {
    if !is_root() {
        return;
    }
    let (trouble, _) = refusal(|_| (), |program| fs::remove_file(program).unwrap());
    assert_eq!(trouble, Trouble::ProgramMissing);
    let (trouble, seen) =
        refusal(|_| (), |program| fs::set_permissions(program, fs::Permissions::from_mode(0o644)).unwrap());
    assert_eq!((trouble, seen.as_str()), (Trouble::ProgramMode, "/usr/bin/supervisord: 0644"));
    let foreign = if machine() == "aarch64" { 62 } else { 183 };
    let (trouble, seen) = refusal(|_| (), move |program| fs::write(program, elf(foreign, "foreign")).unwrap());
    assert!(trouble == Trouble::WrongFormat && seen.ends_with(&format!("uname -m: {}", machine())), "{seen}");
    // Without the operator's word the looks would have refused the change.
    let noexec = |host: &mut Host| {
        let table = host.scratch.root.join("proc/self/mountinfo");
        fs::create_dir_all(table.parent().unwrap()).unwrap();
        fs::write(table, "37 36 8:2 / /usr rw,noexec - xfs /dev/b rw\n").unwrap();
        host.choices.ignore.push("noexec".to_owned());
    };
    let (trouble, seen) = refusal(noexec, |_| ());
    assert_eq!((trouble, seen.as_str()), (Trouble::Noexec, "/usr/bin/supervisord: /usr (xfs,noexec)"));
}

#[test]
fn what_selinux_kysec_and_fapolicyd_tell() {
    if !is_root() {
        return;
    }
    let with_file = |host: &Host, path: &str| {
        let path = host.scratch.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "1").unwrap();
    };
    let wanted = "Would relabel /usr/bin/supervisord from user_tmp_t to bin_t";
    let selinux = |wanted: &'static str| {
        move |host: &mut Host| {
            with_file(host, "sys/fs/selinux/enforce");
            host.fake.answers.insert("restorecon", said(0, wanted, ""));
        }
    };
    assert_eq!(refusal(selinux(wanted), |_| ()), (Trouble::SelinuxLabel, format!("/usr/bin/supervisord: {wanted}")));
    // Its label is right and it runs by hand: then services may not.
    assert_eq!(refusal(selinux(""), |_| ()).0, Trouble::SelinuxDenied);
    let kysec = |status: &'static str, mark: &'static str| {
        move |host: &mut Host| {
            with_file(host, "etc/kysec/conf");
            with_file(host, "etc/fapolicyd/fapolicyd.conf");
            host.fake.answers.insert("getstatus", said(0, status, ""));
            host.fake.answers.insert("kysec_get", said(0, mark, ""));
            host.fake.active_units.push("fapolicyd.service");
            host.fake.self_test = Err(io::Error::from_raw_os_error(libc::EPERM));
        }
    };
    let unknown = refusal(kysec("KySec status: Normal\nexec control: on", "unknown"), |_| ());
    assert!(unknown.0 == Trouble::KysecDenied && unknown.1.contains("kysec_get: unknown"), "{unknown:?}");
    assert_eq!(refusal(kysec("exec control : warning", "unknown"), |_| ()).0, Trouble::KysecDenied);
    // Off, or verified: then the next suspect.
    assert_eq!(refusal(kysec("exec control : off", "unknown"), |_| ()).0, Trouble::FapolicydDenied);
    assert_eq!(refusal(kysec("exec control : on", "verified"), |_| ()).0, Trouble::FapolicydDenied);
}

#[test]
fn what_runs_by_hand_is_kept_back_by_the_unit() {
    if is_root() {
        assert_eq!(refusal(|_| (), |_| ()).0, Trouble::UnitSetting);
    }
}
