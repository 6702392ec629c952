//! Compares the three transcripts of a scenario.

use std::fs;

use crate::expect;
use crate::play::Outcome;
use crate::script::{Scenario, Step};
use crate::world::Who;

/// What is wrong, as texts for a person.
pub fn judge(scenario: &Scenario, transcripts: &[Vec<Outcome>; 3]) -> Vec<String> {
    let path = scenario.folder.join("expect");
    let expected = expect::read(&fs::read_to_string(&path).unwrap_or_default());
    let (mut findings, mut declared) = (Vec::new(), Vec::new());
    for (index, step) in scenario.steps.iter().enumerate() {
        let said = [0, 1, 2].map(|who: usize| transcripts[who].get(index).cloned().flatten().unwrap_or_default());
        if std::env::var_os("PARITY_SHOW").is_some() {
            println!("{}", shown(scenario, step, &said));
        }
        let is_broken = said.iter().any(|text| text.starts_with("BROKEN OFF"));
        match &step.key {
            Some(key) if !is_broken => {
                if is_same(&said) {
                    findings.push(format!("{}: nothing differs under {key}: take the mark away", scenario.name));
                }
                declared.push((key.clone(), said.clone()));
            }
            _ if is_broken || !is_same(&said) => findings.push(shown(scenario, step, &said)),
            _ => {}
        }
        if is_broken {
            return findings;
        }
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        match expect::written(&declared) {
            text if text.is_empty() => _ = fs::remove_file(&path),
            text => fs::write(&path, text).unwrap(),
        }
        return findings;
    }
    for (key, said) in &declared {
        for (who, text) in Who::ALL.into_iter().zip(said) {
            let wanted = expected.get(&(key.clone(), who.name())).cloned().unwrap_or_default();
            if wanted != *text {
                findings.push(format!("{}: {key}: {} said\n{text}instead of\n{wanted}", scenario.name, who.name()));
            }
        }
    }
    let unknown = expected.keys().filter(|(key, _)| !declared.iter().any(|(other, _)| other == key));
    findings.extend(unknown.map(|(key, _)| format!("{}: expect has {key}, no step does", scenario.name)));
    findings
}

fn is_same(said: &[String; 3]) -> bool {
    said.iter().all(|text| *text == said[0])
}

fn shown(scenario: &Scenario, step: &Step, said: &[String; 3]) -> String {
    let mut out = format!("--- {}/steps:{}: {}\n", scenario.name, step.line, step.text);
    if is_same(said) {
        return out + &said[0];
    }
    for (who, text) in Who::ALL.into_iter().zip(said) {
        out.push_str(&format!("{}:\n{text}", who.name()));
    }
    out
}
