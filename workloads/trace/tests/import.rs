//! AOSP's text: the forms of its lines, its errors, and the one large example where it is at hand.

use std::path::Path;

use trace::import::{self, Imported};
use trace::info::Info;
use trace::{Ending, Meta, Reader, Writer};

fn import(text: &str) -> Result<(Imported, Vec<u8>), String> {
    let mut writer = Writer::new(Vec::new(), &Meta::default()).unwrap();
    let done = import::from_text(text.as_bytes(), "text", &mut writer)?;
    Ok((done, writer.finish().unwrap()))
}

fn info(bytes: &[u8]) -> Info {
    let mut reader = Reader::new(bytes).unwrap();
    let mut info = Info::default();
    reader.for_each(|_, event| info.add(event).unwrap());
    assert_eq!(*reader.ending(), Ending::Complete);
    info
}

#[test]
fn every_operation_is_understood() {
    let text = "7: malloc 0x10 100\n7: calloc 0x20 3 5\n8: memalign 0x40 64 10\n7: realloc 0x10 0x10 50\n\
                8: realloc 0x90 0x20 80\n7: realloc 0xa0 0x0 1\n8: free 0x10\n8: free 0x0\n8: thread_done 0x0\n";
    let (done, bytes) = import(text).unwrap();
    assert_eq!((done.events, done.threads, done.strays, done.conflicts), (9, 2, 1, 0));
    let info = info(&bytes);
    assert_eq!((info.allocs, info.frees, info.reallocs, info.moved), (4, 1, 2, 1));
    assert_eq!((info.zeroed, info.aligned, info.cross_thread_frees), (1, 1, 1));
    assert_eq!((info.peak_live_bytes, info.end_live_bytes), (141, 91));
    assert_eq!(done.peak_live_bytes, info.peak_live_bytes);
}

#[test]
fn what_is_not_understood_is_named_with_its_line() {
    for (text, says) in [
        ("hello\n", "line 1: is not of the form"),
        ("1: malloc 0x1 2\n1: grow 0x1\n", "line 2: operation 'grow'"),
        ("1: malloc zz 2\n", "'zz' is not a number"),
        ("1: malloc 0x1\n", "a number is missing"),
        ("1: malloc 0x1 999999999999999999\n", "are no size"),
        ("1: memalign 0x1 3 5\n", "alignment 3"),
        ("1: calloc 0x1 140737488355328 140737488355328\n", "overflow"),
    ] {
        let what = import(text).err().unwrap();
        assert!(what.contains(says) && what.lines().count() == 1, "{text}: {what}");
    }
    let long = "1: malloc 0x1 2 ".repeat(100);
    assert!(import(&long).err().unwrap().contains("longer than"));
}

#[test]
fn an_allocation_on_a_live_block_frees_it_and_is_counted() {
    let (done, bytes) = import("1: malloc 0x1 10\n1: malloc 0x1 20\n").unwrap();
    assert_eq!(done.conflicts, 1);
    assert_eq!((info(&bytes).peak_live_bytes, info(&bytes).end_live_bytes), (20, 20));
}

/// The counts are those of the text itself, taken with other tools.
#[test]
fn the_surfaceflinger_trace_of_aosp() {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let found =
        folders.map(|folder| folder.join("shared/traces/surfaceflinger.zip")).find(|path| path.exists());
    let Some(path) = found else {
        println!("skipped: ../shared/traces/surfaceflinger.zip is not there");
        return;
    };
    let mut writer = Writer::new(Vec::new(), &Meta::default()).unwrap();
    let done = import::from_file(&path, &mut writer).unwrap();
    let bytes = writer.finish().unwrap();
    assert_eq!((done.events, done.threads), (2_455_240, 15));
    assert_eq!((done.strays, done.conflicts), (2_514, 0));
    assert_eq!(done.peak_live_bytes, 2_063_697);
    let info = info(&bytes);
    assert_eq!(info.peak_live_bytes, 2_063_697);
    assert_eq!((info.end_live_bytes, info.end_live_blocks), (1_516_677, 3_567));
    assert_eq!(info.cross_thread_frees, 22_209);
    assert_eq!(info.calls(), 2_455_239);
    assert_eq!(info.reallocs + info.allocs, 44_229 + 1_142_990 + 73_781);
}
