//! Every word of the console, one table for each language. A `{}` stands for what is filled in.

mod en;
mod zh;

use crate::config::Language;
use crate::core::State;

macro_rules! texts {
    ($($name:ident)*) => {
        /// A language. The English table says what each text is.
        #[allow(missing_docs)]
        pub struct Texts { $(pub $name: &'static str,)* }

        impl Texts {
            /// Every text with its name, for scripts.
            pub fn entries(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }
        }
    };
}

texts! {
    code other_language other_code
    console skip_to_content navigation overview events changes host about log_of_daemon
    sign_out signed_in_as role_readonly role_operator theme
    programs group program state pid uptime cpu memory restarts last_exit actions none_yet
    filter search_placeholder all_states all_groups shown_of select_all select_one selected
    start stop restart signal clear_log clear_logs more start_all stop_all restart_all send
    running starting stopping stopped backoff exited fatal unknown
    confirm_title confirm_text confirm_many cancel go_on
    results done_ok failed close back_to_overview
    live reconnecting signed_out no_programs no_match not_measured never not_running
    exit_status killed_by core_dumped exit_missed expected unexpected by_signal cpu_hint memory_hint
    logs stdout stderr no_log follow pause search older newer latest wrap times download lines_waiting
    search_log searching found_none found_some search_on log_file log_empty log_truncated arrived
    settings setting value comes_from default_value differs_on_disk settings_unreadable
    environment masked_hint processes command history when change charts last_hour sampling_hint
    plan plan_intro plan_nothing plan_unreadable action keys outcome_up outcome_down yes no update_all update_one
    keep apply plan_restart plan_start plan_stop
    feed_intro feed_empty what who group_added group_removed daemon_started daemon_stopping did
    host_name system kernel architecture processors uptime_host load memory_used disk_of free_of
    daemon identifier config_file started_at own_memory own_cpu descriptors
    version serves_as built_with api_document metrics licence about_text
    sign_in user password wrong_password too_many_logins signed_out_idle signed_out_now sign_in_hint basic
    forbidden forbidden_origin forbidden_token forbidden_role forbidden_host not_found not_found_text busy
    shutting_down restarting_daemon page_of refresh language
    second minute hour day ago
}

/// The table of a language.
pub fn texts(language: Language) -> &'static Texts {
    match language {
        Language::English => &en::TEXTS,
        Language::Chinese => &zh::TEXTS,
    }
}

impl Texts {
    /// A state in words.
    pub fn state(&self, state: State) -> &'static str {
        match state {
            State::Running => self.running,
            State::Starting => self.starting,
            State::Stopping => self.stopping,
            State::Stopped => self.stopped,
            State::Backoff => self.backoff,
            State::Exited => self.exited,
            State::Fatal => self.fatal,
            State::Unknown => self.unknown,
        }
    }

    /// An action in words.
    pub fn verb(&self, action: &str) -> &'static str {
        match action {
            "start" => self.start,
            "stop" => self.stop,
            "restart" => self.restart,
            "signal" => self.signal,
            "update" => self.update_all,
            _ => self.clear_log,
        }
    }

    /// A length of time, as coarse as it is read: `3 d 4 h`, `2 h 5 min`, `12 min`, `45 s`.
    pub fn duration(&self, secs: i64) -> String {
        let secs = secs.max(0);
        let (days, hours, minutes) = (secs / 86_400, secs % 86_400 / 3600, secs % 3600 / 60);
        match () {
            () if days > 0 => format!("{days} {} {hours} {}", self.day, self.hour),
            () if hours > 0 => format!("{hours} {} {minutes} {}", self.hour, self.minute),
            () if minutes > 0 => format!("{minutes} {}", self.minute),
            () => format!("{secs} {}", self.second),
        }
    }
}

/// Puts values into the gaps of a text, in order.
pub fn fill(template: &str, values: &[&str]) -> String {
    let mut parts = template.split("{}");
    let mut out = parts.next().unwrap_or_default().to_owned();
    let mut values = values.iter();
    for part in parts {
        out.push_str(values.next().unwrap_or(&"{}"));
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_gaps_and_no_empty_text() {
        let (english, chinese) = (texts(Language::English), texts(Language::Chinese));
        for ((name, in_english), (_, in_chinese)) in english.entries().zip(chinese.entries()) {
            assert!(!in_english.is_empty() && !in_chinese.is_empty(), "{name}");
            assert_eq!(in_english.matches("{}").count(), in_chinese.matches("{}").count(), "{name}");
        }
    }

    #[test]
    fn what_is_to_be_translated_is() {
        // Words that are the same in both.
        const SAME: [&str; 3] = ["cpu", "pid", "api_document"];
        for ((name, in_english), (_, in_chinese)) in
            texts(Language::English).entries().zip(texts(Language::Chinese).entries())
        {
            assert!(in_english != in_chinese || SAME.contains(&name), "{name}: {in_chinese}");
        }
    }

    #[test]
    fn gaps_and_durations() {
        assert_eq!(fill("{} of {}", &["1", "2"]), "1 of 2");
        assert_eq!(texts(Language::English).duration(93_784), "1 d 2 h");
        assert_eq!(texts(Language::Chinese).duration(3_900), "1 小时 5 分钟");
    }
}
