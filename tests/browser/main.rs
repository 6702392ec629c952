//! The web console in a real browser: Chromium, driven by Playwright, against a real daemon. Each test starts a daemon and runs one
//! script of this folder; `scripts/setup` installs what they need. Figures are printed: `cargo test --test browser -- --nocapture`.
//! `UPDATE_SCREENSHOTS=1` puts the screenshots into `docs/console`.

// Tests touch the machine, and a failed `unwrap` is a failed test, in functions that they share as well.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

#[path = "../it/daemon/client.rs"]
#[allow(dead_code)]
mod client;
#[path = "../it/daemon/fixture.rs"]
#[allow(dead_code)]
mod fixture;
#[path = "../it/program_file.rs"]
#[allow(dead_code)]
mod program_file;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use fixture::{Daemon, Site, wait_until};

/// One browser at a time: two of them take all of a small machine.
static BROWSER: Mutex<()> = Mutex::new(());

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A daemon with a console.
struct Console {
    daemon: Daemon,
    port: u16,
}

impl Console {
    /// `server` are more keys of the server's section, `config` are more sections.
    fn start(server: &str, config: &str) -> Self {
        Console::start_in(Site::new(""), server, config)
    }

    fn start_in(site: Site, server: &str, config: &str) -> Self {
        let port = free_port();
        site.configure(&format!("[inet_http_server]\nport=127.0.0.1:{port}\n{server}\n{config}"));
        Console { daemon: Daemon::start_in(site), port }
    }

    /// Runs a script of this folder; it fails by its exit status and says why on stderr.
    fn show(&self, script: &str, more: &[(&str, &str)]) -> String {
        let _one = BROWSER.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let profile = tempfile::tempdir().unwrap();
        let output = Command::new("node")
            .arg(root().join("tests/browser").join(script))
            .env("CONSOLE_URL", format!("http://127.0.0.1:{}", self.port))
            .env("CONSOLE_DIR", self.daemon.path(""))
            .env("BROWSER_PACKAGES", root().join("target/browser/package.json"))
            .env("BROWSER_PROFILE", profile.path())
            .env("SCREENSHOTS", screenshots())
            .envs(more.iter().copied())
            .output()
            .expect("node is not installed: run scripts/setup");
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{script}:\n{stdout}\n{stderr}");
        print!("{stdout}");
        stdout.into_owned()
    }
}

/// Where screenshots go: into the documentation only when they are to be renewed.
fn screenshots() -> PathBuf {
    let dir = match std::env::var_os("UPDATE_SCREENSHOTS") {
        Some(_) => root().join("docs/console"),
        None => PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots"),
    };
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// Programs of every kind that an overview shows.
const SHOP: &str = "\
[program:gateway]\ncommand=sleep 1000\nstdout_logfile=%(here)s/gateway.log\n\
environment=PORT=\"8080\",DB_PASSWORD=\"opensesame\",LANG=\"zh_CN.UTF-8\"\n\
[program:worker]\ncommand=sleep 1000\nprocess_name=%(program_name)s_%(process_num)02d\nnumprocs=3\nstartsecs=0\n\
[program:report]\ncommand=sh -c 'exit 3'\nautorestart=false\nstartsecs=0\n\
[program:mailer]\ncommand=/nonexistent/mailer\nstartretries=0\n\
[program:cleanup]\ncommand=sleep 1000\nautostart=false\n\
[program:chatty]\ncommand=sh -c 'while read line; do printf \"%%b\\n\" \"$line\"; done'\nstdout_logfile=%(here)s/chatty.log\n\
stdout_logfile_maxbytes=0\nredirect_stderr=true\n\
[group:payments]\nprograms=settle,refund\n[program:settle]\ncommand=sleep 1000\n[program:refund]\ncommand=sleep 1000\n";

fn shop(server: &str, more: &str) -> Console {
    let console = Console::start(server, &format!("{SHOP}{more}"));
    for name in ["gateway", "payments:settle", "payments:refund", "chatty"] {
        console.daemon.wait_for_state(name, "RUNNING");
    }
    console.daemon.wait_for_state("report", "EXITED");
    console.daemon.wait_for_state("mailer", "FATAL");
    console
}

#[test]
fn the_overview_is_live_and_acts() {
    let console = shop("", "");
    console.show("overview.mjs", &[]);
    assert_eq!(console.daemon.state("worker:worker_00"), "STOPPED");
    let log = console.daemon.log();
    assert!(log.contains("console: somebody from 127.0.0.1:"), "{log}");
    assert!(log.contains("stop payments:*: done"), "{log}");
}

#[test]
fn every_page_in_both_languages_and_themes() {
    let console = shop("username=admin\npassword=secret", "");
    // Something for the plan to say.
    let path = console.daemon.path("supervisord.conf");
    let config = std::fs::read_to_string(&path).unwrap();
    let changed = config.replace("[program:cleanup]\ncommand=sleep 1000", "[program:archive]\ncommand=sleep 1000");
    let changed = changed.replace("[program:settle]\ncommand=sleep 1000", "[program:settle]\ncommand=sleep 2000");
    std::fs::write(&path, changed).unwrap();
    console.show("pages.mjs", &[]);
    quantize(&screenshots());
}

/// Fewer colours: a quarter of the bytes.
fn quantize(folder: &Path) {
    let images = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for image in images.filter(|path| path.extension().is_some_and(|end| end == "png")) {
        let done =
            Command::new("pngquant").args(["--force", "--ext", ".png", "--speed", "3", "24"]).arg(&image).status();
        assert!(done.expect("pngquant is not installed: run scripts/setup").success(), "{image:?}");
    }
}

#[test]
fn without_scripts_everything_can_be_done() {
    let console = shop("", "");
    console.show("no_scripts.mjs", &[]);
    assert_eq!(console.daemon.state("gateway"), "STOPPED");
    assert_eq!(console.daemon.state("payments:refund"), "STOPPED");
    assert_eq!(console.daemon.state("cleanup"), "RUNNING");
}

#[test]
fn other_sites_change_nothing() {
    let console = shop("username=admin\npassword=secret", "");
    let pid = console.daemon.pid_of("gateway");
    console.show("forgery.mjs", &[]);
    assert_eq!(console.daemon.pid_of("gateway"), pid);
    for name in ["gateway", "payments:settle", "worker:worker_00"] {
        assert_eq!(console.daemon.state(name), "RUNNING", "{name}");
    }
}

#[test]
fn signing_in_and_out() {
    let users = "[user:auditor]\npassword=look\nrole=readonly\n";
    let console = shop("username=admin\npassword=secret\nsession_idle_secs=20", users);
    console.show("login.mjs", &[]);
    let log = console.daemon.log();
    assert!(log.contains("console: auditor from 127.0.0.1:"), "{log}");
}

#[test]
fn logs_are_read_followed_and_searched() {
    let site = Site::new("");
    let line = |number: u32| format!("{number:06} order accepted\n");
    let old: String = (0..20_000).map(line).collect();
    std::fs::write(site.path("chatty.log.1"), old).unwrap();
    let new: String = (20_000..40_000).map(line).collect();
    let gbk = b"\xd6\xa7\xb8\xb6\xca\xa7\xb0\xdc in GBK\n";
    let coloured = "支付成功 in UTF-8\n\u{1b}[1;31mred alert\u{1b}[0m and plain <script>alert(1)</script>\n".as_bytes();
    std::fs::write(site.path("chatty.log"), [new.as_bytes(), gbk, coloured].concat()).unwrap();
    let console = Console::start_in(site, "", SHOP);
    console.daemon.wait_for_state("chatty", "RUNNING");
    console.show("logs.mjs", &[]);
}

#[test]
fn a_thousand_programs_stay_smooth() {
    let site = Site::new("");
    let config = "[program:many]\ncommand=sleep 1000\nprocess_name=%(program_name)s_%(process_num)04d\nnumprocs=1000\n\
        stdout_logfile=NONE\nstderr_logfile=NONE\nstartsecs=0\n[program:one]\ncommand=sleep 1000\nautostart=false\n";
    let console = Console::start_in(site, "", config);
    wait_until("a thousand programs run", || console.daemon.state("many:many_0999") == "RUNNING");
    console.show("thousand.mjs", &[]);
}
