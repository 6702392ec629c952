//! Sections in the order first seen, found by name without a search: a file may have thousands.

use std::collections::HashMap;
use std::ops::Deref;

use super::ini::Section;

/// Sections, no two of one name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sections {
    list: Vec<Section>,
    places: HashMap<String, usize>,
}

impl Sections {
    /// Where the section of this name is.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// Adds one behind all others, unless there is one of its name, and answers where that is.
    pub fn add(&mut self, section: Section) -> usize {
        if let Some(index) = self.position(&section.name) {
            return index;
        }
        let index = self.list.len();
        self.places.insert(section.name.clone(), index);
        self.list.push(section);
        index
    }

    /// Takes one out; false when there is none of this name.
    pub fn remove(&mut self, name: &str) -> bool {
        let Some(index) = self.places.remove(name) else { return false };
        self.list.remove(index);
        self.places.values_mut().filter(|place| **place > index).for_each(|place| *place -= 1);
        true
    }

    /// The keys and values of one, to be changed.
    pub(super) fn at(&mut self, index: usize) -> Option<&mut Section> {
        self.list.get_mut(index)
    }

    /// The keys and values of each, to be changed.
    pub(super) fn each(&mut self) -> impl Iterator<Item = &mut Section> {
        self.list.iter_mut()
    }
}

impl Deref for Sections {
    type Target = [Section];

    fn deref(&self) -> &[Section] {
        &self.list
    }
}

impl From<Section> for Sections {
    fn from(section: Section) -> Self {
        let mut sections = Sections::default();
        sections.add(section);
        sections
    }
}
