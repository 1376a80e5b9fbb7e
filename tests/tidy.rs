//! The repository keeps its own promises: what the front page names is there.

use std::{fs, path::Path, process::Command};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pieces of a text between backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2))
}

#[test]
fn commands_of_the_front_page_are_tasks() {
    let help = Command::new(env!("CARGO"))
        .args(["xtask", "help"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let readme = read("README.md");
    let commands: Vec<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("$ cargo xtask "))
        .filter_map(|rest| rest.split_whitespace().next())
        .collect();
    assert!(commands.contains(&"serve") && commands.contains(&"test"));
    for command in commands {
        assert!(
            help.contains(&format!("cargo xtask {command}")),
            "`cargo xtask {command}` is not a task"
        );
    }
}

#[test]
fn landings_run_the_test_command_of_the_front_page() {
    assert!(
        read(".ci/run")
            .lines()
            .any(|line| line == "cargo xtask test")
    );
}

#[test]
fn files_that_the_documents_name_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = 0;
    for document in ["README.md", "ARCHITECTURE.md"] {
        let text = read(document);
        let looks_like_a_file = |name: &&str| {
            name.contains('/') && name.ends_with(".rs")
                || name.ends_with(".md")
                || name.ends_with(".did")
        };
        for name in quoted(&text).filter(looks_like_a_file) {
            let candidates = [root.join(name), root.join("src").join(name)];
            assert!(
                candidates.iter().any(|path| path.exists()),
                "{document} names {name}"
            );
            named += 1;
        }
    }
    assert!(named > 3, "only {named} files were named");
}

#[test]
fn tests_that_the_front_page_names_exist() {
    let readme = read("README.md");
    let named = readme.lines().filter_map(|row| {
        let (_, name) = row.strip_suffix("` |")?.rsplit_once('`')?;
        name.split_once("::")
    });
    let mut count = 0;
    for (play, test) in named {
        let text = read(&format!("tests/it/{play}.rs"));
        let line = format!("#[test]\nfn {test}() {{\n");
        assert!(text.contains(&line), "{play}::{test} is no test");
        count += 1;
    }
    assert!(count > 20, "only {count} tests were named");
}

#[test]
fn the_changelog_has_an_entry_for_what_is_next() {
    assert!(read("CHANGELOG.md").contains("## Unreleased\n\n- "));
}
