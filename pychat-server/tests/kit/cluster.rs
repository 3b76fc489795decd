//! Databases of which one takes what is written and the others follow it. What is committed there is with one
//! of those that follow, too. Servers reach them by ways that can be barred, and so do they one another.

use std::{
    panic,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{postgres::Postgres, process::wait_until, relay::Relay};

/// The settings of each node, beside its name and whom it follows.
const SETTINGS: &str = "wal_keep_size = 64MB
wal_receiver_status_interval = 1s
wal_retrieve_retry_interval = 100ms
";

/// The ways in: whoever is on the machine is believed.
const ACCESS: &str = "local all all trust\nlocal replication all trust\n\
    host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n";

const RECEIVED: &str = "SELECT pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(), \
    pg_last_wal_replay_lsn()), '0/0')::bigint";

/// The nodes, and somebody who looks after them: what takes a while happens one thing after another, beside
/// whoever asks for it.
#[derive(Debug)]
pub(crate) struct Cluster {
    nodes: Arc<Mutex<Nodes>>,
    ways: Arc<Ways>,
    orders: Option<Sender<Order>>,
    n_open: Arc<AtomicUsize>,
    keeper: Option<JoinHandle<()>>,
}

/// The end of a node that takes what is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    /// It is killed, then another one is promoted; the others did not reach it, if that is so.
    Before { is_apart: bool },
    /// Another one is promoted while nobody reaches it; servers do again for a while before it is killed.
    After { lingers: Duration },
}

#[derive(Debug)]
enum Order {
    Freeze,
    Kill,
    Replace(End),
}

#[derive(Debug)]
struct Nodes {
    nodes: Vec<Postgres>,
    primary: usize,
}

/// The ways to each node: those of the servers, and those of the other nodes.
#[derive(Debug)]
struct Ways {
    of_servers: Vec<Vec<Relay>>,
    of_nodes: Vec<Vec<Relay>>,
    primary: AtomicUsize,
}

impl Cluster {
    /// Starts one node that takes what is written by so many servers, and so many that follow. Returns `None`
    /// if the machine has no PostgreSQL.
    pub(crate) fn start(n_servers: usize, n_standbys: usize) -> Option<Self> {
        let first = Postgres::make("")?;
        first.write("data/pg_hba.conf", ACCESS, 0o600);
        let standbys: Vec<_> = (0..n_standbys).map(|_| first.copy()).collect();
        let nodes: Vec<_> = [first].into_iter().chain(standbys).collect();
        let ways = |n_from: usize| {
            let ways = |node: &Postgres| (0..n_from).map(|_| Relay::open(node.socket())).collect();
            nodes.iter().map(ways).collect()
        };
        let (of_servers, of_nodes) = (ways(n_servers), ways(nodes.len()));
        let ways = Arc::new(Ways { of_servers, of_nodes, primary: AtomicUsize::new(0) });
        let mut nodes = Nodes { nodes, primary: 0 };
        nodes.begin(&ways);
        let nodes = Arc::new(Mutex::new(nodes));
        let (orders, received) = mpsc::channel();
        let n_open = Arc::<AtomicUsize>::default();
        let keeper = {
            let (nodes, ways, n_open) =
                (Arc::clone(&nodes), Arc::clone(&ways), Arc::clone(&n_open));
            // It lasts as long as the nodes: what it starts ends with it.
            thread::spawn(move || keep(&received, &nodes, &ways, &n_open))
        };
        Some(Self { nodes, ways, orders: Some(orders), n_open, keeper: Some(keeper) })
    }

    /// Returns the address of the database for a server.
    pub(crate) fn uri(&self, server: usize) -> String {
        let hosts =
            self.ways.of_servers.iter().map(|it| format!("127.0.0.1:{}", it[server].port()));
        let hosts: Vec<_> = hosts.collect();
        let options = "sslmode=disable&target_session_attrs=read-write";
        format!("postgres://postgres@{}/postgres?{options}", hosts.join(","))
    }

    /// Returns true if nothing that was asked for is under way.
    pub(crate) fn is_whole(&mut self) -> bool {
        if self.keeper.as_ref().is_some_and(JoinHandle::is_finished)
            && let Some(Err(panic)) = self.keeper.take().map(JoinHandle::join)
        {
            panic::resume_unwind(panic);
        }
        self.n_open.load(Ordering::Acquire) == 0
    }

    /// Has commands carried out where it is written; returns the rows.
    pub(crate) fn sql(&self, commands: &str) -> String {
        let nodes = self.nodes.lock().expect("nobody panics with it");
        nodes.nodes[nodes.primary].sql(commands)
    }

    /// Stops the primary in its tracks.
    pub(crate) fn freeze_primary(&self) {
        self.order(Order::Freeze);
    }

    /// Kills the primary.
    pub(crate) fn kill_primary(&self) {
        self.order(Order::Kill);
    }

    /// Promotes the standby that has received most. The other ones follow it, and so does the primary that
    /// was, made anew.
    pub(crate) fn replace_primary(&self, end: End) {
        self.order(Order::Replace(end));
    }

    fn order(&self, order: Order) {
        self.n_open.fetch_add(1, Ordering::AcqRel);
        let orders = self.orders.as_ref().expect("it is there until this is dropped");
        let _ = orders.send(order); // If nobody is there any more, that is told soon.
    }

    /// Lets a server reach no node, or all again.
    pub(crate) fn bar_server(&self, server: usize, is_barred: bool, is_cut: bool) {
        self.ways.of_servers.iter().for_each(|ways| set(&ways[server], is_barred, is_cut));
    }

    /// Lets no other node reach the primary, or all again.
    pub(crate) fn bar_standbys(&self, is_barred: bool) {
        self.ways.bar_nodes(self.ways.primary(), is_barred);
    }

    /// Lets no server reach the primary.
    pub(crate) fn bar_servers(&self) {
        self.ways.bar_servers(self.ways.primary(), true);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.orders = None;
        match self.nodes.lock() {
            Ok(mut nodes) => nodes.nodes.clear(),
            Err(poisoned) => poisoned.into_inner().nodes.clear(),
        }
        let _ = self.keeper.take().map(JoinHandle::join); // Its panic was told, or a test fails already.
    }
}

/// Carries out what is asked for.
fn keep(orders: &Receiver<Order>, nodes: &Mutex<Nodes>, ways: &Ways, n_open: &AtomicUsize) {
    for order in orders {
        let mut nodes = nodes.lock().expect("nobody panics with it");
        if nodes.nodes.is_empty() {
            return;
        }
        let primary = nodes.primary;
        match order {
            Order::Freeze => nodes.nodes[primary].freeze(),
            Order::Kill => nodes.nodes[primary].kill(),
            Order::Replace(end) => nodes.replace(end, ways),
        }
        n_open.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Nodes {
    fn begin(&mut self, ways: &Ways) {
        for number in 0..self.nodes.len() {
            if number == self.primary {
                self.configure(number, None, ways);
            } else {
                self.follow(number, ways);
            }
            self.nodes[number].run();
        }
        self.wait_for_standbys();
    }

    /// Promotes another node in the place of the primary, which is then made anew.
    fn replace(&mut self, end: End, ways: &Ways) {
        let old = self.primary;
        if let End::Before { .. } = end {
            self.nodes[old].kill();
        }
        let standbys: Vec<_> = (0..self.nodes.len()).filter(|number| *number != old).collect();
        for number in &standbys {
            self.configure(*number, None, ways);
            self.nodes[*number].hang_up();
        }
        // From then on nothing that the old one may commit is with anybody else.
        let is_alone = |number: &usize| {
            self.nodes[*number].sql("SELECT count(*) FROM pg_stat_wal_receiver") == "0"
        };
        wait_until("a standby goes on following", || standbys.iter().all(is_alone));
        let received =
            |number: &&usize| -> u64 { self.nodes[**number].sql(RECEIVED).parse().unwrap() };
        let next = *standbys.iter().max_by_key(received).expect("there is one");
        self.nodes[next].promote();
        self.primary = next;
        ways.primary.store(next, Ordering::Release);
        for number in standbys.iter().filter(|number| **number != next) {
            self.configure(*number, Some(next), ways);
            self.nodes[*number].hang_up();
        }
        if let End::After { lingers } = end {
            ways.bar_servers(old, false);
            thread::sleep(lingers);
            self.nodes[old].kill();
        }
        if end != (End::Before { is_apart: false }) {
            ways.bar_nodes(old, false);
        }
        let [gone, source] = self.nodes.get_disjoint_mut([old, next]).expect("they are two");
        gone.take_over(source);
        self.follow(old, ways);
        self.nodes[old].run();
        self.wait_for_standbys();
    }

    /// Makes a node that does not run follow the primary.
    fn follow(&self, number: usize, ways: &Ways) {
        self.nodes[number].write("data/standby.signal", "", 0o600);
        self.configure(number, Some(self.primary), ways);
    }

    fn configure(&self, number: usize, of: Option<usize>, ways: &Ways) {
        let names: Vec<_> = (0..self.nodes.len()).map(|it| format!("n{it}")).collect();
        let all = names.join(", ");
        let follows = of.map(|of| {
            let port = ways.of_nodes[of][number].port();
            format!(
                "primary_conninfo = 'host=127.0.0.1 port={port} user=postgres sslmode=disable \
                    gssencmode=disable application_name=n{number}'\n"
            )
        });
        let follows = follows.unwrap_or_default();
        let settings = format!("{SETTINGS}synchronous_standby_names = 'ANY 1 ({all})'\n{follows}");
        self.nodes[number].configure(&settings);
    }

    /// Waits until all others follow the primary.
    fn wait_for_standbys(&self) {
        let sql = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
        let n_standbys = (self.nodes.len() - 1).to_string();
        wait_until("a standby does not follow", || self.nodes[self.primary].sql(sql) == n_standbys);
    }
}

impl Ways {
    fn primary(&self) -> usize {
        self.primary.load(Ordering::Acquire)
    }

    fn bar_nodes(&self, to: usize, is_barred: bool) {
        self.of_nodes[to].iter().for_each(|way| set(way, is_barred, false));
    }

    fn bar_servers(&self, to: usize, is_barred: bool) {
        self.of_servers[to].iter().for_each(|way| set(way, is_barred, false));
    }
}

fn set(way: &Relay, is_barred: bool, is_cut: bool) {
    if is_barred { way.bar() } else { way.unbar(is_cut) }
}
