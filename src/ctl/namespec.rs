//! Names of processes as users write them: `name`, `group:name`, and `group:*` or `group:` for a whole group.

use std::fmt;

/// Which process or group a word names (`Supervisor: options.py split_namespec()`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespec<'a> {
    /// The group; a bare name is also the name of its group.
    pub group: &'a str,
    /// The process, or `None` for the whole group.
    pub process: Option<&'a str>,
}

impl<'a> Namespec<'a> {
    /// Splits a word at its first colon.
    pub fn parse(word: &'a str) -> Self {
        match word.split_once(':') {
            Some((group, "" | "*")) => Namespec { group, process: None },
            Some((group, process)) => Namespec { group, process: Some(process) },
            None => Namespec { group: word, process: Some(word) },
        }
    }

    /// A process within a group.
    pub fn of(group: &'a str, process: &'a str) -> Self {
        Namespec { group, process: Some(process) }
    }
}

impl fmt::Display for Namespec<'_> {
    /// The shortest form: the group is left out when it has the name of the process.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.process {
            Some(process) if process == self.group => f.pad(process),
            Some(process) => f.pad(&format!("{}:{process}", self.group)),
            None => f.pad(self.group),
        }
    }
}
