//! The stored corpus of the fuzz targets, and mutations of it: no panic, and no input is worked on for ever.

use std::path::Path;

#[path = "../../fuzz/requests.rs"]
mod requests;
#[path = "../../fuzz/subjects.rs"]
mod subjects;

/// Mutations of each stored input.
const MUTATIONS: u64 = 150;

/// Runs the subject on every stored input of the target, then on inputs made from pairs of them.
fn replay(target: &str, subject: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let inputs: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert!(inputs.len() >= 20, "{} holds {} inputs only", folder.display(), inputs.len());
    let mut state = 0x5eed;
    for (index, input) in inputs.iter().enumerate() {
        survives(target, subject, input);
        for _ in 0..MUTATIONS {
            let other = &inputs[(index + below(&mut state, inputs.len())) % inputs.len()];
            survives(target, subject, &mutated(input, other, &mut state));
        }
    }
}

fn survives(target: &str, subject: fn(&[u8]), input: &[u8]) {
    if std::panic::catch_unwind(|| subject(input)).is_err() {
        panic!("{target}: {:?}", String::from_utf8_lossy(input));
    }
}

/// A part of one input in the middle of the other, and maybe a byte changed.
fn mutated(input: &[u8], other: &[u8], state: &mut u64) -> Vec<u8> {
    let at = below(state, input.len() + 1);
    let (from, to) = (below(state, other.len() + 1), below(state, other.len() + 1));
    let mut bytes = [&input[..at], &other[from.min(to)..from.max(to)], &input[at..]].concat();
    if !bytes.is_empty() && below(state, 2) == 0 {
        let index = below(state, bytes.len());
        bytes[index] = b"\n =:;#%()[]\"'\\,0\x80\xff<>&/\r"[below(state, 23)];
    }
    bytes
}

/// A small generator with a fixed seed: every run tries the same.
fn below(state: &mut u64, limit: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state % limit as u64) as usize
}

#[test]
fn ini() {
    replay("ini", subjects::ini);
}

#[test]
fn environment() {
    replay("environment", subjects::environment);
}

#[test]
fn expansion() {
    replay("expansion", subjects::expansion);
}

#[test]
fn xmlrpc() {
    replay("xmlrpc", requests::xmlrpc);
}

#[test]
fn http() {
    replay("http", requests::http);
}

#[test]
fn listener() {
    replay("listener", subjects::listener);
}

#[test]
fn snapshot() {
    replay("snapshot", subjects::snapshot);
}
