//! The processor a program was built for, read from its ELF header.

/// ELF `e_machine` numbers (ELF specification, "e_machine") with what `uname -m` calls the same processor.
const MACHINES: [(u16, &str); 8] = [
    (3, "i686"),
    (8, "mips64"),
    (21, "ppc64le"),
    (22, "s390x"),
    (40, "armv7l"),
    (62, "x86_64"),
    (183, "aarch64"),
    (258, "loongarch64"),
];

/// The architecture in `uname -m` words; `None` when `bytes` are no ELF file.
/// A processor that is not in our table is told by number, so that it equals no host's name.
pub fn architecture(bytes: &[u8]) -> Option<String> {
    let header = bytes.get(..20)?;
    if !header.starts_with(b"\x7fELF") {
        return None;
    }
    let field = [header[18], header[19]];
    let is_big_endian = header[5] == 2;
    let machine = if is_big_endian { u16::from_be_bytes(field) } else { u16::from_le_bytes(field) };
    let known = MACHINES.iter().find(|(number, _)| *number == machine);
    Some(known.map_or_else(|| format!("ELF machine {machine}"), |(_, name)| name.to_string()))
}
