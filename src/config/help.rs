//! What `supervisord -h` prints.

/// The text; `program` is `argv[0]`.
pub fn help(program: &str) -> String {
    format!(
        "supervisord -- run a set of applications and keep them running

Usage: {program} [options]

Options:
-c/--configuration FILENAME -- read this configuration file (searched for if not given)
-t/--test -- check the configuration file, say what is wrong with it, and exit
   (0 nothing wrong, 1 warnings, 2 errors)
   --json -- as JSON; --effective -- show the resolved configuration; --lang en|zh -- language
-n/--nodaemon -- stay in the foreground (nodaemon=true)
-s/--silent -- in the foreground, do not repeat the log on stdout
-h/--help -- print this text and exit
-v/--version -- print the Supervisor version stood in for and exit
--build-info -- print the version of this program and exit
-u/--user USER -- run as this user (name or number)
-m/--umask UMASK -- use this umask when daemonising (default 022)
-d/--directory DIRECTORY -- change to this directory when daemonising
-l/--logfile FILENAME -- use FILENAME as the activity log
-y/--logfile_maxbytes BYTES -- rotate the activity log at this size
-z/--logfile_backups NUM -- keep this many rotated activity logs
-e/--loglevel LEVEL -- log from this level on (critical, error, warn, info, debug, trace, blather)
-j/--pidfile FILENAME -- write the process id of supervisord to FILENAME
-i/--identifier STR -- name of this instance
-q/--childlogdir DIRECTORY -- directory for the logs of programs without a log file of their own
-k/--nocleanup -- keep the logs in that directory when starting
-a/--minfds NUM -- file descriptors that must be available
--minprocs NUM -- processes that must be available
--strip_ansi -- drop ANSI escape sequences from program logs
"
    )
}
