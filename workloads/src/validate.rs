//! What a specification may say. Checked once; everything behind [`Workload::validate`] relies on it.
//!
//! Bounds are wide enough for any machine of today and narrow enough that a file from elsewhere can ask neither for
//! terabytes nor for years. An error is one line: the field, what it holds, and what it may hold.

use crate::spec::{Action, Churn, Model, Sizes, Step, ThreadChurn, Workload};
use crate::steal::NODE_ALIGN_BYTES;
use crate::stream::OPERAND_BITS;

/// Largest block, bytes.
pub const SIZE_MAX_BYTES: usize = 256 << 20;
/// Largest alignment, bytes.
pub const ALIGN_MAX_BYTES: usize = 4 << 20;
/// Bytes that one thread may hold live, were all blocks of the largest size.
pub const LIVE_MAX_BYTES: u64 = 16 << 30;
/// Blocks that one thread may hold live.
pub const LIVE_MAX: u64 = 1 << 26;
/// Operations of one thread.
pub const OPS_MAX: u64 = 1 << 36;
/// Sizes of a weighted distribution.
const VALUES_MAX: usize = 4096;
/// Threads started one after another.
const STARTS_MAX: u64 = 10_000_000;
/// Milliseconds of an idle step.
const IDLE_MAX_MS: u64 = 600_000;
/// Steps of phases.
const STEPS_MAX: usize = 1000;
/// p(alloc) from which a live set is sure to fill up in reasonable time.
const WARM_UP_P_ALLOC_MIN: f64 = 0.51;

const _: () = assert!(SIZE_MAX_BYTES < 1 << OPERAND_BITS && LIVE_MAX < 1 << OPERAND_BITS);

type Check = Result<(), String>;

impl Workload {
    /// Checks every value; the error names the workload, the field and the remedy, on one line.
    pub fn validate(&self) -> Result<(), String> {
        self.check().map_err(|what| format!("workload `{}`: {what}", plain(&self.name)))
    }

    fn check(&self) -> Check {
        name("name", &self.name, "abcdefghijklmnopqrstuvwxyz0123456789_+.-")?;
        name("group", &self.group, "abcdefghijklmnopqrstuvwxyz0123456789_+.-")?;
        if self.about.len() > 300 || self.about.contains(|c: char| c.is_control()) {
            return Err("`about`: give one line of at most 300 bytes".into());
        }
        if !self.align.is_power_of_two() || self.align > ALIGN_MAX_BYTES {
            return Err(format!("`align` is {}: give a power of two up to {ALIGN_MAX_BYTES}", self.align));
        }
        match &self.model {
            Model::Churn(model) => churn("churn", model),
            Model::Batch(model) => {
                count("batch.cycles", model.cycles, 1, OPS_MAX)?;
                held("batch.batch", model.batch, "batch.sizes", &model.sizes)?;
                product("batch.batch × batch.cycles", model.batch as u64, model.cycles)
            }
            Model::Slots(model) => {
                count("slots.cycles", model.cycles, 1, OPS_MAX)?;
                share("slots.handoff", model.handoff)?;
                share("slots.resize", model.resize)?;
                held("slots.slots", model.slots, "slots.sizes", &model.sizes)
            }
            Model::Relay(model) => {
                count("relay.blocks", model.blocks, 1, OPS_MAX)?;
                held("relay.ring", model.ring, "relay.sizes", &model.sizes)
            }
            Model::Larson(model) => {
                count("larson.cycles", model.cycles, 1, OPS_MAX)?;
                count("larson.generations", model.generations.into(), 1, 100_000)?;
                held("larson.slots", model.slots, "larson.sizes", &model.sizes)?;
                product("larson.cycles × larson.generations", model.cycles, model.generations.into())
            }
            Model::Steal(model) => {
                count("steal.depth", model.depth.into(), 1, 24)?;
                count("steal.trees", model.trees.into(), 1, 1_000_000)?;
                product("2^steal.depth × steal.trees", 1 << model.depth, 64 * u64::from(model.trees))?;
                if self.align < NODE_ALIGN_BYTES {
                    return Err(format!("`align` is {}: trees need at least {NODE_ALIGN_BYTES}", self.align));
                }
                held("2^steal.depth", 1 << model.depth, "steal.sizes", &model.sizes)
            }
            Model::Phases(model) => phases(&model.steps),
            Model::ThreadChurn(model) => thread_churn("thread_churn", model),
            Model::Replay(model) => {
                if model.path.is_empty() || model.path.len() > 4096 {
                    return Err("`replay.path`: name a trace file".into());
                }
                count("replay.threads", model.threads as u64, 1, crate::replay::THREADS_MAX as u64)
            }
        }
    }
}

/// A name that is safe to print: a hostile file's may hold anything.
fn plain(name: &str) -> String {
    name.chars().take(40).flat_map(char::escape_default).collect()
}

fn name(field: &str, value: &str, allowed: &str) -> Check {
    if value.is_empty() || value.len() > 40 || value.contains(|c| !allowed.contains(c)) {
        return Err(format!("`{field}`: give 1 to 40 characters of a-z 0-9 _ + . -"));
    }
    Ok(())
}

fn count(field: &str, value: u64, low: u64, high: u64) -> Check {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(format!("`{field}` is {value}: give {low} to {high}"))
}

fn share(field: &str, value: f64) -> Check {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(format!("`{field}` is {value}: give a number from 0 to 1"))
}

fn product(fields: &str, a: u64, b: u64) -> Check {
    match a.checked_mul(b) {
        Some(ops) if ops <= OPS_MAX => Ok(()),
        _ => Err(format!("`{fields}` is above {OPS_MAX}: lower one of them")),
    }
}

/// Checks a distribution; its largest size.
fn sizes(field: &str, sizes: &Sizes) -> Result<usize, String> {
    let one = |size: usize| {
        count(field, size as u64, 1, SIZE_MAX_BYTES as u64).map_err(|error| format!("{error} (bytes)"))
    };
    match sizes {
        Sizes::Weighted { values, weights } => {
            count(&format!("{field}.values (how many)"), values.len() as u64, 1, VALUES_MAX as u64)?;
            if values.len() != weights.len() {
                let (values, weights) = (values.len(), weights.len());
                return Err(format!("`{field}` has {values} values and {weights} weights: give one a value"));
            }
            values.iter().try_for_each(|&value| one(value))?;
            let sum: f64 = weights.iter().sum();
            if weights.iter().any(|weight| !(0.0..=1e12).contains(weight)) || sum < 1e-12 {
                return Err(format!("`{field}.weights`: give numbers from 0 to 1e12, not all 0"));
            }
            Ok(values.iter().copied().max().unwrap_or(1))
        }
        &Sizes::Uniform(low, high) | &Sizes::LogUniform(low, high) => {
            one(low)?;
            one(high)?;
            if low > high {
                return Err(format!("`{field}` goes from {low} down to {high}: swap them"));
            }
            Ok(high)
        }
    }
}

/// Checks a number of live blocks against their largest size.
fn held(field: &str, blocks: usize, sizes_field: &str, distribution: &Sizes) -> Check {
    let largest = sizes(sizes_field, distribution)?;
    let most = LIVE_MAX.min(LIVE_MAX_BYTES / largest as u64);
    count(field, blocks as u64, 1, most)
}

fn churn(field: &str, churn: &Churn) -> Check {
    count(&format!("{field}.ops"), churn.ops, 1, OPS_MAX)?;
    share(&format!("{field}.p_alloc"), churn.p_alloc)?;
    share(&format!("{field}.handoff"), churn.handoff)?;
    if churn.warm_up && churn.p_alloc < WARM_UP_P_ALLOC_MIN {
        let p_alloc = churn.p_alloc;
        return Err(format!(
            "`{field}.p_alloc` is {p_alloc}: a warm-up needs at least {WARM_UP_P_ALLOC_MIN} to fill the live set"
        ));
    }
    held(&format!("{field}.live_max"), churn.live_max, &format!("{field}.sizes"), &churn.sizes)
}

fn thread_churn(field: &str, churn: &ThreadChurn) -> Check {
    count(&format!("{field}.starts"), churn.starts, 1, STARTS_MAX)?;
    held(&format!("{field}.blocks"), churn.blocks, &format!("{field}.sizes"), &churn.sizes)?;
    product(&format!("{field}.starts × {field}.blocks"), churn.starts, churn.blocks as u64)
}

fn phases(steps: &[Step]) -> Check {
    count("phases.steps (how many)", steps.len() as u64, 1, STEPS_MAX as u64)?;
    let (mut live_bytes, mut live) = (0_u64, 0_u64);
    for (number, step) in steps.iter().enumerate() {
        let field = format!("phases.steps[{number}]");
        name(&format!("{field}.name"), &step.name, "abcdefghijklmnopqrstuvwxyz0123456789_+.-")?;
        share(&format!("{field}.keep"), step.keep)?;
        let added = match &step.action {
            Action::Idle(ms) => {
                count(&format!("{field}.action.idle (ms)"), *ms, 0, IDLE_MAX_MS)?;
                None
            }
            Action::Churn(model) => {
                churn(&format!("{field}.action.churn"), model)?;
                if model.warm_up {
                    return Err(format!("`{field}.action.churn.warm_up`: a phase has none, leave it out"));
                }
                Some((&model.sizes, model.live_max))
            }
            Action::Burst { sizes, blocks } => {
                let burst = format!("{field}.action.burst");
                held(&format!("{burst}.blocks"), *blocks, &format!("{burst}.sizes"), sizes)?;
                Some((sizes, *blocks))
            }
            Action::Threads(model) => {
                thread_churn(&format!("{field}.action.threads"), model)?;
                Some((&model.sizes, model.blocks))
            }
        };
        if let Some((distribution, blocks)) = added {
            live += blocks as u64;
            live_bytes += sizes(&field, distribution)? as u64 * blocks as u64;
        }
    }
    if live > LIVE_MAX || live_bytes > LIVE_MAX_BYTES {
        let what = format!("at most {LIVE_MAX} blocks and {LIVE_MAX_BYTES} bytes");
        return Err(format!("`phases.steps` may hold {live} blocks, {live_bytes} bytes: give {what}"));
    }
    Ok(())
}
