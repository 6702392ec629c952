//! Manual pages and shell completions, made from what the programs themselves go by: their tables of options and
//! commands, and their help. The pages of those who operate, about the client and the
//! configuration, are there in Chinese, too.

mod conf;
mod ctl_zh;

pub use conf::{supervisord_conf, supervisord_conf_zh};
pub use ctl_zh::supervisorctl_zh;

use clap::CommandFactory;

use super::cli::Cli;
use crate::config;
use crate::ctl;

/// `supervisorctl(1)`
pub fn supervisorctl() -> String {
    let mut page = Page::new("supervisorctl", 1, "control programs run by supervisord", &Words::ENGLISH);
    page.synopsis("[options] [action [arguments]]");
    page.section("DESCRIPTION");
    page.text(
        "Asks a running supervisord for what it does and tells it what to do, over a unix socket or TCP. Without an \
         action it opens a shell with history and completion.",
    );
    page.section("OPTIONS");
    page.options(&ctl::program_help("supervisorctl", config::Language::English));
    page.section("ACTIONS");
    page.text(
        "A name is name, group:name, or group:* for a whole group. It may be a pattern such as web-*, \
         group:web-? or *:worker; status, start, stop, restart, signal, clear and pid act on every process that fits, in \
         the order of status. The word all stands for every process.",
    );
    for (form, explanation) in ctl::forms(config::Language::English) {
        match form {
            "" => page.text(explanation),
            _ => page.item(form, explanation),
        }
    }
    page.item(
        "hash-password [--cost N]",
        "make the password line of a server's section, with a bcrypt hash; the password is read from the terminal or the \
         standard input, and no server is asked",
    );
    page.section("EXIT STATUS");
    for (status, meaning) in [
        ("0", "done"),
        ("1", "something failed"),
        ("2", "wrong command line, configuration, or group of start"),
        ("3", "status: a listed process is not up; else the server lacks the supervisor methods"),
        ("4", "status: a name or the server is unknown; else the connection was refused"),
        ("5", "the server speaks another version of the interface"),
        ("7", "a process is not running or did not start, or there is no socket"),
    ] {
        page.item(status, meaning);
    }
    page.section("ENVIRONMENT");
    page.item("NO_COLOR", "when set, states are not coloured on a terminal either");
    page.see_also(&["supervisord(8)", "supervisord.conf(5)", "pidproxy(1)", "supervisor-install(8)"])
}

/// `supervisord(8)`
pub fn supervisord() -> String {
    let mut page = Page::new("supervisord", 8, "run a set of programs and keep them running", &Words::ENGLISH);
    page.synopsis("[options]");
    page.section("DESCRIPTION");
    page.text(
        "Starts the programs of its configuration file, restarts those that end, and keeps their output in logs.",
    );
    page.section("OPTIONS");
    page.options(&config::help("supervisord"));
    page.section("SIGNALS");
    page.item("SIGTERM, SIGINT, SIGQUIT", "stop every program, then end");
    page.item("SIGHUP", "check the configuration, stop every program and start anew with it");
    page.item("SIGUSR2", "open the logs again");
    page.section("FILES");
    page.item(super::tree::CONFIG, "the configuration; echo_supervisord_conf prints a sample of it");
    page.see_also(&["supervisord.conf(5)", "supervisorctl(1)", "pidproxy(1)", "supervisor-install(8)"])
}

/// `pidproxy(1)`
pub fn pidproxy() -> String {
    let mut page = Page::new("pidproxy", 1, PIDPROXY_PURPOSE, &Words::ENGLISH);
    page.synopsis("pidfile command [arguments]");
    page.section("DESCRIPTION");
    page.text(
        "Runs the command and stays while it does. Signals that it gets (TERM, HUP, INT, USR1, USR2, QUIT) go to the \
         process that the pidfile names, or to the command while there is none. It ends with the status of the command.",
    );
    page.see_also(&["supervisord(8)"])
}

/// `echo_supervisord_conf(1)`
pub fn echo_supervisord_conf() -> String {
    let purpose = "print a sample configuration of supervisord";
    let mut page = Page::new("echo_supervisord_conf", 1, purpose, &Words::ENGLISH);
    page.synopsis("[--lang zh]");
    page.section("DESCRIPTION");
    page.text(
        "Prints a configuration file with every section and setting and their defaults, to begin one of your own with. With \
         --lang zh the explanations are Chinese.",
    );
    page.see_also(&["supervisord(8)", "supervisorctl(1)"])
}

/// `supervisor-install(8)`
pub fn supervisor_install() -> String {
    let command = Cli::command();
    let mut page = Page::new("supervisor-install", 8, INSTALL_PURPOSE, &Words::ENGLISH);
    page.synopsis("[action] [options]");
    page.section("DESCRIPTION");
    page.text(&command.get_about().map(ToString::to_string).unwrap_or_default());
    page.section("ACTIONS");
    let actions: Vec<&clap::Command> = command.get_subcommands().filter(|action| !action.is_hide_set()).collect();
    for action in &actions {
        page.item(action.get_name(), &action.get_about().map(ToString::to_string).unwrap_or_default());
    }
    page.section("OPTIONS");
    page.arguments(command.get_arguments());
    let known = |argument: &clap::Arg| command.get_arguments().any(|known| known.get_id() == argument.get_id());
    for action in &actions {
        let own: Vec<&clap::Arg> = action.get_arguments().filter(|argument| !known(argument)).collect();
        if !own.is_empty() {
            page.section(&format!("OPTIONS OF {}", action.get_name().to_uppercase()));
            page.arguments(own.into_iter());
        }
    }
    page.section("EXIT STATUS");
    page.lines(&command.get_after_help().map(ToString::to_string).unwrap_or_default());
    page.see_also(&["supervisord(8)", "supervisorctl(1)"])
}

/// Completion for bash. The program itself knows what may come next; `:` is a word break in bash and not in names.
pub fn bash() -> String {
    "# Completion of supervisorctl for bash.
_supervisorctl() {
    local word=${COMP_LINE:0:COMP_POINT} IFS=$'\\n'
    COMPREPLY=($(supervisorctl --tab \"$word\" 2>/dev/null))
    word=${word##*[[:space:]]}
    case $word in
    *:*) if [[ $COMP_WORDBREAKS == *:* ]]; then COMPREPLY=(\"${COMPREPLY[@]#\"${word%:*}:\"}\"); fi ;;
    esac
}
complete -F _supervisorctl supervisorctl
"
    .to_owned()
}

/// Completion for zsh.
pub fn zsh() -> String {
    "#compdef supervisorctl
local -a found
found=(${(f)\"$(supervisorctl --tab \"$LBUFFER\" 2>/dev/null)\"})
compadd -a found
"
    .to_owned()
}

/// Completion for fish.
pub fn fish() -> String {
    "complete -c supervisorctl -f -a '(supervisorctl --tab (commandline -cp | string collect --no-trim-newlines) 2>/dev/null)'
"
    .to_owned()
}

const PIDPROXY_PURPOSE: &str = "stand in for a daemon that puts itself into the background";
const INSTALL_PURPOSE: &str = "install or update Supervisor from its bundle, without internet";

/// The headings that every page has.
struct Words {
    name: &'static str,
    synopsis: &'static str,
    description: &'static str,
    see_also: &'static str,
    /// How lines are broken and filled; Chinese has no blanks to widen and nothing to hyphenate.
    filling: &'static str,
}

impl Words {
    const ENGLISH: Words =
        Words { name: "NAME", synopsis: "SYNOPSIS", description: "DESCRIPTION", see_also: "SEE ALSO", filling: "" };
    const CHINESE: Words =
        Words {
            name: "名称", synopsis: "概要", description: "描述", see_also: "参见", filling: ".ad l\n.nh\n"
        };
}

/// A page in the making, in the macros of man(7).
struct Page {
    name: &'static str,
    words: &'static Words,
    text: String,
}

impl Page {
    fn new(name: &'static str, section: u8, purpose: &str, words: &'static Words) -> Self {
        let version = crate::KIT_VERSION;
        let title = name.to_uppercase().replace('-', "\\-");
        let shown = escaped(name);
        let text = format!(
            ".TH {title} {section} \"\" \"supervisor-kit {version}\"\n{}.SH {}\n{shown} \\- {}\n",
            words.filling,
            words.name,
            escaped(purpose)
        );
        Page { name, words, text }
    }

    fn synopsis(&mut self, arguments: &str) {
        let (name, title) = (escaped(self.name), self.words.synopsis);
        self.text.push_str(&format!(".SH {title}\n.B {name}\n{}\n", escaped(arguments)));
    }

    fn section(&mut self, title: &str) {
        self.text.push_str(&format!(".SH {title}\n"));
    }

    fn subsection(&mut self, title: &str) {
        self.text.push_str(&format!(".SS {}\n", escaped(title)));
    }

    fn bullet(&mut self, text: &str) {
        self.text.push_str(&format!(".IP \\(bu 2\n{}\n", escaped(text)));
    }

    fn text(&mut self, text: &str) {
        self.text.push_str(&format!(".PP\n{}\n", escaped(text)));
    }

    fn item(&mut self, term: &str, text: &str) {
        self.text.push_str(&format!(".TP\n.B {}\n", escaped(term)));
        if !text.is_empty() {
            self.text.push_str(&format!("{}\n", escaped(text)));
        }
    }

    /// What a command line takes.
    fn arguments<'a>(&mut self, arguments: impl Iterator<Item = &'a clap::Arg>) {
        for argument in arguments {
            let takes_value = argument.get_action().takes_values();
            let value = argument.get_value_names().filter(|_| takes_value).and_then(|names| names.first());
            let value = value.map(ToString::to_string).unwrap_or_default();
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            let Some(long) = argument.get_long() else {
                self.item(&value, &help);
                continue;
            };
            let short = argument.get_short().map(|letter| format!("-{letter}, ")).unwrap_or_default();
            self.item(format!("{short}--{long} {value}").trim_end(), &help);
        }
    }

    /// Lines that stay as they are.
    fn lines(&mut self, text: &str) {
        self.text.push_str(".nf\n");
        text.lines().for_each(|line| self.text.push_str(&format!("{}\n", escaped(line))));
        self.text.push_str(".fi\n");
    }

    /// The options of a help text: `-c/--configuration FILENAME -- what it does`, and the indented lines after it.
    fn options(&mut self, help: &str) {
        for line in help.lines() {
            match line.split_once(" -- ") {
                Some((option, text)) if line.starts_with('-') => self.item(&option.replace('/', ", "), text),
                _ if line.starts_with("   ") && self.text.contains(".TP") => {
                    self.text.push_str(&format!("{}\n", escaped(line.trim())));
                }
                _ => {}
            }
        }
    }

    fn see_also(mut self, pages: &[&str]) -> String {
        self.section(self.words.see_also);
        self.text(&pages.join(", "));
        self.text
    }
}

/// Dashes are typed, backslashes shown, and no line begins with a control character.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}
