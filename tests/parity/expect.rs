//! `expect`: what each of the three says where they differ on purpose.
//!
//! A block begins with `== <row>/<word>: <who> [<who>]`, and its text goes to the next block.

use std::collections::BTreeMap;

use crate::world::Who;

const BLOCK: &str = "== ";

/// The texts by key and by who.
pub type Expect = BTreeMap<(String, &'static str), String>;

/// Reads the file; a header that says nothing is a panic.
pub fn read(text: &str) -> Expect {
    let mut found = Expect::new();
    let mut open: Vec<(String, &'static str)> = Vec::new();
    for line in text.lines() {
        if let Some(header) = line.strip_prefix(BLOCK) {
            let (key, names) = header.split_once(": ").unwrap_or_else(|| panic!("expect: no ': ' in {line:?}"));
            let who =
                |name: &str| Who::ALL.into_iter().find(|who| who.name() == name).unwrap_or_else(|| panic!("{name}?"));
            open = names.split(' ').map(|name| (key.to_owned(), who(name).name())).collect();
            open.iter().for_each(|block| _ = found.insert(block.clone(), String::new()));
        } else {
            for block in &open {
                found.entry(block.clone()).or_default().push_str(&format!("{line}\n"));
            }
        }
    }
    found
}

/// Writes what was said under each key; who says the same shares a block.
pub fn written(said: &[(String, [String; 3])]) -> String {
    let mut out = String::new();
    for (key, texts) in said {
        let mut done: Vec<&String> = Vec::new();
        for text in texts {
            if !done.contains(&text) {
                let same =
                    Who::ALL.into_iter().zip(texts).filter(|(_, other)| *other == text).map(|(who, _)| who.name());
                out.push_str(&format!("{BLOCK}{key}: {}\n{text}", same.collect::<Vec<_>>().join(" ")));
                done.push(text);
            }
        }
    }
    out
}
