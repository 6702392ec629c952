//! Words: complete in both languages, and every failure names its cause and the next step.

use supervisor_kit::kit::failure::{Damage, ExitCode, Failure, ServiceDown, SignatureFault};
use supervisor_kit::kit::preflight::{Finding, Probe, Trouble};
use supervisor_kit::kit::text::Lang;

/// One of each, with the words that its message must show.
pub fn failures() -> Vec<(Failure, u8, Vec<&'static str>)> {
    let text = |text: &str| text.to_string();
    let (path, reason) = (text("/the/path"), text("the reason"));
    let refusal = Some(Finding::fail(Probe::Service, Trouble::FapolicydDenied, "/usr/bin/supervisord: exit code 126"));
    let down = ServiceDown { state: text("Result=x"), journal: reason.clone(), refusal };
    let wrong = SignatureFault::Wrong { path: path.clone(), reason: reason.clone() };
    vec![
        (Failure::ReexecRefused { pid: 77, reason: reason.clone() }, 8, vec!["77", "the reason", "--restart=always"]),
        (Failure::RestartPolicy { path: path.clone(), line: 3, value: text("maybe") }, 2, vec!["/the/path:3", "maybe"]),
        (Failure::HalfTakenBack { paths: vec![path.clone()] }, 16, vec!["/the/path", "recover"]),
        (Failure::Signature(wrong), 17, vec!["/the/path", "the reason"]),
        (Failure::Signature(SignatureFault::NoKey), 17, vec!["--pubkey"]),
        (Failure::NotRoot, 3, vec!["root"]),
        (Failure::BundleMissing { path: path.clone() }, 4, vec!["/the/path"]),
        (Failure::BundleUnreadable { path: path.clone(), reason: reason.clone() }, 4, vec!["/the/path", "the reason"]),
        (Failure::BundleDamaged { path: path.clone(), damage: Damage::NotListed }, 4, vec!["/the/path", "SHA256SUMS"]),
        (
            Failure::BundleDamaged {
                path: path.clone(),
                damage: Damage::Checksum { expected: text("aaa"), found: text("bbb") },
            },
            4,
            vec!["aaa", "bbb"],
        ),
        (
            Failure::WrongArchitecture { bundle: text("aarch64"), host: text("x86_64") },
            5,
            vec!["aarch64", "linux-x86_64"],
        ),
        (Failure::NotWritable { path: path.clone(), reason: reason.clone() }, 6, vec!["/the/path", "the reason"]),
        (
            Failure::NoSpace { path: path.clone(), bytes_needed: 3 << 20, bytes_free: 2048 },
            6,
            vec!["/the/path", "3.0 MiB", "2 KiB"],
        ),
        (Failure::InTheWay { path: path.clone() }, 6, vec!["/the/path"]),
        (Failure::LeavesRoot { path: path.clone(), target: text("/out") }, 6, vec!["/the/path", "/out"]),
        (Failure::RootUnusable { path: path.clone(), reason: reason.clone() }, 6, vec!["/the/path", "the reason"]),
        (Failure::ConfigInvalid { path: path.clone(), output: reason.clone() }, 7, vec!["/the/path", "the reason"]),
        (Failure::ServiceDown(down), 8, vec!["Result=x", "the reason", "fapolicyd-cli", "126"]),
        (Failure::WrongProcess { pid: 77, program: text("/the/path") }, 8, vec!["77", "/the/path"]),
        (Failure::WrongPid { main_pid: 77, answer: text("78") }, 8, vec!["77", "78"]),
        (
            Failure::Step { action: "write", path: path.clone(), reason: reason.clone() },
            9,
            vec!["write", "/the/path", "the reason"],
        ),
        (Failure::Command { command: text("run it"), reason: reason.clone() }, 9, vec!["run it", "the reason"]),
        (Failure::OtherSupervisor { path: path.clone() }, 10, vec!["/the/path", "rpm -e supervisor"]),
        (Failure::ProgramRefused { path, reason }, 11, vec!["/the/path", "the reason", "noexec"]),
        (Failure::Busy, 12, vec![]),
    ]
}

#[test]
fn every_failure_tells_what_where_and_what_to_do() {
    for (failure, code, words) in failures() {
        assert_eq!(failure.code() as u8, code, "{failure:?}");
        for (lang, next) in [(Lang::En, "\n  Next: "), (Lang::Zh, "\n  解决办法：")] {
            let message = lang.failure(&failure);
            assert!(message.contains(next), "{message}");
            assert!(words.iter().all(|word| message.contains(word)), "{words:?} in {message}");
        }
        assert!(Lang::En.failure(&failure).is_ascii(), "{failure:?}");
    }
    assert_eq!(Failure::Cancelled.code() as u8, 130);
    assert_eq!((ExitCode::Done as u8, ExitCode::Usage as u8), (0, 2));
}

#[test]
fn the_locale_chooses_the_language_in_the_order_of_posix() {
    let lang = |set: &[(&str, &str)]| {
        Lang::from_environment(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string()))
    };
    assert_eq!(lang(&[]), Lang::En);
    assert_eq!(lang(&[("LANG", "zh_CN.UTF-8")]), Lang::Zh);
    assert_eq!(lang(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")]), Lang::En);
    assert_eq!(lang(&[("LANG", "zh_CN.GB18030")]), Lang::En);
    assert_eq!(lang(&[("LANG", "en_US"), ("LC_MESSAGES", "zh_CN"), ("LC_ALL", "")]), Lang::Zh);
}
