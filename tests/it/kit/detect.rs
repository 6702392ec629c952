//! Every system that we know is recognised by what it really ships.

use supervisor_kit::kit::host::detect::{Class, Family, Reason, System, detect};
use supervisor_kit::kit::host::evidence::{Evidence, Packages, gather};
use supervisor_kit::kit::host::os_release::parse;
use supervisor_kit::kit::host::{Root, os_release};

use super::{Scratch, distros};

#[test]
fn every_distribution_is_its_own_family() {
    let folders = distros();
    assert!(folders.len() >= 20, "distros/ has become smaller");
    for folder in folders {
        let scratch = Scratch::new();
        let profile = scratch.dress(&folder);
        let root = Root::staged(&scratch.root).unwrap();
        let system = detect(os_release::read(&root), gather(&root), None);
        let name = folder.display();
        assert_eq!(system.family, profile.family, "family of {name}");
        assert_eq!(system.class, profile.class, "class of {name}");
        assert_eq!(system.hints(), profile.hints, "hints of {name}");
        assert_eq!(system.evidence.database, Some(profile.database.as_str()), "database of {name}");
        let packages = if profile.evidence == "rpm" { Packages::Rpm } else { Packages::Dpkg };
        assert_eq!(system.evidence.packages, packages, "packages of {name}");
        assert!(!system.is_contradictory(), "{name}");
    }
}

fn recognised(os: &str, packages: Packages, asked: Option<Family>) -> System {
    detect(parse(os), Evidence { packages, database: None, detail: None }, asked)
}

#[test]
fn editions_that_share_an_id_are_told_apart() {
    let class = |os: &str, packages| recognised(os, packages, None).class;
    assert_eq!(class("ID=uos\nNAME=\"UnionTech OS Server 20\"", Packages::Dpkg), Class::UosServerD);
    assert_eq!(class("ID=uos\nNAME=\"UnionTech OS Server 20\"", Packages::Rpm), Class::UosServer);
    assert_eq!(class("ID=uos\nNAME=\"Uos\"", Packages::Dpkg), Class::UosDesktop);
    assert_eq!(class("ID=uos\nPLATFORM_ID=platform:uel30", Packages::Rpm), Class::UosServer);
    assert_eq!(class("ID=kylin\nNAME=Kylin\nVERSION_ID=v11", Packages::Dpkg), Class::KylinDesktop);
    assert_eq!(
        class("ID=kylin\nNAME=Kylin\nVERSION_ID=v10\nKYLIN_RELEASE_ID=2403", Packages::Unknown),
        Class::KylinDesktop
    );
    assert_eq!(class("ID=kylin\nVERSION_ID=V10", Packages::Rpm), Class::KylinServer);
    assert_eq!(class("ID=kylin\nVERSION_ID=V10", Packages::Unknown), Class::KylinServer);
    assert_eq!(
        class("ID=kylin\nNAME=\"Kylin Linux Advanced Server\"\nID_LIKE=fedora", Packages::Rpm),
        Class::KylinServer
    );
}

#[test]
fn an_unknown_system_is_generic_and_says_so() {
    let system = recognised("ID=plan9\nID_LIKE=bell", Packages::Unknown, None);
    assert_eq!((system.family, system.class, system.reason), (Family::Generic, Class::Generic, Reason::Unknown));
    assert_eq!(recognised("", Packages::Rpm, None).family, Family::Generic);
}

#[test]
fn relatives_are_asked_last() {
    let system = recognised("ID=newlinux\nID_LIKE=\"bell rhel debian\"", Packages::Rpm, None);
    assert_eq!((system.family, system.reason), (Family::RedHat, Reason::IdLike("rhel".to_string())));
    assert_eq!(recognised("ID=ubuntu\nID_LIKE=rhel", Packages::Dpkg, None).family, Family::Debian);
}

#[test]
fn the_operator_has_the_last_word() {
    let system = recognised("ID=debian", Packages::Dpkg, Some(Family::Kylin));
    assert_eq!((system.family, system.class, system.reason), (Family::Kylin, Class::KylinDesktop, Reason::Asked));
    let same = recognised("ID=uos\nPLATFORM_ID=platform:uel20", Packages::Rpm, Some(Family::Uos));
    assert_eq!((same.class, same.reason), (Class::UosServerE, Reason::Asked));
}

#[test]
fn contradictions_are_noticed() {
    assert!(recognised("ID=centos", Packages::Dpkg, None).is_contradictory());
    assert!(!recognised("ID=centos", Packages::Unknown, None).is_contradictory());
}

#[test]
fn the_packages_of_the_shell_decide_when_both_databases_are_there() {
    let scratch = Scratch::new();
    let root = Root::staged(&scratch.root).unwrap();
    let put = |path: &str, text: &str| {
        let path = root.at(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put("/var/lib/rpm/Packages", "x");
    put("/var/lib/dpkg/status", "");
    assert_eq!(gather(&root).packages, Packages::Rpm);
    put("/var/lib/dpkg/status", "Package: x");
    assert_eq!(gather(&root).packages, Packages::Rpm);
    put("/var/lib/dpkg/info/bash.list", "/bin/bash");
    assert_eq!(gather(&root).packages, Packages::Dpkg);
}
