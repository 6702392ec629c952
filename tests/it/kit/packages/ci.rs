//! The files for other build servers are what those servers read, and call what there is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

/// A file as YAML, by the parser that Ansible brings.
fn yaml(name: &str) -> Value {
    let python = Path::new(PROJECT).join("target/ansible/bin/python");
    let load = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout, default=str)";
    let path = Path::new(PROJECT).join("scripts/ci").join(name);
    let output = Command::new(&python).args(["-c", load]).arg(path).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The targets that its commands ask make for.
fn targets(commands: &[&str]) -> BTreeSet<String> {
    let words = commands.iter().filter_map(|command| command.split_once("make ")).map(|(_, target)| target.to_owned());
    words.collect()
}

fn known(targets: &BTreeSet<String>) {
    let makefile = fs::read_to_string(Path::new(PROJECT).join("Makefile")).unwrap();
    for target in targets {
        assert!(makefile.lines().any(|line| line.starts_with(&format!("{target}:"))), "make has no target {target}");
    }
    for needed in ["lint", "test", "release"] {
        assert!(targets.contains(needed), "nothing calls make {needed}");
    }
}

#[test]
fn gitlab() {
    let file = yaml("gitlab-ci.yml");
    let stages: Vec<&str> = file["stages"].as_array().unwrap().iter().map(|stage| stage.as_str().unwrap()).collect();
    let mut commands = Vec::new();
    for (_, job) in file.as_object().unwrap().iter().filter(|(_, job)| job["script"].is_array()) {
        assert!(stages.contains(&job["stage"].as_str().unwrap()), "{job}");
        commands.extend(job["script"].as_array().unwrap().iter().map(|command| command.as_str().unwrap()));
    }
    known(&targets(&commands));
    assert_eq!(file["release"]["artifacts"]["paths"][0], "dist/");
}

#[test]
fn github() {
    let file = yaml("github-actions.yml");
    let jobs = file["jobs"].as_object().unwrap();
    let steps = jobs.values().flat_map(|job| job["steps"].as_array().unwrap());
    let commands: Vec<&str> = steps.filter_map(|step| step["run"].as_str()).collect();
    known(&targets(&commands));
    for need in jobs["release"]["needs"].as_array().unwrap() {
        assert!(jobs.contains_key(need.as_str().unwrap()), "no job {need}");
    }
    let release = &jobs["release"]["steps"];
    let env = release.as_array().unwrap().iter().find(|step| step["run"] == "make release").unwrap();
    assert!(env["env"]["MINISIGN_SECRET_KEY"].as_str().unwrap().contains("secrets.MINISIGN_SECRET_KEY"));
}
