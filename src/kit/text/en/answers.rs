//! English: questions, and answers that cannot be read.

use crate::kit::answers::Problem;
use crate::kit::text::Question;

pub(in crate::kit::text) fn ask(question: Question) -> &'static str {
    match question {
        Question::Replace => "Another Supervisor is on this host. Take over from it? (rollback brings it back)",
        Question::StartNow => "Start the service now?",
        Question::StartAtBoot => "Start the service with the machine?",
        Question::Web => "Turn on the web console? (not advised in production)",
        Question::WebAddress => "Address and port of the web console",
        Question::WebUser => "Its user",
        Question::WebPasswordFile => "File with its password on the first line",
    }
}

pub(super) fn problem(problem: &Problem) -> String {
    match problem {
        Problem::UnknownKey { place, key, known } => {
            format!("{place}: there is no answer {key}.\n  Nothing was changed.\n  Next: use one of: {known}")
        }
        Problem::Value { place, key, wanted } => {
            format!("{place}: {key} takes {wanted}.\n  Nothing was changed.\n  Next: correct it, then try again.")
        }
        Problem::File { path, reason } => format!(
            "The answers file {path} cannot be used: {reason}\n  Nothing was changed.\n  Next: correct it, then try again."
        ),
    }
}
