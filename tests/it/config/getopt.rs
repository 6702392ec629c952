//! The command-line grammar, against what Python's `getopt` answers.

use supervisor_kit::getopt::parse;

const LONG: &[(&str, bool)] = &[
    ("help", false),
    ("configuration", true),
    ("logfile", true),
    ("logfile_maxbytes", true),
    ("logfile_backups", true),
    ("version", false),
];

/// One line for the result: `-x=value --flag | rest words`, or the error.
#[track_caller]
fn check(args: &[&str], expect: &str) {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let got = match parse(&args, "h?c:nz:", LONG) {
        Err(error) => error.to_string(),
        Ok((options, rest)) => {
            let mut words: Vec<String> = options
                .into_iter()
                .map(|(name, value)| value.map_or(name.clone(), |value| format!("{name}={value}")))
                .collect();
            words.push("|".to_owned());
            words.extend(rest);
            words.join(" ")
        }
    };
    assert_eq!(got, expect, "for {args:?}");
}

#[test]
fn options_stop_at_the_first_other_word() {
    check(&[], "|");
    check(&["-n", "status", "-c", "x"], "-n | status -c x");
    check(&["-n", "-", "-h"], "-n | - -h");
    check(&["-n", "--", "-h"], "-n | -h");
}

#[test]
fn short_options_bundle_and_take_values() {
    check(&["-nhc", "a.conf", "x"], "-n -h -c=a.conf | x");
    check(&["-ncfile"], "-n -c=file |");
    check(&["-c", "-n"], "-c=-n |");
    check(&["-?"], "-? |");
}

#[test]
fn long_options_may_be_cut_to_a_unique_prefix() {
    check(&["--conf", "a", "--ver"], "--configuration=a --version |");
    check(&["--logfile=a=b"], "--logfile=a=b |");
    check(&["--logfile="], "--logfile= |");
    check(&["--logfile_m", "1"], "--logfile_maxbytes=1 |");
}

#[test]
fn every_refusal_names_the_option() {
    check(&["-x"], "option -x not recognized");
    check(&["-:"], "option -: not recognized");
    check(&["--zz"], "option --zz not recognized");
    check(&["--log"], "option --log not a unique prefix");
    check(&["-n", "-z"], "option -z requires argument");
    check(&["--conf"], "option --configuration requires argument");
    check(&["--version=1"], "option --version must not have an argument");
}
