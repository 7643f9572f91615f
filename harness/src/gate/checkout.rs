//! Measuring processes of git revisions, built in a work tree of their own and kept.
//!
//! Every revision is checked out in one and the same folder, so that two builds of equal sources are equal to the byte
//! (paths are part of symbol names, hence of code layout), and share one target folder, so that foreign packages are
//! built once. The binary is copied to `target/gate/cells/COMMIT-FEATURE`. A lock keeps builds of
//! two gates apart; a binary appears under its name only when it is whole.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail, ensure};

/// A repository, and where its builds are kept.
pub struct Checkout {
    root: PathBuf,
    store: PathBuf,
}

impl Checkout {
    /// The repository of the current folder.
    pub fn open() -> Result<Checkout> {
        let root = git(Path::new("."), &["rev-parse", "--show-toplevel"], &[]).context(
            "this folder is in no git repository; run the gate inside one, or name engines or binaries",
        )?;
        Ok(Checkout::at(Path::new(&root)))
    }

    /// The repository at `root`.
    pub fn at(root: &Path) -> Checkout {
        Checkout { root: root.into(), store: root.join("target/gate") }
    }

    /// Commit of a revision's name.
    pub fn commit(&self, name: &str) -> Result<String> {
        ensure!(!name.starts_with('-') && !name.is_empty(), "'{name}' is not a revision");
        let asked = format!("{name}^{{commit}}");
        git(&self.root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &asked], &[]).map_err(|_| {
            anyhow!(
                "'{name}' is neither an engine, a file, nor a revision of {}; fetch it, or see: git log --oneline",
                self.root.display()
            )
        })
    }

    /// Commit of the working tree: HEAD where nothing differs from it, else a commit of the files as they are, which no
    /// branch knows.
    pub fn tree(&self, allow_dirty: bool) -> Result<String> {
        let head = self.commit("HEAD")?;
        let changes = git(&self.root, &["status", "--porcelain"], &[])?;
        let Some(first) = changes.lines().next() else { return Ok(head) };
        ensure!(
            allow_dirty,
            "the tree {} differs from its revision in {} files (first: {}); commit them, or take them as they are with --allow-dirty",
            self.root.display(),
            changes.lines().count(),
            first.get(3..).unwrap_or(first)
        );
        let folder = tempfile::tempdir().context("no temporary folder")?;
        let index = folder.path().join("index");
        let own_index = [("GIT_INDEX_FILE", index.as_path())];
        git(&self.root, &["read-tree", "HEAD"], &own_index)?;
        git(&self.root, &["add", "--all"], &own_index)?;
        let tree = git(&self.root, &["write-tree"], &own_index)?;
        let identity = ["-c", "user.name=allocbench", "-c", "user.email=allocbench@localhost"];
        let commit = ["commit-tree", &tree, "-p", &head, "-m", "The tree as it is"];
        git(&self.root, &[&identity[..], &commit[..]].concat(), &[])
    }

    /// Commits after `good` up to `bad`, oldest first.
    pub fn between(&self, good: &str, bad: &str) -> Result<Vec<String>> {
        let range = format!("{good}..{bad}");
        let list = git(&self.root, &["rev-list", "--reverse", "--first-parent", &range], &[])?;
        Ok(list.lines().map(String::from).collect())
    }

    /// First line of a commit's message.
    pub fn subject(&self, commit: &str) -> String {
        git(&self.root, &["log", "-1", "--format=%s", commit], &[]).unwrap_or_default()
    }

    /// Folders of the measuring code that differ between two commits.
    pub fn measuring_code_differs(&self, a: &str, b: &str) -> Vec<&'static str> {
        let hash = |commit: &str, folder: &str| {
            git(&self.root, &["rev-parse", &format!("{commit}:{folder}")], &[]).unwrap_or_default()
        };
        ["workloads", "harness/cell", "allocator/engines"]
            .into_iter()
            .filter(|folder| hash(a, folder) != hash(b, folder))
            .collect()
    }

    /// The measuring process of `commit`, with the cargo feature that brings the engine.
    pub fn cell(&self, commit: &str, feature: &str, say: &mut dyn FnMut(&str)) -> Result<PathBuf> {
        let name = if feature.is_empty() { commit.to_string() } else { format!("{commit}-{feature}") };
        let folder = self.store.join("cells").join(name);
        let binary = folder.join("allocbench-cell");
        if binary.is_file() {
            return Ok(binary);
        }
        fs::create_dir_all(&folder)
            .with_context(|| format!("{} cannot be created; builds are kept there", folder.display()))?;
        let lock = File::create(self.store.join("lock")).context("target/gate/lock cannot be written")?;
        lock.lock().context("target/gate/lock cannot be locked")?;
        if binary.is_file() {
            return Ok(binary);
        }
        say(&format!("building {} in target/gate", short(commit)));
        self.check_out(commit)?;
        let built = self.build(commit, feature)?;
        let part = folder.join("part");
        fs::copy(&built, &part).with_context(|| format!("{} cannot be copied", built.display()))?;
        fs::rename(&part, &binary).with_context(|| format!("{} cannot be written", binary.display()))?;
        Ok(binary)
    }

    fn check_out(&self, commit: &str) -> Result<()> {
        let tree = self.store.join("tree");
        let path = tree.to_string_lossy().into_owned();
        if tree.join(".git").exists() && git(&tree, &["rev-parse", "--git-dir"], &[]).is_ok() {
            git(&tree, &["checkout", "--quiet", "--detach", "--force", commit], &[])?;
            git(&tree, &["clean", "-ffdxq"], &[])?;
            return Ok(());
        }
        if tree.exists() {
            fs::remove_dir_all(&tree).with_context(|| format!("{path} cannot be removed"))?;
        }
        git(&self.root, &["worktree", "prune"], &[])?;
        git(&self.root, &["worktree", "add", "--quiet", "--force", "--detach", &path, commit], &[])?;
        Ok(())
    }

    fn build(&self, commit: &str, feature: &str) -> Result<PathBuf> {
        let (tree, target) = (self.store.join("tree"), self.store.join("build"));
        let short = short(commit);
        let mut command = Command::new("cargo");
        command.args(["build", "--release", "--locked", "-p", "cell", "--bin", "allocbench-cell"]);
        command.args(["--no-default-features", "--features", feature]);
        command.arg("--target-dir").arg(&target).current_dir(&tree).env_remove("CARGO_TARGET_DIR");
        let output = command.output().context("cargo cannot be started; install Rust, or name a binary")?;
        let log = self.store.join(format!("build-{short}.log"));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        fs::write(&log, &text).with_context(|| format!("{} cannot be written", log.display()))?;
        if !output.status.success() {
            let first = text.lines().find(|line| line.starts_with("error")).unwrap_or("no message");
            bail!("revision {short} does not build: {first} (all of it: {})", log.display());
        }
        Ok(target.join("release/allocbench-cell"))
    }
}

/// A commit as messages name it.
pub fn short(commit: &str) -> &str {
    &commit[..commit.len().min(12)]
}

/// Runs git and returns what it printed.
fn git(folder: &Path, args: &[&str], environment: &[(&str, &Path)]) -> Result<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(args)
        .envs(environment.iter().copied())
        .output()
        .context("git cannot be started; install it, or name engines or binaries instead of revisions")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no message");
        bail!("git {} fails: {last}", args.first().unwrap_or(&""));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository of two commits; the second one's package is called `cell` and does not build.
    fn repository() -> (tempfile::TempDir, Checkout) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let run = |args: &[&str]| git(root, args, &[]).unwrap();
        run(&["init", "--quiet"]);
        run(&["config", "user.email", "a@b"]);
        run(&["config", "user.name", "a"]);
        fs::write(root.join("file"), "1").unwrap();
        fs::write(root.join(".gitignore"), "/target\n").unwrap();
        run(&["add", "--all"]);
        run(&["commit", "--quiet", "-m", "first"]);
        fs::create_dir_all(root.join("src")).unwrap();
        fs::write(root.join("src/main.rs"), "fn main() { wrong }").unwrap();
        let manifest = "[package]\nname = \"cell\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[[bin]]\nname = \"allocbench-cell\"\npath = \"src/main.rs\"\n[workspace]\n";
        fs::write(root.join("Cargo.toml"), manifest).unwrap();
        fs::write(
            root.join("Cargo.lock"),
            "version = 4\n\n[[package]]\nname = \"cell\"\nversion = \"0.1.0\"\n",
        )
        .unwrap();
        run(&["add", "--all"]);
        run(&["commit", "--quiet", "-m", "second"]);
        let checkout = Checkout::at(root);
        (folder, checkout)
    }

    #[test]
    fn bad_revisions_are_named() {
        let (_folder, checkout) = repository();
        assert_eq!(checkout.commit("HEAD").unwrap().len(), 40);
        for bad in ["nosuch", "HEAD~9", "", "--help", "HEAD:file"] {
            let message = checkout.commit(bad).unwrap_err().to_string();
            assert!(message.contains(bad) && message.lines().count() == 1, "{bad}: {message}");
        }
    }

    #[test]
    fn a_dirty_tree_is_refused_or_taken_as_it_is() {
        let (folder, checkout) = repository();
        let head = checkout.commit("HEAD").unwrap();
        assert_eq!(checkout.tree(false).unwrap(), head);
        fs::write(folder.path().join("new"), "2").unwrap();
        let message = checkout.tree(false).unwrap_err().to_string();
        assert!(
            message.contains("1 files") && message.contains("new") && message.contains("--allow-dirty"),
            "{message}"
        );
        let commit = checkout.tree(true).unwrap();
        assert_ne!(commit, head);
        let of_commit = git(folder.path(), &["show", &format!("{commit}:new")], &[]).unwrap();
        assert_eq!(of_commit, "2");
        assert_eq!(
            git(folder.path(), &["status", "--porcelain"], &[]).unwrap(),
            "?? new",
            "the index is untouched"
        );
    }

    #[test]
    fn a_build_that_fails_is_one_line_and_leaves_no_binary() {
        let (folder, checkout) = repository();
        let head = checkout.commit("HEAD").unwrap();
        let message = format!("{:#}", checkout.cell(&head, "", &mut |_| ()).unwrap_err());
        assert!(message.contains("does not build: error") && message.contains(".log"), "{message}");
        assert_eq!(message.lines().count(), 1);
        assert!(!folder.path().join(format!("target/gate/cells/{head}/allocbench-cell")).exists());
    }

    #[test]
    fn revisions_between_are_listed_oldest_first() {
        let (_folder, checkout) = repository();
        let (first, second) = (checkout.commit("HEAD~1").unwrap(), checkout.commit("HEAD").unwrap());
        assert_eq!(checkout.between(&first, &second).unwrap(), std::slice::from_ref(&second));
        assert!(checkout.between(&second, &first).unwrap().is_empty());
        assert_eq!(checkout.subject(&first), "first");
    }
}
