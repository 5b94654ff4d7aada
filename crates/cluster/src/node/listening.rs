//! Which addresses a pod's processes listen on: one that listens on all of them gets in the way of every other pod.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The ports on which the processes `pids` listen on every address of the machine.
#[cfg(target_os = "linux")]
pub(crate) fn wildcard_ports(pids: &[i32]) -> Vec<u16> {
    let mut inodes = std::collections::BTreeSet::new();
    for pid in pids {
        let Ok(descriptors) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
        for descriptor in descriptors.flatten() {
            let Ok(target) = std::fs::read_link(descriptor.path()) else { continue };
            let inode = target.to_str().and_then(|name| name.strip_prefix("socket:[")?.strip_suffix(']'));
            inodes.extend(inode.and_then(|inode| inode.parse::<u64>().ok()));
        }
    }
    if inodes.is_empty() {
        return Vec::new();
    }
    let tables =
        ["/proc/self/net/tcp", "/proc/self/net/tcp6"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
    let sockets = tables.iter().flat_map(|table| table.lines().filter_map(listening));
    let mut ports: Vec<u16> = sockets
        .filter(|socket| inodes.contains(&socket.inode) && socket.address.is_unspecified())
        .map(|socket| socket.port)
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// Not known on this platform.
#[cfg(not(target_os = "linux"))]
pub(crate) fn wildcard_ports(_pids: &[i32]) -> Vec<u16> {
    Vec::new()
}

#[derive(Debug, PartialEq)]
struct Socket {
    address: IpAddr,
    port: u16,
    inode: u64,
}

/// A line of `/proc/net/tcp` or `tcp6`, if its socket listens.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
fn listening(line: &str) -> Option<Socket> {
    let mut fields = line.split_ascii_whitespace();
    let (address, port) = fields.nth(1)?.split_once(':')?;
    let state = fields.nth(1)?;
    let inode = fields.nth(5)?.parse().ok()?;
    if state != "0A" {
        return None;
    }
    let address = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(u32::from_str_radix(address, 16).ok()?.to_ne_bytes())),
        32 => {
            let mut bytes = [0; 16];
            for (word, bytes) in bytes.chunks_exact_mut(4).enumerate() {
                let digits = address.get(word * 8..word * 8 + 8)?;
                bytes.copy_from_slice(&u32::from_str_radix(digits, 16).ok()?.to_ne_bytes());
            }
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        _ => return None,
    };
    Some(Socket { address, port: u16::from_str_radix(port, 16).ok()?, inode })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernels_table() {
        let line =
            "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0";
        let socket = listening(line).unwrap();
        assert_eq!((socket.address.is_unspecified(), socket.port, socket.inode), (true, 8080, 4242));
        assert_eq!(listening(&line.replace(" 0A ", " 01 ")), None);
        assert_eq!(listening("  sl  local_address rem_address   st tx_queue"), None);
        let six = line.replace("00000000:1F90", "00000000000000000000000000000000:1F90");
        assert!(listening(&six).unwrap().address.is_unspecified());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn our_own_listeners() {
        let all = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
        let one = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let ports = wildcard_ports(&[i32::try_from(std::process::id()).unwrap()]);
        assert!(ports.contains(&all.local_addr().unwrap().port()));
        assert!(!ports.contains(&one.local_addr().unwrap().port()));
    }
}
