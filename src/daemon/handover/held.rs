//! Descriptors in a document.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd, RawFd};

use crate::core::snapshot::SnapshotError;
use crate::core::snapshot::text::{Document, Section, Writer};
use crate::sys::exec_self::{ObjectId, number_of, object_of_number, take_over};

/// Every key that names a descriptor.
const KEYS: [&str; 8] = ["lock", "stdin", "status", "stdout_file", "stderr_file", "pipe", "socket", "listener"];

/// A descriptor as a document names it: its number, and what is behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// Its number in the image that wrote the document.
    pub number: RawFd,
    /// What is behind it.
    pub object: ObjectId,
}

impl Seat {
    /// The descriptor of a key, if the section has one.
    ///
    /// # Errors
    /// The key is there, but is none.
    pub fn maybe(from: &Section<'_>, key: &str) -> Result<Option<Seat>, SnapshotError> {
        let row: Option<(RawFd, u64, u64)> = from.maybe(key)?;
        Ok(row.map(|(number, device, inode)| Seat { number, object: ObjectId { device, inode } }))
    }

    /// Every descriptor that a document names.
    pub fn all(document: &Document<'_>) -> Vec<Seat> {
        let of =
            |section: &Section<'_>| KEYS.iter().filter_map(|key| Seat::maybe(section, key).ok()?).collect::<Vec<_>>();
        document.sections().flat_map(of).collect()
    }

    /// The descriptor of a key.
    ///
    /// # Errors
    /// The section has none.
    pub fn read(from: &Section<'_>, key: &str) -> Result<Seat, SnapshotError> {
        Self::maybe(from, key)?.ok_or_else(|| from.bad(key))
    }
}

/// The descriptors that a document names, while it is written: just these stay open.
#[derive(Debug, Default)]
pub struct Kept {
    /// Their numbers.
    pub numbers: Vec<RawFd>,
}

impl Kept {
    /// Writes a descriptor as `key` of the section. One that is not open is left out, and so is lost.
    pub fn put(&mut self, to: &mut Writer, key: &str, fd: impl AsFd) {
        self.put_number(to, key, number_of(&fd));
    }

    /// The same by number, for what is held where only its number is known.
    pub fn put_number(&mut self, to: &mut Writer, key: &str, number: RawFd) {
        debug_assert!(KEYS.contains(&key), "a descriptor that nobody would find again");
        if let Ok(ObjectId { device, inode }) = object_of_number(number) {
            to.put(key, &[&number, &device, &inode]);
            self.numbers.push(number);
        }
    }
}

/// Where the descriptors of a document come from.
#[derive(Debug)]
pub enum Descriptors {
    /// They stayed open, under their numbers.
    Inherited,
    /// A store kept copies, under numbers of its own.
    Parked(HashMap<ObjectId, OwnedFd>),
    /// There are none, and nothing else is to be touched either: it is a trial.
    Trial,
}

impl Descriptors {
    /// Takes one, once. `None` when it is not to be had: then what belongs to it goes on without.
    pub fn take(&mut self, seat: Seat) -> Option<OwnedFd> {
        match self {
            Descriptors::Inherited => take_over(seat.number, seat.object).ok(),
            Descriptors::Parked(parked) => parked.remove(&seat.object),
            Descriptors::Trial => None,
        }
    }

    /// Whether files may be opened in place of what is missing.
    pub fn is_trial(&self) -> bool {
        matches!(self, Descriptors::Trial)
    }
}
