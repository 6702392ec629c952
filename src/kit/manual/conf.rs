//! `supervisord.conf(5)`, in English and Chinese: made from the samples that `echo_supervisord_conf` prints, which explain
//! each key, and completed from the table that the check of a configuration goes by.

use super::{Page, Words};
use crate::config::section_keys;
use crate::echo_conf::{SAMPLE, SAMPLE_CHINESE};

/// `supervisord.conf(5)`
pub fn supervisord_conf() -> String {
    page(&ENGLISH)
}

/// `supervisord.conf(5)`, in Chinese.
pub fn supervisord_conf_zh() -> String {
    page(&CHINESE)
}

/// What a language has of its own.
struct Language {
    words: &'static Words,
    sample: &'static str,
    purpose: &'static str,
    description: &'static str,
    sections: &'static str,
    files: &'static str,
    file: &'static str,
    /// Keys that the sample does not show: those that are also a program's, and one that needs Python.
    as_program: &'static str,
    result_handler: &'static str,
    plug_in: &'static str,
}

const ENGLISH: Language = Language {
    words: &Words::ENGLISH,
    sample: SAMPLE,
    purpose: "configuration of supervisord and supervisorctl",
    description: "An ini file in UTF-8, of sections and keys. supervisord and supervisorctl read the same one. supervisord -t -c \
                  FILE checks it, and names file, line, key and value of whatever is wrong. What changed in it takes effect \
                  with supervisorctl update, which touches no other program.",
    sections: "SECTIONS",
    files: "FILES",
    file: "looked for first in ../etc/supervisord.conf and ../supervisord.conf beside the program's directory, then as \
           supervisord.conf and etc/supervisord.conf in the working directory",
    as_program: "Also, as for a program: ",
    result_handler: "a Python function that judges the answers of a listener; only the built-in one is there",
    plug_in: "A plug-in; each key is an argument of it. The main interface (supervisor) and supervisor_twiddler are built in; \
              others need Python and are skipped with a line in the log that names them.",
};

const CHINESE: Language = Language {
    words: &Words::CHINESE,
    sample: SAMPLE_CHINESE,
    purpose: "supervisord 与 supervisorctl 的配置文件",
    description: "UTF-8 编码的 ini 文件，由配置段和配置项组成，supervisord 与 supervisorctl 读取同一个文件。supervisord -t -c 文件名 \
                  可检查配置，并指出出错的文件、行、配置项和值。修改后执行 supervisorctl update 即可生效，不影响其他程序。",
    sections: "配置段",
    files: "文件",
    file: "查找顺序：先查程序所在目录旁的 ../etc/supervisord.conf 和 ../supervisord.conf，再查当前目录下的 supervisord.conf 和 \
           etc/supervisord.conf，最后是此文件",
    as_program: "其余配置项与程序相同：",
    result_handler: "判断监听器应答的 Python 函数；只能使用内置的函数",
    plug_in: "插件配置段，每个配置项是它的一个参数。主接口（supervisor）和 supervisor_twiddler 已内置；其他插件依赖 Python，\
              会被跳过，并在日志中记录一行。",
};

/// One section of a sample.
struct Section<'a> {
    name: &'a str,
    intro: Vec<&'a str>,
    /// Key, the line without its comment, and the comment.
    keys: Vec<(&'a str, &'a str, &'a str)>,
}

fn page(language: &Language) -> String {
    let mut page = Page::new("supervisord.conf", 5, language.purpose, language.words);
    let (notes, sections) = read(language.sample);
    page.section(language.words.description);
    page.text(language.description);
    for note in notes {
        page.bullet(note);
    }
    page.section(language.sections);
    for section in &sections {
        page.subsection(section.name);
        if !section.intro.is_empty() {
            page.text(&section.intro.join(" "));
        }
        if section.name.contains("interface") {
            page.text(language.plug_in);
        }
        for (_, line, text) in &section.keys {
            page.item(line, text);
        }
        complete(&mut page, section, language);
    }
    page.section(language.files);
    page.item(crate::kit::tree::CONFIG, language.file);
    page.see_also(&["supervisord(8)", "supervisorctl(1)", "supervisor-install(8)"])
}

/// The known keys that a sample leaves out.
fn complete(page: &mut Page, section: &Section<'_>, language: &Language) {
    let name = section.name.trim_matches(['[', ']']);
    let missing = section_keys(name).unwrap_or_default();
    let missing = missing.into_iter().filter(|key| !section.keys.iter().any(|(shown, ..)| shown == key));
    let (own, shared): (Vec<&str>, Vec<&str>) =
        missing.partition(|key| !section_keys("program:x").unwrap_or_default().contains(key));
    if own.contains(&"result_handler") {
        page.item("result_handler=supervisor.dispatchers:default_handler", language.result_handler);
    }
    if !shared.is_empty() {
        page.text(&format!("{}{}", language.as_program, shared.join(", ")));
    }
}

/// The notes at the top of a sample, and its sections.
fn read(sample: &str) -> (Vec<&str>, Vec<Section<'_>>) {
    let (mut notes, mut sections, mut comments): (Vec<&str>, Vec<Section<'_>>, Vec<&str>) = Default::default();
    for line in sample.lines() {
        let bare = line.strip_prefix(';').unwrap_or(line);
        if line.is_empty() {
            comments.clear();
        } else if bare.starts_with('[') {
            let name = bare.split_inclusive(']').next().unwrap_or(bare);
            sections.push(Section { name, intro: std::mem::take(&mut comments), keys: Vec::new() });
        } else if let Some(comment) = line.strip_prefix("; ") {
            match comment.trim_start().strip_prefix("- ") {
                Some(note) => notes.push(note),
                None => comments.push(comment.trim()),
            }
        } else if let (Some(section), Some((key, _))) = (sections.last_mut(), bare.split_once('=')) {
            let (set, text) = bare.split_once(';').unwrap_or((bare, ""));
            section.keys.push((key.trim(), set.trim(), text.trim()));
        }
    }
    (notes, sections)
}
