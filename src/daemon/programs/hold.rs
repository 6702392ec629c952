//! The registry in a document for another image of the daemon, and back.

use std::fs::File;
use std::path::PathBuf;

use super::{Program, Programs, Token};
use crate::core::snapshot::SnapshotError;
use crate::core::snapshot::text::{Document, Section, Writer};
use crate::core::{Channel, Core, Pid, ProcId, Process};
use crate::daemon::channel_log::ChannelLog;
use crate::daemon::handover::{Descriptors, Kept, Seat};
use crate::daemon::output::Output;
use crate::daemon::stdin::Stdin;
use crate::logs::filter::Held;
use crate::sys::poller::{Interest, Poller};
use crate::sys::proc::start_time;

const CHANNELS: [Channel; 2] = [Channel::Stdout, Channel::Stderr];

impl Programs {
    /// Writes every process with its pipes and logs.
    pub fn write_snapshot(&self, to: &mut Writer, kept: &mut Kept) {
        for program in self.slots.iter().flatten() {
            self.write_program(program, to, kept);
        }
    }

    /// Writes one process with its pipes and logs.
    pub fn write_one(&self, id: ProcId, to: &mut Writer, kept: &mut Kept) {
        if let Some(program) = self.program(id) {
            self.write_program(program, to, kept);
        }
    }

    fn write_program(&self, program: &Program, to: &mut Writer, kept: &mut Kept) {
        program.write_snapshot(to, kept);
        for output in program.outputs.iter().filter_map(|index| self.outputs.get(*index)?.as_ref()) {
            write_output(output, to, kept);
        }
    }

    /// Takes in the processes of a core that was restored, with what the document says of them and the descriptors that are
    /// to be had. Answers a line for each thing that is not.
    ///
    /// # Errors
    /// The document contradicts itself or the core.
    pub fn restore(
        &mut self,
        document: &Document<'_>,
        core: &Core,
        descriptors: &mut Descriptors,
        poller: &Poller,
    ) -> Result<Vec<String>, SnapshotError> {
        let mut lost = Vec::new();
        for from in document.named("program") {
            let (id,): (ProcId,) = from.get("id")?;
            let process = core.process(id).ok_or(SnapshotError::Contradiction { what: "a program is no process" })?;
            self.restore_program(process, core.is_listener(id), from, descriptors)?;
            if process.pid() != 0 {
                self.running.insert(process.pid(), id);
            }
            self.restore_pipes(id, from, descriptors, poller, &mut lost)?;
        }
        for from in document.named("output") {
            self.restore_output(from, descriptors, poller, &mut lost)?;
        }
        if core.processes().any(|process| self.program(process.id).is_none()) {
            return Err(SnapshotError::Contradiction { what: "a process is no program" });
        }
        Ok(lost)
    }

    fn restore_program(
        &mut self,
        process: &Process,
        is_listener: bool,
        from: &Section<'_>,
        descriptors: &mut Descriptors,
    ) -> Result<(), SnapshotError> {
        let config = &process.config;
        let [stdout, stderr] = CHANNELS;
        let logs = [
            restore_log(stdout, &config.stdout, from, descriptors)?,
            restore_log(stderr, &config.stderr, from, descriptors)?,
        ];
        let slot = process.id.slot as usize;
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, || None);
        }
        let failure: Option<(String,)> = from.maybe("failure")?;
        let mut program = Program::new(process, is_listener, logs);
        program.failure = failure.map(|(text,)| text);
        program.pid = process.pid();
        program.born.set(from.maybe::<(Option<u64>,)>("born")?.and_then(|(born,)| born));
        self.slots[slot] = Some(program);
        Ok(())
    }

    fn restore_pipes(
        &mut self,
        id: ProcId,
        from: &Section<'_>,
        descriptors: &mut Descriptors,
        poller: &Poller,
        lost: &mut Vec<String>,
    ) -> Result<(), SnapshotError> {
        let pid: Option<(Pid,)> = from.maybe("stdin_of")?;
        let queue: Option<(Vec<u8>,)> = from.maybe("queued")?;
        let seats = (Seat::maybe(from, "stdin")?, Seat::maybe(from, "status")?);
        let Some(program) = self.program_mut(id) else { return Ok(()) };
        if let (Some(seat), Some((pid,))) = (seats.0, pid) {
            match descriptors.take(seat) {
                Some(writer) => {
                    let stdin = Stdin::resume(writer, pid, queue.map(|(bytes,)| bytes).unwrap_or_default());
                    if stdin.watch(Token::Stdin(id.slot).to_bits(), poller).is_err() {
                        lost.push(format!("cannot watch the standard input of {}", program.name));
                    }
                    program.stdin = Some(stdin);
                }
                None => lost.push(format!("the standard input of {} is lost", program.name)),
            }
        }
        if let Some(status) = seats.1.and_then(|seat| descriptors.take(seat))
            && poller.add(&status, Token::Status(id.slot).to_bits(), Interest::Read).is_ok()
        {
            program.status = Some(File::from(status));
        }
        Ok(())
    }

    fn restore_output(
        &mut self,
        from: &Section<'_>,
        descriptors: &mut Descriptors,
        poller: &Poller,
        lost: &mut Vec<String>,
    ) -> Result<(), SnapshotError> {
        let (id, pid): (ProcId, Pid) = from.get("of")?;
        let (channel,): (String,) = from.get("channel")?;
        let channel = CHANNELS.into_iter().find(|known| known.name() == channel).ok_or_else(|| from.bad("channel"))?;
        let held: Option<(Vec<u8>, u32)> = from.maybe("held")?;
        let message: Option<(Vec<u8>,)> = from.maybe("message")?;
        let seat = Seat::read(from, "pipe")?;
        let Some(program) = self.program(id) else {
            return Err(SnapshotError::Contradiction { what: "an output is no process's" });
        };
        let name = program.name.clone();
        let Some(reader) = descriptors.take(seat) else {
            lost.push(format!("the {} of {name} (pid {pid}) is lost", channel.name()));
            return Ok(());
        };
        match self.add_output(id, pid, channel, reader, poller) {
            Ok(()) => {
                let (text, escape) = held.unwrap_or_default();
                let held = Held { text, message: message.map(|(bytes,)| bytes), escape };
                if let Some(output) = self.newest_output(id) {
                    output.filter.hold(held);
                }
            }
            Err(error) => lost.push(format!("cannot watch the {} of {name} (pid {pid}): {error}", channel.name())),
        }
        Ok(())
    }

    fn newest_output(&mut self, id: ProcId) -> Option<&mut Output> {
        let index = *self.program(id)?.outputs.last()?;
        self.outputs.get_mut(index)?.as_mut()
    }
}

impl Program {
    fn write_snapshot(&self, to: &mut Writer, kept: &mut Kept) {
        to.section("program");
        to.put("id", &[&self.id]);
        if self.pid != 0 {
            if self.born.get().is_none() {
                self.born.set(start_time(self.pid));
            }
            to.put("born", &[&self.born.get()]);
        }
        to.put_some("failure", self.failure.as_ref().map(|text| text as _));
        if let Some(stdin) = &self.stdin {
            to.put("stdin_of", &[&stdin.pid()]);
            kept.put(to, "stdin", stdin);
            let queued = stdin.queued();
            if !queued.is_empty() {
                to.put("queued", &[&queued]);
            }
        }
        if let Some(status) = &self.status {
            kept.put(to, "status", status);
        }
        for channel in CHANNELS {
            let (log, name) = (&self.logs[channel as usize], channel.name());
            if let Some(path) = &log.path {
                to.put(&format!("{name}_path"), &[&path.as_path()]);
            }
            if let Some(file) = log.file() {
                kept.put(to, &format!("{name}_file"), file);
            }
            to.put_some(&format!("{name}_lost"), log.lost_bytes().as_ref().map(|bytes| bytes as _));
        }
    }
}

fn write_output(output: &Output, to: &mut Writer, kept: &mut Kept) {
    to.section("output");
    to.put("of", &[&output.id, &output.pid]);
    to.put("channel", &[&output.channel.name()]);
    let held = output.filter.held();
    if held != Held::default() {
        to.put("held", &[&held.text, &held.escape]);
    }
    to.put_some("message", held.message.as_ref().map(|bytes| bytes as _));
    kept.put(to, "pipe", output);
}

fn restore_log(
    channel: Channel,
    settings: &crate::config::ChannelConfig,
    from: &Section<'_>,
    descriptors: &mut Descriptors,
) -> Result<ChannelLog, SnapshotError> {
    let name = channel.name();
    let path: Option<(PathBuf,)> = from.maybe(&format!("{name}_path"))?;
    let lost: Option<(u64,)> = from.maybe(&format!("{name}_lost"))?;
    let file = Seat::maybe(from, &format!("{name}_file"))?;
    let is_open: Option<(bool,)> = from.maybe(&format!("{name}_open"))?;
    let mut log = ChannelLog::new(settings, path.map(|(path,)| path));
    if let Some(seat) = file
        && !descriptors.is_trial()
    {
        // A file that did not come along is opened again under its name; it is written to in append mode either way.
        log.resume(descriptors.take(seat).map(File::from), lost.map(|(bytes,)| bytes));
    } else if is_open.is_some() && !descriptors.is_trial() {
        // It was open in a daemon of another make, whose descriptor is of no use to us.
        log.resume(None, None);
    }
    Ok(log)
}
