//! `[group:x]`, and the group that every program outside of one makes for itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::error::ConfigError;
use super::load::Context;
use super::model::{GroupConfig, GroupKind, Notice, ProcessConfig};
use super::section::Reader;
use super::{event_listener, fcgi_program, ini::Section, program, repr, values};

/// Every group, sorted by (priority, name)
/// (`Supervisor: options.py process_groups_from_parser`).
pub(super) fn read(context: &Context<'_>, notices: &mut Vec<Notice>) -> Result<Vec<GroupConfig>, ConfigError> {
    let mut builder =
        Builder { context, notices, groups: Vec::new(), grouped: BTreeSet::new(), made_by: BTreeMap::new() };
    for section in builder.sections("group:") {
        builder.group(section)?;
    }
    for section in builder.sections("program:") {
        if !builder.grouped.contains(section.name.as_str()) {
            builder.program(section)?;
        }
    }
    for section in builder.sections("eventlistener:") {
        builder.listener(section)?;
    }
    for section in builder.sections("fcgi-program:") {
        if !builder.grouped.contains(section.name.as_str()) {
            builder.program(section)?;
        }
    }
    let mut groups = builder.groups;
    groups.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
    Ok(groups)
}

struct Builder<'a> {
    context: &'a Context<'a>,
    notices: &'a mut Vec<Notice>,
    groups: Vec<GroupConfig>,
    /// Program sections that belong to a `[group:x]`.
    grouped: BTreeSet<&'a str>,
    /// The section that made each group.
    made_by: BTreeMap<String, &'a str>,
}

impl<'a> Builder<'a> {
    fn sections(&self, prefix: &'static str) -> impl Iterator<Item = &'a Section> + use<'a> {
        self.context.document.sections.values().filter(move |section| section.name.starts_with(prefix))
    }

    fn reader(&self, section: &'a Section) -> Reader<'a> {
        Reader { document: self.context.document, section }
    }

    fn group(&mut self, section: &'a Section) -> Result<(), ConfigError> {
        let reader = self.reader(section);
        let (name, names) = (self.name(reader)?, self.context.names.with("here", &self.context.here));
        let members = values::strings(&reader.text("programs", &names)?.unwrap_or_default());
        let priority = reader.or("priority", &names, 999, values::integer)?;
        let (mut processes, mut sections) = (Vec::new(), Vec::new());
        for member in &members {
            let program = self.member(reader, member)?;
            self.grouped.insert(&program.name);
            processes.extend(self.processes(self.reader(program), &name)?);
            sections.resize(processes.len(), program.name.clone());
        }
        let group = GroupConfig { name, priority, kind: GroupKind::Group, processes, sections };
        self.check_name(reader, &group)?;
        self.groups.push(group);
        Ok(())
    }

    /// The section of a group member.
    fn member(&self, reader: Reader<'_>, member: &str) -> Result<&'a Section, ConfigError> {
        let find = |kind: &str| self.context.document.section(&format!("{kind}:{member}"));
        let group = &reader.section.name;
        match (find("program"), find("fcgi-program")) {
            (Some(program), None) | (None, Some(program)) => Ok(program),
            (Some(_), Some(_)) => {
                let text = format!("[{group}] name {member} is ambiguous (exists as program and fcgi-program)");
                Err(reader.error("programs", text).advise("rename one of the two sections"))
            }
            (None, None) if member.is_empty() => {
                let text = format!("[{group}] has an empty name in programs");
                Err(reader.error("programs", text).advise("remove the comma that is too many"))
            }
            (None, None) => {
                let text = format!("[{group}] names unknown program or fcgi-program {member}");
                Err(reader
                    .error("programs", text)
                    .advise(format!("add a section [program:{member}], or remove the name")))
            }
        }
    }

    fn program(&mut self, section: &'a Section) -> Result<(), ConfigError> {
        let reader = self.reader(section);
        let (name, names) = (self.name(reader)?, self.context.names.with("here", &self.context.here));
        let priority = reader.or("priority", &names, 999, values::integer)?;
        let processes = self.processes(reader, &name)?;
        let sections = vec![section.name.clone(); processes.len()];
        let group = GroupConfig { name, priority, kind: GroupKind::Program, processes, sections };
        self.check_name(reader, &group)?;
        self.groups.push(group);
        Ok(())
    }

    /// The processes of a program or FastCGI program in the group of that name.
    fn processes(&mut self, reader: Reader<'_>, group: &str) -> Result<Vec<Arc<ProcessConfig>>, ConfigError> {
        let socket = match reader.section.name.strip_prefix("fcgi-program:") {
            Some(_) => Some(fcgi_program::socket(reader, &self.name(reader)?, self.context)?),
            None => None,
        };
        let mut processes = program::processes(reader, group, self.context, self.notices)?;
        processes.iter_mut().for_each(|process| process.fcgi.clone_from(&socket));
        Ok(processes.into_iter().map(Arc::new).collect())
    }

    fn listener(&mut self, section: &'a Section) -> Result<(), ConfigError> {
        let reader = self.reader(section);
        let pool = event_listener::pool(reader, self.context, self.notices)?;
        self.check_name(reader, &pool)?;
        self.groups.push(pool);
        Ok(())
    }

    fn name(&self, reader: Reader<'_>) -> Result<String, ConfigError> {
        let name = reader.section.name.split_once(':').map_or("", |(_, name)| name);
        values::name(name).map_err(|text| reader.whole(text))
    }

    /// Two groups of one name: Supervisor starts the first and forgets the second, which nobody wants.
    fn check_name(&mut self, reader: Reader<'a>, group: &GroupConfig) -> Result<(), ConfigError> {
        reject_twins(reader, group)?;
        if let Some(other) = self.made_by.insert(group.name.clone(), &reader.section.name) {
            let (name, section) = (repr::text(&group.name), &reader.section.name);
            let text = format!("two groups have the name {name}: [{other}] and [{section}]");
            return Err(reader.whole(text).advise("rename one of them"));
        }
        Ok(())
    }
}

/// Two processes of one name in a group: Supervisor keeps the last only.
fn reject_twins(reader: Reader<'_>, group: &GroupConfig) -> Result<(), ConfigError> {
    let mut seen = BTreeSet::new();
    let Some(twin) = group.processes.iter().find(|process| !seen.insert(&process.name)) else { return Ok(()) };
    let (name, group) = (repr::text(&twin.name), repr::text(&group.name));
    let text = format!("two processes of group {group} have the name {name}");
    Err(reader.whole(text).advise("give each program of the group its own process_name"))
}
