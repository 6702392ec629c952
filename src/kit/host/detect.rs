//! Which system this is: pure, from os-release and evidence.
//!
//! The ID is compared without regard to case (openEuler, Deepin), `VERSION_ID` is never calculated with (`V10`), and
//! `ID_LIKE` is asked last, because vendors leave it out or name themselves.

use os_release::OsRelease;

use super::evidence::{Evidence, Packages};
use super::os_release::extra;

/// The families of `--distro`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// RHEL and all that descend from it or share its layout.
    #[value(name = "redhat")]
    RedHat,
    /// UnionTech UOS.
    Uos,
    /// Kylin by KylinSoft.
    Kylin,
    /// Debian, Ubuntu, deepin and relatives.
    Debian,
    /// SUSE and openSUSE.
    Suse,
    /// Any other system with systemd.
    Generic,
}

/// The finer kind, as far as it changes advice or packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// RHEL, CentOS, openEuler, Anolis and so on.
    Redhat,
    /// NeoKylin, of EL7 lineage.
    Neokylin,
    /// UOS Server 20 of openEuler lineage (1050e and later e).
    UosServerE,
    /// UOS Server 20 of Anolis lineage (1050a and later a).
    UosServerA,
    /// UOS Server 20 of Debian lineage (1050d).
    UosServerD,
    /// Another UOS Server made of rpm packages.
    UosServer,
    /// UOS Desktop.
    UosDesktop,
    /// Kylin Linux Advanced Server.
    KylinServer,
    /// Kylin Desktop.
    KylinDesktop,
    /// Debian and relatives.
    Debian,
    /// SUSE and relatives.
    Suse,
    /// Not known.
    Generic,
}

/// What decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// `--distro`.
    Asked,
    /// `PLATFORM_ID` of a UOS server.
    PlatformId(String),
    /// `ID` with this word in `NAME` or `PRETTY_NAME`.
    NameSays(&'static str),
    /// `ID` with a mark of the edition in this key.
    Mark(&'static str),
    /// `ID` with the kind of packages.
    IdAndPackages,
    /// `ID` alone, known to us.
    Id,
    /// `ID` is unknown, this word of `ID_LIKE` is not.
    IdLike(String),
    /// Nothing is known.
    Unknown,
}

/// Advice that goes with a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hint {
    /// Kylin's execution control may refuse programs that no package brought.
    Kysec,
    /// UOS Desktop may refuse programs without a trusted signature.
    ElfVerify,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct System {
    /// What os-release says.
    pub os: OsRelease,
    /// What the files say.
    pub evidence: Evidence,
    /// Its family.
    pub family: Family,
    /// Its finer kind.
    pub class: Class,
    /// What decided.
    pub reason: Reason,
}

const REDHAT_IDS: &[&str] = &[
    "rhel",
    "centos",
    "rocky",
    "almalinux",
    "ol",
    "fedora",
    "anolis",
    "openeuler",
    "euleros",
    "hce",
    "tencentos",
    "tlinux",
    "opencloudos",
    "alinux",
    "amzn",
    "bclinux",
    "ctyunos",
    "kylinsec",
    "fusionos",
    "keyarchos",
    "miraclelinux",
    "virtuozzo",
    "scientific",
    "eurolinux",
    "nfs",
];
const DEBIAN_IDS: &[&str] = &["debian", "ubuntu", "deepin", "openkylin", "linuxmint", "nfsdesktop", "loongnix", "gxde"];
const SUSE_IDS: &[&str] = &["suse", "opensuse", "opensuse-leap", "opensuse-tumbleweed", "sles", "sled", "sle-micro"];

/// Decides. `asked` is the family given with `--distro`.
pub fn detect(os: OsRelease, evidence: Evidence, asked: Option<Family>) -> System {
    let (own_family, own_class, own_reason) = recognise(&os, evidence.packages);
    let (family, class, reason) = match asked {
        Some(family) if family == own_family => (family, own_class, Reason::Asked),
        Some(family) => (family, class_of(family, evidence.packages), Reason::Asked),
        None => (own_family, own_class, own_reason),
    };
    System { os, evidence, family, class, reason }
}

impl System {
    /// Advice for this system.
    pub fn hints(&self) -> &'static [Hint] {
        match self.class {
            Class::KylinServer | Class::KylinDesktop => &[Hint::Kysec],
            Class::UosDesktop => &[Hint::ElfVerify],
            _ => &[],
        }
    }

    /// Whether the package database contradicts the family: os-release was edited, or the system is a mixture.
    pub fn is_contradictory(&self) -> bool {
        match self.family {
            Family::RedHat | Family::Suse => self.evidence.packages == Packages::Dpkg,
            Family::Debian => self.evidence.packages == Packages::Rpm,
            Family::Uos | Family::Kylin | Family::Generic => false,
        }
    }
}

fn recognise(os: &OsRelease, packages: Packages) -> (Family, Class, Reason) {
    let id = os.id.to_lowercase();
    match id.as_str() {
        "uos" => recognise_uos(os, packages),
        "kylin" => recognise_kylin(os, packages),
        "neokylin" => (Family::RedHat, Class::Neokylin, Reason::Id),
        _ => match listed(&id) {
            Some((family, class)) => (family, class, Reason::Id),
            None => recognise_relative(os),
        },
    }
}

/// UOS Server names its lineage in `PLATFORM_ID`; the Debian-based one has none and differs from the desktop by name.
fn recognise_uos(os: &OsRelease, packages: Packages) -> (Family, Class, Reason) {
    let platform = extra(os, "PLATFORM_ID");
    let by_platform = |class| (Family::Uos, class, Reason::PlatformId(platform.to_string()));
    match platform {
        "platform:uel20" => return by_platform(Class::UosServerE),
        "platform:uelc20" => return by_platform(Class::UosServerA),
        _ if platform.starts_with("platform:uel") => return by_platform(Class::UosServer),
        _ => {}
    }
    let says_server = os.name.contains("Server") || os.pretty_name.contains("Server");
    match (packages, says_server) {
        (Packages::Rpm, _) => (Family::Uos, Class::UosServer, Reason::IdAndPackages),
        (_, true) => (Family::Uos, Class::UosServerD, Reason::NameSays("Server")),
        (_, false) => (Family::Uos, Class::UosDesktop, Reason::IdAndPackages),
    }
}

/// Kylin Server (rpm) and Kylin Desktop (deb) share one ID; the desktop's marks differ from release to release.
fn recognise_kylin(os: &OsRelease, packages: Packages) -> (Family, Class, Reason) {
    let server = |reason| (Family::Kylin, Class::KylinServer, reason);
    let desktop = |reason| (Family::Kylin, Class::KylinDesktop, reason);
    if os.name.contains("Advanced Server") {
        return server(Reason::NameSays("Advanced Server"));
    }
    if os.id_like.split_whitespace().any(|word| word == "debian") {
        return desktop(Reason::Mark("ID_LIKE"));
    }
    if !extra(os, "KYLIN_RELEASE_ID").is_empty() {
        return desktop(Reason::Mark("KYLIN_RELEASE_ID"));
    }
    match packages {
        Packages::Rpm => server(Reason::IdAndPackages),
        Packages::Dpkg => desktop(Reason::IdAndPackages),
        // The server writes V10, the desktop v10.
        Packages::Unknown if os.version_id.starts_with('V') => server(Reason::Mark("VERSION_ID")),
        Packages::Unknown => desktop(Reason::Mark("VERSION_ID")),
    }
}

fn recognise_relative(os: &OsRelease) -> (Family, Class, Reason) {
    let like = os.id_like.to_lowercase();
    let relative = like.split_whitespace().find_map(|word| listed(word).map(|found| (word, found)));
    match relative {
        Some((word, (family, class))) => (family, class, Reason::IdLike(word.to_string())),
        None => (Family::Generic, Class::Generic, Reason::Unknown),
    }
}

fn listed(id: &str) -> Option<(Family, Class)> {
    if REDHAT_IDS.contains(&id) {
        Some((Family::RedHat, Class::Redhat))
    } else if DEBIAN_IDS.contains(&id) {
        Some((Family::Debian, Class::Debian))
    } else if SUSE_IDS.contains(&id) {
        Some((Family::Suse, Class::Suse))
    } else {
        None
    }
}

/// The class to assume for a family that was asked for on a host that looks like another.
fn class_of(family: Family, packages: Packages) -> Class {
    match (family, packages) {
        (Family::RedHat, _) => Class::Redhat,
        (Family::Uos, Packages::Rpm) => Class::UosServer,
        (Family::Uos, _) => Class::UosDesktop,
        (Family::Kylin, Packages::Dpkg) => Class::KylinDesktop,
        (Family::Kylin, _) => Class::KylinServer,
        (Family::Debian, _) => Class::Debian,
        (Family::Suse, _) => Class::Suse,
        (Family::Generic, _) => Class::Generic,
    }
}
