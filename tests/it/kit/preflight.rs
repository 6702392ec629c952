//! Looks at a host, each both ways: a sound host passes, and each trouble is named with its evidence.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;

use nix::errno::Errno;
use supervisor_kit::kit::bundle::Bundle;
use supervisor_kit::kit::host::{Root, probe};
use supervisor_kit::kit::plan::Facts;
use supervisor_kit::kit::prefix::Prefix;
use supervisor_kit::kit::preflight::mounts::Mounts;
use supervisor_kit::kit::preflight::{
    Barriers, Choices, Finding, Look, Probe, SelfTest, Trouble, Verdict, judge, look, others,
};
use supervisor_kit::kit::takeover::{self, Findings};
use supervisor_kit::kit::tree::CONFIG;

use super::Scratch;
use super::fake::{FakeHost, said};

/// A host to look at; each test spoils one thing.
pub struct Host {
    pub scratch: Scratch,
    pub fake: FakeHost,
    pub choices: Choices,
    pub machine: String,
    pub is_root: bool,
    /// Spoils what is known of the host.
    pub spoil: fn(&mut Facts),
}

impl Host {
    pub fn new() -> Host {
        let scratch = Scratch::new();
        for dir in
            ["run/systemd/system", "usr/bin", "usr/local/bin", "etc/systemd/system", "var/log", "var/lib", "proc/1"]
        {
            fs::create_dir_all(scratch.root.join(dir)).unwrap();
        }
        let host = Host {
            scratch,
            fake: FakeHost::new(),
            choices: Choices::default(),
            machine: super::machine(),
            is_root: true,
            spoil: |_| (),
        };
        host.put("/proc/self/mountinfo", MOUNTS);
        host
    }

    pub fn put(&self, path: &str, text: &str) {
        let path = self.scratch.root.join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn look(&mut self) -> Vec<Finding> {
        let root = Root::pretend_live(&self.scratch.root).unwrap();
        let bundle = Bundle::open(&self.scratch.bundle).unwrap();
        let olds = Findings::default();
        let mut facts = probe::gather(&root, &bundle.manifest, Prefix::Usr, None, &olds, &mut self.fake).unwrap();
        facts.is_root = self.is_root;
        (self.spoil)(&mut facts);
        look(&mut Look {
            root: &root,
            commands: &mut self.fake,
            facts: &facts,
            manifest: &bundle.manifest,
            contents: &bundle.contents,
            config: CONFIG,
            usr_obstacle: None,
            olds: &olds,
            machine: &self.machine,
            choices: &self.choices,
        })
    }

    /// Expects this verdict of this probe, with this word in the evidence.
    #[track_caller]
    pub fn finds(&mut self, probe: Probe, verdict: Verdict, word: &str) {
        let found = self.look();
        let is_it = |finding: &&Finding| finding.probe == probe && finding.verdict == verdict;
        let finding = found.iter().find(is_it).unwrap_or_else(|| panic!("no {probe:?} {verdict:?} in {found:#?}"));
        assert!(finding.evidence.contains(word), "{finding:?}");
        assert!(!self.scratch.root.join("usr/bin/.supervisord.supervisor-kit.trial").exists());
    }
}

const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
25 22 0:21 / /tmp rw,nosuid,noexec shared:4 - tmpfs tmpfs rw
";

use Verdict::{Fail, Pass, Warn};

#[test]
fn a_sound_host_passes_everything() {
    let mut host = Host::new();
    let found = host.look();
    assert!(found.iter().all(|finding| finding.verdict == Pass), "{found:#?}");
    for probe in [Probe::Root, Probe::Architecture, Probe::Systemd, Probe::Space, Probe::Mount, Probe::Program] {
        assert!(found.iter().any(|finding| finding.probe == probe), "{probe:?} was not looked at: {found:#?}");
    }
}

#[test]
fn who_and_which_machine() {
    let mut host = Host::new();
    host.is_root = false;
    host.finds(Probe::Root, Fail(Trouble::NotRoot), "uid");
    let mut host = Host::new();
    host.machine = "riscv64".to_owned();
    host.finds(Probe::Architecture, Fail(Trouble::WrongArchitecture), "riscv64");
}

#[test]
fn systemd_old_or_not_there() {
    let mut host = Host::new();
    host.put("/proc/1/comm", "tini\n");
    fs::remove_dir(host.scratch.root.join("run/systemd/system")).unwrap();
    host.finds(Probe::Systemd, Warn(Trouble::NoSystemd), "tini");
}

#[test]
fn a_mount_without_exec_and_logs_in_memory() {
    let mut host = Host::new();
    host.put("/proc/self/mountinfo", &format!("{MOUNTS}30 22 8:2 / /usr rw,noexec - xfs /dev/sda2 rw\n"));
    host.finds(Probe::Mount, Fail(Trouble::Noexec), "/usr (xfs,noexec)");
    let mut host = Host::new();
    host.put("/proc/self/mountinfo", &format!("{MOUNTS}31 22 0:9 / /var/log rw - tmpfs log2ram rw\n"));
    host.finds(Probe::Logs, Warn(Trouble::LogVolatile), "/var/log (tmpfs)");
}

#[test]
fn the_longest_mount_point_counts_and_the_last_one_mounted_there() {
    let text = "1 0 8:1 / / rw - ext4 a rw\n2 1 8:2 / /usr ro - ext4 b rw\n3 1 8:3 / /usr rw - xfs c rw\n\
                4 1 8:4 / /us rw,noexec - ext4 d rw\n5 1 8:5 / /a\\040b rw - ext4 e ro\n";
    let mounts = Mounts::parse(text);
    assert_eq!(mounts.of("/usr/bin").unwrap().kind, "xfs");
    assert!(!mounts.of("/usr/bin").unwrap().is_noexec && !mounts.of("/usr/bin").unwrap().is_read_only);
    assert_eq!(mounts.of("/user").unwrap().point, "/");
    assert!(mounts.of("/a b/c").unwrap().is_read_only);
}

#[test]
fn security_modules_are_seen_with_their_remedy() {
    let mut host = Host::new();
    host.put("/sys/fs/selinux/enforce", "1");
    host.finds(Probe::Selinux, Pass, "enforcing");
    host.fake.missing = vec!["restorecon"];
    host.finds(Probe::Selinux, Warn(Trouble::NoRestorecon), "enforcing");

    let mut host = Host::new();
    fs::create_dir_all(host.scratch.root.join("etc/kysec")).unwrap();
    host.fake
        .answers
        .insert("getstatus", said(0, "KySec status: Normal\n\nexec control : off\nkid protect  : off\n", ""));
    host.finds(Probe::Kysec, Pass, "exec control : off");
    host.fake.answers.insert("getstatus", said(0, "exec control : warning\nkid protect : disable_privacy\n", ""));
    host.finds(Probe::Kysec, Warn(Trouble::KysecOn), "warning");
    host.finds(Probe::Kysec, Warn(Trouble::KysecKid), "disable_privacy");
    assert!(host.fake.changes.iter().any(|change| change.starts_with("kysec_set -n exectl -v verified")));
    host.fake.missing = vec!["kysec_set"];
    host.finds(Probe::Kysec, Warn(Trouble::KysecNoTool), "warning");

    let mut host = Host::new();
    host.put("/usr/share/deepin-elf-verify/whitelist", "x");
    host.finds(Probe::ElfSigning, Warn(Trouble::ElfVerify), "deepin-elf-verify");

    let mut host = Host::new();
    fs::create_dir_all(host.scratch.root.join("etc/fapolicyd")).unwrap();
    assert!(!host.look().iter().any(|finding| finding.probe == Probe::Fapolicyd), "it does not run");
    host.fake.active_units = vec!["fapolicyd.service"];
    host.finds(Probe::Fapolicyd, Pass, "trust.d/supervisor");
    host.choices.no_fapolicyd = true;
    host.finds(Probe::Fapolicyd, Warn(Trouble::FapolicydUntrusted), "active");
}

/// What each security module answers to `execve`, as it does on its systems.
#[test]
fn the_self_test_tells_the_causes_apart() {
    let none = Barriers::default();
    let noexec = Barriers { is_noexec: true, ..none.clone() };
    let kysec = |mode: &str| Barriers { kysec: Some(format!("exec control : {mode}")), ..Barriers::default() };
    let fapolicyd = Barriers { has_fapolicyd: true, ..none.clone() };
    let signing = Barriers { has_elf_verify: true, ..none.clone() };
    let selinux = |enforcing| Barriers { selinux: Some(enforcing), ..Barriers::default() };
    let denied = SelfTest::Refused(Errno::EACCES);
    let not_permitted = SelfTest::Refused(Errno::EPERM);
    for (test, barriers, expected) in [
        (SelfTest::Ended(Some(0)), &kysec("on"), None),
        (denied, &noexec, Some(Trouble::Noexec)),
        (denied, &kysec("on"), Some(Trouble::KysecDenied)),
        (denied, &kysec("off"), Some(Trouble::Denied)),
        (denied, &selinux(true), Some(Trouble::SelinuxDenied)),
        (denied, &selinux(false), Some(Trouble::Denied)),
        (not_permitted, &fapolicyd, Some(Trouble::FapolicydDenied)),
        (not_permitted, &signing, Some(Trouble::ElfDenied)),
        (SelfTest::Ended(Some(126)), &kysec("warning"), Some(Trouble::KysecDenied)),
        (SelfTest::Ended(None), &kysec("warning"), Some(Trouble::KysecDenied)),
        (SelfTest::Refused(Errno::ENOEXEC), &none, Some(Trouble::WrongFormat)),
        (SelfTest::Refused(Errno::ENOENT), &none, Some(Trouble::ProgramMissing)),
        (SelfTest::Ended(Some(128 + 31)), &none, Some(Trouble::SystemCallFilter)),
        (SelfTest::Ended(Some(128 + 4)), &none, Some(Trouble::IllegalInstruction)),
        (SelfTest::Ended(Some(1)), &none, Some(Trouble::KernelUnfit)),
    ] {
        assert_eq!(judge(test, barriers), expected, "{test:?} {barriers:?}");
    }
}

#[test]
fn a_program_that_may_not_run_is_found_before_anything_is_touched() {
    let mut host = Host::new();
    host.fake.self_test = Err(io::Error::from_raw_os_error(Errno::ENOEXEC as i32));
    host.finds(Probe::Program, Fail(Trouble::WrongFormat), "--self-test");
    host.choices.ignore = vec!["wrong-format".to_owned()];
    host.finds(Probe::Program, Warn(Trouble::WrongFormat), "--self-test");
}

#[test]
fn other_supervisors_are_seen() {
    let mut host = Host::new();
    host.put("/usr/bin/supervisord", "#!/usr/bin/python3\n");
    host.finds(Probe::OtherSupervisor, Fail(Trouble::OtherSupervisor), "python3");
    host.fake.answers.insert("dpkg-query", said(0, "supervisor: /usr/bin/supervisord\n", ""));
    let olds = takeover::look(&Root::pretend_live(&host.scratch.root).unwrap(), &mut host.fake);
    for (may_replace, verdict) in [(false, Fail(Trouble::OtherSupervisor)), (true, Warn(Trouble::OtherSupervisor))] {
        let [found] = &others(&olds, may_replace)[..] else { panic!("{olds:?}") };
        assert_eq!(found.verdict, verdict);
        assert_eq!(found.evidence, "/usr/bin/supervisord: deb supervisor");
    }

    let mut host = Host::new();
    host.put("/usr/local/bin/supervisord", "#!/opt/venv/bin/python\n");
    host.finds(Probe::Path, Warn(Trouble::PathShadowed), "#!/opt/venv/bin/python");
    host.put("/proc/77/cmdline", "/usr/bin/python3\0/opt/bin/supervisord\0-c\0/etc/s.conf\0");
    host.finds(Probe::Running, Warn(Trouble::OtherRunning), "77: /usr/bin/python3 /opt/bin/supervisord");
    // The program's own link, and a process that merely names it, are none.
    let mut host = Host::new();
    host.put("/proc/78/cmdline", "vi\0-R\0/etc/supervisord\0");
    symlink("/usr/bin/supervisord", host.scratch.root.join("usr/local/bin/supervisord")).unwrap();
    assert!(host.look().iter().all(|finding| finding.verdict == Pass));
}

#[test]
fn units_that_win_over_ours_are_seen() {
    let mut host = Host::new();
    host.put("/etc/systemd/system/supervisord.service.d/limits.conf", "[Service]\n");
    host.finds(Probe::Unit, Warn(Trouble::UnitDropIn), "limits.conf");
    host.put("/etc/systemd/system/supervisord.service", "[Service]\n");
    host.finds(Probe::Unit, Warn(Trouble::UnitShadowed), "/etc/systemd/system/supervisord.service");
    fs::remove_file(host.scratch.root.join("etc/systemd/system/supervisord.service")).unwrap();
    symlink("/dev/null", host.scratch.root.join("etc/systemd/system/supervisord.service")).unwrap();
    host.finds(Probe::Unit, Fail(Trouble::UnitMasked), "/dev/null");
}

#[test]
fn the_configuration_and_its_port() {
    let mut host = Host::new();
    host.put("/etc/supervisord.conf", "[inet_http_server]\nport=127.0.0.1:9001\n");
    host.finds(Probe::Config, Pass, "/etc/supervisord.conf");
    host.finds(Probe::Port, Pass, "9001");
    let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                 0: 0100007F:2329 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0\n";
    host.put("/proc/net/tcp", table);
    host.finds(Probe::Port, Fail(Trouble::PortTaken), "9001");
    // Our own daemon may.
    host.fake.is_active = true;
    let fd = host.scratch.root.join("proc/4321/fd");
    fs::create_dir_all(&fd).unwrap();
    symlink("socket:[4242]", fd.join("5")).unwrap();
    host.finds(Probe::Port, Pass, "4321");

    let problem = r#"{"problems":[{"severity":"error","file":"/etc/a.ini","line":3,"section":"program:x","key":"user","message":"Invalid user name app"}]}"#;
    host.fake.check = Ok(said(2, problem, ""));
    host.finds(Probe::Config, Fail(Trouble::ConfigInvalid), "/etc/a.ini:3: [program:x] user: Invalid user name app");
    host.fake.check = Ok(said(1, "a warning", ""));
    host.finds(Probe::Config, Warn(Trouble::ConfigWarnings), "a warning");
}
