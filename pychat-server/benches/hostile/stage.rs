//! A server with one innocent in it, on which one attack is played and measured.

use std::time::{Duration, Instant};

use super::{
    Outcome,
    field::Field,
    figures::{Figures, Remark},
    innocent::{Account, Innocent},
    kernel::{OnTheWay, TcpMemory},
    server::{History, Server},
};

/// For how long the innocent is watched before an attack.
const CALM: Duration = Duration::from_millis(300);

/// The server is at rest once it takes less than this part of a processor for such a time.
const REST: Duration = Duration::from_millis(30);
const REST_PART: u32 = 10;

/// For how long that is waited for, and after an attack for how many times as long as it took.
const REST_TIMEOUT: Duration = Duration::from_secs(8);
const REST_TIMES: u32 = 4;

// What the memory formula in the papers has for a server with default limits, in bytes.
const PAYLOAD_BYTES_MAX: u64 = 64 << 10;
const UNREAD_BYTES_MAX: u64 = 64 << 10;
const CONNECTION_BYTES: u64 = 1 << 10;
const TLS_BYTES: u64 = 40 << 10;
const BACKLOG_BYTES_MAX: u64 = 1 << 20;
const BACKLOG_TOTAL_BYTES_MAX: u64 = 256 << 20;
const LOG_BYTES: u64 = 2 << 20;
/// The most that the kernel holds for a connection, received and unsent.
const KERNEL_BYTES: u64 = (128 + 256) << 10;

/// Returns how much memory a server may have, kernel buffers included, for so many connections
/// beside what it `began` with.
fn allowed_memory(began: u64, connections: u64) -> u64 {
    let backlogs = BACKLOG_TOTAL_BYTES_MAX.min(connections * BACKLOG_BYTES_MAX);
    let each = PAYLOAD_BYTES_MAX + UNREAD_BYTES_MAX + TLS_BYTES + CONNECTION_BYTES + KERNEL_BYTES;
    began + connections * each + backlogs + LOG_BYTES
}

/// A server, an innocent and everybody else.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) field: Field,
    innocent: Innocent,
    tcp_memory: TcpMemory,
    memory: u64,
    begin: Begin,
}

/// The state of everything when the attack began.
#[derive(Debug)]
struct Begin {
    at: Instant,
    calm: Account,
    /// The server's processor time for each ping before the attack.
    cpu_per_ping: Duration,
    cpu: Duration,
    moved: Moved,
}

/// The bytes that the server has taken and said since it was started.
#[derive(Clone, Copy, Debug)]
struct Moved {
    received: u64,
    told_attackers: u64,
    told_others: u64,
}

impl Moved {
    /// Counts bytes on their way as said and as not received. Those of a closed line were received.
    fn of(server: &Server, field: &Field) -> Outcome<Self> {
        let (traffic, way) = (field.traffic(), OnTheWay::to(server.address().port())?);
        Ok(Self {
            received: traffic.sent.saturating_sub(way.from_attackers),
            told_attackers: traffic.told_attackers + way.to_attackers,
            told_others: traffic.told_others + way.to_others,
        })
    }
}

impl Stage {
    /// Starts a server with these `flags`, which keeps what is said on disk.
    pub(crate) fn set(flags: &[&str]) -> Outcome<Self> {
        let tcp_memory = TcpMemory::watch()?;
        let server = Server::start_with(History::Process, flags)?;
        let memory = server.memory()? as u64;
        let innocent = Innocent::join(server.address())?;
        let field = Field::new(server.address())?;
        let begin = Begin::of(&server, &field, &innocent, Duration::ZERO)?;
        Ok(Self { server, field, innocent, tcp_memory, memory, begin })
    }

    /// Counts what is done from here on for so long as the attack; returns when it should end.
    pub(crate) fn attack(&mut self, time: Duration) -> Outcome<Instant> {
        self.attack_after(CALM, time)
    }

    /// The same after so much `calm`, in which the innocent is watched.
    pub(crate) fn attack_after(&mut self, calm: Duration, time: Duration) -> Outcome<Instant> {
        self.rest()?;
        self.innocent.account();
        let cpu = self.server.cpu()?;
        self.field.turn_until(Instant::now() + calm, |_| false)?;
        self.begin = Begin::of(&self.server, &self.field, &self.innocent, cpu)?;
        Ok(self.begin.at + time)
    }

    /// Waits until the server has done all that it was given to do.
    pub(crate) fn rest(&mut self) -> Outcome<()> {
        self.rest_within(REST_TIMEOUT)
    }

    fn rest_within(&mut self, timeout: Duration) -> Outcome<()> {
        let begin = Instant::now();
        while begin.elapsed() < timeout {
            let cpu = self.server.cpu()?;
            self.field.turn_until(Instant::now() + REST, |_| false)?;
            if self.server.cpu()? < cpu + REST / REST_PART {
                break;
            }
        }
        Ok(())
    }

    /// Plays an attack and ends the server.
    pub(crate) fn play(
        mut self,
        play: impl FnOnce(&mut Self) -> Outcome<Remark>,
    ) -> Outcome<Figures> {
        let remark = play(&mut self).and_then(|remark| {
            let time = self.begin.at.elapsed();
            self.rest_within(REST_TIMEOUT.min(REST_TIMES * time))?;
            Ok((remark, time))
        });
        if !self.server.is_alive()? {
            return Ok(Figures { has_died: true, ..Figures::default() });
        }
        let (remark, time) = remark?;
        self.figures(remark, time)
    }

    fn figures(self, remark: Remark, time: Duration) -> Outcome<Figures> {
        let Self { server, field, innocent, tcp_memory, memory, begin } = self;
        let account = innocent.account();
        let cpu = server.cpu()?.saturating_sub(begin.cpu);
        let (moved, before) = (Moved::of(&server, &field)?, begin.moved);
        let pings = u32::try_from(account.pings)?;
        Ok(Figures {
            time,
            received: moved.received.saturating_sub(before.received),
            cpu: cpu.saturating_sub(begin.cpu_per_ping * pings),
            told_attackers: moved.told_attackers.saturating_sub(before.told_attackers),
            told_others: moved.told_others.saturating_sub(before.told_others) + account.told,
            memory: server.peak_memory()? as u64,
            kernel_memory: tcp_memory.growth(),
            allowed_memory: allowed_memory(memory, field.lines_max() as u64 + 1),
            wait: account.longest,
            calm_wait: begin.calm.median,
            is_cut: account.is_cut,
            has_died: false,
            remark,
        })
    }
}

impl Begin {
    /// Looks at everything after some calm, before which the server's processor time was `before`.
    fn of(server: &Server, field: &Field, innocent: &Innocent, before: Duration) -> Outcome<Self> {
        let calm = innocent.account();
        let cpu = server.cpu()?;
        let pings = u32::try_from(calm.pings.max(1))?;
        Ok(Self {
            at: Instant::now(),
            calm,
            cpu_per_ping: cpu.saturating_sub(before) / pings,
            cpu,
            moved: Moved::of(server, field)?,
        })
    }
}
