//! What the distributions' own checkers say. Every tag that stays is explained in `docs/packaging.md`, and only those may be.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::bundle::in_project;

/// Packages in `dist/` with this end.
fn packages(end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(in_project("dist")).expect("`make packages` makes dist/");
    let paths = entries.map(|entry| entry.unwrap().path());
    let found: Vec<PathBuf> = paths.filter(|path| path.to_str().unwrap().ends_with(end)).collect();
    assert!(!found.is_empty(), "no {end} in dist/: `make packages` makes them");
    found
}

/// The tags that `docs/packaging.md` explains, in the table under this heading: lines that begin with "| `tag`".
fn explained(heading: &str) -> BTreeSet<String> {
    let page = fs::read_to_string(in_project("docs/packaging.md")).unwrap();
    let (_, section) = page.split_once(heading).expect("docs/packaging.md has that heading");
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(tag, _)| tag.to_owned()).collect()
}

/// No error, and of everything else only what the page explains; another version of the tool may say less. What is `filtered` must be explained as well.
#[track_caller]
fn judge(found: &BTreeSet<(char, String)>, filtered: &[&str], heading: &str, report: &str) {
    let errors: Vec<&(char, String)> = found.iter().filter(|(letter, _)| *letter == 'E').collect();
    assert!(errors.is_empty(), "{errors:?}\n{report}");
    let mut tags: BTreeSet<String> = found.iter().map(|(_, tag)| tag.clone()).collect();
    tags.extend(filtered.iter().map(|tag| (*tag).to_owned()));
    let explained = explained(heading);
    let new: Vec<&String> = tags.difference(&explained).collect();
    assert!(new.is_empty(), "docs/packaging.md does not explain {new:?}\n{report}");
}

#[test]
fn rpmlint() {
    let settings = in_project("scripts/rpmlint.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let filtered: Vec<&str> =
        text.lines().filter_map(|line| line.trim().strip_prefix('"')?.split([' ', '"']).next()).collect();
    let mut rpmlint = Command::new("rpmlint");
    rpmlint.arg("--config").arg(&settings).args(packages(".rpm")).env("LC_ALL", "C.UTF-8");
    let output = rpmlint.output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    // supervisor-kit.x86_64: W: no-documentation
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let (package, letter) = (words.next()?, words.next()?.strip_suffix(':')?.chars().next()?);
        package.starts_with("supervisor-kit").then(|| (letter, words.next().unwrap().to_owned()))
    };
    assert!(report.contains("packages and 0 specfiles checked"), "{report}");
    judge(&report.lines().filter_map(line).collect(), &filtered, "## What rpmlint says", &report);
}

#[test]
fn lintian() {
    let output =
        Command::new("lintian").args(["--allow-root", "--tag-display-limit", "0"]).args(packages(".deb")).output();
    let output = output.unwrap();
    let report = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    // W: supervisor-kit: initial-upload-closes-no-bugs [usr/share/...]
    let line = |line: &str| {
        let (letter, rest) = line.split_once(": supervisor-kit: ")?;
        Some((letter.chars().next()?, rest.split(' ').next().unwrap().to_owned()))
    };
    assert_ne!(output.status.code(), Some(1), "{report}");
    judge(&report.lines().filter_map(line).collect(), &[], "## What lintian says", &report);
}
