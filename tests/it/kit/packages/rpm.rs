//! The rpm package.

use std::fs;
use std::io::Read;
use std::process::Command;

use flate2::read::GzDecoder;
use supervisor_kit::kit::bundle::sums::sha256;

use super::rpm_reader::{Data, LEAD_BYTES, Package, read};
use super::{AARCH64, EPOCH_SECS, Workshop, X86_64, elf, said};

fn package() -> (Workshop, std::path::PathBuf, Package) {
    let workshop = Workshop::new(X86_64);
    let path = workshop.packed("rpm", &[]);
    let package = read(&fs::read(&path).unwrap());
    (workshop, path, package)
}

#[test]
fn lead_and_headers_are_what_rpm_4_11_takes() {
    let (_workshop, _, package) = package();
    // Magic, format 3.0, a binary package; the name; Linux; the signature is a header.
    let lead = &package.lead;
    assert_eq!(lead[..8], [0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0]);
    assert!(lead[10..76].starts_with(b"supervisor-kit") && lead[75] == 0);
    assert_eq!(lead[76..80], [0, 1, 0, 5]);
    assert_eq!((lead.len(), &lead[80..]), (LEAD_BYTES, &[0; 16][..]));

    // Sizes and sums that say what is there: SIZE, MD5, PAYLOADSIZE, SHA1, SHA256.
    let size = |tag: u32| package.signature[&tag].numbers()[0];
    let mut unpacked = Vec::new();
    GzDecoder::new(&package.payload[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!((size(1000), size(1007)), (package.signed.len() as u64, unpacked.len() as u64));
    assert!(unpacked.starts_with(b"070701"), "a cpio archive of the new ASCII format");
    assert_eq!(package.signature[&273].text(), sha256(&package.header_bytes));
    let sum = |tool: &str, bytes: &[u8]| {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        said(tool, &[], file.path()).split(' ').next().unwrap().to_owned()
    };
    assert_eq!(package.signature[&269].text(), sum("sha1sum", &package.header_bytes));
    let Data::Bytes(md5) = &package.signature[&1004] else { panic!("no MD5") };
    assert_eq!(md5.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), sum("md5sum", &package.signed));

    // Gzip, SHA-256 of the files, no tag of a later format, and nothing required that 4.11 does not have.
    let text = |tag: u32| package.header[&tag].text();
    assert_eq!((text(1124), text(1125), text(1126)), ("cpio", "gzip", "9"));
    assert_eq!(package.header[&5011].numbers(), [8]);
    assert!(!package.header.contains_key(&5009), "LONGSIZE is of packages above 4 GiB");
    let known = ["CompressedFileNames", "FileDigests", "PayloadFilesHavePrefix"].map(|name| format!("rpmlib({name})"));
    let required = package.header[&1049].texts();
    for name in required.iter().filter(|name| name.starts_with("rpmlib(")) {
        assert!(known.contains(name), "{name} is not of rpm 4.11");
    }
    assert!(required.iter().all(|name| !name.starts_with('(')), "rich dependencies: {required:?}");
    for weak in 5046..=5057 {
        assert!(!package.header.contains_key(&weak), "a weak dependency: tag {weak}");
    }
    // Scripts of the plain shell: 4.11 knows no others in its own interpreter.
    for interpreter in [1085, 1086, 1087, 1088, 1154] {
        assert_eq!(package.header[&interpreter].texts(), ["/bin/sh"]);
    }
    assert_eq!(package.header[&1006].numbers(), [EPOCH_SECS]);
}

#[test]
fn rpm_itself_finds_it_whole_and_reads_it() {
    let (_workshop, path, package) = package();
    let checked = said("rpm", &["-Kv", "--nosignature"], &path);
    for what in ["Header SHA1 digest: OK", "Header SHA256 digest: OK", "Payload SHA256 digest: OK", "MD5 digest: OK"] {
        assert!(checked.contains(what), "{checked}");
    }
    let about = said("rpm", &["-qip"], &path);
    for line in
        ["Name        : supervisor-kit", "Architecture: x86_64", "License     : Apache-2.0", "Group       : System"]
    {
        assert!(about.contains(line), "{about}");
    }
    assert!(said("rpm", &["-qp", "--provides"], &path).contains("supervisor = 4.3.0\n"));
    assert_eq!(said("rpm", &["-qp", "--obsoletes"], &path), "supervisor < 4.3.0\n");
    assert_eq!(said("rpm", &["-qp", "--conflicts"], &path), "supervisor < 4.3.0\n");
    // As rpm reads the size that its progress bar goes by.
    let archive = said("rpm", &["-qp", "--qf", "%{ARCHIVESIZE}"], &path);
    assert_eq!(archive, package.signature[&1007].numbers()[0].to_string());
    // 17 is config and noreplace, 2 is documentation.
    let flags = said("rpm", &["-qp", "--qf", "[%{FILEFLAGS} %{FILENAMES}\\n]"], &path);
    assert_eq!(flags.lines().filter(|line| line.starts_with("17 ")).collect::<Vec<_>>(), ["17 /etc/supervisord.conf"]);
    let scripts = said("rpm", &["-qp", "--scripts"], &path);
    for script in ["preinstall", "postinstall", "preuninstall", "postuninstall", "posttrans"] {
        assert!(scripts.contains(&format!("{script} scriptlet")), "{scripts}");
    }
    assert!(!scripts.contains("%systemd"), "a macro of rpmbuild stands for nothing here");
}

/// The archive in the payload: name, mode and bytes of each entry (cpio, "newc").
fn unpack(payload: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
    const HEAD_BYTES: usize = 110;
    let mut rest = Vec::new();
    GzDecoder::new(payload).read_to_end(&mut rest).unwrap();
    let mut rest = &rest[..];
    let mut found = Vec::new();
    loop {
        let field = |number: usize| {
            let text = std::str::from_utf8(&rest[6 + number * 8..14 + number * 8]).unwrap();
            u32::from_str_radix(text, 16).unwrap()
        };
        let (mode, size, name_size) = (field(1), field(6) as usize, field(11) as usize);
        let name = String::from_utf8(rest[HEAD_BYTES..HEAD_BYTES + name_size - 1].to_vec()).unwrap();
        if name == "TRAILER!!!" {
            return found;
        }
        let from = (HEAD_BYTES + name_size).next_multiple_of(4);
        found.push((name, mode, rest[from..from + size].to_vec()));
        rest = &rest[(from + size).next_multiple_of(4)..];
    }
}

#[test]
fn the_payload_is_what_the_header_lists() {
    let (_workshop, path, package) = package();
    let archive = unpack(&package.payload);
    let entry = |wanted: &str| archive.iter().find(|(name, ..)| name == wanted).unwrap();
    assert_eq!(entry("./usr/bin/supervisord"), &("./usr/bin/supervisord".to_owned(), 0o100_755, elf(X86_64, "daemon")));
    assert_eq!(entry("./usr/bin/supervisorctl").2, b"supervisord");
    let listed = said("rpm", &["-qlp"], &path);
    let mut names: Vec<&str> = archive.iter().map(|(name, ..)| name.trim_start_matches('.')).collect();
    names.sort_unstable();
    assert_eq!(listed.lines().collect::<Vec<_>>(), names);
    // What only we use is ours, so that nothing of it stays.
    for dir in ["/etc/supervisord.d", "/var/log/supervisor", "/usr/share/fish", "/usr/share/supervisor-kit"] {
        assert!(names.contains(&dir), "{dir} belongs to nobody");
    }
    assert!(!names.contains(&"/usr/bin") && !names.contains(&"/etc"), "directories of the system are the system's");
}

#[test]
fn scripts_are_of_the_plain_shell() {
    let (workshop, path, _) = package();
    for tag in ["PREIN", "POSTIN", "PREUN", "POSTUN", "POSTTRANS"] {
        let script = workshop.dir.path().join(tag);
        fs::write(&script, said("rpm", &["-qp", "--qf", &format!("%{{{tag}}}")], &path)).unwrap();
        let checked = Command::new("sh").arg("-n").arg(&script).output().unwrap();
        assert!(checked.status.success(), "{tag}: {checked:?}");
    }
}

#[test]
fn the_same_programs_give_the_same_bytes() {
    let workshop = Workshop::new(AARCH64);
    let first = fs::read(workshop.packed("rpm", &[])).unwrap();
    let elsewhere = workshop.dir.path().join("elsewhere");
    let path = workshop.packed("rpm", &["--out", elsewhere.to_str().unwrap()]);
    assert!(first == fs::read(&path).unwrap());
    assert_eq!(said("rpm", &["-qp", "--qf", "%{NAME} %{ARCH} %{RELEASE}"], &path), "supervisor-kit aarch64 1");
    let second = workshop.packed("rpm", &["--release", "2~rc1", "--packager", "Ops <ops@site.cn>"]);
    assert!(second.to_str().unwrap().ends_with("-2~rc1.aarch64.rpm"));
    assert!(said("rpm", &["-qip"], &second).contains("Packager    : Ops <ops@site.cn>"));
}
