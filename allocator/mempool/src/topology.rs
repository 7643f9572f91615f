//! Memory nodes of the machine, read or faked.
//!
//! The pool asks two things: how many nodes there are, and on which one the caller runs. The
//! machine's answer comes from sysfs (`/sys/devices/system/node/node*/cpulist`) and the current
//! processor; a faked topology answers with what each thread declared by [`Topology::enter_node`],
//! so that tests on a one-node machine see blocks come from and return to their node. A topology
//! is read-only once made, and shared by all threads.

use crate::os;
use crate::supply::NODES_MAX;
use std::cell::Cell;
use std::path::Path;

thread_local! {
    /// The node that the thread declared, for faked topologies.
    static ENTERED_NODE: Cell<usize> = const { Cell::new(0) };
}

/// The nodes of a machine, and how a thread learns its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    source: Source,
    nodes: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// Processor → node index, and node index → the kernel's node number is the identity.
    Machine {
        node_of_cpu: Vec<u8>,
    },
    Faked,
}

impl Topology {
    /// The machine's nodes; one node where sysfs tells nothing.
    #[must_use]
    pub fn machine() -> Topology {
        Topology::from_sysfs(Path::new("/sys/devices/system/node"))
    }

    /// Nodes as a folder of sysfs's form lists them.
    #[must_use]
    pub fn from_sysfs(folder: &Path) -> Topology {
        let mut node_of_cpu = Vec::new();
        let mut nodes = 1;
        for node in 0..NODES_MAX {
            let list = std::fs::read_to_string(folder.join(format!("node{node}/cpulist")));
            let Ok(list) = list else { continue };
            nodes = node + 1;
            for cpu in cpus_of_list(list.trim()) {
                if node_of_cpu.len() <= cpu {
                    node_of_cpu.resize(cpu + 1, 0);
                }
                node_of_cpu[cpu] = node as u8;
            }
        }
        Topology { source: Source::Machine { node_of_cpu }, nodes }
    }

    /// A machine of `nodes` nodes (1 to 128), on which threads say where they are.
    #[must_use]
    pub fn faked(nodes: usize) -> Topology {
        assert!((1..=NODES_MAX).contains(&nodes), "a topology has 1 to {NODES_MAX} nodes");
        Topology { source: Source::Faked, nodes }
    }

    /// Declares where the calling thread runs, for all faked topologies.
    pub fn enter_node(node: usize) {
        ENTERED_NODE.set(node);
    }

    /// Number of nodes, counted from 0.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// The node of a processor; 0 for processors that no node lists, and for faked topologies.
    #[must_use]
    pub fn node_of_cpu(&self, cpu: usize) -> usize {
        match &self.source {
            Source::Machine { node_of_cpu } => usize::from(node_of_cpu.get(cpu).copied().unwrap_or(0)),
            Source::Faked => 0,
        }
    }

    /// The node the calling thread runs on now; it may be moved the next moment.
    #[must_use]
    pub fn current_node(&self) -> usize {
        if self.nodes == 1 {
            return 0;
        }
        let node = match &self.source {
            Source::Machine { .. } => self.node_of_cpu(os::current_cpu()),
            Source::Faked => ENTERED_NODE.get(),
        };
        node.min(self.nodes - 1)
    }

    /// Whether memory can be placed on the nodes.
    pub(crate) fn places_memory(&self) -> bool {
        self.nodes > 1 && matches!(self.source, Source::Machine { .. })
    }
}

/// Processors of a sysfs list such as `0-3,8,10-11`.
fn cpus_of_list(list: &str) -> Vec<usize> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse::<usize>().ok()?..=last.parse::<usize>().ok()?)
    };
    list.split(',').filter_map(range).flatten().collect()
}
