//! `docs/messages.md`: every refusal and warning in both languages. One that is missing here fails the test.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use supervisor_kit::kit::failure::{Checked, Failure, SignatureFault};
use supervisor_kit::kit::json::name_of;
use supervisor_kit::kit::preflight::{Finding, Probe, Trouble};
use supervisor_kit::kit::state::PackageManager;
use supervisor_kit::kit::takeover::Told;
use supervisor_kit::kit::text::{Lang, Note};

const HEAD: &str = "\
# Messages of the installer · 安装程序的提示信息

Made by `tests/it`; `UPDATE_GOLDEN=1 cargo test --test it the_messages` writes it anew. Names in `code` are stable: they are in the
documents of `--json`, and `--ignore` takes those of checks.
";

/// One of each refusal, with values that stand for any.
fn failures() -> Vec<Failure> {
    let text = |text: &str| text.to_string();
    let finding = Finding::fail(Probe::Mount, Trouble::Noexec, "/usr/bin: /usr (xfs,noexec)");
    let mut all: Vec<Failure> = super::text::failures().into_iter().map(|(failure, ..)| failure).collect();
    all.extend([
        Failure::StateDamaged { path: text("/the/path"), reason: text("the reason") },
        Failure::NotInstalled,
        Failure::Packaged { manager: PackageManager::Rpm },
        Failure::NoSuchGeneration { wanted: 9, known: vec![1, 2] },
        Failure::Signature(SignatureFault::Missing { path: text("/the/path") }),
        Failure::Signature(SignatureFault::BadKey { path: text("/the/path"), reason: text("the reason") }),
        Failure::Interrupted,
        Failure::Cancelled,
    ]);
    all.extend(super::takeover::refusals().into_iter().map(|(failure, ..)| failure));
    for checked in [Checked::Preflight, Checked::Verify, Checked::Doctor] {
        all.push(Failure::Findings { checked, findings: vec![finding.clone()] });
    }
    all
}

/// Notes that warn.
fn warnings() -> Vec<Note> {
    let text = |text: &str| text.to_string();
    let (path, reason) = (text("/the/path"), text("the reason"));
    vec![
        Note::Contradiction,
        Note::NotTakenBack { path, reason: reason.clone() },
        Note::ClientUnreachable { pid: 77, reason },
        Note::Takeover(Told::Differs { place: text("/the/path:3 [x]"), message: text("the reason"), is_plug_in: true }),
        Note::Takeover(Told::OtherProcesses { programs: vec![text("web")] }),
        Note::Takeover(Told::Missing { programs: vec![(text("web"), text("FATAL"))] }),
    ]
}

#[test]
fn the_messages_are_documented() {
    let mut text = format!("{HEAD}\n## Refusals · 拒绝与失败\n");
    for failure in failures() {
        let (name, code) = (name_of(&failure), failure.code() as u8);
        let _ = write!(text, "\n### `{name}` · exit code {code}\n");
        for lang in [Lang::En, Lang::Zh] {
            let _ = write!(text, "\n```text\n{}\n```\n", lang.failure(&failure));
        }
    }
    let _ = write!(text, "\n## Warnings · 警告\n");
    for note in warnings() {
        let _ = write!(text, "\n### `{}`\n\n```text\n{}\n```\n", name_of(&note), Lang::En.note(&note));
        let _ = write!(text, "\n```text\n{}\n```\n", Lang::Zh.note(&note));
    }
    let _ = write!(text, "\n## Checks · 检查项\n\nNames of what is looked at · 检查对象：");
    let names: Vec<String> = Probe::ALL.iter().map(|probe| format!("`{}`", probe.id())).collect();
    let _ = writeln!(text, "{}.", names.join(", "));
    for trouble in Trouble::ALL {
        let _ = write!(text, "\n### `{}` · exit code {}\n\n", trouble.id(), trouble.code() as u8);
        for lang in [Lang::En, Lang::Zh] {
            let (what, next) = lang.trouble(*trouble);
            let _ = writeln!(text, "- {what} {}{next}", lang.next());
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/messages.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "docs/messages.md is stale: UPDATE_GOLDEN=1 cargo test --test it the_messages");
}

#[test]
fn no_refusal_and_no_warning_is_left_out() {
    let variant = |name: String| name.split('-').collect::<String>();
    let shown: BTreeSet<String> = failures().iter().map(|failure| variant(name_of(failure))).collect();
    for name in variants("src/kit/failure.rs", "Failure") {
        assert!(shown.iter().any(|shown| shown.starts_with(&name.to_lowercase())), "no sample of Failure::{name}");
    }
    // Warnings are told by their first word.
    let mut written = 0;
    for file in rust_files("src/kit/text/en") {
        written += fs::read_to_string(file).unwrap().matches("\"Warning: ").count();
    }
    let shown = warnings().iter().filter(|note| Lang::En.note(note).starts_with("Warning: ")).count();
    assert_eq!(shown, written, "warnings in docs/messages.md and in src/kit/text/en");
}

#[test]
fn identifiers_are_unique_and_texts_complete() {
    let ids: BTreeSet<&str> = Trouble::ALL.iter().map(|trouble| trouble.id()).collect();
    assert_eq!(ids.len(), Trouble::ALL.len());
    for trouble in Trouble::ALL {
        let (what, next) = Lang::En.trouble(*trouble);
        assert!(what.is_ascii() && next.is_ascii() && what.ends_with('.'), "{trouble:?}");
        let (what, next) = Lang::Zh.trouble(*trouble);
        assert!(what.ends_with('。') && !next.is_empty(), "{trouble:?}");
    }
}

/// The names of an enum's variants, from its source.
fn variants(path: &str, name: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let file = syn::parse_file(&text).unwrap();
    let found = file.items.iter().find_map(|item| match item {
        syn::Item::Enum(item) if item.ident == name => Some(item),
        _ => None,
    });
    found.unwrap().variants.iter().map(|variant| variant.ident.to_string()).collect()
}

fn rust_files(dir: &str) -> Vec<std::path::PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}
