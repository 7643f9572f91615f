//! How far a run is and how long it will still take: a bar where standard error is a terminal, a line every few
//! seconds where it is a file or a pipe.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Between two lines where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(15);

/// Progress in units of estimated time, so that the time left is meaningful although cells differ a hundredfold.
pub struct Progress {
    bar: Option<ProgressBar>,
    total_ns: f64,
    done_ns: f64,
    started: Instant,
    spoken: Instant,
}

impl Progress {
    /// A run that is estimated to take `total_ns`.
    pub fn new(total_ns: f64) -> Progress {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(1000);
            let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_secs(1));
            bar
        });
        let now = Instant::now();
        Progress { bar, total_ns, done_ns: 0.0, started: now, spoken: now }
    }

    /// Replaces the estimate of what is still to do.
    pub fn set_remaining(&mut self, remaining_ns: f64) {
        self.total_ns = self.done_ns + remaining_ns;
    }

    /// Says what is being measured.
    pub fn show(&mut self, what: &str) {
        let share = (self.done_ns / self.total_ns.max(1.0)).clamp(0.0, 1.0);
        let left = self.left();
        match &self.bar {
            Some(bar) => {
                bar.set_position((share * 1000.0) as u64);
                bar.set_message(format!("{}  {what}", said(left)));
            }
            None if self.spoken.elapsed() >= LINE_INTERVAL => {
                self.spoken = Instant::now();
                eprintln!("{:>3.0} %  {}  {what}", share * 100.0, said(left));
            }
            None => {}
        }
    }

    /// Counts something that was estimated at `ns` as done.
    pub fn advance(&mut self, ns: f64) {
        self.done_ns += ns;
    }

    /// Ends the display.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    /// Time left, from the estimate corrected by how the estimate did so far.
    fn left(&self) -> Option<Duration> {
        let remaining_ns = (self.total_ns - self.done_ns).max(0.0);
        if self.done_ns < 1e9 {
            return None;
        }
        let pace = self.started.elapsed().as_nanos() as f64 / self.done_ns;
        Some(Duration::from_nanos((remaining_ns * pace) as u64))
    }
}

fn said(left: Option<Duration>) -> String {
    match left.map(|left| left.as_secs()) {
        None => "estimating time left".into(),
        Some(seconds) if seconds >= 3600 => format!("{} h {:02} min left", seconds / 3600, seconds / 60 % 60),
        Some(seconds) if seconds >= 60 => format!("{} min {:02} s left", seconds / 60, seconds % 60),
        Some(seconds) => format!("{seconds} s left"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_said_in_words() {
        assert_eq!(said(Some(Duration::from_secs(59))), "59 s left");
        assert_eq!(said(Some(Duration::from_secs(61))), "1 min 01 s left");
        assert_eq!(said(Some(Duration::from_secs(3_725))), "1 h 02 min left");
    }
}
