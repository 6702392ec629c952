//! More than a hundred thousand made-up texts, read by us and by Python itself: no difference.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use supervisor_kit::config::expand::{Names, expand};
use supervisor_kit::config::ini::{Document, Section};
use supervisor_kit::config::{environment, paths, repr, shlex, values};

/// The Python of the stock Supervisor.
pub fn stock_python() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = std::env::var_os("SUPERVISOR_STOCK").map_or_else(|| here.join("target/stock"), PathBuf::from);
    let python = root.join("bin/python");
    assert!(python.exists(), "{} is missing: run scripts/setup, or set SUPERVISOR_STOCK", python.display());
    python
}

/// Runs one of the scripts beside this file and gives back what it prints.
pub fn ask_python(script: &str, argument: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/config").join(script);
    // `-X utf8` keeps Python from changing its locale, and with it the environment that both sides see.
    let output = Command::new(stock_python()).args(["-X", "utf8"]).arg(script).arg(argument).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    })
}

fn unhex(text: &str) -> String {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    String::from_utf8(digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()).unwrap()
}

/// A small generator with a fixed seed: every run asks the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    /// Up to `count_max` pieces put together.
    fn text(&mut self, pieces: &[&str], count_max: usize) -> String {
        let count = self.below(count_max + 1);
        (0..count).map(|_| pieces[self.below(pieces.len())]).collect()
    }
}

/// Compares `ours` with Python on `count` texts made of `pieces`.
fn compare(operation: &str, pieces: &[&str], count_max: usize, count: usize, ours: impl Fn(&str) -> Option<String>) {
    let mut dice = Dice(0x5eed_0000 + operation.len() as u64);
    let texts: Vec<String> = (0..count).map(|_| dice.text(pieces, count_max)).collect();
    let directory = tempfile::tempdir().unwrap();
    let requests = directory.path().join("requests");
    let lines: String = texts.iter().map(|text| format!("{operation} {}\n", hex(text))).collect();
    std::fs::write(&requests, lines).unwrap();
    let replies = ask_python("oracle.py", &requests);
    assert_eq!(replies.lines().count(), count);
    let mut compared = 0;
    for (text, reply) in texts.iter().zip(replies.lines()) {
        let Some(ours) = ours(text) else { continue };
        assert_eq!(ours, unhex(reply), "{operation} of {text:?} (ours on the left)");
        compared += 1;
    }
    assert!(compared * 2 > count, "only {compared} of {count} texts were compared");
}

/// An answer, or `E` and the error.
fn answer<E: std::fmt::Display>(result: Result<String, E>) -> Option<String> {
    Some(result.unwrap_or_else(|error| format!("E {error}")))
}

fn dict<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> String {
    let pairs: Vec<String> = pairs.map(|(key, value)| format!("{}: {value}", repr::text(key))).collect();
    format!("{{{}}}", pairs.join(", "))
}

fn section(section: &Section) -> String {
    dict(section.entries.iter().map(|(key, value)| (key.as_str(), repr::text(&value.text))))
}

#[test]
fn ini_files() {
    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        "[a]\n", "[b]\n", "[ c ] x\n", "[a]b]\n", "[DEFAULT]\n", "[]\n", "k=v\n", "k: v\n", "K = w x \n",
        "  k=deep\n", "k2=\n", "k2 =one\n", "\tmore\n", "    even more\n", "\n", "  \n", ";c\n", "  # c\n",
        "  x ;c\n", "q= ;c\n", "q=;c\n", "a b = c # d\n", "u=http://h/#f\n", "e=b#c #d ;e\n", "=1\n", "junk\n",
        "x=y\r\n", "x=y\r", "\u{a0}n=m\n", "n=m\u{3000};c\n", "键=值\n", "f=\u{c}\n", "l=\u{2028}x\n", "[program:测试]\n",
        "z=1", " ", "\t", "=", ";", "\0[a]\n", "\0", "s=\u{1c};c\n", "k=v\n\n  w\n\n", "[a] ;x\n", "[b\n",
    ];
    compare("ini", PIECES, 12, 30_000, |text| {
        let mut document = Document::default();
        let read = text.split('\0').try_for_each(|part| document.read("f.conf", part));

        // One section alone is read and checked as it is among all.
        let mut alone = Document::default();
        let checked = text.split('\0').try_for_each(|part| alone.read_sections("f.conf", part, |name| name == "a"));
        assert_eq!(checked, read, "{text:?}");
        assert_eq!((alone.section("a"), &alone.defaults), (document.section("a"), &document.defaults), "{text:?}");
        assert!(alone.sections.keys().all(|name| name == "a"), "{text:?}");

        let read = read.map_err(|malformed| malformed.error());
        let sections = dict(document.sections.values().map(|one| (one.name.as_str(), section(one))));
        let defaults = document.defaults.as_ref().map_or_else(|| "{}".to_owned(), section);
        answer(read.map(|()| defaults + &sections))
    });
}

#[test]
fn environment_texts() {
    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        "A", "B1", "=", "=", "=", ",", ",", "\"x\"", "'y z'", "\"\"", " ", "\n", "\\", "\"", "'", "#", ";", "/a/b.c",
        "é", "测", "$", "\"a\\\"b\"", "http://h:1/?q", "*", "A=1,", "B=\"2\",", "C='3'", "\t", "\r", "\u{d7}", "~",
        "\u{a0}", "%",
    ];
    compare("environment", PIECES, 9, 25_000, |text| {
        let pairs = environment::parse(text);
        answer(pairs.map(|pairs| dict(pairs.iter().map(|(key, value)| (key.as_str(), repr::text(value))))))
    });
}

#[test]
fn command_lines() {
    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        "a", "b c", " ", " ", "\t", "\n", "\r", "\"", "'", "\\", "\"x y\"", "'p q'", "\"\"", "''", "#", "# c\n", ";",
        "$A", "é", "测", "\\\"", "\\n", "\"\\n\"", "\"\\\\\"", "\u{a0}", "\u{c}",
    ];
    compare("split", PIECES, 9, 20_000, |text| {
        let words = shlex::split(text);
        let list = |words: Vec<String>| words.iter().map(|word| repr::text(word)).collect::<Vec<_>>().join(", ");
        answer(words.map(|words| format!("[{}]", list(words))))
    });
}

#[test]
fn expansions() {
    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        "%", "%%", "%(here)s", "%(program_name)-8s", "%(process_num)02d", "%(numprocs)d", "%(ENV_A)", "(nope)s", "(",
        ")", "s", "d", "i", "u", "x", "X", "o", "c", "r", "a", "e", "f", "G", "g", "E", "h", "z", "é", "5", "0", "12",
        ".", ".2", "-", "+", " ", "#", "*", "l", "%(process_num)", "%(numprocs)", "%(program_name)", "%(here)",
        "%()s", "%((a)b)s", "text", "%(process_num)x", "%(numprocs)+6d",
    ];
    let mut names =
        Names::default().with("here", "/etc/x").with("program_name", "café").with("ENV_A", "a'b%d").with("", "empty");
    names = names.with_int("process_num", 7).with_int("numprocs", -12);
    compare("expand", PIECES, 5, 30_000, |text| {
        let shown = (repr::text(text), repr::text("k"));
        match expand(text, &names, "k") {
            Ok(text) => Some(text),
            Err(error) if error.contains(" contains names (") => {
                let (_, name) = error.split_once(" contains names (").unwrap();
                let name = name.split_once(") which cannot be expanded. Available names: , ENV_A, here").unwrap().0;
                Some(format!("E unknown {name}"))
            }
            Err(error) => {
                let prefix = format!("Format string {} for {} is badly formatted: ", shown.0, shown.1);
                let reason = error.strip_prefix(&prefix).unwrap();
                // An unnamed %s prints the whole table in Python; here it is refused.
                (reason != "not enough arguments for format string").then(|| format!("E {reason}"))
            }
        }
    });
}

#[test]
fn numbers() {
    const PIECES: &[&str] =
        &["0", "1", "7", "12", "_", "-", "+", " ", "0o", "0O", "\u{ff11}", "9", "x", "'", "\u{a0}", "\n", "00"];
    compare("integer", PIECES, 5, 10_000, |text| answer(values::integer(text).map(|number| number.to_string())));
    compare("octal", PIECES, 5, 3000, |text| answer(values::octal(text).map(|bits| bits.to_string())));
}

#[test]
fn byte_sizes() {
    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        "0", "1", "7", "50", "_", "-", "+", " ", "k", "K", "kb", "KB", "mb", "MB", "Gb", "gB", "b", "M", "G", "TB", "1.5",
        "\u{ff11}", "x", "\t", "0x1", "1e3", "İ", "K",
    ];
    compare("byte_size", PIECES, 4, 20_000, |text| answer(values::byte_size(text).map(|bytes| bytes.to_string())));
}

#[test]
fn urls() {
    const PIECES: &[&str] = &["http", "unix", ":", "//", "/", "a", "host", "?", "#", "9001", "+x", "_", "é", "%"];
    compare("url", PIECES, 5, 2000, |text| answer(values::url(text)));
}

#[test]
fn quoted_texts() {
    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        "a", "'", "\"", "\\", "\n", "\r", "\t", "\0", "\u{1b}", "\u{7f}", "\u{85}", "\u{a0}", "\u{ad}", "é", "测",
        "\u{300}", "\u{200b}", "\u{2028}", "\u{3000}", "\u{e000}", "\u{feff}", "😀", "\u{10ffff}", "\u{378}", " ",
    ];
    compare("repr", PIECES, 6, 3000, |text| Some(repr::text(text)));
    compare("bytes", PIECES, 6, 1000, |text| Some(repr::bytes(text.as_bytes())));
}

#[test]
fn path_texts() {
    const PIECES: &[&str] = &["/", "//", ".", "..", "a", "b.c", "/../", "/./"];
    compare("normal", PIECES, 7, 3000, |text| Some(format!("{} {}", paths::normal(text), paths::dirname(text))));
}
