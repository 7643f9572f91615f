//! How scarce memory is: the control group's limit and use, the stall the kernel reports, the configured limit.
//!
//! Files are read by the worker alone, at most once a second; each may be missing. Version 2 of control groups
//! (`memory.max`) and version 1 (`memory.limit_in_bytes`); the process's own group, then the root of its name space.

use super::observation::Scarcity;
use crate::config::{self, Knob};
use crate::limits;
use crate::pal::{self, field, number};
use crate::text::Line;

const FILE_BYTES: usize = 1024;
/// A limit above this is none: version 1 says so with a huge number.
const LIMIT_BYTES_MAX: u64 = 1 << 50;

/// The nearest limit and what counts against it; without `may_open` the configured one alone.
pub fn read(may_open: bool) -> Scarcity {
    let group = if may_open { group_limit() } else { Scarcity::default() };
    let soft = config::get(Knob::LimitSoftBytes);
    let hard = config::get(Knob::LimitHardBytes);
    let stated = match (soft, hard) {
        (0, limit) | (limit, 0) => limit,
        (soft, hard) => soft.min(hard),
    };
    let own = Scarcity { limit_bytes: stated, current_bytes: limits::committed_bytes() as u64, ..group };
    // The one with the larger share in use; cross-multiplied.
    let share = |s: &Scarcity, other: &Scarcity| u128::from(s.current_bytes) * u128::from(other.limit_bytes);
    if group.limit_bytes == 0 || own.limit_bytes != 0 && share(&own, &group) > share(&group, &own) {
        own
    } else {
        group
    }
}

fn group_limit() -> Scarcity {
    let stall_basis_points = stall();
    let mut text = [0; FILE_BYTES];
    let len = pal::read_file(b"/proc/self/cgroup\0", &mut text);
    let text = text.get(..len).unwrap_or(&[]);
    let found = text.split(|&b| b == b'\n').filter_map(place).find_map(|(mount, path, limit, current)| {
        pair(mount, path, limit, current).or_else(|| pair(mount, b"", limit, current))
    });
    let (limit_bytes, current_bytes) = found.unwrap_or((0, 0));
    Scarcity { limit_bytes, current_bytes, stall_basis_points }
}

/// Mount point, path and file names for one line of `/proc/self/cgroup`.
fn place(line: &[u8]) -> Option<(&'static str, &[u8], &'static str, &'static str)> {
    let mut parts = line.splitn(3, |&b| b == b':');
    let (number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    let path = if path == b"/" { b"" } else { path };
    if number == b"0" && controllers.is_empty() {
        return Some(("/sys/fs/cgroup", path, "/memory.max", "/memory.current"));
    }
    let memory = controllers.split(|&b| b == b',').any(|c| c == b"memory");
    memory.then_some(("/sys/fs/cgroup/memory", path, "/memory.limit_in_bytes", "/memory.usage_in_bytes"))
}

/// Limit and use; None where there is no limit.
fn pair(mount: &str, path: &[u8], limit: &str, current: &str) -> Option<(u64, u64)> {
    let value = |name: &str| {
        let mut text = [0; 32];
        let file = Line::new().text(mount).put(path).text(name).put(&[0]);
        let len = pal::read_file(file.bytes(), &mut text);
        number(text.get(..len)?.trim_ascii(), 10)
    };
    let limit = value(limit).filter(|&bytes| bytes < LIMIT_BYTES_MAX)?;
    Some((limit, value(current)?))
}

/// "some avg10=1.23 …" in hundredths of a per cent; 0 where the kernel does not say.
fn stall() -> u32 {
    let mut text = [0; 256];
    let len = pal::read_file(b"/proc/pressure/memory\0", &mut text);
    let text = text.get(..len).unwrap_or(&[]);
    let whole = field(text, b"some avg10=").unwrap_or(0);
    let cents = text.iter().position(|&b| b == b'.').and_then(|dot| number(text.get(dot + 1..dot + 3)?, 10));
    (whole * 100 + cents.unwrap_or(0)) as u32
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn lines_of_both_versions() {
        let v2 = ("/sys/fs/cgroup", &b"/a/b"[..], "/memory.max", "/memory.current");
        assert_eq!(place(b"0::/a/b"), Some(v2));
        let v1 = ("/sys/fs/cgroup/memory", &b""[..], "/memory.limit_in_bytes", "/memory.usage_in_bytes");
        assert_eq!(place(b"4:hugetlb,memory:/"), Some(v1));
        assert_eq!((place(b"8:pids:/"), place(b""), place(b"0")), (None, None, None));
    }
}
