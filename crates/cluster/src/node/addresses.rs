//! An address of its own for each pod, out of the loopback network 127.0.0.0/8.
//!
//! An instance claims blocks of 254 addresses, beginning at a place that follows from its home directory, so that its pods keep
//! their addresses over a restart. A block is claimed by a socket that is bound to its first address and held for as long as
//! the instance runs: two instances never share a block, and the system gives it back however the instance ends.
//!
//! Only Linux has the whole network; elsewhere, where 127.0.0.1 is the only address, all pods get that one and have to listen
//! on ports of their own.

use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;

/// The port that a claim binds, above those that systems give out by themselves.
const CLAIM_PORT: u16 = 61_127;
/// How many blocks are tried before giving up.
const ATTEMPTS: u16 = 512;
/// Blocks lie in 127.1.0.0 to 127.250.255.0: outside of 127.0, where other things on a machine live.
const BLOCKS: u16 = 250 * 256;
const WHOLE_NETWORK: bool = cfg!(target_os = "linux");

/// There is no address left to give.
#[derive(Debug, thiserror::Error)]
#[error(
    "no free block of loopback addresses: port {CLAIM_PORT}/udp of each that was tried is taken (last: {last}: {error})"
)]
pub(crate) struct NoAddress {
    last: Ipv4Addr,
    error: io::Error,
}

/// The addresses of one instance's pods.
pub(crate) struct Addresses {
    next_block: u16,
    blocks: Vec<Block>,
    /// Addresses to give, those that were used last at the end: a new pod must not be mistaken for one that has just gone.
    free: VecDeque<Ipv4Addr>,
    /// How often an address is given: more than once only where there is one for all.
    used: BTreeMap<Ipv4Addr, usize>,
}

struct Block {
    _claim: UdpSocket,
}

impl Addresses {
    /// Claims the first block for an instance.
    pub(crate) fn claim(home: &Path) -> Result<Addresses, NoAddress> {
        let digest = Sha256::digest(home.as_os_str().as_encoded_bytes());
        let start = u16::from_be_bytes([digest[0], digest[1]]) % BLOCKS;
        let mut addresses =
            Addresses { next_block: start, blocks: Vec::new(), free: VecDeque::new(), used: BTreeMap::new() };
        if WHOLE_NETWORK {
            addresses.claim_block()?;
        }
        Ok(addresses)
    }

    fn claim_block(&mut self) -> Result<(), NoAddress> {
        let mut attempt = 0;
        loop {
            let block = self.next_block;
            self.next_block = (block + 1) % BLOCKS;
            let [high, low] = block.to_be_bytes();
            let first = Ipv4Addr::new(127, high + 1, low, 1);
            match UdpSocket::bind((first, CLAIM_PORT)) {
                Ok(claim) => {
                    self.blocks.push(Block { _claim: claim });
                    self.free.extend((2..=254).map(|last| Ipv4Addr::new(127, high + 1, low, last)));
                    return Ok(());
                }
                Err(error) if attempt >= ATTEMPTS => return Err(NoAddress { last: first, error }),
                Err(_) => attempt += 1,
            }
        }
    }

    /// Gives an address: `former`, if that can be had.
    pub(crate) fn take(&mut self, former: Option<Ipv4Addr>) -> Result<Ipv4Addr, NoAddress> {
        if !WHOLE_NETWORK {
            *self.used.entry(Ipv4Addr::LOCALHOST).or_default() += 1;
            return Ok(Ipv4Addr::LOCALHOST);
        }
        let place = former.and_then(|former| self.free.iter().position(|&free| free == former));
        let address = loop {
            let taken = match place {
                Some(at) => self.free.remove(at),
                None => self.free.pop_front(),
            };
            match taken {
                Some(address) => break address,
                None => self.claim_block()?,
            }
        };
        self.used.insert(address, 1);
        Ok(address)
    }

    /// Takes an address back.
    pub(crate) fn give_back(&mut self, address: Ipv4Addr) {
        let Some(count) = self.used.get_mut(&address) else { return };
        *count -= 1;
        if *count == 0 {
            self.used.remove(&address);
            if WHOLE_NETWORK {
                self.free.push_back(address);
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn two_instances_of_one_place_share_nothing() {
        let home = tempfile::tempdir().unwrap();
        let mut one = Addresses::claim(home.path()).unwrap();
        let mut two = Addresses::claim(home.path()).unwrap();
        let block = |address: Ipv4Addr| [address.octets()[1], address.octets()[2]];
        let (a, b) = (one.take(None).unwrap(), two.take(None).unwrap());
        assert!(a.is_loopback() && b.is_loopback());
        assert_ne!(block(a), block(b));
        drop((one, two));
        assert_eq!(Addresses::claim(home.path()).unwrap().take(None).unwrap(), a);
    }

    #[test]
    fn an_address_is_used_again_as_late_as_can_be_or_when_asked_for() {
        let home = tempfile::tempdir().unwrap();
        let mut addresses = Addresses::claim(home.path()).unwrap();
        let first = addresses.take(None).unwrap();
        addresses.give_back(first);
        assert_ne!(addresses.take(None).unwrap(), first);
        assert_eq!(addresses.take(Some(first)).unwrap(), first);
        assert_ne!(addresses.take(Some(first)).unwrap(), first);
    }

    #[test]
    fn more_pods_than_a_block_has_addresses_get_another_block() {
        let home = tempfile::tempdir().unwrap();
        let mut addresses = Addresses::claim(home.path()).unwrap();
        let taken: std::collections::BTreeSet<_> = (0..600).map(|_| addresses.take(None).unwrap()).collect();
        assert_eq!(taken.len(), 600);
        assert_eq!(addresses.blocks.len(), 3);
    }
}
