//! `counts KERNELS JOB`: does a job twice, the second time inside [`counted`], which valgrind is told to count.

use std::hint::black_box;
use std::process::ExitCode;

use jobs::Data;
use jobs::Job;
use lawfit::Level;

/// What is counted: everything that happens in here, and nothing else.
#[inline(never)]
fn counted(job: Job, data: &Data, level: Level) -> f64 {
    black_box(jobs::run(black_box(job), data, level))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kernels, name] = arguments.as_slice() else {
        println!("{}", Job::ALL.map(Job::name).join(" "));
        return ExitCode::SUCCESS;
    };
    let Some(job) = Job::ALL.into_iter().find(|job| job.name() == name) else {
        eprintln!("no job is called {name}");
        return ExitCode::FAILURE;
    };
    let level = match Level::from_name(kernels) {
        Ok(level) => level,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let data = Data::of(job);
    // What is done once in a process, such as compiling the law, is done before.
    let first = jobs::run(job, &data, level);
    let second = counted(job, &data, level);
    println!("{second:e}");
    if first.to_bits() == second.to_bits() && second.is_finite() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
