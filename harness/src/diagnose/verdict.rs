//! From snapshots to one sentence. Pure: the same snapshots give the same verdict.
//!
//! A *leak* is live bytes that grow and go on growing; memory that is held but does not grow is *held*; memory that
//! is free and resident is *retention*, and then the allocator's figures name the mechanism. A program that fills a cache looks
//! like a leak until the cache is full: the sentence says how fast it grows, over how long it was watched.

use serde::{Deserialize, Serialize};

use super::snapshot::Snapshot;

/// Heaps below this are not worth a finding.
const SMALL_BYTES: u64 = 16 << 20;
/// Growth below this over the whole time watched is no leak.
const GROWTH_BYTES_MIN: f64 = 1_048_576.0;
/// Growth below this share of what is live is no leak.
const GROWTH_SHARE_MIN: f64 = 0.02;
/// The second half of the time must bring this share of the growth, or it has stopped.
const SECOND_HALF_MIN: f64 = 0.25;
/// This share of the steps must go up.
const STEPS_UP_MIN: f64 = 0.7;
/// Fewest snapshots that show growth.
const SNAPSHOTS_MIN: usize = 4;
/// From this share of the heap on, live bytes are what holds it.
const HELD_SHARE: f64 = 0.6;

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Live bytes grow and go on growing.
    Leak,
    /// The program holds it.
    Held,
    /// Free bytes in glibc's arenas.
    ArenaRetention,
    /// Free pages that the allocator has not returned.
    UnreturnedPages,
    /// Blocks in thread caches.
    ThreadCaches,
    /// Free bytes between live ones.
    Fragmentation,
    /// Returned by MADV_FREE, still counted.
    LazyFree,
    /// Stacks.
    Stacks,
    /// Files or shared memory.
    NotTheHeap,
    /// Too little to matter.
    Small,
    /// The allocator says nothing.
    Unknown,
}

impl Class {
    /// Whether the memory is free and kept.
    pub fn is_retention(self) -> bool {
        matches!(
            self,
            Class::ArenaRetention
                | Class::UnreturnedPages
                | Class::ThreadCaches
                | Class::Fragmentation
                | Class::LazyFree
        )
    }
}

/// The finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What it is.
    pub class: Class,
    /// One sentence.
    pub sentence: String,
    /// Growth of live bytes, bytes a minute, where known.
    pub live_growth_bytes_per_minute: Option<f64>,
}

/// Judges; `trimmed_bytes` is the resident set after a trim, where one was asked for.
pub fn judge(snapshots: &[Snapshot], trimmed_bytes: Option<u64>) -> Option<Verdict> {
    let last = snapshots.last()?;
    let live: Vec<(f64, f64)> =
        snapshots.iter().filter_map(|look| Some((look.t_s, look.live_bytes()? as f64))).collect();
    let growth = slope(&live).map(|per_second| per_second * 60.0);
    let verdict = |class: Class, sentence: String| {
        Some(Verdict { class, sentence, live_growth_bytes_per_minute: growth })
    };
    if let Some(per_minute) = growth.filter(|_| grows(&live)) {
        let (from, to) = (live[0], live[live.len() - 1]);
        return verdict(
            Class::Leak,
            format!(
                "Leak: live bytes grew from {} to {} in {:.0} s ({} a minute) and go on growing; the allocator cannot return what the program holds.",
                mb(from.1),
                mb(to.1),
                to.0 - from.0,
                mb(per_minute)
            ),
        );
    }
    let kinds = &last.kinds;
    let resident = kinds.resident_bytes;
    if kinds.stack_bytes * 2 > resident && resident > SMALL_BYTES {
        return verdict(
            Class::Stacks,
            format!(
                "Stacks: {} of {} resident lie in the stacks of {} threads.",
                mb(kinds.stack_bytes as f64),
                mb(resident as f64),
                last.threads
            ),
        );
    }
    if kinds.heap_bytes() * 2 < resident && resident > SMALL_BYTES {
        return verdict(
            Class::NotTheHeap,
            format!(
                "Not the heap: of {} resident, {} are program and libraries and {} shared memory.",
                mb(resident as f64),
                mb(kinds.file_bytes as f64),
                mb(kinds.shared_bytes as f64)
            ),
        );
    }
    let heap = kinds.heap_bytes();
    if heap < SMALL_BYTES {
        return verdict(Class::Small, format!("Nothing to find: the heap has {} resident.", mb(heap as f64)));
    }
    if kinds.lazy_bytes * 2 > heap {
        return verdict(
            Class::LazyFree,
            format!(
                "Retention on paper: {} of {} were returned by MADV_FREE; the system takes them when it needs memory.",
                mb(kinds.lazy_bytes as f64),
                mb(heap as f64)
            ),
        );
    }
    let Some(live_now) = last.live_bytes() else { return without_live(last, trimmed_bytes, growth) };
    if live_now as f64 >= HELD_SHARE * heap as f64 {
        return verdict(
            Class::Held,
            format!(
                "Held: {} of {} on the heap are live, and they did not grow steadily in {:.0} s; if this is too much, the program holds too much (or leaked earlier: watch it for longer, under load).",
                mb(live_now as f64),
                mb(heap as f64),
                last.t_s
            ),
        );
    }
    let (class, mechanism) = mechanism(last, live_now, trimmed_bytes);
    verdict(
        class,
        format!(
            "Retention, not a leak: {} of {} on the heap are free; {mechanism}.",
            mb(heap.saturating_sub(live_now) as f64),
            mb(heap as f64)
        ),
    )
}

/// Which free memory it is, by the allocator's figures.
fn mechanism(look: &Snapshot, live: u64, trimmed: Option<u64>) -> (Class, String) {
    let Some(heap) = &look.heap else { return (Class::Unknown, "its allocator says nothing more".into()) };
    let free = look.kinds.heap_bytes().saturating_sub(live);
    let half = |bytes: Option<u64>| bytes.is_some_and(|bytes| bytes * 2 > free);
    let returns = trimmed.map_or_else(String::new, |after| {
        format!("; a trim returned {}", mb(look.kinds.resident_bytes.saturating_sub(after) as f64))
    });
    if heap.engine == "glibc" {
        let share = heap.utilisation().unwrap_or(0.0) * 100.0;
        let sentence = format!(
            "arena utilisation collapsed: glibc's {} arenas (for {} threads) keep {} and have {} of it allocated ({share:.1} %, thread caches included), while only {} lie at the top, where glibc returns them by itself{returns}",
            heap.arenas.unwrap_or(0),
            look.threads,
            mb(heap.arena_bytes.unwrap_or(0) as f64),
            mb(heap.allocated_bytes.unwrap_or(0) as f64),
            mb(heap.releasable_bytes.unwrap_or(0) as f64)
        );
        return (Class::ArenaRetention, sentence);
    }
    let dirty = heap.dirty_bytes.map(|dirty| dirty + heap.lazy_bytes.unwrap_or(0));
    if half(dirty) {
        let why = match heap.engine.as_str() {
            "jemalloc" if heap.extra.get("background_thread") == Some(&0) => {
                ", because without its background thread jemalloc purges only while the program allocates"
            }
            _ => "",
        };
        let pages = mb(dirty.unwrap_or(0) as f64);
        return (
            Class::UnreturnedPages,
            format!("{} keeps {pages} of free pages{why}{returns}", heap.engine),
        );
    }
    // ACE counts blocks in caches as allocated; where the program counts too, the difference is the caches.
    let beyond_live = heap.counted_live_bytes.zip(heap.allocated_bytes);
    let beyond_live = beyond_live.map(|(live, allocated)| allocated.saturating_sub(live));
    let caches = heap.thread_cache_bytes.or(beyond_live);
    if half(caches) {
        let bytes = mb(caches.unwrap_or(0) as f64);
        let text =
            format!("{} keeps {bytes} in the caches of {} threads{returns}", heap.engine, look.threads);
        return (Class::ThreadCaches, text);
    }
    let text = format!(
        "{} keeps them between live blocks, in its caches, or in pages that it has not returned{returns}",
        heap.engine
    );
    (Class::Fragmentation, text)
}

/// What can be said without live bytes.
fn without_live(look: &Snapshot, trimmed: Option<u64>, growth: Option<f64>) -> Option<Verdict> {
    let heap = look.kinds.heap_bytes();
    let returned = trimmed.map(|after| look.kinds.resident_bytes.saturating_sub(after));
    let verdict = |class, sentence| Some(Verdict { class, sentence, live_growth_bytes_per_minute: growth });
    match (&look.heap, returned) {
        (Some(report), Some(returned)) if returned * 2 > heap => verdict(
            Class::UnreturnedPages,
            format!(
                "Retention, not a leak: a trim of {} returned {} of {}.",
                report.engine,
                mb(returned as f64),
                mb(heap as f64)
            ),
        ),
        (Some(report), _) => verdict(
            Class::Unknown,
            format!(
                "Undecided: {} does not count live bytes in this build; {} are on the heap. Try --trim, or watch the same load under another allocator.",
                report.engine,
                mb(heap as f64)
            ),
        ),
        (None, _) => verdict(
            Class::Unknown,
            format!(
                "Undecided: {} are on the heap, and the process does not answer; start it with LD_PRELOAD=libheap_probe_preload.so (behind its allocator, if it preloads one) or as `allocbench diagnose -- COMMAND`.",
                mb(heap as f64)
            ),
        ),
    }
}

/// Whether a series grows and has not stopped.
fn grows(series: &[(f64, f64)]) -> bool {
    if series.len() < SNAPSHOTS_MIN {
        return false;
    }
    let (first, last) = (series[0].1, series[series.len() - 1].1);
    let growth = last - first;
    if growth < GROWTH_BYTES_MIN.max(GROWTH_SHARE_MIN * first) {
        return false;
    }
    let up = series.windows(2).filter(|pair| pair[1].1 > pair[0].1).count();
    let late = last - series[series.len() / 2].1;
    up as f64 >= STEPS_UP_MIN * (series.len() - 1) as f64 && late >= SECOND_HALF_MIN * growth
}

/// Median of the slopes of all pairs: one burst does not bend it.
fn slope(series: &[(f64, f64)]) -> Option<f64> {
    let mut slopes = Vec::new();
    for (at, early) in series.iter().enumerate() {
        for late in &series[at + 1..] {
            if late.0 > early.0 {
                slopes.push((late.1 - early.1) / (late.0 - early.0));
            }
        }
    }
    crate::analysis::robust::median(&slopes)
}

/// Bytes in words.
pub fn mb(bytes: f64) -> String {
    format!("{} MB", crate::tables::format::significant(bytes / 1e6))
}

#[cfg(test)]
mod tests {
    use super::super::smaps::Kinds;
    use super::*;
    use heap_probe::Report;

    fn look(t_s: f64, heap_mb: u64, live_mb: u64, report: Report) -> Snapshot {
        let kinds = Kinds {
            resident_bytes: (heap_mb + 5) << 20,
            arena_bytes: heap_mb << 20,
            file_bytes: 5 << 20,
            ..Kinds::default()
        };
        let heap = Report { counted_live_bytes: Some(live_mb << 20), ..report };
        Snapshot { t_s, threads: 100, kinds, heap: Some(heap) }
    }

    fn glibc() -> Report {
        Report {
            engine: "glibc".into(),
            arenas: Some(16),
            arena_bytes: Some(400 << 20),
            allocated_bytes: Some(20 << 20),
            releasable_bytes: Some(1 << 20),
            ..Report::default()
        }
    }

    fn class(looks: &[Snapshot]) -> Class {
        judge(looks, None).unwrap().class
    }

    #[test]
    fn steady_growth_of_live_bytes_is_a_leak() {
        let looks: Vec<_> =
            (0..10).map(|i| look(f64::from(i), 400 + 5 * i as u64, 100 + 5 * i as u64, glibc())).collect();
        let verdict = judge(&looks, None).unwrap();
        assert_eq!(verdict.class, Class::Leak);
        assert!(verdict.sentence.contains("315 MB a minute"), "{}", verdict.sentence);
    }

    #[test]
    fn a_burst_that_is_over_is_retention_and_names_the_arenas() {
        let live = [1, 90, 180, 90, 2, 2, 2, 2];
        let looks: Vec<_> =
            live.iter().enumerate().map(|(i, &mb)| look(i as f64, 400, mb, glibc())).collect();
        let verdict = judge(&looks, None).unwrap();
        assert_eq!(verdict.class, Class::ArenaRetention);
        assert!(
            verdict.sentence.contains("arena utilisation collapsed") && verdict.sentence.contains("5.0 %"),
            "{}",
            verdict.sentence
        );
    }

    #[test]
    fn growth_that_has_stopped_is_no_leak() {
        let live = [100, 150, 200, 250, 251, 251, 252, 252];
        let looks: Vec<_> =
            live.iter().enumerate().map(|(i, &mb)| look(i as f64, 300, mb, glibc())).collect();
        assert_eq!(class(&looks), Class::Held);
    }

    #[test]
    fn noise_is_no_leak() {
        let live = [200, 230, 190, 240, 180, 235, 200, 245];
        let looks: Vec<_> =
            live.iter().enumerate().map(|(i, &mb)| look(i as f64, 300, mb, glibc())).collect();
        assert_ne!(class(&looks), Class::Leak);
    }

    #[test]
    fn mechanisms_are_told_apart() {
        let jemalloc = |dirty: u64, caches: u64| Report {
            engine: "jemalloc".into(),
            dirty_bytes: Some(dirty << 20),
            thread_cache_bytes: Some(caches << 20),
            extra: [("background_thread".to_string(), 0)].into(),
            ..Report::default()
        };
        let verdict = judge(&[look(0.0, 300, 1, jemalloc(280, 5))], None).unwrap();
        assert_eq!(verdict.class, Class::UnreturnedPages);
        assert!(verdict.sentence.contains("background thread"), "{}", verdict.sentence);
        assert_eq!(class(&[look(0.0, 300, 1, jemalloc(5, 200))]), Class::ThreadCaches);
        assert_eq!(class(&[look(0.0, 300, 1, jemalloc(5, 5))]), Class::Fragmentation);
    }

    #[test]
    fn what_is_not_the_heap_is_said() {
        let mut looks = [look(0.0, 2, 1, glibc())];
        assert_eq!(class(&looks), Class::Small);
        looks[0].kinds.file_bytes = 90 << 20;
        looks[0].kinds.resident_bytes += 85 << 20;
        assert_eq!(class(&looks), Class::NotTheHeap);
        looks[0].kinds = Kinds { resident_bytes: 90 << 20, stack_bytes: 80 << 20, ..Kinds::default() };
        assert_eq!(class(&looks), Class::Stacks);
    }

    #[test]
    fn a_process_that_does_not_answer_gets_a_remedy() {
        let mut looks = [look(0.0, 300, 1, glibc())];
        looks[0].heap = None;
        let verdict = judge(&looks, None).unwrap();
        assert_eq!(verdict.class, Class::Unknown);
        assert!(verdict.sentence.contains("LD_PRELOAD"), "{}", verdict.sentence);
        assert_eq!(judge(&[], None), None);
    }
}
