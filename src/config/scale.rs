//! A program with another `numprocs` than its section says.

use thiserror::Error;

use super::error::ConfigError;
use super::ini::{Located, Section};
use super::load::{Source, Strictness, gather, resolve};
use super::model::{GroupConfig, GroupKind};
use super::{Host, Options, values};

/// Why a group cannot be had with another number of processes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScaleError {
    /// No section makes a group of this name.
    #[error("the configuration has no section [program:{0}]")]
    NoSection(String),
    /// It is a `[group:x]`, whose programs have a number each.
    #[error("{0} is made of several programs by [group:{0}]: change numprocs of one in the file, then run update")]
    ManyPrograms(String),
    /// It is a program of a `[group:x]`.
    #[error(
        "{program} is a program of [group:{group}]: change numprocs of [program:{program}] in the file, then run update {group}"
    )]
    Member {
        /// The program.
        program: String,
        /// The group that it belongs to.
        group: String,
    },
    /// The configuration does not stand this number, or cannot be read.
    #[error("{0}")]
    Config(#[from] ConfigError),
}

/// The group of a program as the file has it now, but with `numprocs` processes: one for each of `numbers`. A section that
/// makes a group of its own has a number, so this works for `[program:x]`, `[fcgi-program:x]` and `[eventlistener:x]`.
///
/// # Errors
/// There is no such group, it has no number of its own, or the configuration does not stand the number.
pub fn scaled<const N: usize>(
    options: &Options,
    host: &dyn Host,
    group: &str,
    numbers: [i64; N],
) -> Result<[GroupConfig; N], ScaleError> {
    let mut source = gather(options, host, &mut Strictness(None))?;
    let section = section_of(&source, options, host, group)?;
    let mut groups = Vec::with_capacity(N);
    for number in numbers {
        let place = source.document.section(&section).and_then(|section| source.document.get(section, "numprocs"));
        let numprocs =
            Located { text: number.to_string(), ..place.cloned().unwrap_or_else(|| place_of(&source, &section)) };
        source.document.put(&section, "numprocs", numprocs);
        let config = resolve(&source, options, host)?;
        groups.extend(config.groups.into_iter().find(|one| one.name == group));
    }
    groups.try_into().map_err(|_| ScaleError::NoSection(group.to_owned()))
}

/// The name of the section that makes the group.
fn section_of(source: &Source, options: &Options, host: &dyn Host, group: &str) -> Result<String, ScaleError> {
    let config = resolve(source, options, host)?;
    let named = |section: &&Section| is_program(section, group);
    let section = source.document.sections.values().find(named);
    match (config.groups.iter().find(|one| one.name == group), section) {
        (Some(GroupConfig { kind: GroupKind::Group, .. }), _) => Err(ScaleError::ManyPrograms(group.to_owned())),
        (Some(_), Some(section)) => Ok(section.name.clone()),
        (None, Some(section)) => {
            let owner = config.groups.iter().find(|one| one.sections.contains(&section.name));
            Err(match owner {
                Some(owner) => ScaleError::Member { program: group.to_owned(), group: owner.name.clone() },
                None => ScaleError::NoSection(group.to_owned()),
            })
        }
        (_, None) => Err(ScaleError::NoSection(group.to_owned())),
    }
}

fn is_program(section: &Section, name: &str) -> bool {
    let Some((kind, rest)) = section.name.split_once(':') else { return false };
    matches!(kind, "program" | "fcgi-program" | "eventlistener") && values::name(rest).is_ok_and(|rest| rest == name)
}

/// Where errors about a number that the file does not name point to.
fn place_of(source: &Source, section: &str) -> Located {
    let (file, line) = match source.document.section(section) {
        Some(section) => (section.file.clone(), section.line),
        None => (source.file.as_str().into(), 1),
    };
    Located { file, line, column: 1, text: String::new(), comments: Vec::new() }
}
