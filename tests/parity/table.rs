//! `docs/parity.md`: one row per item of the conformance list, with what proves it.
//!
//! The files of `items` have the rows (`<id> <title>`), in the order of their names, the scenarios name the rows they prove, and `elsewhere` has, for rows that other
//! tests prove, `<id> <file>::<test>` and, for rows that nothing proves, `<id> - <reason>`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::script::{Scenario, folders};

const HEAD: &str = "# Parity with Supervisor 4.3.0

Made by `tests/parity`; `UPDATE_GOLDEN=1 cargo test --test parity` writes it anew. A name without a file is a scenario: a folder of
`tests/parity/scenarios`, played by Supervisor 4.3.0, by 4.2.2 and by this program in the same run. Its `expect` has what
they say where they are meant to differ.
";

/// What proves each row, in the order of the list.
struct Table {
    /// Id and title, or a heading, for which the id is empty.
    rows: Vec<(String, String)>,
    proofs: BTreeMap<String, Vec<String>>,
    mistakes: Vec<String>,
}

/// Fails when a row has no proof, a proof is not there, or the file is not what it should be.
pub fn check() {
    let mut table = Table { rows: rows(), proofs: BTreeMap::new(), mistakes: Vec::new() };
    let scenarios: Vec<Scenario> = folders().iter().map(|folder| Scenario::read(folder)).collect();
    scenarios.iter().for_each(|scenario| table.add_scenario(scenario));
    for line in lines(&root().join("tests/parity/elsewhere")) {
        let (id, proof) = line.split_once(' ').unwrap();
        table.add_elsewhere(id, proof);
    }
    let unproven = table.rows.iter().filter(|(id, _)| !id.is_empty() && !table.proofs.contains_key(id));
    let unproven: Vec<String> = unproven.map(|(id, title)| format!("{id} ({title}) is not proven")).collect();
    table.mistakes.extend(unproven);
    assert!(table.mistakes.is_empty(), "{} mistakes:\n{}", table.mistakes.len(), table.mistakes.join("\n"));
    let text = table.written(scenarios.len());
    let path = root().join("docs/parity.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "docs/parity.md is stale: UPDATE_GOLDEN=1 cargo test --test parity the_parity_table");
}

impl Table {
    fn add_scenario(&mut self, scenario: &Scenario) {
        for id in &scenario.covers {
            self.add(id, scenario.name.clone());
        }
        for step in &scenario.steps {
            if let Some(key) = &step.key {
                let id = key.split_once('/').map_or(key.as_str(), |(id, _)| id);
                if !scenario.covers.iter().any(|covered| covered == id) {
                    let place = format!("{}/steps:{}", scenario.name, step.line);
                    self.mistakes.push(format!("{place}: {id} is not in 'covers:'"));
                }
            }
        }
    }

    fn add_elsewhere(&mut self, id: &str, proof: &str) {
        if let Some(reason) = proof.strip_prefix("- ") {
            self.add(id, format!("not proven: {reason}"));
            return;
        }
        let (file, test) = proof.split_once("::").unwrap_or((proof, ""));
        let text = fs::read_to_string(root().join(file)).unwrap_or_default();
        if test.is_empty() || !text.contains(&format!("fn {test}(")) {
            self.mistakes.push(format!("elsewhere: {id}: there is no {proof}"));
        }
        self.add(id, format!("`{proof}`"));
    }

    fn add(&mut self, id: &str, proof: String) {
        if !self.rows.iter().any(|(row, _)| row == id) {
            self.mistakes.push(format!("{id} is not a row of items ({proof})"));
        }
        let proofs = self.proofs.entry(id.to_owned()).or_default();
        if !proofs.contains(&proof) {
            proofs.push(proof);
        }
    }

    fn written(&self, scenarios: usize) -> String {
        let unproven = self.proofs.values().flatten().filter(|proof| proof.starts_with("not proven")).count();
        let rows = self.rows.iter().filter(|(id, _)| !id.is_empty()).count();
        let mut out =
            format!("{HEAD}\n{rows} rows, {scenarios} scenarios, {unproven} rows not proven, each with its reason.\n");
        for (id, title) in &self.rows {
            if id.is_empty() {
                out.push_str(&format!("\n## {title}\n\n| row | what | proven by |\n|---|---|---|\n"));
            } else {
                let proofs = self.proofs[id].join(", ");
                out.push_str(&format!("| {id} | {} | {} |\n", title.replace('|', "\\|"), proofs.replace('|', "\\|")));
            }
        }
        out
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn lines(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("# ")).map(str::to_owned).collect()
}

fn rows() -> Vec<(String, String)> {
    let row = |line: String| match line.strip_prefix("## ") {
        Some(heading) => (String::new(), heading.to_owned()),
        None => line.split_once(' ').map(|(id, title)| (id.to_owned(), title.trim().to_owned())).unwrap(),
    };
    let mut files: Vec<_> =
        fs::read_dir(root().join("tests/parity/items")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().flat_map(|file| lines(file)).map(row).collect()
}
