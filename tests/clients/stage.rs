//! Daemons for the clients to meet, and the places where the clients are.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Once, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread;

use crate::client::Connection;
use crate::world::{Who, World};

/// The two that are compared.
pub const BOTH: [Who; 2] = [Who::Stock430, Who::Ours];

/// A path of this project.
pub fn in_project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A client that `scripts/setup` has installed.
pub fn installed(path: &str) -> PathBuf {
    let program = in_project(path);
    assert!(program.exists(), "{} is missing: run scripts/setup", program.display());
    program
}

/// A world with this configuration, before its daemon is started.
pub fn world(who: Who, conf: &str) -> World {
    static PREPARED: Once = Once::new();
    PREPARED.call_once(|| BOTH.into_iter().for_each(Who::prepare));
    World::new(who, Some(conf))
}

/// A running daemon.
pub fn daemon(who: Who, conf: &str) -> World {
    let mut world = world(who, conf);
    world.start("-n -c supervisord.conf");
    world
}

/// Lets a world of ours run the binaries that are shipped; the other ones are made for quick building.
pub fn with_release_binaries(world: &World) {
    for program in ["supervisord", "supervisorctl"] {
        let release = in_project("target/dist/bin").join(program);
        assert!(release.exists(), "{} is missing: run scripts/build", release.display());
        let link = world.path("bin").join(program);
        fs::remove_file(&link).unwrap();
        symlink(release, link).unwrap();
    }
}

/// Who measures has the machine alone, as far as this program goes; everybody else shares it.
static MACHINE: RwLock<()> = RwLock::new(());

/// The turn of a test that measures nothing.
pub fn shared_machine() -> RwLockReadGuard<'static, ()> {
    // A test that failed leaves nothing behind that could harm the next one.
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}

/// The turn of a test that measures.
pub fn quiet_machine() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(PoisonError::into_inner)
}

/// A running daemon of ours, as it is shipped.
pub fn release_daemon(conf: &str) -> World {
    let mut world = world(Who::Ours, conf);
    with_release_binaries(&world);
    world.start("-n -c supervisord.conf");
    world
}

/// What a daemon holds in memory beside files: how much of those counts as its own depends on who else has them open.
pub fn own_memory_kib(world: &World) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", world.daemon_pid.unwrap())).unwrap();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// The same for stock Supervisor and for ours, at the same time.
pub fn on_both<T: Send>(play: impl Fn(Who) -> T + Sync) -> [T; 2] {
    thread::scope(|scope| {
        let players = BOTH.map(|who| {
            let play = &play;
            scope.spawn(move || play(who))
        });
        players.map(|player| player.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// What a command prints; it has to succeed.
pub fn printed(world: &World, command: Command) -> String {
    let output = world.output(command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{:?}: {}\n{stdout}\n{stderr}", world.who, output.status);
    stdout
}

/// A connection to a daemon's unix server.
pub fn connect(world: &World) -> Connection {
    Connection::unix(&world.path("s.sock"))
}
