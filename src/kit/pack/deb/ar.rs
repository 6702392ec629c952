//! The outermost layer of a deb: an ar archive (deb(5)).

const MAGIC: &[u8] = b"!<arch>\n";

/// Members one after the other: a header of sixty characters, the bytes, filled up to an even number.
pub(super) fn write(members: &[(&str, &[u8])], epoch_secs: u64) -> Vec<u8> {
    let mut archive = MAGIC.to_vec();
    for (name, bytes) in members {
        let (owner, group, mode, size) = (0, 0, "100644", bytes.len());
        archive.extend(format!("{name:<16}{epoch_secs:<12}{owner:<6}{group:<6}{mode:<8}{size:<10}`\n").bytes());
        archive.extend(*bytes);
        if bytes.len() % 2 == 1 {
            archive.push(b'\n');
        }
    }
    archive
}
