//! Files as they are found on servers, resolved by us and by the stock Supervisor: every value is equal.
//!
//! A case is a file `<name>.conf` in `corpus/`, or a directory with a `supervisord.conf`. Names begin with `refused`
//! when both must refuse. Files in GB18030 or with a byte order mark, which only we read, are given to the original
//! as plain UTF-8.

use std::path::{Path, PathBuf};

use super::oracle::ask_python;
use super::server_options::resolve;

/// At least so many cases must be there.
const CASES_MIN: usize = 60;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/config/corpus")
}

/// Names of the cases, sorted.
fn names() -> Vec<String> {
    let entries = std::fs::read_dir(corpus()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_by_key(|name| name.trim_end_matches(".conf").to_owned());
    names
}

/// Copies a case into a directory that holds `supervisord.conf` and `args`, each file passed through `convert`.
fn lay_out(case: &Path, target: &Path, convert: fn(Vec<u8>) -> Vec<u8>) {
    std::fs::create_dir_all(target).unwrap();
    if case.is_file() {
        return std::fs::write(target.join("supervisord.conf"), convert(std::fs::read(case).unwrap())).unwrap();
    }
    for entry in std::fs::read_dir(case).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), target.join(entry.as_ref().unwrap().file_name()));
        match from.is_dir() {
            true => lay_out(&from, &to, convert),
            false => std::fs::write(to, convert(std::fs::read(from).unwrap())).unwrap(),
        }
    }
}

fn plain_utf8(bytes: Vec<u8>) -> Vec<u8> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").map_or(bytes.clone(), <[u8]>::to_vec);
    match std::str::from_utf8(&bytes) {
        Ok(_) => bytes,
        Err(_) => encoding_rs::GB18030.decode(&bytes).0.into_owned().into_bytes(),
    }
}

#[test]
fn stock_supervisor_agrees_on_real_files() {
    let root = tempfile::tempdir().unwrap();
    let names = names();
    assert!(names.len() >= CASES_MIN, "only {} cases", names.len());
    for name in &names {
        let case = name.trim_end_matches(".conf");
        for (side, convert) in [("ours", std::convert::identity as fn(_) -> _), ("them", plain_utf8)] {
            let target = root.path().join(side).join(case);
            lay_out(&corpus().join(name), &target, convert);
            std::fs::write(target.join("args"), "").unwrap();
        }
    }
    let theirs = root.path().join("them");
    let stock = ask_python("server_options.py", &theirs).replace(theirs.to_str().unwrap(), "ROOT");
    let stock: Vec<&str> = stock.split("case ").skip(1).collect();
    assert_eq!(stock.len(), names.len());
    let mut different = Vec::new();
    for (name, stock) in names.iter().map(|name| name.trim_end_matches(".conf")).zip(stock) {
        let ours = root.path().join("ours");
        let resolved = resolve(&ours.join(name), &[]).replace(ours.to_str().unwrap(), "ROOT");
        let kept = resolved.lines().filter(|line| !line.contains("not UTF-8, read as GB18030"));
        let ours = format!("{name}\n{}\n", kept.collect::<Vec<_>>().join("\n"));
        let is_refused = stock.contains("\nrefused");
        if ours != stock || is_refused != name.starts_with("refused") {
            different.push(format!("--- ours\n{ours}--- stock\n{stock}"));
        }
    }
    assert!(different.is_empty(), "{} cases differ\n{}", different.len(), different.join("\n"));
}
