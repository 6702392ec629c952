//! The name service cache daemon of glibc: where it runs, it knows the accounts of LDAP and SSSD too. musl's own look-ups
//! speak the same protocol.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Where it listens.
pub const SOCKET_PATH: &str = "/var/run/nscd/socket";

/// How long an answer may take; it may have to ask a server.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest string, and most members of a group, that is believed.
const STRING_BYTES_MAX: usize = 64 * 1024;
const MEMBERS_MAX: usize = 64 * 1024;

/// The protocol, and the requests of it that are used here.
const VERSION: i32 = 2;
const PASSWD_BY_NAME: i32 = 0;
const PASSWD_BY_UID: i32 = 1;
const GROUP_BY_NAME: i32 = 2;
const GROUP_BY_GID: i32 = 3;
const INITGROUPS: i32 = 15;

/// One look-up, answered as `getent` would print it: `passwd` and `group` by name or number, `initgroups` by name. `None`
/// when it does not know, or is not there.
pub fn ask(path: &Path, database: &str, key: &str) -> Option<String> {
    let by_number = key.bytes().all(|byte| byte.is_ascii_digit());
    let answer = match (database, by_number) {
        ("passwd", false) => Question::send(path, PASSWD_BY_NAME, key).and_then(Question::passwd),
        ("passwd", true) => Question::send(path, PASSWD_BY_UID, key).and_then(Question::passwd),
        ("group", false) => Question::send(path, GROUP_BY_NAME, key).and_then(Question::group),
        ("group", true) => Question::send(path, GROUP_BY_GID, key).and_then(Question::group),
        ("initgroups", _) => Question::send(path, INITGROUPS, key).and_then(|question| question.initgroups(key)),
        _ => return None,
    };
    answer.ok()
}

/// A request that was sent; what follows is the answer.
struct Question {
    stream: UnixStream,
}

impl Question {
    fn send(path: &Path, request: i32, key: &str) -> io::Result<Self> {
        let key = [key.as_bytes(), &[0]].concat();
        let key_bytes = i32::try_from(key.len()).map_err(|_| ErrorKind::InvalidInput)?;
        let mut stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let head: Vec<u8> = [VERSION, request, key_bytes].into_iter().flat_map(i32::to_ne_bytes).collect();
        stream.write_all(&[head, key].concat())?;
        let mut question = Question { stream };
        // The protocol, and whether the entry was found; -1 is a database that is switched off.
        match (question.number()?, question.number()?) {
            (VERSION, 1) => Ok(question),
            _ => Err(ErrorKind::NotFound.into()),
        }
    }

    fn passwd(mut self) -> io::Result<String> {
        let (name, password) = (self.length()?, self.length()?);
        let (uid, gid) = (self.number()?.cast_unsigned(), self.number()?.cast_unsigned());
        let rest = [self.length()?, self.length()?, self.length()?];
        let (name, _) = (self.string(name)?, self.string(password)?);
        let rest: Vec<String> = rest.into_iter().map(|bytes| self.string(bytes)).collect::<io::Result<_>>()?;
        Ok(format!("{name}:*:{uid}:{gid}:{}", rest.join(":")))
    }

    fn group(mut self) -> io::Result<String> {
        let (name, password) = (self.length()?, self.length()?);
        let gid = self.number()?.cast_unsigned();
        let members = self.count()?;
        let members: Vec<usize> = (0..members).map(|_| self.length()).collect::<io::Result<_>>()?;
        let (name, _) = (self.string(name)?, self.string(password)?);
        let members: Vec<String> = members.into_iter().map(|bytes| self.string(bytes)).collect::<io::Result<_>>()?;
        Ok(format!("{name}:*:{gid}:{}", members.join(",")))
    }

    fn initgroups(mut self, user: &str) -> io::Result<String> {
        let count = self.count()?;
        let gids: Vec<String> =
            (0..count).map(|_| Ok(self.number()?.cast_unsigned().to_string())).collect::<io::Result<_>>()?;
        Ok(format!("{user} {}", gids.join(" ")))
    }

    fn number(&mut self) -> io::Result<i32> {
        let mut bytes = [0; 4];
        self.stream.read_exact(&mut bytes)?;
        Ok(i32::from_ne_bytes(bytes))
    }

    fn count(&mut self) -> io::Result<usize> {
        let count = usize::try_from(self.number()?).ok().filter(|count| *count <= MEMBERS_MAX);
        count.ok_or_else(|| ErrorKind::InvalidData.into())
    }

    fn length(&mut self) -> io::Result<usize> {
        let bytes = usize::try_from(self.number()?).ok().filter(|bytes| *bytes <= STRING_BYTES_MAX);
        bytes.ok_or_else(|| ErrorKind::InvalidData.into())
    }

    /// A string that is sent with its closing zero byte.
    fn string(&mut self, bytes: usize) -> io::Result<String> {
        let mut text = vec![0; bytes];
        self.stream.read_exact(&mut text)?;
        text.pop();
        String::from_utf8(text).map_err(|_| ErrorKind::InvalidData.into())
    }
}
