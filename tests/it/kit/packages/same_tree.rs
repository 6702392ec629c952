//! One table: what is in one format is in all.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{said, workshop};

/// What each format has for itself: what it tells about itself, and directories that nobody else owns there.
fn is_of_the_format(path: &str) -> bool {
    path.starts_with("/usr/share/supervisor-kit") || path.ends_with("/changelog.Debian.gz")
}

/// Path, mode and link of everything but directories, in the places of the table.
#[test]
fn tgz_rpm_and_deb_hold_the_same() {
    let workshop = workshop();
    let (tgz, rpm, deb) = (workshop.packed("tgz", &[]), workshop.packed("rpm", &[]), workshop.packed("deb", &[]));
    let manifest = said("tar", &["--wildcards", "*/manifest.json", "-xzOf"], &tgz);
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let members = manifest["members"].as_array().unwrap().iter().filter(|member| member["kind"] != "dir");
    let from_table: BTreeSet<String> = members
        .map(|member| {
            let text = |key: &str| member[key].as_str().unwrap_or_default();
            let mode = if member["kind"] == "link" { "link" } else { text("mode") };
            format!("{} {mode} {}", text("path"), text("target"))
        })
        .collect();
    assert!(from_table.len() > 15, "{from_table:?}");

    let listed =
        said("rpm", &["-qp", "--qf", "[%{FILENAMES} %{FILEMODES:octal} %{FILELINKTOS} %{FILEUSERNAME}\\n]"], &rpm);
    let from_rpm = listed.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let from_rpm: BTreeSet<String> = from_rpm
        .filter(|fields| !fields[1].starts_with("40") && !is_of_the_format(fields[0]))
        .map(|fields| {
            assert_eq!(fields[3], "root");
            let mode = if fields[1].starts_with("120") { "link" } else { &fields[1][2..] };
            format!("{} {mode} {}", fields[0], fields[2])
        })
        .collect();
    assert_eq!(from_rpm, from_table);

    let listed = said("dpkg-deb", &["-c"], &deb);
    let from_deb: BTreeSet<String> =
        listed.lines().filter(|line| !line.starts_with('d')).filter_map(in_places_of_the_table).collect();
    assert_eq!(from_deb, from_table);
}

/// A line of `dpkg-deb -c`: `-rwxr-xr-x root/root 12 2023-11-14 22:13 ./path -> target`.
fn in_places_of_the_table(line: &str) -> Option<String> {
    let (about, path) = line.split_once(" ./").unwrap();
    let (path, target) = path.split_once(" -> ").unwrap_or((path, ""));
    let path = format!("/{path}");
    // The second name of the unit, which `Alias=` gives it elsewhere.
    if is_of_the_format(&path) || path == "/lib/systemd/system/supervisord.service" {
        return None;
    }
    let path = match path.as_str() {
        "/lib/systemd/system/supervisor.service" => "/usr/lib/systemd/system/supervisord.service",
        "/lib/systemd/system/supervisor-programs.service" => "/usr/lib/systemd/system/supervisord-programs.service",
        "/etc/supervisor/supervisord.conf" => "/etc/supervisord.conf",
        other => other,
    };
    let bits = about[1..10].bytes().map(|letter| if letter == b'-' { '0' } else { '1' }).collect::<String>();
    let mode = format!("{:04o}", u32::from_str_radix(&bits, 2).unwrap());
    Some(format!("{path} {} {target}", if about.starts_with('l') { "link".to_owned() } else { mode }))
}
