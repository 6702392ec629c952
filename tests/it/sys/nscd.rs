//! Asking the name service cache, played by a thread that speaks its protocol.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use supervisor_kit::sys::nscd;

fn numbers(numbers: &[i32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
}

/// Answers each connection with what `answer` makes of the request number and the key, then with nothing more.
fn played(answers: usize, answer: impl Fn(i32, &str) -> Vec<u8> + Send + 'static) -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for _ in 0..answers {
            let mut stream = listener.accept().unwrap().0;
            let mut head = [0; 12];
            stream.read_exact(&mut head).unwrap();
            let number = |at: usize| i32::from_ne_bytes(head[at..at + 4].try_into().unwrap());
            assert_eq!(number(0), 2, "the version of the protocol");
            let mut key = vec![0; number(8) as usize];
            stream.read_exact(&mut key).unwrap();
            assert_eq!(key.pop(), Some(0));
            stream.write_all(&answer(number(4), std::str::from_utf8(&key).unwrap())).unwrap();
        }
    });
    (root, path)
}

#[test]
fn accounts_and_groups_are_read_like_lines_of_getent() {
    let (_root, path) = played(6, |request, key| match (request, key) {
        (0, "zhang") | (1, "47001") => {
            [numbers(&[2, 1, 6, 2, 47001, 47002, 3, 7, 8]), b"zhang\0x\0Z.\0/zhang\0/bin/sh\0".to_vec()].concat()
        }
        (2, "staff") | (3, "47003") => {
            [numbers(&[2, 1, 6, 2, 47003, 2, 6, 3]), b"staff\0x\0zhang\0li\0".to_vec()].concat()
        }
        (15, "zhang") => numbers(&[2, 1, 3, 47002, 47003, -2]),
        _ => numbers(&[2, 0, 0, 0, 0, 0, 0, 0, 0]),
    });
    let ask = |database: &str, key: &str| nscd::ask(&path, database, key);
    for key in ["zhang", "47001"] {
        assert_eq!(ask("passwd", key).unwrap(), "zhang:*:47001:47002:Z.:/zhang:/bin/sh");
    }
    for key in ["staff", "47003"] {
        assert_eq!(ask("group", key).unwrap(), "staff:*:47003:zhang,li");
    }
    assert_eq!(ask("initgroups", "zhang").unwrap(), "zhang 47002 47003 4294967294");
    assert_eq!(ask("passwd", "nobody-knows"), None);
}

#[test]
fn what_is_no_answer_is_none() {
    let wrong: [Vec<u8>; 5] = [
        Vec::new(),
        numbers(&[2, -1]),
        numbers(&[1, 1, 6, 2, 1, 1, 1, 1, 1]),
        numbers(&[2, 1, i32::MAX, 2, 1, 1, 1, 1, 1]),
        [numbers(&[2, 1, 6, 2, 1, 1, 1, 1, 1]), b"cut".to_vec()].concat(),
    ];
    for answer in wrong {
        let (_root, path) = played(1, move |_, _| answer.clone());
        assert_eq!(nscd::ask(&path, "passwd", "zhang"), None);
    }
    assert_eq!(nscd::ask(std::path::Path::new("/no/such/socket"), "passwd", "zhang"), None);
}
