//! The transaction on booted machines: every verb under three systemds, and machines that are cut at any moment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::bundle::{self, FOLDER, in_project};
use crate::machine::{Machine, difference, say};
use crate::reexec;
use crate::takeover;

/// Where the second version of the bundle is unpacked.
const NEWER: &str = "/opt/newer";
/// What an unchanged bundle, and an installation on a ready host, may take of a processor.
const UNCHANGED_MAX: Duration = Duration::from_millis(500);
const UNCHANGED_RUNS: u32 = 8;
const OWN_TIME_MAX: Duration = Duration::from_secs(2);
/// Cuts on each of the two machines.
const CUTS: u32 = 100;

/// Everything that a version leaves where it counts, without logs and what the installer remembers. A guard that a cut left
/// half set or half lifted, and a program that was only tried, do nothing, and the next run removes them: that is looked at
/// in the end.
const STATE: &str = "
    find /usr /etc -xdev \\( -name '*supervis*' -o -name 'pidproxy*' -o -name 'echo_super*' \\) ! -name '*install*guard*' \
        ! -name '*.supervisor-kit.trial' -printf '%p %y %m %U:%G %l\\n' | sort
    find /usr /etc -xdev -type f -name '*supervis*' ! -name '*install*guard*' ! -name '*.supervisor-kit.trial' -exec sha256sum {} + | sort
    systemctl is-enabled supervisord 2>/dev/null; systemctl is-active supervisord
    ls -d /var/lib/supervisor-install/active /var/lib/.supervisor-install.gone 2>/dev/null
    pid=$(systemctl show -p MainPID --value supervisord); [ \"$pid\" = 0 ] || sha256sum <\"/proc/$pid/exe\"; true";

/// A bundle with another version number and a program with other bytes that works the same.
pub fn newer(scratch: &Path, version: &str, program: Option<&Path>) -> PathBuf {
    let bin_dir = scratch.join("bin");
    let built = in_project("target/dist/bin");
    assert!(Command::new("cp").arg("-a").arg(&built).arg(&bin_dir).status().unwrap().success());
    let daemon = bin_dir.join("supervisord");
    let bytes = fs::read(program.unwrap_or(&daemon)).unwrap();
    fs::write(&daemon, [&bytes[..], &b"newer"[..]].concat()).unwrap();
    let tgz = bundle::pack(&bin_dir, scratch, &[]);
    let folder = scratch.join("newer");
    fs::create_dir(&folder).unwrap();
    let tar = Command::new("tar").args(["--strip-components=1", "-xzf"]).arg(tgz).arg("-C").arg(&folder).status();
    assert!(tar.unwrap().success());
    let manifest = folder.join("manifest.json");
    let old = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let text = fs::read_to_string(&manifest).unwrap();
    assert!(text.contains(&old));
    fs::write(&manifest, text.replace(&old, &format!("\"version\": \"{version}\""))).unwrap();
    let sums = "rm SHA256SUMS && sha256sum -- * >../sums && mv ../sums SHA256SUMS";
    assert!(Command::new("sh").args(["-c", sums]).current_dir(&folder).status().unwrap().success());
    folder
}

fn with_both_bundles(machine: &Machine, scratch: &Path) {
    bundle::unpack(machine, &bundle::path());
    machine.ok(&format!("mv {FOLDER}/* /opt/older"));
    machine.copy_in(&newer(scratch, "9.9.9", None), "/opt");
}

/// Every file with its hash, every unit that is known, and whether that of the programs runs; without what the kernel, the journal and the clock write.
pub const EVERYTHING: &str = "
    find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /dev -o -path /tmp -o -path /root \
        -o -path /opt -o -path /var/log/journal -o -path /var/lib/systemd -o -path /var/tmp -o -path /var/cache \\) -prune \
        -o -type f -exec sha256sum {} + -o -printf '%p %y %m %U:%G %l\\n' | sort
    systemctl list-unit-files --no-legend --no-pager | awk '{ print $1, $2 }' | sort
    systemctl list-units --plain --no-legend --no-pager '*-programs.service' | awk '{ print $1, $4 }'";

/// A row of `docs/install-matrix.md`.
pub struct Row {
    suite: &'static str,
    distro: &'static str,
    systemd: String,
    verb: &'static str,
    took: Duration,
    /// What it took of a processor, with the commands that it ran: that does not depend on who else is at work.
    own: Duration,
}

impl Row {
    /// Runs and times a command that must succeed.
    #[track_caller]
    pub fn timed(
        machine: &Machine,
        suite: &'static str,
        distro: &'static str,
        verb: &'static str,
        command: &str,
    ) -> (Row, String) {
        let systemd = machine.ok("systemctl --version | awk 'NR == 1 { print $2 }'");
        let begun = Instant::now();
        let said = machine.ok(&format!("TIMEFORMAT='own time %U %S'; time {{ {command}; }}"));
        let took = begun.elapsed();
        let (said, times) = said.rsplit_once("own time ").unwrap();
        let own = times.split_whitespace().map(|secs| Duration::from_secs_f64(secs.parse().unwrap())).sum();
        (Row { suite, distro, systemd, verb, took, own }, said.to_owned())
    }
}

/// One life of an installation.
fn life(suite: &'static str, distro: &'static str) -> Option<Vec<Row>> {
    let scratch = tempfile::tempdir().unwrap();
    let machine = Machine::boot_suite(&format!("life_{suite}"), distro, suite)?;
    with_both_bundles(&machine, scratch.path());
    let (mut rows, mut order) = (Vec::new(), Vec::new());
    let mut timed = |verb: &'static str, command: &str| {
        let (row, said) = Row::timed(&machine, suite, distro, verb, command);
        rows.push(row);
        order.push(verb);
        said
    };
    let before = machine.ok(EVERYTHING);
    machine.ok("systemctl is-system-running --wait || true");
    timed("check", "/opt/older/install check");
    timed("install, files alone", "/opt/older/install --no-start --no-enable");
    timed("uninstall, files alone", "supervisor-install uninstall --purge");
    timed("install", "/opt/older/install");
    assert_eq!(machine.ok("systemd-analyze verify supervisord.service 2>&1 | grep -i supervisord || true"), "");
    let old = machine.ok(STATE);
    // The first run after another finds a cold cache: the best of several counts.
    for _ in 0..UNCHANGED_RUNS {
        let unchanged = timed("upgrade, unchanged", "/opt/older/install upgrade");
        assert!(unchanged.contains("already up to date"), "{unchanged}");
    }
    for verb in ["verify", "doctor", "status"] {
        timed(verb, &format!("supervisor-install {verb}"));
    }
    timed("web, on", "supervisor-install web --web 127.0.0.1:9001 --web-restart always");
    timed("web, off", "supervisor-install web --web off --web-restart always");
    assert_eq!(machine.ok(STATE), old);
    let pid = machine.ok("supervisorctl pid");
    let said = timed("upgrade, never", &format!("{NEWER}/install upgrade"));
    assert!(said.contains("systemctl restart supervisord"), "{said}");
    assert_eq!(machine.ok("supervisorctl pid"), pid, "the policy is never");
    timed("rollback", "supervisor-install rollback");
    assert_eq!(machine.ok(STATE), old);
    timed("upgrade, always", &format!("{NEWER}/install upgrade --restart=always"));
    assert_ne!(machine.ok("supervisorctl pid"), pid, "the policy is always");
    let said = timed("downgrade", "/opt/older/install upgrade --restart=always");
    assert!(said.contains("downgrade, from 9.9.9"), "{said}");
    timed(
        "rollback, two changes",
        "supervisor-install rollback $(ls /var/lib/supervisor-install/generations | sort -n | tail -n 2 | head -n 1)",
    );
    assert_eq!(machine.ok(STATE), old);
    timed("uninstall --purge", "supervisor-install uninstall --purge");
    let after = machine.ok(EVERYTHING);
    assert!(before == after, "uninstall --purge left a difference:\n{}", difference(&before, &after));
    let again = machine.run("/opt/older/install uninstall --purge");
    assert_eq!(again.code, 13, "{}", again.output);
    rows.sort_by_key(|row| row.own);
    let mut seen = std::collections::BTreeSet::new();
    rows.retain(|row| seen.insert(row.verb));
    rows.sort_by_key(|row| order.iter().position(|verb| *verb == row.verb));
    let best = |verb: &str| rows.iter().find(|row| row.verb == verb).unwrap().own;
    let (unchanged, own) = (best("upgrade, unchanged"), best("install, files alone"));
    say(&format!("{suite}: upgrade with an unchanged bundle {unchanged:.2?}, install without start {own:.2?}"));
    assert!(unchanged < UNCHANGED_MAX, "unchanged: {unchanged:?}");
    assert!(own < OWN_TIME_MAX, "own time: {own:?}");
    Some(rows)
}

#[test]
fn every_verb_under_three_systemds() {
    let lives = [("bullseye", "uos-server-20-e"), ("bookworm", "debian-12"), ("trixie", "kylin-server-v10")];
    // Three machines at a time: what is timed must not wait for too many others.
    let mut rows = side_by_side(lives, |(suite, distro)| life(suite, distro));
    let suites = lives.map(|(suite, _)| suite);
    rows.extend(side_by_side(suites, reexec::life));
    rows.extend(side_by_side(suites, takeover::debians_package));
    if rows.is_empty() {
        return;
    }
    let mut table = MATRIX_HEAD.to_owned();
    for row in &rows {
        let Row { suite, distro, systemd, verb, took, .. } = row;
        table.push_str(&format!("| {suite} | {distro} | {systemd} | {verb} | {:.2} |\n", took.as_secs_f32()));
    }
    let path = in_project("docs/install-matrix.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let untimed = |table: &str| {
        let rows = table.lines().filter_map(|line| line.rsplit_once(" | ").map(|(row, _)| row.to_owned()));
        rows.collect::<Vec<_>>()
    };
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(untimed(&written), untimed(&table), "UPDATE_GOLDEN=1 writes {} anew", path.display());
}

fn side_by_side<T: Send + 'static>(each: [T; 3], life: fn(T) -> Option<Vec<Row>>) -> Vec<Row> {
    let threads = each.map(|one| std::thread::spawn(move || life(one)));
    threads.into_iter().filter_map(|thread| thread.join().unwrap()).flatten().collect()
}

const MATRIX_HEAD: &str = "\
# Verbs, systems and systemds

Written by `UPDATE_GOLDEN=1 cargo test --test host every_verb`; the test fails when a row is missing. Seconds are those of
one run on two busy cores, from the command line to its end, with the start of the service and 3 s of watching it where the
verb starts one. Trees are Debian's with the identity of the system named: kernel and C library are not that system's.

| tree | dressed as | systemd | verb | seconds |
|---|---|---|---|---|
";

#[test]
fn a_broken_new_version_brings_the_old_one_back() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(machine) = Machine::boot("broken_upgrade", "debian-12") else { return };
    bundle::unpack(&machine, &bundle::path());
    machine.ok(&format!("mv {FOLDER}/* /opt/older && /opt/older/install"));
    machine.write("/etc/supervisord.d/sleep.ini", "[program:sleep]\ncommand=sleep infinity");
    machine.ok("supervisorctl update");
    let before = machine.ok(STATE);
    // A program that finds every configuration right, and then does not stay.
    machine.copy_in(&newer(scratch.path(), "9.9.9", Some(Path::new("/bin/true"))), "/opt");
    let outcome = machine.run(&format!("{NEWER}/install upgrade --restart=always"));
    assert_eq!(outcome.code, 8, "{}", outcome.output);
    assert!(outcome.output.contains("taken back"), "{}", outcome.output);
    assert_eq!(machine.ok(STATE), before);
    machine.wait_until("supervisorctl status | grep -q 'sleep .*RUNNING'");
}

/// xorshift: the same seed gives the same cuts.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A verb, and how many checkpoints and milliseconds it has at least nearly.
struct Change {
    command: &'static str,
    checkpoints: u64,
    millis: u64,
}

const CHANGES: [Change; 4] = [
    Change { command: "/opt/install --bundle /opt/older", checkpoints: 85, millis: 400 },
    Change { command: "/opt/install upgrade --bundle /opt/newer --restart=always", checkpoints: 30, millis: 500 },
    Change { command: "/opt/install rollback", checkpoints: 12, millis: 300 },
    Change { command: "/opt/install uninstall --purge", checkpoints: 60, millis: 500 },
];

/// The debug installer, which counts checkpoints, and does not watch a fresh service for seconds.
pub const QUICKLY: &str = "SUPERVISOR_KIT_SETTLE_MILLIS=0";

#[test]
fn cut_at_any_moment_the_host_runs_the_old_or_the_new_version_on_systemd_252() {
    cut_everywhere("cut_252", "debian-12", "bookworm", 1);
}

#[test]
fn cut_at_any_moment_the_host_runs_the_old_or_the_new_version_on_systemd_257() {
    cut_everywhere("cut_257", "kylin-server-v10", "trixie", 2);
}

/// What is written but not synced survives these cuts: they prove the order of the steps, not the syncs.
fn cut_everywhere(test: &str, distro: &str, suite: &str, seed: u64) {
    let scratch = tempfile::tempdir().unwrap();
    let Some(machine) = Machine::boot_suite(test, distro, suite) else { return };
    with_both_bundles(&machine, scratch.path());
    machine.copy_in(Path::new(env!("CARGO_BIN_EXE_install")), "/opt");
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ seed);
    let mut states: Vec<String> = vec![machine.ok(STATE)];
    for change in &CHANGES {
        machine.ok(&format!("{QUICKLY} {}", change.command));
        states.push(machine.ok(STATE));
    }
    assert_eq!((&states[0], &states[1]), (&states[4], &states[3]), "four changes that lead back");
    let (mut old, mut new) = (0, 0);
    for cut in 0..CUTS {
        let step = cut as usize % CHANGES.len();
        let (change, before, after) = (&CHANGES[step], &states[step], &states[step + 1]);
        let at = random.below(change.checkpoints) + 1;
        let moment = if cut % 8 < 4 {
            machine.run(&format!("{QUICKLY} SUPERVISOR_KIT_CRASH_AT={at} {}", change.command));
            format!("at checkpoint {at}")
        } else {
            let millis = random.below(change.millis);
            machine.ok(&format!("{QUICKLY} setsid {} >/dev/null 2>&1 &", change.command));
            std::thread::sleep(Duration::from_millis(millis));
            format!("after {millis} ms")
        };
        machine.cut();
        let found = machine.ok(STATE);
        let what = format!("seed {seed}, cut {cut}: {} {moment}", change.command);
        assert!(
            found == *before || found == *after,
            "{what}: neither old nor new\nagainst old:\n{}against new:\n{}",
            difference(before, &found),
            difference(after, &found)
        );
        if found == *before {
            old += 1;
            machine.ok(&format!("{QUICKLY} {}", change.command));
            let complete = machine.ok(STATE);
            assert!(complete == *after, "{what}, then run again:\n{}", difference(after, &complete));
        } else {
            new += 1;
        }
    }
    machine.ok("/opt/install recover");
    assert_eq!(machine.ok("find /usr /etc /var/lib -xdev -name '*install*guard*' -o -name '*supervisor-kit*'"), "");
    say(&format!(
        "{suite}: {CUTS} cuts (seed {seed}): {old} came up with the old version, {new} with the new one, 0 broken"
    ));
    assert!(old > CUTS / 10 && new > CUTS / 20, "cuts that hit nothing: {old} old, {new} new");
}
