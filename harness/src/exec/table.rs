//! The table of an `exec`, and its runs as CSV.

use super::verdict::{Figure, Runs, words};
use crate::tables::format::{mebibytes, ratio_interval, significant};
use crate::tables::{Cell, Table};

/// One row an engine; the first is the reference.
pub fn table(all: &[Runs], compare_output: bool) -> Table {
    let head = [
        "engine",
        "wall, s",
        "× time",
        "CPU, s",
        "RSS peak, MiB",
        "× RSS",
        "VmPeak, MiB",
        "minor faults",
        "verified",
    ];
    let mut table = Table::new("", "", 1, head.map(String::from).to_vec());
    let Some(reference) = all.first() else { return table };
    for runs in all {
        let figure = |figure: Figure, write: &dyn Fn(f64) -> String| Cell::figure(runs.median(figure), write);
        let ratio = |figure: Figure| match runs.ratio(figure, reference) {
            Some(found) => Cell::number(ratio_interval(&found), found.median),
            None => Cell::text("–"),
        };
        let seconds = |ns: f64| significant(ns / 1e9);
        let faults = runs.faults(reference, compare_output);
        let ending = runs.found.first().map_or_else(|| "–".into(), |found| words(&found.ending));
        let same = if compare_output { ", same output" } else { "" };
        let verified = if faults.is_empty() { format!("{ending}{same}, served") } else { faults.join("; ") };
        table.push(vec![
            Cell::text(&runs.label),
            figure(Figure::Wall, &seconds),
            ratio(Figure::Wall),
            figure(Figure::Cpu, &seconds),
            figure(Figure::Resident, &mebibytes),
            ratio(Figure::Resident),
            figure(Figure::Reserved, &mebibytes),
            figure(Figure::Faults, &significant),
            Cell::text(verified),
        ]);
    }
    table
}

/// Every run, raw.
pub fn csv(all: &[Runs]) -> String {
    let mut out = String::from(
        "engine,block,ending,wall_ns,user_ns,sys_ns,resident_bytes_peak,reserved_bytes_peak,faults_minor,faults_major,\
         output_hash,output_bytes,processes,unserved,maps_hold_library,limit\n",
    );
    for runs in all {
        for (block, found) in runs.found.iter().enumerate() {
            let processes: u32 = found.served.iter().map(|(_, count)| count).sum();
            let mapped = found.mapped.map_or_else(String::new, |mapped| mapped.to_string());
            out.push_str(&format!(
                "{},{block},{},{},{},{},{},{},{},{},{:016x},{},{processes},{},{mapped},{}\n",
                runs.label.replace([',', '"', '\n'], " "),
                words(&found.ending),
                found.wall_ns,
                found.user_ns,
                found.sys_ns,
                found.resident_bytes_peak,
                found.reserved_bytes_peak,
                found.faults_minor,
                found.faults_major,
                found.output_hash,
                found.output_bytes,
                found.unserved,
                found.limit,
            ));
        }
    }
    out
}

/// Resident bytes of the first run of each engine over time.
pub fn timeline_csv(all: &[Runs]) -> String {
    let mut out = String::from("engine,t_ns,resident_bytes\n");
    for runs in all {
        for (t_ns, bytes) in runs.found.first().map(|found| &found.timeline[..]).unwrap_or_default() {
            out.push_str(&format!("{},{t_ns},{bytes}\n", runs.label.replace([',', '"', '\n'], " ")));
        }
    }
    out
}
