//! Becoming another user.

use nix::errno::Errno;
use thiserror::Error;

/// An account to run as, with its groups looked up beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Every group id, the primary one first.
    pub groups: Vec<u32>,
}

/// Why the switch failed (`Supervisor: options.py drop_privileges()`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{}", self.text())]
pub enum PrivilegeError {
    /// Another user is wanted, and only root may become one.
    NotRoot,
    /// `setgroups(2)`
    Groups,
    /// `setgid(2)`
    Group,
    /// `setuid(2)`, which fails when the new user has too many processes.
    User,
}

impl PrivilegeError {
    /// The text, without allocating.
    pub(super) fn text(self) -> &'static str {
        match self {
            PrivilegeError::NotRoot => "Can't drop privilege as nonroot user",
            PrivilegeError::Groups => "Could not set groups of effective user",
            PrivilegeError::Group => "Could not set group id of effective user",
            PrivilegeError::User => "Could not set user id of effective user",
        }
    }
}

/// Becomes `identity` for good, all of it: groups, group, user. Does nothing when the user id is ours already.
///
/// Only makes system calls, so a child that shares the daemon's memory may call it: the C library's own functions would change
/// every thread of the daemon. So it is for a process with one thread.
///
/// # Errors
/// See [`PrivilegeError`]. After an error the process may have changed half-way and must exit.
pub fn switch(identity: &Identity) -> Result<(), PrivilegeError> {
    // SAFETY: getuid has no preconditions and cannot fail.
    let current_uid = unsafe { libc::getuid() };
    if current_uid == identity.uid {
        return Ok(());
    }
    if current_uid != 0 {
        return Err(PrivilegeError::NotRoot);
    }
    // SAFETY: pointer and length describe one live slice of gid_t (u32 on Linux).
    let groups = unsafe { libc::syscall(libc::SYS_setgroups, identity.groups.len(), identity.groups.as_ptr()) };
    Errno::result(groups).map_err(|_| PrivilegeError::Groups)?;
    // SAFETY: plain integer.
    Errno::result(unsafe { libc::syscall(libc::SYS_setgid, identity.gid) }).map_err(|_| PrivilegeError::Group)?;
    // SAFETY: plain integer.
    Errno::result(unsafe { libc::syscall(libc::SYS_setuid, identity.uid) }).map_err(|_| PrivilegeError::User)?;
    Ok(())
}
