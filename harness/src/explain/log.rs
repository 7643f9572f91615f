//! Reading a decision log: lines `ace-KIND t_ms=N tick=N name=value …`, bounded, strict.
//!
//! A log shares standard error with the program, so lines that do not begin with `ace-` are passed over; one that does and is
//! not of the form is refused with its number. A last line without an end was cut by a kill, and is dropped. Kinds and fields that are
//! not known are kept or passed over: a newer allocator may say more. A second worker's clock begins at 0 again; its
//! lines are moved behind those of the first.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// Largest file that is read, bytes: a day of ticks is below it.
pub const FILE_BYTES_MAX: u64 = 512 << 20;
/// Most lines of the log.
pub const LINES_MAX: usize = 4_000_000;
/// Longest line of the log, bytes; docs/LEARNING.md promises 256.
pub const LINE_BYTES_MAX: usize = 256;
/// Fields of one line.
const FIELDS_MAX: usize = 32;
/// Longest time stamp: a thousand years.
const T_MS_MAX: u64 = 1 << 45;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Line in the file, from 1.
    pub line: usize,
    /// The word behind `ace-`.
    pub kind: String,
    /// Milliseconds since the first worker of the log began.
    pub t_ms: u64,
    /// Names and values behind `tick`.
    pub fields: Vec<(String, String)>,
}

impl Entry {
    /// A field's word.
    pub fn word(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A field's number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.word(name)?.parse().ok()
    }

    /// A field's number, 0 where there is none.
    pub fn count(&self, name: &str) -> i64 {
        self.number(name).unwrap_or(0)
    }
}

/// A log.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Lines in file order, their time rising.
    pub entries: Vec<Entry>,
    /// One line that says what was dropped, if anything was.
    pub warning: Option<String>,
}

/// Reads a file.
pub fn read(path: &Path) -> Result<Log> {
    let shown = path.display().to_string();
    let file = File::open(path).with_context(|| {
        format!("{shown}: cannot be opened; write one with ACE_LEARN=on ACE_LOG=decisions PROGRAM 2>FILE")
    })?;
    let bytes = file.metadata().with_context(|| format!("{shown}: cannot be read"))?.len();
    ensure!(
        bytes <= FILE_BYTES_MAX,
        "{shown}: larger than {FILE_BYTES_MAX} bytes; cut out the part of interest"
    );
    parse(BufReader::new(file.take(FILE_BYTES_MAX + 1)), &shown)
}

/// Reads lines; `shown` stands in errors.
pub fn parse(mut input: impl BufRead, shown: &str) -> Result<Log> {
    let mut log = Log::default();
    let (mut number, mut offset, mut last) = (0, 0, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        number += 1;
        // A program's own line may be of any length: only as much of it is kept as a line of the log may have.
        let read = input
            .by_ref()
            .take(LINE_BYTES_MAX as u64 + 2)
            .read_until(b'\n', &mut line)
            .with_context(|| format!("{shown}: cannot be read"))?;
        if read == 0 {
            break;
        }
        let ended = line.last() == Some(&b'\n');
        let ours = line.starts_with(b"ace-") && !line.starts_with(b"ace-alloc");
        if !ended && read == LINE_BYTES_MAX + 2 {
            ensure!(
                !ours,
                "{shown}: line {number} is longer than {LINE_BYTES_MAX} bytes; this is no decision log, or delete the line"
            );
            input.skip_until(b'\n').with_context(|| format!("{shown}: cannot be read"))?;
            continue;
        }
        if !ours {
            continue;
        }
        if !ended {
            log.warning = Some(format!("{shown}: line {number} is cut short and is not used"));
            break;
        }
        let text = std::str::from_utf8(&line).ok().map(str::trim_end);
        let Some(mut entry) = text.and_then(|text| entry(text, number)) else {
            bail!(
                "{shown}: line {number} is not of the form `ace-KIND t_ms=N tick=N name=value …`; delete it or log anew"
            )
        };
        if entry.t_ms + offset < last {
            ensure!(
                entry.kind == "worker",
                "{shown}: line {number}: time goes back from {last} ms; one log holds one process"
            );
            offset = last;
        }
        entry.t_ms += offset;
        last = entry.t_ms;
        ensure!(
            log.entries.len() < LINES_MAX,
            "{shown}: more than {LINES_MAX} lines; cut out the part of interest"
        );
        log.entries.push(entry);
    }
    ensure!(
        !log.entries.is_empty(),
        "{shown}: holds no line of a decision log; run the program with ACE_LEARN=on (or observe) and ACE_LOG=decisions, and keep its standard error"
    );
    Ok(log)
}

fn entry(text: &str, line: usize) -> Option<Entry> {
    let mut words = text.split(' ');
    let kind = words.next()?.strip_prefix("ace-")?;
    let is_name = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let is_value = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    let t_ms: u64 = words.next()?.strip_prefix("t_ms=")?.parse().ok()?;
    words.next()?.strip_prefix("tick=")?.parse::<u64>().ok()?;
    let fields: Option<Vec<(String, String)>> = words
        .map(|word| word.split_once('=').filter(|(name, value)| is_name(name) && is_value(value)))
        .map(|field| field.map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();
    let fields = fields?;
    (is_name(kind) && t_ms <= T_MS_MAX && fields.len() <= FIELDS_MAX).then(|| Entry {
        line,
        kind: kind.to_owned(),
        t_ms,
        fields,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Log> {
        parse(text.as_bytes(), "f")
    }

    const GOOD: &str = "ace-decision t_ms=200 tick=2 applied=1 knob=slots_shift class=9 block_bytes=160 from=0 to=-1 because=tight";

    #[test]
    fn lines_between_a_programs_own_are_read() {
        let text = format!(
            "hello\nace-worker t_ms=0 tick=0 state=started mode=on\nwarn: x=1\n{GOOD}\n{}\n",
            "y".repeat(9000)
        );
        let log = parsed(&text).unwrap();
        assert_eq!(log.entries.len(), 2);
        let decision = &log.entries[1];
        assert_eq!((decision.line, decision.t_ms, decision.kind.as_str()), (4, 200, "decision"));
        assert_eq!(
            (decision.number("to"), decision.word("because"), decision.count("none")),
            (Some(-1), Some("tight"), 0)
        );
    }

    #[test]
    fn malformed_lines_are_refused_with_their_number() {
        for bad in [
            "ace-decision",
            "ace-decision t_ms=x tick=1",
            "ace-decision t_ms=-1 tick=1",
            "ace-decision t_ms=1 tick=",
            "ace-decision tick=1 t_ms=1",
            "ace-decision t_ms=1 tick=1 knob",
            "ace-decision t_ms=1 tick=1  knob=a",
            "ace-decision t_ms=1 tick=1 knob=a=b",
            "ace-decision t_ms=1 tick=1 knob=\u{1b}[31m",
            "ace- t_ms=1 tick=1",
            "ace-decision t_ms=99999999999999999999 tick=1",
        ] {
            let error = parsed(&format!("{GOOD}\n{bad}\n")).unwrap_err().to_string();
            assert!(error.starts_with("f: line 2 "), "{bad}: {error}");
        }
        let long = format!("{GOOD}\nace-memory t_ms=300 tick=1 a={}\n", "1".repeat(300));
        assert!(parsed(&long).unwrap_err().to_string().contains("line 2 is longer than"));
    }

    #[test]
    fn a_cut_line_is_dropped_and_an_empty_log_refused() {
        let log = parsed(&format!("{GOOD}\nace-memory t_ms=300 ti")).unwrap();
        assert_eq!(log.entries.len(), 1);
        assert!(log.warning.unwrap().contains("line 2 is cut short"));
        assert!(
            parsed("ace-alloc: ACE_BATCH=x is not understood\n")
                .unwrap_err()
                .to_string()
                .contains("ACE_LOG=decisions")
        );
    }

    #[test]
    fn a_second_workers_clock_goes_on_behind_the_first() {
        let worker = "ace-worker t_ms=0 tick=0 state=started mode=on\n";
        let log = parsed(&format!("{worker}{GOOD}\n{worker}{GOOD}\n")).unwrap();
        let times: Vec<u64> = log.entries.iter().map(|entry| entry.t_ms).collect();
        assert_eq!(times, [0, 200, 200, 400]);
        assert!(
            parsed(&format!("{GOOD}\nace-memory t_ms=1 tick=1\n"))
                .unwrap_err()
                .to_string()
                .contains("line 2")
        );
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        let mut seed = 42u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize
        };
        for _ in 0..3000 {
            let mut bytes = format!("{GOOD}\n{GOOD}\n").into_bytes();
            for _ in 0..1 + next() % 4 {
                let at = next() % bytes.len();
                bytes[at] = next() as u8;
            }
            let _ = parse(bytes.as_slice(), "f");
        }
    }
}
