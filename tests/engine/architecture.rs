//! The layers of ARCHITECTURE.md, held line by line: who may use whom, and what must never be named where.
//!
//! The checker is a pure function from a path and a text to violations, so planted faults prove that it sees them. It
//! reads lines, not syntax trees: that is why the style guide asks for one `use crate::…` a line.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The Rust table of ARCHITECTURE.md.
struct Layers {
    rank: BTreeMap<String, u32>,
    /// Uses within one row that the table lists: (user, used).
    neighbours: BTreeSet<(String, String)>,
    /// What lib.rs makes public: modules, and items by the name under which they are re-exported.
    public: BTreeSet<String>,
}

/// Reads lib.rs, and of ARCHITECTURE.md the table under "### Rust layers": rank, `modules`, `a` → `b` among neighbours.
fn layers(architecture: &str, lib: &str) -> Layers {
    let section = architecture.split("\n### Rust layers\n").nth(1).expect("ARCHITECTURE.md has \"### Rust layers\"");
    let rows = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let mut layers = Layers { rank: BTreeMap::new(), neighbours: BTreeSet::new(), public: BTreeSet::new() };
    for line in lib.lines() {
        if let Some(item) = line.strip_prefix("pub mod ").or(line.strip_prefix("pub use ")) {
            let name = item.trim_end_matches(';').rsplit([':', ' ']).next().unwrap();
            layers.public.insert(name.to_owned());
        }
    }
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let Ok(rank) = cells[0].parse() else { continue };
        for module in quoted(cells[1]) {
            assert!(layers.rank.insert(module.clone(), rank).is_none(), "`{module}` stands twice in the table");
        }
        for pair in cells[2].split(',').filter(|pair| pair.contains('→')) {
            let names = quoted(pair);
            let [user, used] = names.as_slice() else { panic!("not `a` → `b`: {pair}") };
            layers.neighbours.insert((user.clone(), used.clone()));
        }
    }
    layers
}

/// What stands between backquotes.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The code of a source text, line for line: comments and the insides of literals are blank.
fn code_only(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let starts = |at: usize, text: &str| text.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
    let mut code = String::new();
    let mut at = 0;
    while at < chars.len() {
        let from = at;
        let after_word = at > 0 && is_word(chars[at - 1]);
        let hashes = chars[at..].iter().skip(1).take_while(|&&c| c == '#').count();
        if starts(at, "//") {
            at += chars[at..].iter().take_while(|&&c| c != '\n').count();
        } else if starts(at, "/*") {
            let mut depth = 0;
            while at < chars.len() {
                let step = match (starts(at, "/*"), starts(at, "*/")) {
                    (true, _) => (1, 2),
                    (_, true) => (-1, 2),
                    _ => (0, 1),
                };
                depth += step.0;
                at += step.1;
                if depth == 0 {
                    break;
                }
            }
        } else if chars[at] == 'r' && !after_word && chars.get(at + 1 + hashes) == Some(&'"') {
            let end = format!("\"{}", "#".repeat(hashes));
            at += hashes + 2;
            while at < chars.len() && !starts(at, &end) {
                at += 1;
            }
            at += end.len();
        } else if chars[at] == '"' {
            at += 1;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if starts(at, "'\\") {
            at += 3 + chars[(at + 3).min(chars.len())..].iter().take_while(|&&c| c != '\'').count() + 1;
        } else if chars[at] == '\'' && chars.get(at + 2) == Some(&'\'') {
            at += 3;
        } else {
            code.push(chars[at]);
            at += 1;
            continue;
        }
        at = at.min(chars.len());
        code.extend(chars[from..at].iter().map(|&c| blank(c)));
    }
    code
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `word` stands in `line` as a whole identifier or path.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && (!after.is_some_and(is_word) || word.ends_with(':'))
    })
}

/// What a file outside `allowed` modules must not name, and why.
const FORBIDDEN: [(&str, &[&str], &str); 18] = [
    ("pyo3", &["py"], "the engine has never heard of Python"),
    ("numpy", &["py"], "the engine has never heard of Python"),
    ("rayon", &["run"], "work goes through `run`, whose pool survives fork()"),
    ("std::thread", &["run", "py"], "only `run` and the door make threads"),
    ("unsafe", &["dispatch", "py"], "unsafe code stands in `dispatch` and the door alone"),
    ("std::env", &[], "options arrive as arguments; the engine reads no environment"),
    ("env!", &["py"], "the engine knows nothing of where it was built"),
    ("option_env!", &[], "the engine knows nothing of where it was built"),
    ("std::fs", &[], "the engine reads no files"),
    ("std::time", &["py"], "the engine reads no clock; progress is a counter that someone else reads"),
    ("Instant", &["py"], "the engine reads no clock; progress is a counter that someone else reads"),
    ("SystemTime", &["py"], "the engine reads no clock; progress is a counter that someone else reads"),
    ("println!", &[], "the engine has no voice"),
    ("eprintln!", &[], "the engine has no voice"),
    ("print!", &[], "the engine has no voice"),
    ("eprint!", &[], "the engine has no voice"),
    ("log::", &[], "the engine has no voice"),
    ("tracing::", &[], "the engine has no voice"),
];

/// Uses that the ranks allow and the design does not: (user, used, why).
const FORBIDDEN_USES: [(&str, &str, &str); 1] = [("solver", "rng", "a solver makes no random numbers")];

/// Every way in which the file at `path` (relative to src/) breaks the table.
fn violations(layers: &Layers, path: &str, source: &str) -> Vec<String> {
    let module = path.split(['/', '.']).next().expect("split gives at least one piece");
    let is_root = path == "lib.rs";
    let code = code_only(source);
    let mut found = Vec::new();
    for (index, (line, raw)) in code.lines().zip(source.lines()).enumerate() {
        let mut report = |what: String| found.push(format!("src/{path}:{}: {what}", index + 1));
        for (word, allowed, why) in FORBIDDEN {
            if names(line, word) && !allowed.contains(&module) {
                report(format!("names `{word}`: {why}"));
            }
        }
        if !is_root && line.contains("cfg") && names(line, "feature") && names(raw, "python") {
            report("asks for feature \"python\": only lib.rs does".to_owned());
        }
        if line.contains("super::super") {
            report("climbs by `super::super`: say `crate::…`, which the layer test reads".to_owned());
        }
        let top_file = path.ends_with("/mod.rs") || !path.contains('/');
        if top_file && (line.starts_with("use super::") || line.starts_with("pub use super::")) {
            report("leaves its layer by `super::`: say `crate::…`, which the layer test reads".to_owned());
        }
        if !is_root {
            for used in crate_paths(line) {
                if let Err(what) = may_use(layers, module, &used) {
                    report(what);
                }
            }
        }
    }
    found
}

/// The first segment of every `crate::…` path of a line; `{` for a group.
fn crate_paths(line: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        if line[..at].chars().next_back().is_some_and(|c| is_word(c) || c == '$') {
            continue;
        }
        let rest = line[at + "crate::".len()..].trim_start();
        let segment: String = rest.chars().take_while(|&c| is_word(c)).collect();
        paths.push(if segment.is_empty() { rest.chars().take(1).collect() } else { segment });
    }
    paths
}

fn may_use(layers: &Layers, user: &str, used: &str) -> Result<(), String> {
    if user == used {
        return Ok(());
    }
    if used == "{" || used == "*" {
        return Err("groups its `use crate::…`: write one a line, which the layer test reads".to_owned());
    }
    let Some(&user_rank) = layers.rank.get(user) else {
        return Err(format!("`{user}` is not in the table of ARCHITECTURE.md"));
    };
    // So that the door can move to a crate of its own.
    if user == "py" {
        return if layers.public.contains(used) {
            Ok(())
        } else {
            Err(format!("uses `crate::{used}`: the door uses only what lib.rs makes public"))
        };
    }
    let Some(&used_rank) = layers.rank.get(used) else {
        return Err(format!("uses `crate::{used}`, which is not in the table of ARCHITECTURE.md"));
    };
    if let Some((.., why)) = FORBIDDEN_USES.iter().find(|(a, b, _)| *a == user && *b == used) {
        return Err(format!("`{user}` uses `{used}`: {why}"));
    }
    if used_rank < user_rank || layers.neighbours.contains(&(user.to_owned(), used.to_owned())) {
        return Ok(());
    }
    Err(format!("`{user}` (rank {user_rank}) uses `{used}` (rank {used_rank}): imports go downwards only"))
}

/// Every Rust file under src/, relative to it, with its text.
fn sources() -> Vec<(String, String)> {
    fn walk(directory: &Path, root: &Path, files: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                files.push((relative, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &root, &mut files);
    files.sort();
    files
}

/// The layers as ARCHITECTURE.md and lib.rs have them.
fn real() -> Layers {
    let read = |name| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    layers(&read("ARCHITECTURE.md"), &read("src/lib.rs"))
}

#[test]
fn every_import_of_the_engine_goes_downwards() {
    let layers = real();
    let found: Vec<String> = sources().iter().flat_map(|(path, text)| violations(&layers, path, text)).collect();
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
}

#[test]
fn the_table_lists_exactly_the_modules_of_the_engine() {
    let listed: BTreeSet<String> = real().rank.into_keys().collect();
    let built: BTreeSet<String> = sources()
        .iter()
        .map(|(path, _)| path.split(['/', '.']).next().unwrap().to_owned())
        .filter(|module| module != "lib")
        .collect();
    assert_eq!(listed, built, "left: ARCHITECTURE.md, right: src/");
}

#[test]
fn every_neighbour_that_the_table_lists_is_needed() {
    let layers = real();
    let mut unused = layers.neighbours;
    for (path, text) in sources() {
        let user = path.split(['/', '.']).next().unwrap();
        let used: Vec<String> = code_only(&text).lines().flat_map(crate_paths).collect();
        unused.retain(|(a, b)| a != user || !used.contains(b));
    }
    assert!(unused.is_empty(), "listed and not used: {unused:?}");
}

/// A small table for the planted faults below.
fn toy() -> Layers {
    layers(
        "\n### Rust layers\n\n| rank | modules | neighbours | |\n|---|---|---|---|\n| 0 | `error`, `dispatch` | `dispatch` → `error` | |\n\
         | 1 | `rng`, `run` | | |\n| 3 | `law`, `loss` | | |\n| 5 | `solver` | | |\n| 6 | `batch` | | |\n| 8 | `py` | | |\n\n| 9 | `x` | | |\n",
        "pub mod error;\nmod batch;\npub use batch::Results;\npub use batch::run as run_batch;\n",
    )
}

fn faults(path: &str, source: &str) -> usize {
    violations(&toy(), path, source).len()
}

#[test]
fn the_table_is_read_to_its_end_and_no_further() {
    let toy = toy();
    assert_eq!(toy.rank.len(), 9);
    assert_eq!(toy.rank["py"], 8);
    assert_eq!(toy.neighbours.len(), 1);
}

#[test]
fn an_import_upwards_or_sidewards_is_caught() {
    assert_eq!(faults("loss/huber.rs", "use crate::batch::Results;\n"), 1);
    assert_eq!(faults("loss/huber.rs", "use crate::law::Law;\n"), 1);
    assert_eq!(faults("loss/huber.rs", "fn f(x: crate::law::Law, y: &crate::batch::Results) {}\n"), 2);
    assert_eq!(faults("error.rs", "use crate::dispatch::Level;\n"), 1);
    assert_eq!(faults("loss/huber.rs", "pub(crate) use crate::unknown::Thing;\n"), 1);
    assert_eq!(faults("unknown/mod.rs", "use crate::error::Error;\n"), 1);
    assert_eq!(faults("loss/huber.rs", "use crate::{error::Error, law::Law};\n"), 1);
    assert_eq!(faults("loss/mod.rs", "use super::batch::Results;\n"), 1);
    assert_eq!(faults("loss/huber.rs", "use super::super::batch::Results;\n"), 1);
    assert_eq!(faults("solver/newton.rs", "use crate::rng::Stream;\n"), 1);
    assert_eq!(faults("py/calls.rs", "use crate::batch::run;\nuse crate::run;\nuse crate::Hidden;\n"), 3);
}

#[test]
fn an_import_downwards_or_within_the_layer_passes() {
    assert_eq!(
        faults("loss/huber.rs", "use crate::error::Error;\nuse super::RobustLoss;\nuse crate::loss::Loss;\n"),
        0
    );
    assert_eq!(faults("dispatch.rs", "use crate::error::Error;\n"), 0);
    assert_eq!(faults("batch/mod.rs", "use crate::rng::Stream;\n#[cfg(test)]\nmod tests {\n    use super::*;\n}\n"), 0);
    assert_eq!(faults("py/calls.rs", "use crate::Results;\nuse crate::error::Error;\nuse crate::py::error;\n"), 0);
    assert_eq!(faults("py/calls.rs", "let x = crate::run_batch(crate::Results);\n"), 0);
    assert_eq!(faults("loss/mod.rs", "macro_rules! m { () => { $crate::batch::X } }\n"), 0);
}

#[test]
fn what_must_never_be_named_is_caught() {
    for line in [
        "use pyo3::prelude::*;",
        "use numpy::PyArray1;",
        "use rayon::prelude::*;",
        "let t = std::thread::spawn(f);",
        "let x = unsafe { *p };",
        "let x = std::env::var(\"X\");",
        "let now = Instant::now();",
        "println!(\"{x}\");",
        "eprint!(\"{x}\");",
        "log::warn!(\"x\");",
        "#[cfg(feature = \"python\")]",
        "#[cfg_attr(not(feature = \"python\"), allow(dead_code))]",
    ] {
        assert_eq!(faults("law/mod.rs", line), 1, "{line}");
    }
}

#[test]
fn what_is_allowed_in_its_place_passes() {
    assert_eq!(
        faults("lib.rs", "#[cfg(feature = \"python\")]\nmod py;\nmod batch;\npub use crate::batch::Results;\n"),
        0
    );
    assert_eq!(faults("py/mod.rs", "use pyo3::prelude::*;\nuse numpy::PyArray1;\nuse std::time::Duration;\n"), 0);
    assert_eq!(faults("run/pool.rs", "use rayon::ThreadPool;\n"), 0);
    assert_eq!(faults("dispatch.rs", "unsafe { f() }\n"), 0);
    assert_eq!(faults("law/mod.rs", "#![forbid(unsafe_code)]\n#[target_feature(enable = \"avx2\")]\n"), 0);
}

#[test]
fn comments_and_literals_do_not_count() {
    for text in [
        "//! Speaks of pyo3 and rayon.\n",
        "let x = 1; // unsafe? no\n",
        "/* use crate::batch::X;\n /* unsafe */ println!() */\n",
        "let s = \"use crate::batch::X; unsafe // \\\" pyo3\";\n",
        "let s = r#\"unsafe \" pyo3\"#;\n",
        "let c = ['\"', '\\'', 'x'];\n// unsafe\n",
        "fn f<'a>(x: &'a str) -> &'a str { x } // unsafe\n",
    ] {
        assert_eq!(violations(&toy(), "law/mod.rs", text), Vec::<String>::new(), "{text}");
    }
    assert_eq!(faults("law/mod.rs", "let c = '\"'; let x = unsafe { y };\n"), 1);
    assert_eq!(faults("law/mod.rs", "let s = \"a\"; let x = unsafe { y }; let t = \"b\";\n"), 1);
}
