//! The list of components, as CycloneDX 1.5 (<https://cyclonedx.org/docs/1.5/json/>), from `Cargo.lock`.
//!
//! `required` are the crates that can be part of a program on a host; `excluded` those that only pack or test. It has no date,
//! and its serial number is of its contents: the same lock file gives the same bytes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::kit::bundle::sums;

/// `Cargo.lock`, as far as it is of interest.
#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    /// SHA-256 of the crate's archive; the project itself has none.
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

impl Package {
    fn reference(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }

    /// Whether an entry of somebody's dependencies (`name`, or `name version`) means this one.
    fn is_meant_by(&self, dependency: &str) -> bool {
        let (name, version) = dependency.split_once(' ').unwrap_or((dependency, &self.version));
        name == self.name && version.split(' ').next() == Some(&self.version)
    }
}

/// The feature of Cargo.toml that holds the crates which only pack.
const PACKING: &str = "pack";

/// The document's text for the source tree `from`.
pub(super) fn text(from: &Path) -> Result<String> {
    let lock: Lock = toml::from_str(&read(&from.join("Cargo.lock"))?).context("Cargo.lock cannot be understood")?;
    let manifest: toml::Table =
        toml::from_str(&read(&from.join("Cargo.toml"))?).context("Cargo.toml cannot be understood")?;
    let own = env!("CARGO_PKG_NAME");
    let root = lock.package.iter().find(|package| package.name == own).context("Cargo.lock does not name us")?;
    let on_hosts = reached(&lock, &roots(&manifest)?);
    let mut components = Vec::new();
    let mut dependencies = Vec::new();
    for package in &lock.package {
        let used: Vec<String> =
            package.dependencies.iter().filter_map(|name| meant(&lock, name)).map(Package::reference).collect();
        dependencies.push(json!({ "ref": package.reference(), "dependsOn": used }));
        if package.name != own {
            let scope = if on_hosts.contains(&package.reference()) { "required" } else { "excluded" };
            components.push(component(package, scope));
        }
    }
    let body = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": {
            "type": "application", "bom-ref": root.reference(), "name": own, "version": root.version,
            "purl": root.reference(), "licenses": [{ "license": { "id": env!("CARGO_PKG_LICENSE") } }],
        }},
        "components": components,
        "dependencies": dependencies,
    });
    let serial = serial(&serde_json::to_string(&body)?);
    let mut document = body;
    document["serialNumber"] = Value::String(format!("urn:uuid:{serial}"));
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn component(package: &Package, scope: &str) -> Value {
    let mut component = json!({
        "type": "library", "bom-ref": package.reference(), "name": package.name, "version": package.version,
        "scope": scope, "purl": package.reference(),
    });
    if let Some(sha256) = &package.checksum {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": sha256 }]);
    }
    component
}

/// The project's own dependencies that programs on a host can use: not those of tests, nor those of packing.
fn roots(manifest: &toml::Table) -> Result<BTreeSet<String>> {
    let table = |name: &str| manifest.get(name).and_then(toml::Value::as_table);
    let all = table("dependencies").context("Cargo.toml has no dependencies")?;
    let packing = table("features").and_then(|features| features.get(PACKING)).and_then(toml::Value::as_array);
    let packing: BTreeSet<&str> =
        packing.into_iter().flatten().filter_map(|value| value.as_str()?.strip_prefix("dep:")).collect();
    Ok(all.keys().filter(|name| !packing.contains(name.as_str())).cloned().collect())
}

fn reached(lock: &Lock, roots: &BTreeSet<String>) -> BTreeSet<String> {
    let own = lock.package.iter().filter(|package| package.name == env!("CARGO_PKG_NAME"));
    let first = own.flat_map(|package| &package.dependencies);
    let first = first.filter(|name| roots.contains(name.split(' ').next().unwrap_or_default()));
    let mut waiting: Vec<&Package> = first.filter_map(|name| meant(lock, name)).collect();
    let mut found = BTreeSet::new();
    while let Some(package) = waiting.pop() {
        if found.insert(package.reference()) {
            waiting.extend(package.dependencies.iter().filter_map(|name| meant(lock, name)));
        }
    }
    found
}

fn meant<'a>(lock: &'a Lock, dependency: &str) -> Option<&'a Package> {
    lock.package.iter().find(|package| package.is_meant_by(dependency))
}

/// A UUID (RFC 9562, version 8) of a text.
fn serial(text: &str) -> String {
    let hash = sums::sha256(text.as_bytes());
    format!("{}-{}-8{}-a{}-{}", &hash[..8], &hash[8..12], &hash[13..16], &hash[17..20], &hash[20..32])
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
