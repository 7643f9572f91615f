//! Users' files and the bounds of specifications: what is wrong is said on one line that names it.

use std::io::Write;

use proptest::prelude::*;
use workloads::spec::{Churn, Model, Order, Sizes, Slots};
use workloads::{Workload, builtin, load, prepare};

fn load_text(text: &[u8]) -> Result<Vec<Workload>, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text).unwrap();
    load(file.path()).map_err(|error| error.replace(&file.path().display().to_string(), "FILE"))
}

const GOOD: &str = r#"[[workload]]
name = "mine"
about = "My own"
[workload.model.churn]
sizes = { uniform = [16, 64] }
p_alloc = 0.6
live_max = 100
ops = 1000
"#;

#[test]
fn a_good_file_is_loaded_with_defaults() {
    let workloads = load_text(GOOD.as_bytes()).unwrap();
    assert_eq!((workloads.len(), workloads[0].group.as_str(), workloads[0].align), (1, "user", 8));
    assert!(prepare(&workloads[0], 2, 42).is_ok());
}

#[test]
fn errors_name_file_workload_field_and_remedy_on_one_line() {
    let twice = format!("{GOOD}{GOOD}");
    let cases: [(String, &[&str]); 12] = [
        (GOOD.replace("0.6", "1.7"), &["workload `mine`", "churn.p_alloc", "1.7", "0 to 1"]),
        (GOOD.replace("0.6", "nan"), &["workload `mine`", "churn.p_alloc", "0 to 1"]),
        (GOOD.replace("[16, 64]", "[64, 16]"), &["workload `mine`", "churn.sizes", "swap"]),
        (GOOD.replace("[16, 64]", "[0, 16]"), &["workload `mine`", "churn.sizes", "1 to"]),
        (GOOD.replace("live_max = 100", "live_max = 100000000000"), &["churn.live_max", "give 1 to"]),
        (GOOD.replace("ops", "oops"), &["workload `mine`", "oops", "expected"]),
        (GOOD.replace("\"mine\"", "\"rl_small\""), &["workload `rl_small`", "built in", "choose another"]),
        (GOOD.replace("\"mine\"", "\"My name\\u001b[0m\""), &["`name`", "a-z"]),
        (GOOD.replace("[[workload]]", "[[wrkload]]"), &["[[workload]]"]),
        (GOOD.replace("p_alloc = 0.6", "p_alloc = = 0.6"), &["line 6"]),
        (twice, &["workload `mine`", "twice"]),
        (format!("extra = 1\n{GOOD}"), &["`extra`", "not known"]),
    ];
    for (text, words) in cases {
        let error = load_text(text.as_bytes()).unwrap_err();
        assert!(error.starts_with("FILE: "), "{error}");
        assert!(!error.contains(char::is_control), "{error:?}");
        assert!(words.iter().all(|word| error.contains(word)), "{error} lacks one of {words:?}");
    }
}

#[test]
fn files_that_cannot_be_read_are_refused() {
    assert!(load_text(&vec![b'#'; (1 << 20) + 1]).unwrap_err().contains("larger than"));
    assert!(load_text(b"name = \"\xff\"").unwrap_err().contains("UTF-8"));
    assert!(load("/nonexistent/file.toml".as_ref()).unwrap_err().contains("cannot be opened"));
}

#[test]
fn built_in_workloads_survive_json_and_their_names_are_unique() {
    let all = builtin();
    let names: std::collections::BTreeSet<_> = all.iter().map(|workload| &workload.name).collect();
    assert_eq!((names.len(), all.len()), (33, 33));
    for workload in &all {
        let json = serde_json::to_string(workload).unwrap();
        assert_eq!(&serde_json::from_str::<Workload>(&json).unwrap(), workload);
    }
}

#[test]
fn streams_beyond_the_bound_are_refused() {
    let mut workload = builtin().remove(0);
    let Model::Churn(churn) = &mut workload.model else { panic!("not churn") };
    churn.ops = 1 << 36;
    churn.live_max = 10;
    let error = prepare(&workload, 1024, 42).err().unwrap();
    assert!(error.contains("rl_small") && error.contains("lower"), "{error}");
    assert!(prepare(&builtin()[0], 0, 42).is_err() && prepare(&builtin()[0], 1025, 42).is_err());
}

#[test]
fn scaling_keeps_proportions() {
    let find = |name: &str| workloads::find(name).unwrap();
    assert!(matches!(find("rl_small").scaled(20_000).model, Model::Churn(Churn { ops: 20_000, .. })));
    let tiny = find("tiny_hot").scaled(20_000).model;
    assert!(matches!(&tiny, Model::Batch(batch) if batch.cycles == 6_000 && batch.order == Order::Lifo));
    assert!(matches!(
        find("random_mixed").scaled(100_000).model,
        Model::Slots(Slots { cycles: 1_000_000, .. })
    ));
    for workload in builtin() {
        assert_eq!(workload.scaled(200_000), workload);
        assert!(workload.scaled(1).validate().is_ok(), "{}", workload.name);
    }
}

fn any_f64() -> impl Strategy<Value = f64> {
    prop_oneof![Just(f64::NAN), Just(f64::INFINITY), -1.0..2.0, 0.0..=1.0]
}

fn any_size() -> impl Strategy<Value = usize> {
    prop_oneof![0_usize..3, 1_usize..5000, any::<usize>()]
}

fn any_sizes() -> impl Strategy<Value = Sizes> {
    prop_oneof![
        (any_size(), any_size()).prop_map(|(low, high)| Sizes::Uniform(low, high)),
        (any_size(), any_size()).prop_map(|(low, high)| Sizes::LogUniform(low, high)),
        (prop::collection::vec(any_size(), 0..5), prop::collection::vec(any_f64(), 0..5))
            .prop_map(|(values, weights)| Sizes::Weighted { values, weights }),
    ]
}

proptest! {
    /// Whatever validation lets through can be drawn (with few operations) and stays within its own bounds.
    #[test]
    fn what_is_valid_can_be_drawn(
        sizes in any_sizes(), p_alloc in any_f64(), handoff in any_f64(), live_max in any_size(),
        align in any_size(), warm_up in any::<bool>(), threads in 1_usize..4,
    ) {
        let model = Model::Churn(Churn { sizes, p_alloc, live_max: live_max % 10_000, ops: 500, handoff, warm_up });
        let workload = Workload {
            name: "any".into(), about: String::new(), group: "user".into(), align, touch: false, model,
        };
        match workload.validate() {
            Ok(()) => prop_assert!(prepare(&workload, threads, 1).is_ok()),
            Err(error) => {
                prop_assert!(error.contains("`any`") && !error.contains('\n'), "{}", error);
                prop_assert!(prepare(&workload, threads, 1).is_err());
            }
        }
    }

    /// No text makes the loader panic or answer on two lines.
    #[test]
    fn any_text_is_answered(text in "\\PC{0,60}", cut in 0..200_usize) {
        let mut file = GOOD.to_string();
        file.insert_str(cut.min(GOOD.len()), &text);
        if let Err(error) = load_text(file.as_bytes()) {
            prop_assert!(!error.contains('\n'), "{}", error);
        }
    }
}
