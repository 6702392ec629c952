//! Every key that operators were taught has a test that sets it and looks at a real process.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::daemon::fixture::Daemon;

/// The keys of the configuration manual that operators follow, by section.
const TAUGHT: [(&str, &str); 5] = [
    ("unix_http_server", "file chmod chown username password"),
    ("inet_http_server", "port username password"),
    (
        "supervisord",
        "logfile logfile_maxbytes logfile_backups loglevel pidfile nodaemon silent minfds minprocs umask user identifier directory \
         nocleanup childlogdir environment strip_ansi",
    ),
    ("supervisorctl", "serverurl username password prompt history_file"),
    (
        "program",
        "command process_name numprocs directory umask priority autostart startsecs startretries autorestart exitcodes stopsignal \
         stopwaitsecs stopasgroup killasgroup user redirect_stderr stdout_logfile stdout_logfile_maxbytes stdout_logfile_backups \
         stdout_capture_maxbytes stdout_events_enabled stdout_syslog stderr_logfile stderr_logfile_maxbytes stderr_logfile_backups \
         stderr_capture_maxbytes stderr_events_enabled stderr_syslog environment serverurl",
    ),
];

/// Keys and the test, as `file` below `tests/it` and function, that shows what they do.
const SHOWN: &[(&str, &str, &str, &str)] = &[
    ("unix_http_server", "file", "daemon/boot.rs", "a_second_start_with_the_same_socket_harms_nothing"),
    ("unix_http_server", "chmod chown", "programs/settings.rs", "the_socket_has_the_mode_and_owner_of_its_section"),
    ("unix_http_server", "username password", "programs/settings.rs", "the_client_goes_by_its_section"),
    ("inet_http_server", "port username password", "daemon/http.rs", "hashed_passwords_on_both_servers"),
    ("supervisord", "logfile", "programs/targets.rs", "the_activity_log_comes_back_too_and_says_how_much_is_missing"),
    (
        "supervisord",
        "logfile_maxbytes logfile_backups",
        "programs/settings.rs",
        "the_activity_log_is_rolled_at_its_size",
    ),
    ("supervisord", "loglevel", "programs/settings.rs", "the_activity_log_says_no_more_than_its_level"),
    ("supervisord", "pidfile", "daemon/boot.rs", "a_second_start_with_the_same_pidfile_harms_nothing"),
    ("supervisord", "nodaemon", "daemon/boot.rs", "in_the_background_it_is_ready_when_the_parent_exits_0"),
    ("supervisord", "silent", "daemon/boot.rs", "in_the_foreground_the_log_is_on_stdout_unless_silent"),
    ("supervisord", "minfds minprocs", "programs/setup.rs", "limits_are_raised_and_inherited"),
    ("supervisord", "umask directory", "programs/settings.rs", "directory_and_umask_count_in_the_background_only"),
    ("supervisord", "user", "daemon/boot.rs", "the_whole_daemon_runs_under_another_account"),
    ("supervisord", "identifier", "programs/settings.rs", "the_identifier_is_told_and_is_in_the_names_of_logs"),
    ("supervisord", "nocleanup", "programs/settings.rs", "the_files_of_an_earlier_run_stay_with_nocleanup"),
    ("supervisord", "childlogdir", "programs/settings.rs", "auto_logs_are_in_the_directory_for_them"),
    ("supervisord", "environment", "daemon/children.rs", "environment_is_inherited_then_extended_then_overridden"),
    ("supervisord", "strip_ansi", "daemon/output.rs", "colours_are_stripped_and_output_is_shown_at_debug_level"),
    ("supervisorctl", "serverurl username password prompt", "programs/settings.rs", "the_client_goes_by_its_section"),
    ("program", "command", "daemon/lifecycle.rs", "what_cannot_be_started_says_why"),
    ("program", "process_name numprocs", "programs/output.rs", "fifty_programs_write_a_million_bytes_at_once_and_end"),
    ("program", "directory umask user", "daemon/children.rs", "account_directory_and_umask_are_set"),
    ("program", "priority", "daemon/shutdown.rs", "everything_stops_in_descending_priority"),
    ("program", "autostart", "programs/keys.rs", "a_program_starts_with_the_daemon_or_waits_for_somebody"),
    ("program", "startsecs", "daemon/lifecycle.rs", "a_program_runs_after_startsecs"),
    ("program", "startretries", "daemon/lifecycle.rs", "a_failing_program_is_tried_and_given_up"),
    ("program", "autorestart exitcodes", "daemon/lifecycle.rs", "autorestart_follows_the_exit_codes"),
    ("program", "stopsignal", "daemon/lifecycle.rs", "the_stop_signal_is_the_one_of_the_configuration"),
    (
        "program",
        "stopwaitsecs killasgroup",
        "daemon/lifecycle.rs",
        "killasgroup_kills_grandchildren_that_ignore_the_stop",
    ),
    ("program", "stopasgroup", "daemon/lifecycle.rs", "stopasgroup_stops_grandchildren"),
    ("program", "redirect_stderr", "daemon/children.rs", "redirected_errors_keep_their_order"),
    (
        "program",
        "stdout_logfile stderr_logfile",
        "programs/capture.rs",
        "captured_bytes_go_to_no_file_and_listeners_are_told",
    ),
    (
        "program",
        "stdout_logfile_maxbytes stdout_logfile_backups",
        "daemon/output.rs",
        "rotation_under_load_loses_nothing",
    ),
    (
        "program",
        "stderr_logfile_maxbytes stderr_logfile_backups",
        "programs/keys.rs",
        "the_error_log_is_rolled_by_keys_of_its_own",
    ),
    (
        "program",
        "stdout_capture_maxbytes stderr_capture_maxbytes stdout_events_enabled stderr_events_enabled",
        "programs/capture.rs",
        "captured_bytes_go_to_no_file_and_listeners_are_told",
    ),
    (
        "program",
        "stdout_syslog stderr_syslog",
        "programs/targets.rs",
        "the_system_log_gets_lines_of_programs_and_of_the_daemon",
    ),
    (
        "program",
        "environment serverurl",
        "daemon/children.rs",
        "environment_is_inherited_then_extended_then_overridden",
    ),
];

/// Keys without one, and why.
const NOT_SHOWN: &[(&str, &str, &str)] =
    &[("supervisorctl", "history_file", "read and checked; it is used by the line editor, which is not there yet")];

#[test]
fn every_key_has_a_test_that_sets_it_and_looks() {
    let mut shown: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for (section, keys, file, test) in SHOWN {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
        let at = text.find(&format!("#[test]\nfn {test}()")).unwrap_or_else(|| panic!("{file} has no test {test}"));
        let body = &text[at..];
        let body = &body[..body.find("\n}\n").unwrap()];
        for key in keys.split(' ') {
            // The fixture sets what every test needs.
            let set_by_fixture = ["file", "pidfile"].contains(&key);
            assert!(set_by_fixture || body.contains(&format!("{key}=")), "{test} does not set {key}");
            assert!(shown.insert((section, key), test).is_none(), "[{section}] {key} twice");
        }
    }
    for (section, key, _) in NOT_SHOWN {
        assert!(shown.insert((section, key), "").is_none(), "[{section}] {key} has a test now: no excuse is needed");
    }
    for (section, keys) in TAUGHT {
        for key in keys.split(' ') {
            assert!(shown.remove(&(section, key)).is_some(), "nothing shows what [{section}] {key} does");
        }
    }
    assert!(shown.is_empty(), "not taught: {shown:?}");
}

#[test]
fn a_program_starts_with_the_daemon_or_waits_for_somebody() {
    let daemon = Daemon::start(
        "[program:early]\ncommand=cat\nstartsecs=0\n[program:late]\ncommand=cat\nstartsecs=0\nautostart=false\n",
    );
    daemon.wait_for_state("early", "RUNNING");
    assert_eq!(daemon.state("late"), "STOPPED");
    assert_eq!(daemon.info("late").get("description"), Some(&"Not started".into()));
    daemon.ask("startProcess", &["late".into()]);
    assert_eq!(daemon.state("late"), "RUNNING");
}

#[test]
fn the_error_log_is_rolled_by_keys_of_its_own() {
    let daemon = Daemon::start(
        "[program:p]\ncommand=sh -c 'for i in 1 2 3 4 5 6; do echo 0123456789 >&2; sleep 0.05; done; echo end'\nstartsecs=0\nautorestart=false\n\
         stdout_logfile=%(here)s/out\nstderr_logfile=%(here)s/err\nstderr_logfile_maxbytes=11\nstderr_logfile_backups=2\n",
    );
    daemon.wait_for_state("p", "EXITED");
    assert_eq!(daemon.site.files(|name| name.starts_with("out")).len(), 1);
    assert_eq!(daemon.site.files(|name| name.starts_with("err")).len(), 3);
    assert_eq!(daemon.site.read("err"), "");
    assert!(daemon.site.read("err.2").starts_with("0123456789\n"));
}
