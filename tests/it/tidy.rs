//! The rules of the house, enforced: sizes, names, layers, and where `unsafe` may be.
//! Lints do the rest (`Cargo.toml`, `clippy.toml`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

/// Words that say nothing about what is inside.
const EMPTY_NAMES: [&str; 4] = ["utils", "helpers", "common", "manager"];

/// The layers that do no I/O and read no clock (invariant 1 of `src/lib.rs`).
const PURE: [&str; 6] = ["src/config", "src/core", "src/xmlrpc", "src/rpc", "src/web", "src/kit/plan"];

/// What a pure layer must not name: the outside world, and the layers that touch it.
const IMPURE: [&str; 17] = [
    "std::fs",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::UdpSocket",
    "std::os::unix::net",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "tokio",
    "hyper",
    "nix",
    "libc",
    "crate::sys",
    "crate::daemon",
    "crate::ctl",
    "crate::logs",
];

/// Everything that stands at the top level, but for hidden entries and what builds leave there.
const TOP_LEVEL: [&str; 16] = [
    "ARCHITECTURE.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "README.md",
    "README.zh-CN.md",
    "benches",
    "clippy.toml",
    "distros",
    "docs",
    "rustfmt.toml",
    "scripts",
    "src",
    "tests",
    "units",
];
const TOP_LEVEL_BUILT: [&str; 3] = ["dist", "target", "vendor"];

/// Exceptions as (finding, reason). One that is no longer needed fails the test: take it out.
const EXEMPT: &[(&str, &str)] = &[];

#[test]
fn files_are_short() {
    let too_long = |file: &Source| {
        let lines = file.text.lines().count();
        (lines >= FILE_LINES_MAX).then(|| format!("{}: {lines} lines, limit {FILE_LINES_MAX}", file.path))
    };
    judge("file", sources(&["src", "tests", "scripts", "units", ".ci"]).iter().filter_map(too_long));
}

#[test]
fn functions_are_short() {
    judge("function", findings(&["src", "tests"], |finding| matches!(finding, Finding::LongFunction { .. })));
}

#[test]
fn unsafe_is_only_in_sys() {
    let elsewhere = findings(&["src"], |finding| matches!(finding, Finding::Unsafe { .. }))
        .filter(|finding| !finding.starts_with("src/sys/") && !finding.starts_with("src/sys.rs"));
    judge("unsafe", elsewhere);
}

#[test]
fn names_say_what_is_inside() {
    let empty = |file: &Source| {
        let path = Path::new(&file.path).with_extension("");
        let name = path.components().find(|part| EMPTY_NAMES.contains(&part.as_os_str().to_str().unwrap()))?;
        Some(format!(
            "{}: '{}' says nothing: name it after what it does",
            file.path,
            name.as_os_str().to_str().unwrap()
        ))
    };
    let of_modules = findings(&["src", "tests"], |finding| matches!(finding, Finding::EmptyName { .. }));
    judge("name", sources(&["src", "tests", "scripts"]).iter().filter_map(empty).chain(of_modules));
}

#[test]
fn pure_layers_do_not_reach_outside() {
    judge("pure", findings(&PURE, |finding| matches!(finding, Finding::Impure { .. })));
}

#[test]
fn top_level_is_as_drawn() {
    let here: BTreeSet<String> = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.') && !TOP_LEVEL_BUILT.contains(&name.as_str()))
        .collect();
    let drawn = BTreeSet::from(TOP_LEVEL.map(str::to_owned));
    assert_eq!(here, drawn, "the top level (left) is not what ARCHITECTURE.md draws (right)");
}

#[test]
fn readmes_start_with_the_two_commands() {
    const TOP_LINES: usize = 15;
    for readme in ["README.md", "README.zh-CN.md"] {
        let text = std::fs::read_to_string(root().join(readme)).unwrap();
        let top: String = text.lines().take(TOP_LINES).collect();
        assert!(top.contains("make demo") && top.contains("make test"), "{readme}: both commands belong to its top");
    }
}

#[test]
fn the_rules_find_what_they_look_for() {
    let long = format!("fn long() {{\n{}}}\n", "    step();\n".repeat(FUNCTION_LINES_MAX));
    let text = format!(
        "use std::{{fs, time::{{Duration, Instant}}}};\nmod utils {{}}\n{long}fn f() {{ unsafe {{ g() }}; libc::getpid(); }}\n\
         #[cfg(test)]\nmod tests {{ use std::fs; }}\n"
    );
    let found = inspect(&Source { path: "src/core/sample.rs".to_owned(), text });
    let line_of_f = 4 + FUNCTION_LINES_MAX + 1;
    let expected = [
        Finding::Impure { line: 1, what: "std::fs".to_owned() },
        Finding::Impure { line: 1, what: "std::time::Instant".to_owned() },
        Finding::EmptyName { line: 2, name: "utils".to_owned() },
        Finding::LongFunction { line: 3, name: "long".to_owned(), lines: FUNCTION_LINES_MAX + 2 },
        Finding::Unsafe { line: line_of_f },
        Finding::Impure { line: line_of_f, what: "libc::getpid".to_owned() },
    ];
    assert_eq!(found, expected);
}

/// Fails with every finding that has no exemption. `rule` is the first word of the exemptions that belong to it.
fn judge(rule: &str, findings: impl Iterator<Item = String>) {
    let findings: Vec<String> = findings.collect();
    let exempt: Vec<&str> =
        EXEMPT.iter().filter_map(|(entry, _)| entry.strip_prefix(rule)?.strip_prefix(' ')).collect();
    let is_exempt = |finding: &&String| exempt.iter().any(|entry| finding.starts_with(entry));
    let guilty: Vec<&String> = findings.iter().filter(|finding| !is_exempt(finding)).collect();
    assert!(guilty.is_empty(), "\n{}", guilty.iter().map(|finding| finding.as_str()).collect::<Vec<_>>().join("\n"));
    let unneeded: Vec<&&str> =
        exempt.iter().filter(|entry| !findings.iter().any(|finding| finding.starts_with(**entry))).collect();
    assert!(unneeded.is_empty(), "exemptions that are no longer needed: {unneeded:?}");
}

struct Source {
    /// Relative to the project.
    path: String,
    text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below the folders that a person wrote; recorded data is not.
fn sources(folders: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> =
        folders.iter().map(|folder| root().join(folder)).filter(|path| path.exists()).collect();
    assert!(!open.is_empty(), "none of {folders:?} is there");
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if matches!(path.extension().and_then(|end| end.to_str()), None | Some("rs" | "py" | "sh" | "toml"))
            {
                let relative = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push(Source { path: relative, text: std::fs::read_to_string(&path).unwrap() });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// What the inspection of all Rust files below `folders` found, of the kind asked for, as lines for a person.
fn findings(folders: &[&str], wanted: fn(&Finding) -> bool) -> impl Iterator<Item = String> {
    let rust = sources(folders).into_iter().filter(|file| file.path.ends_with(".rs"));
    rust.flat_map(move |file| {
        let found = inspect(&file).into_iter().filter(wanted);
        found.map(|finding| finding.describe(&file.path)).collect::<Vec<_>>()
    })
}

#[derive(Debug, PartialEq)]
enum Finding {
    LongFunction { line: usize, name: String, lines: usize },
    Unsafe { line: usize },
    EmptyName { line: usize, name: String },
    Impure { line: usize, what: String },
}

impl Finding {
    fn describe(&self, path: &str) -> String {
        match self {
            Finding::LongFunction { line, name, lines } => {
                format!("{path}:{line}: fn {name} has {lines} lines, limit {FUNCTION_LINES_MAX}")
            }
            Finding::Unsafe { line } => format!("{path}:{line}: unsafe outside of src/sys"),
            Finding::EmptyName { line, name } => {
                format!("{path}:{line}: '{name}' says nothing: name it after what it does")
            }
            Finding::Impure { line, what } => {
                format!("{path}:{line}: {what} in a layer that does no I/O and reads no clock")
            }
        }
    }
}

fn inspect(source: &Source) -> Vec<Finding> {
    let file = syn::parse_file(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.path));
    let mut inspection = Inspection::default();
    inspection.visit_file(&file);
    inspection.found
}

#[derive(Default)]
struct Inspection {
    found: Vec<Finding>,
}

impl Inspection {
    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let (first, last) = (signature.span().start().line, block.span().end().line);
        let lines = last - first + 1;
        if lines >= FUNCTION_LINES_MAX {
            self.found.push(Finding::LongFunction { line: first, name: signature.ident.to_string(), lines });
        }
    }

    fn path(&mut self, line: usize, segments: &[String]) {
        let what = segments.join("::");
        let names = |outside: &&str| what == **outside || what.starts_with(&format!("{outside}::"));
        if IMPURE.iter().any(names) {
            self.found.push(Finding::Impure { line, what });
        }
    }

    fn use_tree(&mut self, tree: &syn::UseTree, before: &[String]) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.use_tree(&path.tree, &with(&path.ident)),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.use_tree(item, before)),
            syn::UseTree::Name(name) if name.ident == "self" => self.path(name.span().start().line, before),
            syn::UseTree::Name(name) => self.path(name.span().start().line, &with(&name.ident)),
            syn::UseTree::Rename(rename) => self.path(rename.span().start().line, &with(&rename.ident)),
            syn::UseTree::Glob(glob) => self.path(glob.span().start().line, before),
        }
    }
}

impl<'ast> Visit<'ast> for Inspection {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.attrs.iter().any(is_cfg_test) {
            return;
        }
        let name = item.ident.to_string();
        if EMPTY_NAMES.contains(&name.as_str()) {
            self.found.push(Finding::EmptyName { line: item.ident.span().start().line, name });
        }
        visit::visit_item_mod(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.use_tree(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        // A single segment is a local name; what it stands for was seen where it was imported.
        if segments.len() > 1 {
            self.path(path.span().start().line, &segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.found.push(Finding::Unsafe { line: block.span().start().line });
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if let syn::Safety::Unsafe(word) = &signature.safety {
            self.found.push(Finding::Unsafe { line: word.span().start().line });
        }
        visit::visit_signature(self, signature);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if let Some(word) = &item.unsafety {
            self.found.push(Finding::Unsafe { line: word.span().start().line });
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_item_foreign_mod(&mut self, item: &'ast syn::ItemForeignMod) {
        self.found.push(Finding::Unsafe { line: item.span().start().line });
        visit::visit_item_foreign_mod(self, item);
    }
}

fn is_cfg_test(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "test")
}
