//! `[program:x]`: one section, `numprocs` processes.

use super::environment;
use super::error::ConfigError;
use super::expand::{Names, expand};
use super::load::Context;
use super::model::{Autorestart, ChannelConfig, KillMode, LogFile, Notice, ProcessConfig};
use super::section::Reader;
use super::{log_channel, python, repr, signal, values};

/// Most processes one section may make.
const NUMPROCS_MAX: i64 = 10_000;

/// What a section says once for all its processes, and how it names them.
struct Program {
    template: ProcessConfig,
    numprocs: i64,
    numprocs_start: i64,
    process_name: String,
    names: Names,
}

/// The processes of a section, by (priority, name), for the group of that name. Every error says which section and
/// file (`Supervisor: options.py processes_from_section`).
pub(super) fn processes(
    reader: Reader<'_>,
    group: &str,
    context: &Context<'_>,
    notices: &mut Vec<Notice>,
) -> Result<Vec<ProcessConfig>, ConfigError> {
    read(reader, group, context, notices).map_err(|mut error| {
        let (section, file) = (repr::text(&reader.section.name), repr::text(&reader.section.file));
        error.text.push_str(&format!(" in section {section} (file: {file})"));
        error
    })
}

fn read(
    reader: Reader<'_>,
    group: &str,
    context: &Context<'_>,
    notices: &mut Vec<Notice>,
) -> Result<Vec<ProcessConfig>, ConfigError> {
    let name = reader.section.name.split_once(':').map_or("", |(_, name)| name);
    let name = values::name(name).map_err(|text| reader.whole(text))?;
    let names = context.names.with("here", &context.here).with("host_node_name", &context.node_name);
    let program = once(reader, names.with("program_name", &name).with("group_name", group), &name, context)?;
    let mut processes = Vec::new();
    for number in program.numprocs_start..program.numprocs_start.saturating_add(program.numprocs) {
        processes.push(instance(reader, &program, number, context, notices)?);
    }
    processes.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
    Ok(processes)
}

/// The keys that are the same for every process. Their order decides which of two errors is reported.
fn once(reader: Reader<'_>, names: Names, name: &str, context: &Context<'_>) -> Result<Program, ConfigError> {
    let integer = |key, default| reader.or(key, &names, default, values::integer);
    let boolean = |key, default| reader.or(key, &names, default, values::boolean);
    let mut template = ProcessConfig::blank();
    template.priority = integer("priority", 999)?;
    template.autostart = boolean("autostart", true)?;
    template.autorestart = reader.or("autorestart", &names, Autorestart::Unexpected, values::autorestart)?;
    template.startsecs = integer("startsecs", 1)?;
    template.startretries = integer("startretries", 3)?;
    template.stopsignal = reader.or("stopsignal", &names, template.stopsignal, signal::number)?;
    template.stopwaitsecs = integer("stopwaitsecs", 10)?;
    template.stopasgroup = boolean("stopasgroup", false)?;
    template.killasgroup = boolean("killasgroup", template.stopasgroup)?;
    template.killmode = reader.or("killmode", &names, KillMode::Default, kill_mode)?;
    template.exitcodes = reader.or("exitcodes", &names, vec![0], values::exit_codes)?;
    template.redirect_stderr = boolean("redirect_stderr", false)?;
    let numprocs = integer("numprocs", 1)?;
    let numprocs_start = integer("numprocs_start", 0)?;
    template.stdout.capture_maxbytes = reader.or("stdout_capture_maxbytes", &names, 0, values::byte_size)?;
    template.stdout.events_enabled = boolean("stdout_events_enabled", false)?;
    template.stderr.capture_maxbytes = reader.or("stderr_capture_maxbytes", &names, 0, values::byte_size)?;
    template.stderr.events_enabled = boolean("stderr_events_enabled", false)?;
    let serverurl = reader.text("serverurl", &names)?;
    template.serverurl = serverurl.filter(|url| !python::trim(url).eq_ignore_ascii_case("auto"));
    template.user = reader.optional("user", &names, |text| values::user(text, context.host))?;
    template.umask = reader.optional("umask", &names, values::octal)?;
    let process_name = reader.raw("process_name").map_or(name, |value| &value.text);
    let process_name = values::name(process_name).map_err(|text| reader.error("process_name", text))?;
    check_once(reader, &template, numprocs, &process_name)?;
    Ok(Program { template, numprocs, numprocs_start, process_name, names })
}

fn check_once(
    reader: Reader<'_>,
    template: &ProcessConfig,
    numprocs: i64,
    process_name: &str,
) -> Result<(), ConfigError> {
    if numprocs > 1 && !process_name.contains("%(process_num)") {
        let text = "%(process_num) must be present within process_name when numprocs > 1";
        return Err(reader
            .error("numprocs", text)
            .advise("for example process_name=%(program_name)s_%(process_num)02d"));
    }
    if numprocs > NUMPROCS_MAX {
        return Err(reader.error("numprocs", format!("numprocs {numprocs} is above the limit of {NUMPROCS_MAX}")));
    }
    if template.stopasgroup && !template.killasgroup {
        return Err(reader.error("killasgroup", "Cannot set stopasgroup=true and killasgroup=false"));
    }
    Ok(())
}

/// The keys that are expanded for each process, with its own number and its own environment.
fn instance(
    reader: Reader<'_>,
    program: &Program,
    number: i64,
    context: &Context<'_>,
    notices: &mut Vec<Notice>,
) -> Result<ProcessConfig, ConfigError> {
    let mut names = program.names.with_int("process_num", number).with_int("numprocs", program.numprocs);
    let mut process = program.template.clone();
    if let Some(text) = reader.expanded("environment", &names, "environment")? {
        process.environment =
            environment::parse(&text).map_err(|text| reader.error("environment", text).advise(environment::QUOTING))?;
    }
    names.add_environment(&process.environment);
    process.directory = reader.text("directory", &names)?;
    log_channel::read(reader, log_channel::STDOUT, &names, &mut process.stdout, context, notices)?;
    log_channel::read(reader, log_channel::STDERR, &names, &mut process.stderr, context, notices)?;
    if process.redirect_stderr {
        let file = std::mem::replace(&mut process.stderr.file, LogFile::None);
        if matches!(file, LogFile::Path(_)) {
            let notice = Notice::warn(format!(
                "For [{}], redirect_stderr=true but stderr_logfile has also been set to a filename, \
                 the filename has been ignored",
                reader.section.name
            ));
            notices.push(notice.at(reader.place("stderr_logfile")));
        }
    }
    process.command = reader.text("command", &names)?.ok_or_else(|| {
        let text = format!("program section {} does not specify a command", reader.section.name);
        reader.error("command", text).advise("add command=/path/to/program")
    })?;
    process.name =
        expand(&program.process_name, &names, "process_name").map_err(|text| reader.error("process_name", text))?;
    Ok(process)
}

fn kill_mode(text: &str) -> Result<KillMode, String> {
    match text {
        "default" => Ok(KillMode::Default),
        "tree" => Ok(KillMode::Tree),
        _ => Err(format!("not default or tree: {}", repr::text(text))),
    }
}

impl ProcessConfig {
    /// A process with nothing said about it but the defaults that no key sets.
    pub fn blank() -> Self {
        let channel = ChannelConfig {
            file: LogFile::Auto,
            maxbytes: 0,
            backups: 0,
            capture_maxbytes: 0,
            events_enabled: false,
            syslog: false,
        };
        ProcessConfig {
            name: String::new(),
            command: String::new(),
            directory: None,
            umask: None,
            priority: 999,
            autostart: true,
            autorestart: Autorestart::Unexpected,
            startsecs: 1,
            startretries: 3,
            exitcodes: Vec::new(),
            stopsignal: 15,
            stopwaitsecs: 10,
            stopasgroup: false,
            killasgroup: false,
            killmode: KillMode::Default,
            user: None,
            environment: Vec::new(),
            serverurl: None,
            fcgi: None,
            redirect_stderr: false,
            stdout: channel.clone(),
            stderr: channel,
        }
    }
}
