//! The command line of `supervisord`; refusals are compared with stock Supervisor in `server_options`.

use supervisor_kit::config::{Invocation, Options, Report, help};

use super::host::Table;

fn parse(args: &[&str]) -> Invocation {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    Options::parse("sv", &args, &Table::default()).unwrap()
}

#[test]
fn the_first_question_is_answered() {
    assert_eq!(parse(&["-n", "-h", "-v"]), Invocation::Help);
    assert_eq!(parse(&["-?"]), Invocation::Help);
    assert_eq!(parse(&["--ver"]), Invocation::Version);
    assert_eq!(parse(&["--build-info"]), Invocation::BuildInfo);
}

#[test]
fn test_checks_and_only_the_long_option_strips_ansi() {
    let options = Options { program: "sv".into(), ..Options::default() };
    assert_eq!(parse(&["-t"]), Invocation::Check(options.clone(), Report::default()));
    assert_eq!(parse(&["--test"]), Invocation::Check(options.clone(), Report::default()));
    assert_eq!(parse(&["--strip"]), Invocation::Run(Options { strip_ansi: true, ..options.clone() }));
    assert_eq!(parse(&["--profile_options=calls"]), Invocation::Run(options));
}

#[test]
fn help_keeps_the_lines_that_wrappers_look_for() {
    let text = help("sv");
    assert!(text.starts_with("supervisord -- run a set of applications"));
    assert!(text.contains("-l/--logfile FILENAME -- use FILENAME as"));
}
