//! Where the parts listen: on loopback only. On Linux the database and the simulator have loopback
//! addresses of their own, so that the gateway's network can be opened to exactly these two.

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};

use crate::failure::{Failure, OrFail};

/// Which ports a stack takes.
#[derive(Clone, Copy, Debug, Default)]
pub enum Ports {
    /// Whatever is free.
    #[default]
    Free,
    /// The gateway this one; the dashboard, the simulator, the database and the cron trigger the
    /// next four.
    From(u16),
}

/// The address of each part.
#[derive(Clone, Copy, Debug)]
pub struct Assigned {
    /// The gateway's.
    pub gateway: SocketAddrV4,
    /// The dashboard's.
    pub dashboard: SocketAddrV4,
    /// The simulator's.
    pub simulator: SocketAddrV4,
    /// The database's.
    pub database: SocketAddrV4,
    /// The one that runs the Workers' `scheduled` handlers.
    pub cron: SocketAddrV4,
    /// Where the benchmark's Worker listens; there is such an address among free ones only.
    pub pass_through: Option<SocketAddrV4>,
}

impl Ports {
    /// Chooses the addresses and makes sure that nobody listens there.
    pub fn assign(self) -> Result<Assigned, Failure> {
        match self {
            Self::Free => free(),
            Self::From(base) => from(base),
        }
    }
}

/// Addresses from 127.0.0.1 on; only Linux has the others without being configured to.
fn loopback(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, if cfg!(target_os = "linux") { last } else { 1 })
}

fn address(last: u8, port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(loopback(last), port)
}

fn from(base: u16) -> Result<Assigned, Failure> {
    let port = |offset: u16| {
        base.checked_add(offset)
            .filter(|_| base > 0)
            .ok_or_else(|| {
                Failure::new(format!("there are no five ports from `{base}` on"))
                    .hint("choose a base port between `1024` and `65531`")
            })
    };
    let assigned = Assigned {
        gateway: address(1, port(0)?),
        dashboard: address(1, port(1)?),
        simulator: address(3, port(2)?),
        database: address(2, port(3)?),
        cron: address(1, port(4)?),
        pass_through: None,
    };
    check("the gateway", assigned.gateway)?;
    check("the dashboard", assigned.dashboard)?;
    check("the simulator", assigned.simulator)?;
    check("the database", assigned.database)?;
    check("the cron trigger", assigned.cron)?;
    Ok(assigned)
}

/// Nobody else may have the port on its own address, nor on 127.0.0.1: that would be confusing.
fn check(what: &str, address: SocketAddrV4) -> Result<(), Failure> {
    for ip in [Ipv4Addr::LOCALHOST, *address.ip()] {
        TcpListener::bind((ip, address.port())).map_err(|error| {
            let port = address.port();
            Failure::new(format!(
                "port `{port}`, meant for {what}, cannot be used: {error}"
            ))
            .hint("stop what listens there, or choose other ports with `--ports BASE`")
        })?;
    }
    Ok(())
}

/// Ports that are free now. All are held until all are chosen, so they differ.
fn free() -> Result<Assigned, Failure> {
    let mut held = Vec::new();
    let mut next = |last: u8| -> Result<SocketAddrV4, Failure> {
        let what = || "cannot find a free port".to_owned();
        let listener = TcpListener::bind((loopback(last), 0)).or_fail(what)?;
        let port = listener.local_addr().or_fail(what)?.port();
        held.push(listener);
        Ok(address(last, port))
    };
    Ok(Assigned {
        gateway: next(1)?,
        dashboard: next(1)?,
        simulator: next(3)?,
        database: next(2)?,
        cron: next(1)?,
        pass_through: Some(next(1)?),
    })
}
