//! Where programs are, apart from the daemon: in the control group of a unit of their own.
//!
//! Whatever systemd does to a unit as a whole, `systemctl kill` for one, reaches everybody in its group. So the daemon's unit wants
//! another one beside it, `NAME-programs.service`, which does nothing but be there (`units/supervisord-programs.service`), and
//! children join a group below that one's, which is delegated. Where that unit does not run, programs are where the daemon is.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use super::place::Place;
use crate::core::Pid;

/// What stands in place of `.service` in the name of the other unit.
const UNIT_SUFFIX: &str = "-programs.service";
/// The group below the unit's own, in which a process of the unit is.
const GROUP: &str = "programs";
/// Two names of one unit: the one is an alias of the other.
const NAMES: [&str; 2] = ["supervisord", "supervisor"];
/// What a group of version 2 says that has no limit and no share of its own. A file that is not there says the same.
const UNLIMITED: [(&str, &str); 9] = [
    ("cpu.max", "max 100000"),
    ("cpu.weight", "100"),
    ("cpuset.cpus", ""),
    ("io.max", ""),
    ("io.weight", "default 100"),
    ("memory.high", "max"),
    ("memory.max", "max"),
    ("memory.swap.max", "max"),
    ("pids.max", "max"),
];

/// The group of programs.
#[derive(Debug, Default)]
pub struct ProgramGroup {
    /// Where it may be: in the hierarchy that systemd goes by, the first one, by either name.
    places: Vec<Place>,
}

impl ProgramGroup {
    /// The one beside the group that this process is in; none when that is the group of no unit, or when it has limits:
    /// who has set them for the service means its programs.
    pub fn find() -> ProgramGroup {
        let ours = Place::all_of_ours();
        if ours.iter().any(|place| is_limited(&place.dir())) {
            return ProgramGroup::default();
        }
        ProgramGroup { places: ours.iter().flat_map(beside).collect() }
    }

    /// Its directory, made if need be. There is none while the unit does not run.
    pub fn open(&self) -> Option<OwnedFd> {
        self.places.iter().find_map(|place| open(&place.dir()).ok())
    }

    /// Moves a process to where this one is, and there. Where that cannot be done it stays where it is.
    pub fn take_in(&self, pid: Pid) {
        for place in Place::all_of_ours().iter().chain(self.place()) {
            let _ = fs::write(place.procs(), pid.to_string());
        }
    }

    /// The unit that it belongs to.
    pub fn unit(&self) -> Option<String> {
        Some(self.place()?.path().parent()?.file_name()?.to_str()?.to_owned())
    }

    /// Where it is, made if need be.
    pub fn place(&self) -> Option<&Place> {
        self.places.iter().find(|place| open(&place.dir()).is_ok())
    }
}

/// Where the programs' group of the unit is whose own group this is. A unit with two names has its group by one of them, and
/// which one that is depends on what systemd has met first.
pub fn beside(of_unit: &Place) -> impl Iterator<Item = Place> {
    let path = of_unit.path();
    let stem = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".service"));
    let stems = stem.into_iter().flat_map(|stem| if NAMES.contains(&stem) { NAMES.to_vec() } else { vec![stem] });
    stems.map(|stem| of_unit.at(path.with_file_name(format!("{stem}{UNIT_SUFFIX}")).join(GROUP)))
}

fn open(dir: &Path) -> io::Result<OwnedFd> {
    let open = || File::open(dir).map(OwnedFd::from);
    match open() {
        // The unit's own group, which is systemd's to make, must be there.
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir(dir).and_then(|()| open()),
        opened => opened,
    }
}

/// Whether what is in a group gets less of something than it would elsewhere, or more.
fn is_limited(group: &Path) -> bool {
    let differs =
        |(name, usual): &(&str, &str)| fs::read_to_string(group.join(name)).is_ok_and(|text| text.trim_end() != *usual);
    UNLIMITED.iter().any(differs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_beside_the_units_own() {
        let group = |path: &str| Place::new("/sys/fs/cgroup".into(), path.into());
        let found = |path: &str| beside(&group(path)).collect::<Vec<_>>();
        assert_eq!(found("system.slice/second.service"), [group("system.slice/second-programs.service/programs")]);
        let both =
            ["supervisord", "supervisor"].map(|name| group(&format!("system.slice/{name}-programs.service/programs")));
        assert_eq!(found("system.slice/supervisor.service"), both);
        assert_eq!(found("system.slice/supervisord.service"), both);
        for other in ["", "user.slice/user-0.slice/session-1.scope", "system.slice/supervisord.service/control"] {
            assert_eq!(found(other), [], "{other}");
        }
    }

    #[test]
    fn a_limit_or_a_share_of_its_own_is_seen() {
        let group = tempfile::tempdir().unwrap();
        let group = group.path();
        assert!(!is_limited(group), "nothing is said");
        for (name, usual) in UNLIMITED {
            fs::write(group.join(name), format!("{usual}\n")).unwrap();
        }
        assert!(!is_limited(group));
        fs::write(group.join("memory.max"), "1073741824\n").unwrap();
        assert!(is_limited(group));
    }
}
