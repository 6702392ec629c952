//! os-release files as vendors and administrators write them.

use supervisor_kit::kit::host::os_release::{extra, parse};

#[test]
fn quotes_and_escapes_are_undone() {
    let os = parse("NAME=\"A \\\"B\\\" \\$C \\x\"\nID='k y'\nVERSION_ID=v1\\ 0\nPLATFORM_ID=\"platform:uel20\"\n");
    assert_eq!(os.name, "A \"B\" $C \\x");
    assert_eq!(os.id, "k y");
    assert_eq!(os.version_id, "v1 0");
    assert_eq!(extra(&os, "PLATFORM_ID"), "platform:uel20");
}

#[test]
fn broken_lines_do_no_harm() {
    // The first one makes the os-release crate panic.
    for broken in ["NAME=\"", "NAME='", "NAME=", "=x", "NAME", "", "\0=\0", "NAME=\"\\", "NAME=\\", "\"=\""] {
        assert_eq!(parse(&format!("{broken}\nID=kylin\n")).id, "kylin", "{broken:?}");
    }
    assert_eq!(parse("ID=\"kylin\n").id, "kylin");
}

#[test]
fn comments_byte_order_mark_and_carriage_returns_are_not_part_of_a_value() {
    let os = parse("\u{feff}ID=uos\r\n# ID=debian\r\nVERSION_ID=20 # twenty\r\n  NAME=x\r\n");
    assert_eq!((os.id.as_str(), os.version_id.as_str(), os.name.as_str()), ("uos", "20", "x"));
}

#[test]
fn the_last_assignment_wins_as_in_a_shell() {
    assert_eq!(parse("ID=a\nID=b\n").id, "b");
}

#[test]
fn a_value_that_is_a_quote_survives() {
    let os = parse("ID=\\\"\nPLATFORM_ID=\\\"\n");
    assert_eq!((os.id.as_str(), extra(&os, "PLATFORM_ID")), ("\"", "\""));
}
