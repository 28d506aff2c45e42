//! The ports of shared memory by which Fast DDS receives from other processes of this machine, and whether one was taken away.
//!
//! A sender that finds a port unattended for a second takes its owner for dead, removes the port and makes another (Fast DDS 2.14,
//! `SharedMemGlobal`). On a machine so overloaded that a living node's listener does not run for that long, the node listens on the removed
//! port from then on and hears nobody, though it goes on publishing: seen in a soak beside three compilers on two cores (docs/reliability.md).

use std::fs;

/// What a listener of such a port is called (Fast DDS from 2.13 on): "dds.shm.7663".
const LISTENER: &str = "dds.shm.";

/// A port that this process listens on and that others no longer send to.
pub fn removed() -> Option<String> {
    let threads = fs::read_dir("/proc/self/task").ok()?;
    let names = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("comm")).ok());
    removed_in(&fs::read_to_string("/proc/self/maps").ok()?, names)
}

/// The port of a thread among `names` whose memory, by `maps` (proc_pid_maps(5)), was deleted.
fn removed_in(maps: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let own: Vec<String> = names.filter_map(|name| Some(name.trim().strip_prefix(LISTENER)?.to_string())).collect();
    let deleted =
        maps.lines().filter_map(|line| line.strip_suffix(" (deleted)")?.split_once("/dev/shm/").map(|(_, file)| file));
    let port = |file: &str| Some(file.split_once("_port")?.1.to_string());
    deleted.filter_map(port).find(|port| own.contains(port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_own_port_that_was_deleted_counts() {
        let maps = "7f0-7f1 rw-s 00000000 00:1b 158076   /dev/shm/fastrtps_port7663 (deleted)\n\
                    7f2-7f3 rw-s 00000000 00:1b 120994   /dev/shm/fastrtps_port7661 (deleted)\n\
                    7f4-7f5 rw-s 00000000 00:1b 254583   /dev/shm/fastrtps_port7001\n";
        let names = |names: &[&str]| names.iter().map(|name| format!("{name}\n")).collect::<Vec<_>>().into_iter();
        assert_eq!(removed_in(maps, names(&["inference", "dds.shm.7663", "dds.shm.7001"])).as_deref(), Some("7663"));
        assert_eq!(removed_in(maps, names(&["dds.shm.7001", "dds.udp.7661"])), None, "another process ended");
        assert_eq!(removed_in("", names(&["dds.shm.7663"])), None);
    }
}
