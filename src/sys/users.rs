//! Accounts and groups, read from `/etc/passwd` and `/etc/group`.
//!
//! The program is static, so the C library's name services are not there. What the files do not hold (LDAP, SSSD,
//! `systemd-userdb`) is asked of the machine's own name service cache, if it runs, and then of its `getent`.

use std::path::Path;
use std::process::{Command, Stdio};

use super::nscd;
use crate::config::User;

/// Where `getent` lives; a fixed place, so that nobody's `PATH` decides what root runs.
const GETENT_PATHS: [&str; 2] = ["/usr/bin/getent", "/bin/getent"];

/// An account by name.
pub fn user_by_name(name: &str) -> Option<User> {
    find_user(name, |user| user.name == name)
}

/// An account by number.
pub fn user_by_uid(uid: u32) -> Option<User> {
    find_user(&uid.to_string(), |user| user.uid == uid)
}

/// A group's number by name.
pub fn group_by_name(name: &str) -> Option<u32> {
    find_group(name, |group| group.name == name)
}

/// Whether a group has this number.
pub fn group_exists(gid: u32) -> bool {
    find_group(&gid.to_string(), |group| group.gid == gid).is_some()
}

/// Home directory of an account.
pub fn home_of(name: &str) -> Option<String> {
    let home = |text: &str| {
        let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
        lines.find(|fields| fields.len() >= 6 && fields[0] == name).map(|fields| fields[5].to_owned())
    };
    home(&read("/etc/passwd")).or_else(|| home(&name_service("passwd", name)))
}

/// The groups a process of this account runs with: its primary group, then every group that lists it.
pub fn groups_of(user_name: &str, primary_gid: u32) -> Vec<u32> {
    let mut gids = vec![primary_gid];
    let listing = read("/etc/group").lines().filter_map(parse_group).filter(|group| group.lists(user_name)).collect();
    let mut add = |groups: Vec<u32>| {
        for gid in groups {
            if !gids.contains(&gid) {
                gids.push(gid);
            }
        }
    };
    add(Vec::<Group>::into_iter(listing).map(|group| group.gid).collect());
    let is_local = read("/etc/passwd").lines().filter_map(parse_user).any(|user| user.name == user_name);
    if !is_local {
        add(name_service("initgroups", user_name)
            .split_whitespace()
            .skip(1)
            .filter_map(|gid| gid.parse().ok())
            .collect());
    }
    gids
}

fn find_user(key: &str, wanted: impl Fn(&User) -> bool) -> Option<User> {
    let find = |text: &str| text.lines().filter_map(parse_user).find(&wanted);
    find(&read("/etc/passwd")).or_else(|| find(&name_service("passwd", key)))
}

fn find_group(key: &str, wanted: impl Fn(&Group) -> bool) -> Option<u32> {
    let find = |text: &str| text.lines().filter_map(parse_group).find(&wanted).map(|group| group.gid);
    find(&read("/etc/group")).or_else(|| find(&name_service("group", key)))
}

/// A line of `/etc/group`.
struct Group {
    name: String,
    gid: u32,
    members: String,
}

impl Group {
    fn lists(&self, user_name: &str) -> bool {
        self.members.split(',').any(|member| member == user_name)
    }
}

/// `name:password:uid:gid:...`; lines of another shape (NIS `+` entries, comments) are none.
fn parse_user(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty() && !name.starts_with(['+', '-', '#']))?.to_owned();
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(User { name, uid, gid })
}

/// `name:password:gid:member,member`.
fn parse_group(line: &str) -> Option<Group> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty() && !name.starts_with(['+', '-', '#']))?.to_owned();
    let gid = fields.nth(1)?.parse().ok()?;
    Some(Group { name, gid, members: fields.next().unwrap_or("").trim_end().to_owned() })
}

fn read(path: &str) -> String {
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// One look-up in what the files do not hold; empty when nobody knows.
fn name_service(database: &str, key: &str) -> String {
    nscd::ask(Path::new(nscd::SOCKET_PATH), database, key).unwrap_or_else(|| getent(database, key))
}

/// One look-up; empty when there is no `getent` or no answer.
fn getent(database: &str, key: &str) -> String {
    let Some(program) = GETENT_PATHS.into_iter().find(|path| Path::new(path).exists()) else { return String::new() };
    if key.is_empty() || key.starts_with('-') {
        return String::new();
    }
    let output = Command::new(program).args([database, key]).stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}
