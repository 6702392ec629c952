//! Processes of a tree, found through `/proc`.

use std::process::{Child, Command};

use supervisor_kit::sys::tree::{MARK_VARIABLE, Wanted, members};

use crate::program_file;

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// In an `execve` there is a moment without an environment, and so without the mark.
#[test]
fn who_executes_again_and_again_is_found_each_time() {
    const LOOKS: usize = 1000;
    const NOBODY: i32 = i32::MAX;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("again");
    program_file::write(&path, b"#!/bin/sh\nexec \"$0\"\n");
    let mark = path.display().to_string();
    let child = Ended(Command::new(&path).env(MARK_VARIABLE, &mark).spawn().unwrap());
    let pid = child.0.id().cast_signed();
    let wanted = Wanted { mark: &mark, main: NOBODY, is_orphaned: true, known: &[] };
    let missed = (0..LOOKS).filter(|_| !members(&wanted, &|_| false).iter().any(|member| member.pid == pid)).count();
    assert_eq!(missed, 0, "of {LOOKS} looks");
}
