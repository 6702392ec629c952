//! `/metrics`: OpenMetrics 1.0 text. The format is a few lines for each family; the crate for it (`prometheus-client`) would keep a
//! second copy of every value, between a scrape and the next.

use std::fmt::Write;

use super::model::{DaemonFacts, Program};
use super::overview::STATES;
use crate::core::State;
use crate::{KIT_VERSION, SUPERVISOR_VERSION};

/// Its media type.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is only known of a program when somebody scrapes.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// Processor time of its main process.
    pub cpu_millis: Option<u64>,
    /// Resident memory of its main process.
    pub rss_kib: Option<u64>,
    /// Sizes of its log files: standard output and error.
    pub log_bytes: [Option<u64>; 2],
}

/// One program with what was measured.
pub type Row = (Program, Measured);

/// The document.
pub fn document(rows: &[Row], daemon: &DaemonFacts) -> String {
    let mut out = Document(String::with_capacity(rows.len() * 1024 + 1024));
    out.family("supervisor_program_up", "gauge", None, "Whether the program is RUNNING.");
    for (program, _) in rows {
        out.sample("supervisor_program_up", &labels(program), u8::from(program.state == State::Running));
    }
    out.family("supervisor_program_state", "stateset", None, "The state of the program.");
    for (program, _) in rows {
        for state in STATES {
            let labels = format!("{},supervisor_program_state=\"{}\"", labels(program), state.name());
            out.sample("supervisor_program_state", &labels, u8::from(program.state == state));
        }
    }
    out.family("supervisor_program_starts", "counter", None, "Starts since the daemon was started.");
    for (program, _) in rows {
        out.sample("supervisor_program_starts_total", &labels(program), program.starts);
    }
    out.family("supervisor_program_start_time_seconds", "gauge", Some("seconds"), "When it was started last.");
    for (program, _) in rows.iter().filter(|(program, _)| program.start_secs > 0) {
        out.sample("supervisor_program_start_time_seconds", &labels(program), program.start_secs);
    }
    out.family("supervisor_program_last_exit_unexpected", "gauge", None, "Whether its last run ended unexpectedly.");
    for (program, _) in rows {
        let is_bad = program.last_exit.is_some_and(|exit| !exit.is_expected);
        out.sample("supervisor_program_last_exit_unexpected", &labels(program), u8::from(is_bad));
    }
    out.measured(rows);
    out.daemon(daemon);
    out.0.push_str("# EOF\n");
    out.0
}

struct Document(String);

impl Document {
    fn family(&mut self, name: &str, kind: &str, unit: Option<&str>, help: &str) {
        let _ = writeln!(self.0, "# TYPE {name} {kind}");
        if let Some(unit) = unit {
            let _ = writeln!(self.0, "# UNIT {name} {unit}");
        }
        let _ = writeln!(self.0, "# HELP {name} {help}");
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = match labels {
            "" => writeln!(self.0, "{name} {value}"),
            labels => writeln!(self.0, "{name}{{{labels}}} {value}"),
        };
    }

    fn measured(&mut self, rows: &[Row]) {
        self.family(
            "supervisor_program_cpu_seconds",
            "counter",
            Some("seconds"),
            "Processor time of the main process.",
        );
        for (program, measured) in rows {
            if let Some(millis) = measured.cpu_millis {
                self.sample("supervisor_program_cpu_seconds_total", &labels(program), seconds(millis));
            }
        }
        self.family(
            "supervisor_program_resident_memory_bytes",
            "gauge",
            Some("bytes"),
            "Resident memory of the main process.",
        );
        for (program, measured) in rows {
            if let Some(kib) = measured.rss_kib {
                self.sample("supervisor_program_resident_memory_bytes", &labels(program), kib * 1024);
            }
        }
        self.family("supervisor_program_log_bytes", "gauge", Some("bytes"), "Size of the log file.");
        for (program, measured) in rows {
            for (channel, bytes) in ["stdout", "stderr"].into_iter().zip(measured.log_bytes) {
                if let Some(bytes) = bytes {
                    let labels = format!("{},channel=\"{channel}\"", labels(program));
                    self.sample("supervisor_program_log_bytes", &labels, bytes);
                }
            }
        }
    }

    fn daemon(&mut self, daemon: &DaemonFacts) {
        self.family("supervisor_build", "info", None, "Versions of the daemon.");
        let labels = format!("version=\"{KIT_VERSION}\",supervisor_version=\"{SUPERVISOR_VERSION}\"");
        self.sample("supervisor_build_info", &labels, 1);
        self.family("process_cpu_seconds", "counter", Some("seconds"), "Processor time of the daemon.");
        self.sample("process_cpu_seconds_total", "", seconds(daemon.cpu_millis));
        self.family("process_resident_memory_bytes", "gauge", Some("bytes"), "Resident memory of the daemon.");
        self.sample("process_resident_memory_bytes", "", daemon.rss_kib * 1024);
        self.family("process_start_time_seconds", "gauge", Some("seconds"), "When the daemon was started.");
        self.sample("process_start_time_seconds", "", daemon.start_secs);
        self.family("process_open_fds", "gauge", None, "Descriptors that the daemon has open.");
        self.sample("process_open_fds", "", daemon.descriptors);
    }
}

fn labels(program: &Program) -> String {
    format!("group=\"{}\",process=\"{}\"", escaped(&program.group), escaped(&program.name))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000)
}
