//! What the command line of `supervisord` says.

use super::error::ConfigError;
use super::model::Level;
use super::{Host, Language, Report, repr, values};
use crate::getopt;

/// Everything given on the command line; a setting that is `None` or false leaves the file to decide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `argv[0]`: the search for a configuration file starts from it, usage errors name it.
    pub program: String,
    /// `-c`.
    pub config_file: Option<String>,
    /// `-n`: stay in the foreground.
    pub nodaemon: bool,
    /// `-s`: no log on stdout.
    pub silent: bool,
    /// `-k`: leave old AUTO logs.
    pub nocleanup: bool,
    /// `--strip_ansi`.
    pub strip_ansi: bool,
    /// `-u`: name or number.
    pub user: Option<String>,
    /// `-m`.
    pub umask: Option<u32>,
    /// `-d`: exists, `~` expanded.
    pub directory: Option<String>,
    /// `-l`: its directory exists, `~` expanded; `syslog` is the system log.
    pub logfile: Option<String>,
    /// `-y`, in bytes.
    pub logfile_maxbytes: Option<i64>,
    /// `-z`.
    pub logfile_backups: Option<i64>,
    /// `-e`.
    pub loglevel: Option<Level>,
    /// `-j`: its directory exists, `~` expanded.
    pub pidfile: Option<String>,
    /// `-i`.
    pub identifier: Option<String>,
    /// `-q`: exists, `~` expanded.
    pub childlogdir: Option<String>,
    /// `-a`.
    pub minfds: Option<i64>,
    /// `--minprocs`.
    pub minprocs: Option<i64>,
}

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// Start the daemon.
    Run(Options),
    /// `-t`: check the configuration, report as asked, and exit.
    Check(Options, Report),
    /// `-h`, `-?`: print [`super::help`] and exit.
    Help,
    /// `-v`: print the Supervisor version and exit.
    Version,
    /// `--build-info`: print our own version and exit.
    BuildInfo,
}

const SHORT: &str = "h?c:vnu:m:d:l:y:z:e:j:i:q:a:kst";

/// Long names, whether they take a value, and the short option they stand for.
const LONG: &[(&str, bool, &str)] = &[
    ("help", false, "-h"),
    ("configuration", true, "-c"),
    ("version", false, "-v"),
    ("nodaemon", false, "-n"),
    ("user", true, "-u"),
    ("umask", true, "-m"),
    ("directory", true, "-d"),
    ("logfile", true, "-l"),
    ("logfile_maxbytes", true, "-y"),
    ("logfile_backups", true, "-z"),
    ("loglevel", true, "-e"),
    ("pidfile", true, "-j"),
    ("identifier", true, "-i"),
    ("childlogdir", true, "-q"),
    ("minfds", true, "-a"),
    ("minprocs", true, "--minprocs"),
    ("nocleanup", false, "-k"),
    ("strip_ansi", false, "--strip_ansi"),
    ("profile_options", true, "--profile_options"),
    ("silent", false, "-s"),
    ("test", false, "-t"),
    ("build-info", false, "--build-info"),
    ("json", false, "--json"),
    ("effective", false, "--effective"),
    ("lang", true, "--lang"),
];

impl Options {
    /// Reads the words after `argv[0]`, which is `program`. Paths and directories are checked here, as Supervisor does,
    /// so that the first bad word is the one reported.
    pub fn parse(program: &str, args: &[String], host: &dyn Host) -> Result<Invocation, ConfigError> {
        let long: Vec<(&str, bool)> = LONG.iter().map(|(name, takes_value, _)| (*name, *takes_value)).collect();
        let (given, words) = getopt::parse(args, SHORT, &long).map_err(|error| ConfigError::new(error.to_string()))?;
        if !words.is_empty() {
            let words: Vec<String> = words.iter().map(|word| repr::text(word)).collect();
            return Err(ConfigError::new(format!("positional arguments are not supported: [{}]", words.join(", "))));
        }
        let mut options = Options { program: program.to_owned(), ..Options::default() };
        let (mut check, mut report) = (false, Report::default());
        for (option, value) in &given {
            match canonical(option) {
                "-h" | "-?" => return Ok(Invocation::Help),
                "-v" => return Ok(Invocation::Version),
                "--build-info" => return Ok(Invocation::BuildInfo),
                "-t" => check = true,
                "--json" => report.json = true,
                "--effective" => report.effective = true,
                "--lang" => report.language = Some(language(value.as_deref().unwrap_or(""))?),
                _ => options.set(option, value.as_deref().unwrap_or(""), host)?,
            }
        }
        match check {
            true => Ok(Invocation::Check(options, report)),
            false if report == Report::default() => Ok(Invocation::Run(options)),
            false => Err(ConfigError::new("--json, --effective and --lang need -t")),
        }
    }

    fn set(&mut self, option: &str, value: &str, host: &dyn Host) -> Result<(), ConfigError> {
        let typed = Typed { option, value };
        match canonical(option) {
            "-c" => typed.once(&mut self.config_file, |text| Ok(text.to_owned())),
            "-n" => typed.flag(&mut self.nodaemon),
            "-s" => typed.flag(&mut self.silent),
            "-k" => typed.flag(&mut self.nocleanup),
            "--strip_ansi" => typed.flag(&mut self.strip_ansi),
            "-u" => typed.once(&mut self.user, |text| Ok(text.to_owned())),
            "-m" => typed.once(&mut self.umask, values::octal),
            "-d" => typed.once(&mut self.directory, |text| values::directory(text, host)),
            "-l" => typed.once(&mut self.logfile, |text| values::file_path(text, host)),
            "-y" => typed.once(&mut self.logfile_maxbytes, values::byte_size),
            "-z" => typed.once(&mut self.logfile_backups, values::integer),
            "-e" => typed.once(&mut self.loglevel, values::level),
            "-j" => typed.once(&mut self.pidfile, |text| values::file_path(text, host)),
            "-i" => typed.once(&mut self.identifier, |text| Ok(text.to_owned())),
            "-q" => typed.once(&mut self.childlogdir, |text| values::directory(text, host)),
            "-a" => typed.once(&mut self.minfds, values::integer),
            "--minprocs" => typed.once(&mut self.minprocs, values::integer),
            // Options of a Python profiler: accepted, so that old start scripts work, and without a meaning here.
            _ => Ok(()),
        }
    }
}

fn language(text: &str) -> Result<Language, ConfigError> {
    Language::named(text)
        .ok_or_else(|| ConfigError::new(format!("invalid value for --lang {}: en or zh", repr::text(text))))
}

/// The short option that a long one stands for.
fn canonical(option: &str) -> &str {
    let long = option.strip_prefix("--").and_then(|name| LONG.iter().find(|(known, ..)| *known == name));
    long.map_or(option, |(_, _, short)| short)
}

/// An option as typed.
struct Typed<'a> {
    option: &'a str,
    value: &'a str,
}

impl Typed<'_> {
    fn once<T>(
        &self,
        target: &mut Option<T>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<(), ConfigError> {
        let value = parse(self.value).map_err(|reason| {
            ConfigError::new(format!("invalid value for {} {}: {reason}", self.option, repr::text(self.value)))
        })?;
        if target.replace(value).is_some() { Err(self.conflict()) } else { Ok(()) }
    }

    fn flag(&self, target: &mut bool) -> Result<(), ConfigError> {
        if std::mem::replace(target, true) { Err(self.conflict()) } else { Ok(()) }
    }

    fn conflict(&self) -> ConfigError {
        ConfigError::new(format!("conflicting command line option {}", repr::text(self.option)))
    }
}
