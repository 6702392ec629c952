//! Host names without the network.

use std::net::IpAddr;

/// The addresses of `name` in the text of a hosts file, in its order.
pub(super) fn addresses_of(name: &str, hosts: &str) -> Vec<IpAddr> {
    hosts
        .lines()
        .filter_map(|line| {
            let entry = line.split('#').next()?;
            let (address, names) = entry.trim().split_once(char::is_whitespace)?;
            names.split_whitespace().any(|known| known.eq_ignore_ascii_case(name)).then(|| address.parse().ok())?
        })
        .collect()
}
