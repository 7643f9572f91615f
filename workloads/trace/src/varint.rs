//! Numbers of one to ten bytes: seven bits a byte, the lowest first, the top bit set on all but the last.
//!
//! A small number costs one byte. Signed numbers are folded (0, −1, 1, −2, …) so that small ones stay short.

/// Longest form of a `u64`, bytes.
pub const BYTES_MAX: usize = 10;

/// Appends `value`.
pub fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed value.
pub fn put_signed(out: &mut Vec<u8>, value: i64) {
    put(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Takes a value off the front; `None` when the bytes end inside it or it does not fit 64 bits.
pub fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for (at, &byte) in bytes.iter().enumerate().take(BYTES_MAX) {
        let bits = u64::from(byte & 0x7F);
        if at == BYTES_MAX - 1 && bits > 1 {
            return None;
        }
        value |= bits << (7 * at);
        if byte < 0x80 {
            *bytes = &bytes[at + 1..];
            return Some(value);
        }
    }
    None
}

/// Takes a signed value off the front.
pub fn take_signed(bytes: &mut &[u8]) -> Option<i64> {
    let folded = take(bytes)?;
    Some((folded >> 1) as i64 ^ -((folded & 1) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_put_is_taken(value: u64, signed: i64, rest: Vec<u8>) {
            let mut out = Vec::new();
            put(&mut out, value);
            put_signed(&mut out, signed);
            out.extend(&rest);
            let mut bytes = &out[..];
            prop_assert_eq!(take(&mut bytes), Some(value));
            prop_assert_eq!(take_signed(&mut bytes), Some(signed));
            prop_assert_eq!(bytes, &rest[..]);
        }
    }

    #[test]
    fn what_ends_early_or_is_too_long_is_refused() {
        for bad in [&[][..], &[0x80], &[0xFF; 9], &[0xFF; 10], &[0x80; 20]] {
            assert_eq!(take(&mut &bad[..]), None, "{bad:?}");
        }
    }
}
