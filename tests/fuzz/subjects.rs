//! What is fuzzed. Each subject takes any bytes, must neither panic nor run away, and checks what always holds.

use std::path::{Path, PathBuf};

use supervisor_kit::config::expand::{Names, expand};
use supervisor_kit::config::{Host, Options, Report, User, check, environment, load, shlex};
use supervisor_kit::core::listener::{Heard, Listener, ListenerState, RESULT_LINE_BYTES_MAX};
use supervisor_kit::core::{Core, Mono};

/// A machine with one configuration file, which also answers to every include.
struct OneFile<'a>(&'a [u8]);

impl Host for OneFile<'_> {
    fn read(&self, _path: &Path) -> Result<Vec<u8>, String> {
        Ok(self.0.to_vec())
    }
    fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        if pattern.contains('*') { vec!["/etc/x.ini".into()] } else { Vec::new() }
    }
    fn exists(&self, _path: &Path) -> bool {
        true
    }
    fn is_dir(&self, path: &Path) -> bool {
        path.as_os_str().len().is_multiple_of(2)
    }
    fn is_writable_dir(&self, path: &Path) -> bool {
        path == Path::new("/tmp")
    }
    fn mode(&self, _path: &Path) -> Option<u32> {
        Some(0o644)
    }
    fn uid(&self) -> u32 {
        0
    }
    fn cwd(&self) -> PathBuf {
        "/start".into()
    }
    fn home(&self, _user: Option<&str>) -> Option<PathBuf> {
        Some("/root".into())
    }
    fn node_name(&self) -> String {
        "node".into()
    }
    fn environment(&self) -> Vec<(String, String)> {
        vec![("A".into(), "100% a".into())]
    }
    fn user_by_name(&self, name: &str) -> Option<User> {
        (name == "op").then(|| User { name: "op".into(), uid: 7, gid: 7 })
    }
    fn user_by_uid(&self, uid: u32) -> Option<User> {
        (uid < 10).then(|| User { name: "op".into(), uid, gid: 7 })
    }
    fn group_by_name(&self, name: &str) -> Option<u32> {
        (name == "ops").then_some(7)
    }
    fn group_exists(&self, gid: u32) -> bool {
        gid < 10
    }
}

/// A whole configuration file: read, and checked. Both must be of one opinion.
pub fn ini(data: &[u8]) {
    let options = Options { config_file: Some("/etc/s.conf".into()), ..Options::default() };
    let host = OneFile(data);
    let outcome = check(&options, Report::default(), &host);
    let loaded = load(&options, &host);
    if let Err(error) = &loaded {
        assert_eq!(outcome.exit_code, 2, "refused, but not by the check: {error}\n{}", outcome.text);
    }
    let json = check(&options, Report { json: true, ..Report::default() }, &host);
    assert_eq!(json.exit_code, outcome.exit_code);
    check(&options, Report { effective: true, ..Report::default() }, &host);
}

/// `environment=` and command lines.
pub fn environment(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(variables) = environment::parse(&text) {
        let mut names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), variables.len(), "a name twice in {text:?}");
    }
    if let Ok(words) = shlex::split(&text) {
        let total: usize = words.iter().map(String::len).sum();
        assert!(total <= text.len(), "words out of nothing in {text:?}");
    }
}

/// `%(name)s` in values.
pub fn expansion(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let names = Names::default().with("here", "/etc/测").with("ENV_A", "a%b").with_int("process_num", -7);
    let expanded = expand(&text, &names, "section.key");
    if !text.contains('%') {
        assert_eq!(expanded.as_deref(), Ok(&*text));
    }
    assert_eq!(expand(&text.replace('%', "%%"), &names, "section.key").as_deref(), Ok(&*text));
}

/// What an event listener says, whole and byte by byte, when it has an event and when not.
pub fn listener(data: &[u8]) {
    for is_busy in [false, true] {
        let hear = |parts: &mut dyn Iterator<Item = &[u8]>| -> (Vec<Heard>, ListenerState) {
            let (mut listener, mut heard) = (Listener::default(), Vec::new());
            if is_busy {
                listener.feed(b"READY\n", &mut |_| {});
                listener.sent();
            }
            parts.for_each(|part| listener.feed(part, &mut |one| heard.push(one)));
            (heard, listener.state())
        };
        let whole = hear(&mut std::iter::once(data));
        assert_eq!(whole, hear(&mut data.chunks(1)), "the split matters");
        assert_eq!(whole, hear(&mut data.chunks(7)), "the split matters");
        // No event is sent meanwhile: a greeting, one result, a breach.
        assert!(whole.0.len() <= 3, "{:?}", whole.0);
        for one in &whole.0 {
            let is_short = !matches!(one, Heard::BadResultLine(line) if line.len() > RESULT_LINE_BYTES_MAX);
            assert!(is_short, "more is kept than the limit says");
        }
    }
}

/// A snapshot of the core, with the sum that it has and with the one that it should have. What is taken is taken as it stands.
pub fn snapshot(data: &[u8]) {
    const NOW: Mono = Mono(1 << 50);
    let text = String::from_utf8_lossy(data);
    let body = text.rfind("end=").map_or(&*text, |end| &text[..end]);
    for text in [text.to_string(), sealed(body)] {
        if let Ok(core) = Core::restore(&text, NOW) {
            let again = core.snapshot(NOW);
            let restored = Core::restore(&again, NOW).map(|core| core.snapshot(NOW));
            assert_eq!(restored, Ok(again), "it is not taken back");
        }
    }
}

/// With the sum (FNV-1a) of everything before it.
fn sealed(body: &str) -> String {
    let add = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{body}end={:016x}\n", body.bytes().fold(0xcbf2_9ce4_8422_2325, add))
}
