//! Text without memory: a line built in a buffer on the stack.
//!
//! For who must speak while the allocator cannot be asked for anything: `fail`, complaints about knobs, and the reports
//! of the C library. What does not fit is cut off; nothing panics. Any thread; no state.

/// Longest line; what this crate and the C library say is far shorter.
const LINE_BYTES: usize = 256;
/// Digits of the largest `u64`.
const DIGITS_MAX: usize = 20;

/// A line being built.
pub struct Line {
    bytes: [u8; LINE_BYTES],
    len: usize,
}

impl Line {
    /// An empty line.
    #[expect(clippy::new_without_default, reason = "a buffer is made where it is filled")]
    pub const fn new() -> Line {
        Line { bytes: [0; LINE_BYTES], len: 0 }
    }

    /// Appends bytes as they are.
    pub fn put(mut self, bytes: &[u8]) -> Line {
        for &b in bytes {
            if let Some(slot) = self.bytes.get_mut(self.len) {
                *slot = b;
                self.len += 1;
            }
        }
        self
    }

    /// Appends text.
    pub fn text(self, text: &str) -> Line {
        self.put(text.as_bytes())
    }

    /// Appends bytes of unknown origin: what is not printable ASCII becomes `?`, and more than `most` bytes are cut.
    pub fn foreign(mut self, bytes: &[u8], most: usize) -> Line {
        for &b in bytes.iter().take(most) {
            self = self.put(&[if b.is_ascii_graphic() || b == b' ' { b } else { b'?' }]);
        }
        if bytes.len() > most { self.put(b"...") } else { self }
    }

    /// Appends a number in decimal.
    pub fn decimal(self, mut n: u64) -> Line {
        let mut digits = [0u8; DIGITS_MAX];
        let mut first = DIGITS_MAX;
        for slot in digits.iter_mut().rev() {
            *slot = b'0' + (n % 10) as u8;
            first -= 1;
            n /= 10;
            if n == 0 {
                break;
            }
        }
        self.put(digits.get(first..).unwrap_or(&[]))
    }

    /// Appends a number in hexadecimal, with `0x`.
    pub fn hex(mut self, n: usize) -> Line {
        self = self.put(b"0x");
        let digits = (usize::BITS - n.leading_zeros()).div_ceil(4).max(1);
        for digit in (0..digits).rev() {
            let value = (n >> (digit * 4)) as u8 & 15;
            self = self.put(&[if value < 10 { b'0' + value } else { b'a' + value - 10 }]);
        }
        self
    }

    /// What was built.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::{LINE_BYTES, Line};
    use std::format;

    #[test]
    fn numbers_as_the_standard_library_writes_them() {
        for n in [0, 1, 9, 10, 255, 256, 99_999, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            assert_eq!(Line::new().decimal(n).bytes(), format!("{n}").as_bytes());
            assert_eq!(Line::new().hex(n as usize).bytes(), format!("{n:#x}").as_bytes());
        }
    }

    #[test]
    fn too_much_is_cut() {
        let line = Line::new().put(&[b'x'; 3 * LINE_BYTES]).decimal(7);
        assert_eq!(line.bytes(), [b'x'; LINE_BYTES]);
        assert_eq!(Line::new().foreign(b"a\x1b[2J\xff b", 6).bytes(), b"a?[2J?...");
    }
}
