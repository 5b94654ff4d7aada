//! Listening sockets: one per worker for each address, so that the kernel spreads connections and workers share nothing.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that may wait to be accepted, per worker.
const BACKLOG: i32 = 4096;

/// Opens `count` sockets on `address`; all get the same port where `address` has port 0.
///
/// # Errors
/// When the address is taken (by anybody, also by one of ours), or cannot be bound.
pub(crate) fn open(address: SocketAddr, count: usize) -> io::Result<Vec<TcpListener>> {
    // Sockets that all set SO_REUSEPORT share a port even across processes of one user. So a socket without it goes
    // first: it finds whoever listens there already.
    let probe = socket(address, false)?;
    probe.bind(&address.into())?;
    let address = bound(&probe)?;
    if count <= 1 {
        probe.listen(BACKLOG)?;
        return Ok(vec![probe.into()]);
    }
    drop(probe);
    (0..count)
        .map(|_| {
            let socket = socket(address, true)?;
            socket.bind(&address.into())?;
            socket.listen(BACKLOG)?;
            Ok(socket.into())
        })
        .collect()
}

fn socket(address: SocketAddr, reuse_port: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of an earlier run that linger in TIME_WAIT do not count.
    socket.set_reuse_address(true)?;
    if reuse_port {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn bound(socket: &Socket) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| io::Error::other("not an IP socket"))
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::open;

    #[test]
    fn workers_share_a_port_but_nobody_else_does() {
        let first = open(([127, 0, 0, 1], 0).into(), 3).unwrap();
        let address = first[0].local_addr().unwrap();
        assert!(first.iter().all(|socket| socket.local_addr().unwrap() == address));
        for count in [1, 3] {
            assert_eq!(open(address, count).unwrap_err().kind(), ErrorKind::AddrInUse);
        }
        drop(first);
        assert_eq!(open(address, 1).unwrap().len(), 1);
    }
}
