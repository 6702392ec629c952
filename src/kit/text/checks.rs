//! Findings as text: the frame around the words of each language.

use super::{Lang, en, zh};
use crate::kit::failure::Checked;
use crate::kit::prefix::Prefix;
use crate::kit::preflight::{Finding, Trouble, Verdict};

impl Lang {
    /// What a trouble is, and the next step.
    pub fn trouble(self, trouble: Trouble) -> (&'static str, &'static str) {
        match self {
            Lang::En => en::trouble(trouble),
            Lang::Zh => zh::trouble(trouble),
        }
    }

    /// The word before a next step.
    pub fn next(self) -> &'static str {
        match self {
            Lang::En => "Next: ",
            Lang::Zh => "解决办法：",
        }
    }

    /// A cause in a sentence, its evidence below it, and the next step.
    pub(super) fn cause(self, finding: &Finding) -> (String, String) {
        let what = finding.trouble().map_or("", |trouble| self.trouble(trouble).0);
        (format!("{what}\n    {}", finding.evidence.replace('\n', "\n    ")), self.remedy(finding))
    }

    /// The next step after a finding, with the programs where its evidence has them.
    pub fn remedy(self, finding: &Finding) -> String {
        let next = finding.trouble().map_or("", |trouble| self.trouble(trouble).1);
        let is_there = |prefix: &Prefix| finding.evidence.contains(prefix.program_dir());
        Prefix::ALL.into_iter().find(is_there).unwrap_or_default().fit(next)
    }

    /// One line for what is right; evidence and next step for what is not.
    pub fn finding(self, finding: &Finding) -> String {
        let evidence = finding.evidence.replace('\n', "\n        ");
        let (mark, trouble) = match (finding.verdict, self) {
            (Verdict::Pass, Lang::En) => return format!("[ ok ] {}: {evidence}", finding.probe.id()),
            (Verdict::Pass, Lang::Zh) => return format!("[正常] {}: {evidence}", finding.probe.id()),
            (Verdict::Warn(trouble), Lang::En) => ("[warn]", trouble),
            (Verdict::Warn(trouble), Lang::Zh) => ("[警告]", trouble),
            (Verdict::Fail(trouble), Lang::En) => ("[FAIL]", trouble),
            (Verdict::Fail(trouble), Lang::Zh) => ("[失败]", trouble),
        };
        let (what, next) = (self.trouble(trouble).0, self.remedy(finding));
        let id = trouble.id();
        format!("{mark} {id}: {what}\n        {evidence}\n        {}{next}", self.next())
    }

    /// Why a change is refused, or what `verify` and `doctor` found.
    pub(super) fn checked(self, checked: Checked, findings: &[Finding]) -> String {
        let failed: Vec<&Finding> = findings.iter().filter(|finding| finding.is_fail()).collect();
        let head = match (checked, self) {
            (Checked::Preflight, Lang::En) => "This host is not ready.\n  Nothing was changed.",
            (Checked::Preflight, Lang::Zh) => "本机尚不具备安装条件。\n  未做任何改动。",
            (Checked::Verify, Lang::En) => "What is here is not what was installed.",
            (Checked::Verify, Lang::Zh) => "现状与安装时不同。",
            (Checked::Doctor, Lang::En) => "Something keeps Supervisor from working.",
            (Checked::Doctor, Lang::Zh) => "有问题妨碍 Supervisor 工作。",
        };
        let each = failed.iter().filter_map(|finding| {
            let (cause, next) = self.cause(finding);
            let id = finding.trouble()?.id();
            Some(format!("\n  {id}: {cause}\n  {}{next}", self.next()))
        });
        format!("{head}{}", each.collect::<String>())
    }
}
