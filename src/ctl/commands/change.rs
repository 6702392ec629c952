//! What `start`, `stop`, `signal` and `clear` have in common: a method applied to one process, a group or everything.

use crate::ctl::answer::{Outcome, processes, rows};
use crate::ctl::client::CallError;
use crate::ctl::exit;
use crate::ctl::namespec::Namespec;
use crate::ctl::pattern;
use crate::ctl::session::Session;
use crate::xmlrpc::{Value, code};

/// In which words a verb acts and reports.
pub struct Change<'a> {
    /// Method for one process, by namespec.
    pub process_method: &'a str,
    /// Method for a group; without one the processes of the group are taken one by one.
    pub group_method: Option<&'a str>,
    /// Method for everything.
    pub all_method: &'a str,
    /// Parameter after the name, if any.
    pub parameter: Option<Value>,
    /// What is printed after the name on success.
    pub done: &'a str,
    /// What is printed in brackets for the faults that have words of their own.
    pub faults: &'a [(i32, &'a str)],
    /// Print the text of a FAILED fault as it is.
    pub failed_text: bool,
    /// The fault that does not touch the exit status.
    pub ignored_fault: Option<i32>,
    /// Exit status for an unknown group.
    pub no_such_group_status: i32,
}

impl Change<'_> {
    /// Applies the change to each of `names`, or to everything if one of them is `all`.
    ///
    /// # Errors
    /// Whatever has no words: the rest of the names is left alone then, as in Supervisor.
    pub fn apply(&self, session: &mut Session, names: &[&str]) -> Result<(), CallError> {
        if names.contains(&"all") {
            let outcomes = rows(&session.call(self.all_method, self.parameter.as_slice())?, Outcome::read)?;
            return outcomes.iter().try_for_each(|outcome| self.report(session, outcome));
        }
        for name in &pattern::expand(session, names)? {
            match Namespec::parse(name) {
                Namespec { group, process: None } => self.apply_to_group(session, group)?,
                Namespec { group, process: Some(process) } => self.apply_to_process(session, name, group, process)?,
            }
        }
        Ok(())
    }

    fn apply_to_process(
        &self,
        session: &mut Session,
        namespec: &str,
        group: &str,
        name: &str,
    ) -> Result<(), CallError> {
        let (status, description) = match session.call(self.process_method, &self.parameters(namespec)) {
            Ok(_) => (code::SUCCESS, String::new()),
            Err(CallError::Fault(fault)) => (fault.code, fault.text),
            Err(error) => return Err(error),
        };
        self.report(session, &Outcome { group: group.to_owned(), name: name.to_owned(), status, description })
    }

    fn apply_to_group(&self, session: &mut Session, group: &str) -> Result<(), CallError> {
        let Some(method) = self.group_method else { return self.apply_to_members(session, group) };
        match session.call(method, &self.parameters(group)) {
            Ok(answer) => rows(&answer, Outcome::read)?.iter().try_for_each(|outcome| self.report(session, outcome)),
            Err(CallError::Fault(fault)) if fault.code == code::BAD_NAME => {
                self.no_such_group(session, group);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn apply_to_members(&self, session: &mut Session, group: &str) -> Result<(), CallError> {
        let mut members = processes(session.call("getAllProcessInfo", &[])?)?;
        members.retain(|member| member.group == group);
        if members.is_empty() {
            self.no_such_group(session, group);
        }
        members.iter().try_for_each(|member| {
            self.apply_to_process(session, &format!("{group}:{}", member.name), group, &member.name)
        })
    }

    fn no_such_group(&self, session: &mut Session, group: &str) {
        session.fail(self.no_such_group_status, format_args!("{group}: ERROR (no such group)"));
    }

    fn parameters(&self, name: &str) -> Vec<Value> {
        std::iter::once(Value::from(name)).chain(self.parameter.clone()).collect()
    }

    /// Prints what became of one process and takes it into the exit status.
    fn report(&self, session: &mut Session, outcome: &Outcome) -> Result<(), CallError> {
        let namespec = outcome.namespec();
        let words = self.faults.iter().find(|(code, _)| *code == outcome.status).map(|(_, words)| *words);
        match (outcome.status, words) {
            (code::SUCCESS, _) => session.line(format_args!("{namespec}: {}", self.done)),
            (_, Some(words)) => session.output.error(format_args!("{namespec}: ERROR ({words})")),
            (code::FAILED, None) if self.failed_text => session.output.error(&outcome.description),
            _ => return Err(CallError::Other(format!("{namespec}: {}", outcome.description))),
        }
        if outcome.status != code::SUCCESS && Some(outcome.status) != self.ignored_fault {
            session.status = exit_status(outcome.status);
        }
        Ok(())
    }
}

/// A process that is not up is told apart from all other failures (`Supervisor: supervisorctl.py DEAD_PROGRAM_FAULTS`).
fn exit_status(fault: i32) -> i32 {
    match fault {
        code::SPAWN_ERROR | code::ABNORMAL_TERMINATION | code::NOT_RUNNING => exit::NOT_RUNNING,
        _ => exit::GENERIC,
    }
}
