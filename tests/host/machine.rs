//! One throwaway machine, as a value: booted when made, destroyed when dropped. The work is `scripts/machine`'s.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/machine");

/// A running machine.
pub struct Machine {
    name: String,
}

/// What a command inside a machine came to.
#[derive(Debug)]
pub struct Outcome {
    /// Exit code; 124 when the command took too long.
    pub code: i32,
    /// Standard output and standard error, as they came.
    pub output: String,
}

impl Machine {
    /// Boots a machine for the test `test` with the identity of `distros/<distro>`.
    /// `None` when machines were given up on purpose; a missing precondition is a failure of the test.
    pub fn boot(test: &str, distro: &str) -> Option<Machine> {
        Machine::boot_suite(test, distro, "bookworm")
    }

    /// The same with the systemd of another Debian: bullseye has 247, bookworm 252, trixie 257.
    pub fn boot_suite(test: &str, distro: &str, suite: &str) -> Option<Machine> {
        Machine::boot_with(test, distro, suite, &[])
    }

    /// The same with more options of `scripts/machine start`.
    pub fn boot_with(test: &str, distro: &str, suite: &str, options: &[&str]) -> Option<Machine> {
        if std::env::var_os("SUPERVISOR_KIT_NO_MACHINES").is_some_and(|value| value == "1") {
            eprintln!(
                "NOT TESTED: {test} needs a booted machine, and SUPERVISOR_KIT_NO_MACHINES=1 says not to boot any"
            );
            return None;
        }
        // Two tests may call their machines alike, and run at once.
        static BOOTED: AtomicU32 = AtomicU32::new(0);
        let number = BOOTED.fetch_add(1, Ordering::Relaxed);
        let owner = std::process::id();
        let name = format!("{}-{owner}-{number}", test.replace('_', "-"));
        let owner = owner.to_string();
        let start = ["start", &name, "--distro", distro, "--suite", suite, "--owner", &owner];
        let start = script(&[&start, options].concat());
        assert!(
            start.code == 0,
            "cannot boot a machine (SUPERVISOR_KIT_NO_MACHINES=1 leaves these tests out):\n{}",
            start.output
        );
        Some(Machine { name })
    }

    /// Runs a line of shell as root.
    pub fn run(&self, command: &str) -> Outcome {
        script(&["exec", &self.name, "bash", "-c", &format!("exec 2>&1\n{command}")])
    }

    /// Runs a line of shell that must succeed; its output without the last newline.
    #[track_caller]
    pub fn ok(&self, command: &str) -> String {
        let outcome = self.run(command);
        assert!(outcome.code == 0, "{command}: exit code {}\n{}", outcome.code, outcome.output);
        outcome.output.trim_end().to_owned()
    }

    /// Copies a file or folder into a folder of the machine.
    #[track_caller]
    pub fn copy_in(&self, source: &Path, folder: &str) {
        let outcome = script(&["copy-in", &self.name, source.to_str().unwrap(), folder]);
        assert!(outcome.code == 0, "copying {} to {folder}: {}", source.display(), outcome.output);
    }

    /// Writes a text file, and its folder if need be.
    #[track_caller]
    pub fn write(&self, path: &str, text: &str) {
        self.ok(&format!("mkdir -p \"$(dirname '{path}')\" && cat >'{path}' <<'END_OF_TEXT'\n{text}\nEND_OF_TEXT"));
    }

    /// Reboots in an orderly way and waits until the machine is up again.
    #[track_caller]
    pub fn reboot(&self) {
        let outcome = script(&["reboot", &self.name]);
        assert!(outcome.code == 0, "reboot: {}", outcome.output);
    }

    /// Kills everything in the machine at once, and boots the same tree again.
    #[track_caller]
    pub fn cut(&self) {
        let outcome = script(&["cut", &self.name]);
        assert!(outcome.code == 0, "cut: {}", outcome.output);
    }

    /// Limits the memory of everything in the machine; false where this host cannot.
    #[track_caller]
    pub fn squeeze(&self, mib: u32) -> bool {
        const CANNOT: i32 = 3;
        let outcome = script(&["squeeze", &self.name, &mib.to_string()]);
        assert!([0, CANNOT].contains(&outcome.code), "squeeze: {}", outcome.output);
        outcome.code == 0
    }

    /// How often the limit of [`Machine::squeeze`] was met, and how often something was killed for it.
    #[track_caller]
    pub fn squeezed(&self) -> (u64, u64) {
        let outcome = script(&["squeezed", &self.name]);
        let numbers: Vec<u64> = outcome.output.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let [met, killed] = numbers[..] else { panic!("squeezed: {}", outcome.output) };
        (met, killed)
    }

    /// Repeats a line of shell until it succeeds: for what becomes true soon, like a program that is starting.
    #[track_caller]
    pub fn wait_until(&self, condition: &str) {
        const TRIES_MAX: u32 = 300;
        const PAUSE_SECS: f32 = 0.1;
        let outcome = self.run(&format!(
            "for i in $(seq {TRIES_MAX}); do {{ {condition}; }} >/dev/null 2>&1 && exit 0; sleep {PAUSE_SECS}; done; {condition}; exit 1"
        ));
        assert!(outcome.code == 0, "never became true: {condition}\n{}", outcome.output);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let journal = self.run("journalctl --no-pager -o cat -n 30");
            eprintln!("--- the end of the machine's journal ---\n{}", journal.output);
        }
        script(&["stop", &self.name]);
    }
}

/// Tells the person who runs the tests, also when they pass: the test harness hides what `eprintln` says.
pub fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// The lines that only one of two listings has.
pub fn difference(before: &str, after: &str) -> String {
    let only = |mark: &str, some: &str, other: &str| {
        let lines = some.lines().filter(|line| !other.lines().any(|known| known == *line));
        lines.map(|line| format!("{mark} {line}\n")).collect::<String>()
    };
    only("-", before, after) + &only("+", after, before)
}

fn script(args: &[&str]) -> Outcome {
    let run = Command::new(SCRIPT).args(args).stdin(Stdio::null()).output().unwrap();
    let output = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    Outcome { code: run.status.code().unwrap_or(-1), output: output.into_owned() }
}

#[test]
fn a_machine_runs_commands_reboots_and_is_gone_when_dropped() {
    let Some(machine) = Machine::boot("machine_itself", "debian-12") else { return };
    assert_eq!(machine.ok("ls /sys/class/net"), "lo", "a machine must have no network");
    assert_eq!(machine.run("echo seen; echo seen too >&2; exit 7").code, 7);
    assert_eq!(machine.run("echo seen; echo seen too >&2").output, "seen\nseen too\n");

    machine.copy_in(Path::new(SCRIPT), "/opt/copied");
    machine.ok("test -x /opt/copied/machine");
    let before = machine.ok("awk '{ print $22 }' /proc/1/stat");
    machine.reboot();
    assert_ne!(machine.ok("awk '{ print $22 }' /proc/1/stat"), before, "a reboot is a new PID 1");
    machine.ok("test -x /opt/copied/machine");

    let name = machine.name.clone();
    drop(machine);
    assert!(script(&["exec", &name, "true"]).output.contains("is not running"));
}
